"""Where the terms of a data centre change within a span of time: each line is of one stretch of them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.hours import month_of
from console.domain.spans import Span
from console.domain.stretches import cut
from console.store.models import site as s


def stretches_of(session: Session, site: s.Site, start: datetime, end: datetime) -> list[Span]:
    """`[start, end)` cut where a month of the site begins, and where its contracts begin and end."""
    zone, contract = ZoneInfo(site.zone), s.PowerContract
    days = {month_of(end, zone)}
    for first, last in session.execute(
        select(contract.valid_from, contract.valid_to).where(contract.site == site.code)
    ):
        days |= {first, last}
    return cut(start, end, days, zone)
