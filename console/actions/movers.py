"""The making of hosts whose lines are not, or not all, of the site where it is booked.

What is booked of a host in a month is of the site where it stood last; the lines of its workloads are of the
site of their hours. Of a host that says nowhere where it stands it is of the site that the inventory tells;
its lines are of none. So that each site adds up, what such lines carry of it counts where it is booked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from sqlalchemy import and_, false, or_, select
from sqlalchemy.orm import Session

from console.actions.embodied import technical_part
from console.domain.claims import OPERATOR_ZONE
from console.domain.hours import month_bounds
from console.domain.month_lines import EMBODIED, OPEN_REVISION, LineKind
from console.domain.spans import Span
from console.store.models import carbon as b
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.queries.stays import inventory_sites, stays_in

OF_HOURS = (LineKind.OWN, LineKind.UNCLAIMED, LineKind.POOL)


def carried_elsewhere(session: Session, site: str, month: date) -> dict[str, int]:
    """Of the making booked on a site, what lines of other sites carry less what its own carry of theirs."""
    found = dict.fromkeys(EMBODIED, 0)
    homes = _booked_elsewhere(session, month)
    for line in _lines(session, homes):
        sign = (homes[line.host_id][0] == site) - (line.site == site)
        for name in EMBODIED if sign else ():
            amount: int | None = getattr(line, name)
            if amount is not None:
                found[name] += sign * (amount - technical_part(line.terms, name))
    return found


_Homes = Mapping[int, tuple[str, list[Span]]]


def _booked_elsewhere(session: Session, month: date) -> _Homes:
    """The hosts that moved within a month, or that say nowhere where they stand: by host the site where it
    is booked, and the spans of time of its lines."""
    moved = select(m.Host.host_id).where(m.Host.host_id.in_(select(f.HostStay.host_id)))
    unplaced = select(m.Host.host_id).where(m.Host.site.is_(None))
    stood = stays_in(session, month, moved)
    homes = {
        host_id: (stays[-1].site, [(one.since, one.until) for one in stays])
        for host_id, stays in stood.items()
        if len(stays) > 1
    }
    told = inventory_sites(session, unplaced)
    return homes | {host_id: (site, [month_bounds(month, OPERATOR_ZONE)]) for host_id, site in told.items()}


def _lines(session: Session, homes: _Homes) -> Iterator[b.MonthLine]:
    line = b.MonthLine
    spans = [
        and_(line.host_id == host_id, line.since >= since, line.since < until)
        for host_id, (_, spans) in homes.items()
        for since, until in spans
    ]
    yield from session.scalars(
        select(line).where(or_(false(), *spans), line.revision == OPEN_REVISION, line.kind.in_(OF_HOURS))
    )
