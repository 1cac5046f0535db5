"""What is learnt of an incident that is resolved: its cause, what was done, what is to be done by whom."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from console.actions.incident_clocks import OVER, hold_incident
from console.actions.numbering import next_number
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line, several_lines
from console.domain.revisions import check_version
from console.store.models import incident as i
from console.store.models import tenant as t


def write_review(
    session: Session,
    tenant_id: int,
    number: int,
    *,
    cause: str,
    done: str,
    seen_version: int | None,
    now: datetime,
    by: str,
) -> None:
    """Write the cause of an incident and what was done; raises `Stale` where somebody wrote in between."""
    _hold_resolved(session, tenant_id, number)
    texts = {"cause": several_lines(cause, "cause"), "done": several_lines(done, "done")}
    if not texts["cause"]:
        raise Invalid("cause", "La cause est attendue, ou qu'elle reste inconnue.")
    review = session.get(i.Review, (tenant_id, number))
    check_version(seen_version or 0, review.version if review else 0)
    if review is None:
        review = i.Review(tenant_id=tenant_id, incident=number)
        session.add(review)
    review.cause, review.done = texts["cause"], texts["done"]
    review.written_by, review.written_at = by, now
    session.flush()


def plan_action(
    session: Session,
    tenant_id: int,
    number: int,
    *,
    title: str,
    in_charge: str,
    due_on: date,
    now: datetime,
    by: str,
) -> int:
    """Decide that somebody does something until a day; the number of the action within the incident."""
    _hold_resolved(session, tenant_id, number)
    action = i.ReviewAction(
        tenant_id=tenant_id,
        incident=number,
        number=next_number(session, i.ReviewAction.number, tenant_id, i.ReviewAction.incident == number),
        title=one_line(title, "title"),
        in_charge=one_line(in_charge, "in_charge"),
        due_on=due_on,
        created_by=by,
        created_at=now,
        is_done=False,
    )
    session.add(action)
    session.flush()
    return action.number


def settle_action(
    session: Session, tenant_id: int, number: int, action: int, *, done: bool, now: datetime, by: str
) -> None:
    """Say that an action was done, or is dropped."""
    hold_incident(session, tenant_id, number)
    row = session.get(i.ReviewAction, (tenant_id, number, action))
    if row is None:
        raise NotFound("Action introuvable.")
    if row.settled_at is not None:
        raise Conflict("Cette action est déjà réglée.")
    row.is_done, row.settled_at, row.settled_by = done, now, by


def _hold_resolved(session: Session, tenant_id: int, number: int) -> t.Incident:
    incident = hold_incident(session, tenant_id, number)
    if incident.phase not in OVER:
        raise Conflict("Un incident se relit une fois résolu.")
    return incident
