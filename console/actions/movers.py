"""The making of hosts that moved within a month.

What is booked of a host in a month is of the site where it stood last; the lines of its workloads are of the
site of their hours. So that each site adds up, what such lines carry of it counts where it is booked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.embodied import technical_part
from console.domain.month_lines import EMBODIED, OPEN_REVISION, LineKind
from console.store.models import carbon as b
from console.store.models import fleet as f
from console.store.queries.stays import whereabouts

OF_HOURS = (LineKind.OWN, LineKind.UNCLAIMED, LineKind.POOL)


def carried_elsewhere(session: Session, site: str, start: datetime, end: datetime) -> dict[str, int]:
    """Of the making booked on a site, what lines of other sites carry less what its own carry of theirs."""
    found = dict.fromkeys(EMBODIED, 0)
    for line, home in _lines_of_movers(session, start, end):
        sign = (home == site) - (line.site == site)
        for name in EMBODIED if sign else ():
            amount: int | None = getattr(line, name)
            if amount is not None:
                found[name] += sign * (amount - technical_part(line.terms, name))
    return found


def _lines_of_movers(
    session: Session, start: datetime, end: datetime
) -> Iterator[tuple[b.MonthLine, str | None]]:
    """The lines of hosts that came to another site within a stretch of time, with where they stood last."""
    stay, line = f.HostStay, b.MonthLine
    movers = select(stay.host_id).where(stay.until > start, stay.until < end)
    homes = {host_id: known.last_before(end) for host_id, known in whereabouts(session, movers).items()}
    lines = select(line).where(
        line.host_id.in_(homes),
        line.since >= start,
        line.since < end,
        line.revision == OPEN_REVISION,
        line.kind.in_(OF_HOURS),
    )
    for one in session.scalars(lines):
        yield one, homes[one.host_id]
