"""What people write on an incident, for the operator alone or for the adherent too; never edited."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from console.actions.incidents import hold_incident
from console.actions.numbering import next_number
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import several_lines
from console.store.models import incident as i


def add_comment(
    session: Session,
    tenant_id: int,
    number: int,
    text: str,
    *,
    shared: bool,
    now: datetime,
    by: str,
) -> int:
    """Write a comment on an incident, whatever its phase; the number of the comment within the incident."""
    incident = hold_incident(session, tenant_id, number)
    whole = several_lines(text, "text")
    if not whole:
        raise Invalid("text", "Un texte est attendu.")
    comment = i.Comment(
        tenant_id=tenant_id,
        incident=number,
        number=next_number(session, i.Comment.number, tenant_id, i.Comment.incident == number),
        text=whole,
        is_shared=shared,
        written_by=by,
        written_at=now,
    )
    session.add(comment)
    if shared:
        incident.changed_at = now  # programs read it too
    session.flush()
    return comment.number


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
