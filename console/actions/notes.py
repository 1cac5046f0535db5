"""What the operator writes for itself about an adherent: edited by its author, ended or redacted, kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from console.actions.numbering import next_number
from console.actions.tenancy import hold_adherent
from console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from console.domain.free_text import several_lines
from console.store.models import follow_up as f


def write_note(session: Session, tenant_id: int, text: str, *, now: datetime, by: str) -> int:
    """Add a note; the number."""
    hold_adherent(session, tenant_id)
    note = f.Note(
        tenant_id=tenant_id,
        number=next_number(session, f.Note.number, tenant_id),
        text=_text(text),
        written_by=by,
        written_at=now,
    )
    session.add(note)
    session.flush()
    return note.number


def edit_note(session: Session, tenant_id: int, number: int, text: str, *, now: datetime, by: str) -> None:
    """Change the text of a note; raises `Forbidden` to all but its author."""
    note = _standing(session, tenant_id, number)
    if note.written_by != by:
        raise Forbidden("Seule la personne qui a écrit cette note peut la modifier.")
    note.text, note.edited_at = _text(text), now


def end_note(session: Session, tenant_id: int, number: int, *, now: datetime, by: str) -> None:
    """A note no longer holds; it stays to be read among the past ones."""
    note = _standing(session, tenant_id, number)
    note.ended_at, note.ended_by = now, by


def redact_note(session: Session, tenant_id: int, number: int, *, now: datetime, by: str) -> None:
    """Take the text of a note away for good; that there was one, of whom and when, stays."""
    note = _note_of(session, tenant_id, number)
    if note.redacted_at is not None:
        raise Conflict("Cette note est déjà caviardée.")
    note.text, note.redacted_at, note.redacted_by = "", now, by
    note.ended_at, note.ended_by = note.ended_at or now, note.ended_by or by


def _note_of(session: Session, tenant_id: int, number: int) -> f.Note:
    hold_adherent(session, tenant_id)
    note = session.get(f.Note, (tenant_id, number))
    if note is None:
        raise NotFound("Note introuvable.")
    return note


def _standing(session: Session, tenant_id: int, number: int) -> f.Note:
    note = _note_of(session, tenant_id, number)
    if note.ended_at is not None:
        raise Conflict("Cette note est terminée.")
    return note


def _text(text: str) -> str:
    whole = several_lines(text, "text")
    if not whole:
        raise Invalid("text", "Un texte est attendu.")
    return whole
