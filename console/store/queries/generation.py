"""Whether a database was generated, and whether that came to its end."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.store.models.generation import Generation


class Origin(StrEnum):
    """Where the rows of a database come from."""

    REAL = "real"
    GENERATED = "generated"
    INCOMPLETE = "incomplete"  # a generation that was interrupted, or that runs


def origin(session: Session) -> Origin:
    """One statement on a table of one row at most."""
    found = session.execute(select(Generation.finished_at)).one_or_none()
    if found is None:
        return Origin.REAL
    return Origin.INCOMPLETE if found.finished_at is None else Origin.GENERATED
