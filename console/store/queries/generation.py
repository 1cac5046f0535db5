"""Whether a database was generated, whether that came to its end, and what of it has no hours."""

from __future__ import annotations

from datetime import datetime
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


def is_before_ledger(session: Session, month_start: datetime) -> bool:
    """Whether a month has carbon lines and no hours, as generated ones may; a real ledger is whole."""
    ledger_from = session.scalar(select(Generation.ledger_from))
    return ledger_from is not None and month_start < ledger_from
