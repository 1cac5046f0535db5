"""What every deed for one adherent begins with: the adherent itself, held until the transaction ends."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.store.models import catalogue as c
from console.store.models import tenant as t


def hold_adherent(session: Session, tenant_id: int) -> c.Adherent:
    """The adherent, locked, so that numbers given within it are given once; raises `NotFound`."""
    adherent = session.scalars(
        select(c.Adherent).where(c.Adherent.tenant_id == tenant_id).with_for_update(key_share=True)
    ).one_or_none()
    if adherent is None:
        raise NotFound("Adhérent introuvable.")
    return adherent


def subscription_of(session: Session, tenant_id: int, number: int) -> t.Subscription:
    """A subscription of an adherent; raises `NotFound`."""
    subscription = session.get(t.Subscription, (tenant_id, number))
    if subscription is None:
        raise NotFound("Souscription introuvable.")
    return subscription
