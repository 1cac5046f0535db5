"""What people write on an incident, for the operator alone or for the adherent too.

What people write is never edited; a program may correct what it told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.incident_clocks import hold_incident
from console.actions.numbering import next_number
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import several_lines
from console.store.models import incident as i

SENT_TWICE_WITHIN = timedelta(minutes=1)


def write_comment(
    session: Session, tenant_id: int, number: int, text: str, *, shared: bool, now: datetime, by: str
) -> int:
    """Write what a person typed, as `add_comment`; raises `Conflict` for a form that was sent twice."""
    hold_incident(session, tenant_id, number)
    comment = i.Comment
    twin = session.scalars(
        select(comment.number)
        .where(
            comment.tenant_id == tenant_id,
            comment.incident == number,
            comment.text == several_lines(text, "text"),
            comment.is_shared == shared,
            comment.written_by == by,
            comment.written_at > now - SENT_TWICE_WITHIN,
            comment.redacted_at.is_(None),
        )
        .limit(1)
    ).first()
    if twin is not None:
        raise Conflict("Ce commentaire vient d'être écrit.")
    return add_comment(session, tenant_id, number, text, shared=shared, now=now, by=by)


def add_comment(
    session: Session,
    tenant_id: int,
    number: int,
    text: str,
    *,
    shared: bool,
    now: datetime,
    by: str,
    at: datetime | None = None,
) -> int:
    """Write a comment on an incident, whatever its phase; the number of the comment within the incident.

    It was written `at` an instant, or now.
    """
    incident = hold_incident(session, tenant_id, number)
    whole = _whole(text)
    comment = i.Comment(
        tenant_id=tenant_id,
        incident=number,
        number=next_number(session, i.Comment.number, tenant_id, i.Comment.incident == number),
        text=whole,
        is_shared=shared,
        written_by=by,
        written_at=_written_at(at, now) or now,
    )
    session.add(comment)
    if shared:
        incident.changed_at = now  # programs read it too
    session.flush()
    return comment.number


def correct_comment(
    session: Session,
    tenant_id: int,
    number: int,
    comment: int,
    text: str,
    *,
    shared: bool,
    now: datetime,
    by: str | None = None,
    at: datetime | None = None,
) -> None:
    """Tell a comment of a program anew, with its author and instant where known; a redacted one stays so."""
    incident = hold_incident(session, tenant_id, number)
    row = session.get(i.Comment, (tenant_id, number, comment))
    if row is None:
        raise NotFound("Commentaire introuvable.")
    if row.redacted_at is not None:
        return
    if row.is_shared or shared:
        incident.changed_at = now  # programs read it too
    row.text, row.is_shared = _whole(text), shared
    row.written_by, row.written_at = by or row.written_by, _written_at(at, now) or row.written_at
    session.flush()


def redact_comment(
    session: Session, tenant_id: int, number: int, comment: int, *, now: datetime, by: str
) -> None:
    """Take the text of a comment away for good; that there was one, of whom and when, stays."""
    incident = hold_incident(session, tenant_id, number)
    row = session.get(i.Comment, (tenant_id, number, comment))
    if row is None:
        raise NotFound("Commentaire introuvable.")
    if row.redacted_at is not None:
        raise Conflict("Ce commentaire est déjà caviardé.")
    row.text, row.redacted_at, row.redacted_by = "", now, by
    if row.is_shared:
        incident.changed_at = now  # programs that read it learn that it is gone


def _whole(text: str) -> str:
    whole = several_lines(text, "text")
    if not whole:
        raise Invalid("text", "Un texte est attendu.")
    return whole


def _written_at(at: datetime | None, now: datetime) -> datetime | None:
    if at is not None and at > now:
        raise Invalid("at", "Une heure à venir ne peut pas être enregistrée.")
    return at
