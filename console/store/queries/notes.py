"""What the operator wrote for itself about an adherent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.store.models import follow_up as f


@dataclass(frozen=True, slots=True)
class Note:
    """A note; its text is empty once it is redacted."""

    number: int
    text: str
    written_by: str
    written_at: datetime
    edited_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    redacted_at: datetime | None
    redacted_by: str | None


@dataclass(frozen=True, slots=True)
class Notes:
    """Those that hold and those that ended, the latest first."""

    standing: Sequence[Note]
    ended: Sequence[Note]


def notes_of(session: Session, tenant_id: int) -> Notes:
    """The notes about an adherent."""
    rows = session.scalars(
        select(f.Note).where(f.Note.tenant_id == tenant_id).order_by(f.Note.written_at.desc())
    )
    notes = [Note(**{name: getattr(row, name) for name in Note.__slots__}) for row in rows]
    return Notes(
        [note for note in notes if note.ended_at is None],
        [note for note in notes if note.ended_at is not None],
    )
