"""Hours of hosts that wait to be metered."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.store.models import measurement as m


def hours_waiting(session: Session, most: int) -> int:
    """How many wait, counted up to `most`."""
    some = select(m.HourDue.host_id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0
