"""Subscriptions that run, found by words of their adherent or of their service."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.contract import RUNNING
from console.domain.folding import folded_words
from console.store.models import catalogue as c
from console.store.models import tenant as t

OFFERED = 40


@dataclass(frozen=True, slots=True)
class FoundSubscription:
    """A subscription as a form offers it."""

    tenant_id: int
    adherent: str
    number: int
    service_fr: str
    service_en: str


def find_subscriptions(session: Session, words: str) -> list[FoundSubscription]:
    """Those whose adherent or service holds every word, the first ones; none without words."""
    sought = [
        or_(
            c.Adherent.folded_name.contains(word, autoescape=True),
            func.upper(c.Service.name_fr).contains(word, autoescape=True),
            func.upper(c.Service.name_en).contains(word, autoescape=True),
        )
        for word in folded_words(words)
    ]
    if not sought:
        return []
    rows = session.execute(
        select(t.Subscription, c.Adherent.name, c.Service)
        .join(c.Adherent, c.Adherent.tenant_id == t.Subscription.tenant_id)
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(t.Subscription.tenant_id != OPERATOR_TENANT, t.Subscription.status.in_(RUNNING), *sought)
        .order_by(c.Adherent.folded_name, t.Subscription.tenant_id, t.Subscription.number)
        .limit(OFFERED)
    )
    return [
        FoundSubscription(row.tenant_id, adherent, row.number, service.name_fr, service.name_en)
        for row, adherent, service in rows
    ]
