"""Whether month lines add up: to the hours, to the pools that were shared, to what sites metered.

Months that wait to be reckoned are only counted, and those before the ledger have no hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_ZONE
from console.domain.hours import month_bounds, month_of, months_between
from console.domain.month_lines import NO_HOST, OPEN_REVISION, LineKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.queries.generation import is_before_ledger, is_partly_before_ledger

MOVING = ("site", "service", "rest")  # steps that write lines of energy
SHARED = (LineKind.SHARE, LineKind.UNALLOCATED)
MonthKey = tuple[int, date]


@dataclass(frozen=True, slots=True)
class MonthCheck:
    """What was found: the sums of absolute differences, in millijoules, and how much was looked at.

    `month_residue_mj` is between the lines of adherents' months and their hours, `share_residue_mj` between
    pools and their shares, with what the facility takes, `site_residue_mj` between the meters of sites and
    all their lines.
    """

    month_residue_mj: int
    share_residue_mj: int
    site_residue_mj: int
    months: int
    site_months: int
    waiting_months: int

    @property
    def holds(self) -> bool:
        """Whether everything adds up; what waits is not judged."""
        return self.month_residue_mj == self.share_residue_mj == self.site_residue_mj == 0


def check_months(session: Session, start: datetime, end: datetime) -> MonthCheck:
    """Add up the local months that lie wholly within `[start, end)`."""
    waiting = {(row.tenant_id, row.month) for row in session.scalars(select(k.MonthDue))}
    busy = set(session.scalars(select(b.ReckoningDue.month).where(b.ReckoningDue.step.in_(MOVING))))
    hours, lines = _hours(session, start, end), _lines(session)
    judged = [key for key in hours if key not in waiting]
    sites = [one for one in _sites(session, start, end) if one[0].month not in busy]
    unsettled = busy | {month for _, month in waiting}
    return MonthCheck(
        month_residue_mj=sum(abs(hours[key] - lines[key]) for key in judged),
        share_residue_mj=_shares(session, start, end, unsettled),
        site_residue_mj=sum(abs(row.total_mj - told) for row, told in sites if row.month not in unsettled),
        months=len(judged),
        site_months=len(sites),
        waiting_months=len(waiting),
    )


def _months_within(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    for month in months_between(month_of(start, zone), month_of(end, zone)):
        first, after = month_bounds(month, zone)
        if start <= first and after <= end:
            yield month


def _hours(session: Session, start: datetime, end: datetime) -> Counter[MonthKey]:
    """The energy of hours by adherent and local month; a statement for each month of each zone."""
    line, found = t.EnergyLine, Counter[MonthKey]()
    for name in session.scalars(select(c.Adherent.zone).distinct()):
        zone = ZoneInfo(name)
        for month in _months_within(start, end, zone):
            first, last = month_bounds(month, zone)
            if is_before_ledger(session, first):
                continue
            rows = session.execute(
                select(line.tenant_id, func.sum(line.energy_mj))
                .join(c.Adherent, c.Adherent.tenant_id == line.tenant_id)
                .where(c.Adherent.zone == name, line.hour >= first, line.hour < last)
                .group_by(line.tenant_id)
            )
            found.update({(tenant_id, month): int(energy_mj) for tenant_id, energy_mj in rows})
    return found


def _lines(session: Session) -> Counter[MonthKey]:
    line = b.MonthLine
    rows = session.execute(
        select(line.tenant_id, line.month, func.sum(line.energy_mj))
        .where(line.revision == OPEN_REVISION, line.host_id != NO_HOST)
        .group_by(line.tenant_id, line.month)
    )
    return Counter({(tenant_id, month): int(energy_mj) for tenant_id, month, energy_mj in rows})


def _shares(session: Session, start: datetime, end: datetime, unsettled: Iterable[date]) -> int:
    """What pools hold and their shares do not, or the other way round."""
    begun = months_between(month_of(start, OPERATOR_ZONE), month_of(end, OPERATOR_ZONE))
    wanted = {one for one in begun if start <= month_bounds(one, OPERATOR_ZONE)[0] < end}
    months = wanted - set(unsettled)
    pools, shares = (_by_service(session, kinds, months) for kinds in ((LineKind.POOL,), SHARED))
    return sum(abs(pools[key] - shares[key]) for key in pools.keys() | shares.keys())


def _by_service(
    session: Session, kinds: tuple[LineKind, ...], months: Iterable[date]
) -> Counter[tuple[str | None, date]]:
    line = b.MonthLine
    rows = session.execute(
        select(line.service_code, line.month, func.sum(line.energy_mj), func.sum(line.overhead_mj))
        .where(line.revision == OPEN_REVISION, line.kind.in_(kinds), line.month.in_(months))
        .group_by(line.service_code, line.month)
    )
    return Counter(
        {(code, month): int(energy) + int(overhead or 0) for code, month, energy, overhead in rows}
    )


def _sites(session: Session, start: datetime, end: datetime) -> list[tuple[Any, int]]:
    """Metered months of sites with the energy and the overhead of all their lines."""
    found = []
    for site in session.scalars(select(s.Site)):
        zone = ZoneInfo(site.zone)
        months = list(_months_within(start, end, zone))
        rows = session.scalars(
            select(b.SiteMonth).where(
                b.SiteMonth.site == site.code,
                b.SiteMonth.month.in_(months),
                b.SiteMonth.origin == "metered",
            )
        )
        for row in rows:
            first, last = month_bounds(row.month, zone)
            if not is_partly_before_ledger(session, first):
                found.append((row, _all_lines(session, site.code, first, last)))
    return found


def _all_lines(session: Session, site: str, first: datetime, last: datetime) -> int:
    line = b.MonthLine
    energy_mj, overhead_mj = session.execute(
        select(func.sum(line.energy_mj), func.sum(line.overhead_mj)).where(
            line.site == site,
            line.since >= first,
            line.since < last,
            line.revision == OPEN_REVISION,
            line.kind.not_in(SHARED),
        )
    ).one()
    return int(energy_mj or 0) + int(overhead_mj or 0)
