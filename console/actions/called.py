"""Adherents and subscriptions as programs and files call them: by a number, or by a name known elsewhere."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.domain.contract import Status
from console.domain.errors import Invalid
from console.store.models import catalogue as c
from console.store.models import tenant as t

LONGEST_NUMBER = 18  # digits


def adherent_called(session: Session, text: str) -> c.Adherent:
    """The adherent of a number or a FINESS; raises `Invalid`, also for one out of scope."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else -1
    is_called = or_(c.Adherent.finess_ej == text, c.Adherent.tenant_id == number)
    found = session.scalars(select(c.Adherent).where(is_called)).all()
    named = [one for one in found if one.finess_ej == text] or found
    if not named:
        raise Invalid("adherent", "Aucun adhérent de votre périmètre n'a ce FINESS ou ce numéro.")
    return named[0]


def subscription_called(session: Session, tenant_id: int, text: str, day: date) -> int:
    """The number of a subscription, called by it or by its service, of which one runs on the day."""
    of_it = select(t.Subscription).where(
        t.Subscription.tenant_id == tenant_id, t.Subscription.status != Status.DRAFT
    )
    rows = session.scalars(of_it.order_by(t.Subscription.number)).all()
    if text.isascii() and text.isdigit():
        found = [row for row in rows if str(row.number) == text.lstrip("0")]
    else:
        found = [row for row in rows if row.service_code == text]
        found = [row for row in found if _runs(row, day)] or found
    if not found:
        raise Invalid("subscription", "Cet adhérent n'a pas cette souscription.")
    if len(found) > 1:
        raise Invalid(
            "subscription",
            "Plusieurs souscriptions prennent ce service : nommez-la par son numéro (%(numbers)s).",
            numbers=", ".join(str(row.number) for row in found),
        )
    return found[0].number


def _runs(row: t.Subscription, day: date) -> bool:
    return row.starts_on <= day and (row.ends_on is None or day <= row.ends_on)
