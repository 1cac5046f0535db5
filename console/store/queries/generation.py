"""Whether a database was generated, whether that came to its end, and what of it has no hours."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.hours import month_bounds, month_of
from console.store.models.catalogue import Adherent
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


def is_partly_before_ledger(session: Session, month_start: datetime) -> bool:
    """Whether some adherent's month that shares hours with a month of a site has no hours itself.

    Where its clock is not that of the site, its month begins before, or it is in the month before.
    """
    if session.scalar(select(Generation.ledger_from)) is None:
        return False
    zones = map(ZoneInfo, session.scalars(select(Adherent.zone).distinct()))
    starts = (month_bounds(month_of(month_start, zone), zone)[0] for zone in zones)
    return is_before_ledger(session, month_start) or any(is_before_ledger(session, one) for one in starts)
