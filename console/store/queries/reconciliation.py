"""What counts beside what only reconciles: instruments of a host, and the hosts of a site against its meter.

An hour is compared where both sides cover it alike; an instrument whose hour is that of the ledger to the
millijoule is the one that it was made from.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.domain.facility import Quantity
from console.domain.hours import HOUR, hour_of
from console.domain.intervals import GPU
from console.domain.reconciliation import Compared, Verdict, holds_the_same
from console.domain.stays import Stay
from console.store.models import catalogue as c
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.host import host_of
from console.store.queries.hosts import Instrument, instrument_of
from console.store.queries.paging import PAGE, PageOf
from console.store.queries.stays import ever_at, site_then, stayed, whereabouts

CARDS = "+"  # in the name of what adds graphics cards to packages and memory
ZERO = timedelta()
ALIKE_MS = 36_000  # what two coverages of an hour may differ by: a hundredth of it
LAST_READINGS = timedelta(days=400)  # how far back the last reading of a meter is sought


@dataclass(frozen=True, slots=True)
class ComparedSource:
    """An instrument of a host over a period: in how many hours it told, counted, and was compared.

    The energies are those of the compared hours, `reference_mj` that of the ledger.
    """

    host_id: int
    host: str
    site: str | None
    instrument: Instrument
    hours: int
    counted: int
    compared: int
    energies: Compared
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class SiteReading:
    """What the IT meters of a site told over a stretch of time, beside the sum of its hosts.

    `meters` are how many were added up, at the point of a PUE category. `covered` is how much of the time the
    `hosts` told of; the sum is None where none did, or where the stretch is not one of whole hours.
    """

    site: str
    category: int
    meters: int
    started_at: datetime
    ended_at: datetime
    hosts: int
    covered: Fraction | None
    energies: Compared

    @property
    def excess(self) -> bool:
        """Whether hosts draw more than the meter that they hang on: one of the two is wrong."""
        return (self.energies.difference_mj or 0) > 0


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The instruments of hosts that do not only count, over a period; the last reading of each meter."""

    sources: PageOf[ComparedSource]
    far: int
    sites: Sequence[SiteReading]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DayCompared:
    """A local day of a host: what an instrument told and what counted, over the hours that compare."""

    day: date
    hours: int
    energies: Compared


@dataclass(frozen=True, slots=True)
class HostReconciled:
    """A host with each of its instruments, and the days of one of them beside what counts."""

    host_id: int
    host: str
    sources: Sequence[ComparedSource]
    chosen: ComparedSource | None
    days: Sequence[DayCompared]


@dataclass(frozen=True, slots=True)
class SiteReconciled:
    """A site with the readings of its IT meters over a period, the oldest first."""

    site: str
    name: str
    readings: Sequence[SiteReading]


def reconciled(
    session: Session,
    start: datetime,
    end: datetime,
    threshold: Fraction,
    *,
    now: datetime,
    only_far: bool = False,
    page: int = 1,
    size: int | None = PAGE,
) -> Reconciled:
    """Every host's instruments over whole hours, the largest differences first; and sites."""
    sources = sorted(_compared(_sums(session, start, end), threshold), key=_by_difference)
    far = [one for one in sources if one.verdict is Verdict.FAR]
    wanted = far if only_far else [one for one in sources if one.verdict is not Verdict.COUNTS]
    rows = wanted if size is None else wanted[(page - 1) * size : page * size]
    names = {row.code: row.name for row in session.scalars(select(s.Site).order_by(s.Site.name))}
    return Reconciled(
        sources=PageOf(rows, len(wanted), page),
        far=len(far),
        sites=_last_readings(session, now),
        names=names,
    )


def host_reconciled(
    session: Session,
    host_id: int,
    start: datetime,
    end: datetime,
    threshold: Fraction,
    zone: ZoneInfo,
    source: str = "",
) -> HostReconciled:
    """One host over whole hours, with the days of an instrument, or of the one compared most; `NotFound`."""
    host = host_of(session, host_id)
    sources = _compared(_sums(session, start, end, host_id), threshold)
    compared = [one for one in sources if one.compared]
    chosen = next((one for one in compared if one.instrument.name == source), None)
    chosen = chosen or max(compared, key=lambda one: one.compared, default=None)
    days = [] if chosen is None else _days(session, host_id, chosen.instrument, start, end, zone)
    return HostReconciled(host_id, host.name, sources, chosen, days)


def site_reconciled(session: Session, code: str, start: datetime, end: datetime) -> SiteReconciled:
    """One site, by the readings of its IT meters that lie within a period; `NotFound`."""
    site = session.get(s.Site, code)
    if site is None:
        raise NotFound("Site introuvable.")
    rows = [
        row for row in _meter_rows(session, start, code) if row.started_at >= start and row.ended_at <= end
    ]
    return SiteReconciled(code, site.name, _readings(session, rows))


def _sums(session: Session, start: datetime, end: datetime, host_id: int | None = None) -> Sequence[Any]:
    row, total = f.SourceHour, m.HostHour
    alike, is_own = _alike(), row.energy_mj == total.energy_mj
    compares = and_(alike, ~is_own)
    of_host = () if host_id is None else (row.host_id == host_id,)
    return session.execute(
        select(
            row.host_id,
            m.Host.name,
            m.Host.site,
            c.EnergySource,
            func.count().label("hours"),
            func.sum(case((and_(alike, is_own), 1), else_=0)).label("counted"),
            func.sum(case((compares, 1), else_=0)).label("compared"),
            func.sum(case((compares, row.energy_mj), else_=0)).label("energy_mj"),
            func.sum(case((compares, total.energy_mj), else_=0)).label("reference_mj"),
        )
        .join(total, and_(total.hour == row.hour, total.host_id == row.host_id))
        .join(m.Host, m.Host.host_id == row.host_id)
        .join(c.EnergySource, c.EnergySource.source_id == row.source_id)
        .where(
            row.hour >= start,
            row.hour < end,
            row.covered_ms > 0,
            c.EnergySource.authority != GPU,  # a part of a host, which is compared with nothing
            *of_host,
        )
        .group_by(row.host_id, m.Host.name, m.Host.site, c.EnergySource.source_id)
        .order_by(m.Host.name, c.EnergySource.name, c.EnergySource.source_id)
    ).all()


def _alike() -> ColumnElement[bool]:
    """That an instrument and the ledger cover an hour alike."""
    return and_(
        m.HostHour.covered_ms > 0,
        f.SourceHour.covered_ms - m.HostHour.covered_ms <= ALIKE_MS,
        m.HostHour.covered_ms - f.SourceHour.covered_ms <= ALIKE_MS,
    )


def _compared(rows: Iterable[Any], threshold: Fraction) -> list[ComparedSource]:
    rows = list(rows)
    counting: dict[int, set[Instrument]] = {}
    for row in rows:
        if row.counted:
            counting.setdefault(row.host_id, set()).add(instrument_of(row.EnergySource))
    return [_compared_source(row, counting.get(row.host_id, set()), threshold) for row in rows]


def _compared_source(row: Any, counting: set[Instrument], threshold: Fraction) -> ComparedSource:
    instrument = instrument_of(row.EnergySource)
    compared = int(row.compared)
    energies = Compared(int(row.energy_mj), int(row.reference_mj)) if compared else Compared(None, None)
    same = all(_holds_as(instrument, other) for other in counting)
    verdict = energies.verdict(threshold, same_boundary=same)
    if not compared and row.counted:
        verdict = Verdict.COUNTS
    return ComparedSource(
        host_id=row.host_id,
        host=row.name,
        site=row.site,
        instrument=instrument,
        hours=row.hours,
        counted=int(row.counted),
        compared=compared,
        energies=energies,
        verdict=verdict,
    )


def _holds_as(one: Instrument, other: Instrument) -> bool:
    """Whether two instruments measure at the same place, with graphics cards or without."""
    with_cards = {CARDS in one.name, CARDS in other.name}
    return len(with_cards) == 1 and holds_the_same(one.boundary, other.boundary)


def _by_difference(one: ComparedSource) -> tuple[bool, Fraction, str, str]:
    """Those that are far first, then by how far."""
    share = one.energies.share
    return one.verdict is not Verdict.FAR, -abs(share or Fraction(0)), one.host, one.instrument.name


def _days(
    session: Session, host_id: int, instrument: Instrument, start: datetime, end: datetime, zone: ZoneInfo
) -> list[DayCompared]:
    row, total, source = f.SourceHour, m.HostHour, c.EnergySource
    hours = session.execute(
        select(row.hour, row.energy_mj, total.energy_mj)
        .join(total, and_(total.hour == row.hour, total.host_id == row.host_id))
        .join(source, source.source_id == row.source_id)
        .where(
            row.host_id == host_id,
            row.hour >= start,
            row.hour < end,
            row.energy_mj != total.energy_mj,
            source.name == instrument.name,
            source.authority == instrument.authority,
            source.boundary == instrument.boundary,
            source.quality == instrument.quality,
            _alike(),
        )
        .order_by(row.hour)
    )
    sums: dict[date, tuple[int, int, int]] = {}
    for hour, energy_mj, reference_mj in hours:
        day = hour.astimezone(zone).date()
        count, energy, reference = sums.get(day, (0, 0, 0))
        sums[day] = (count + 1, energy + energy_mj, reference + reference_mj)
    return [_day(day, sums.get(day)) for day in _days_between(start, end, zone)]


def _day(day: date, sums: tuple[int, int, int] | None) -> DayCompared:
    if sums is None:
        return DayCompared(day, 0, Compared(None, None))
    return DayCompared(day, sums[0], Compared(sums[1], sums[2]))


def _days_between(start: datetime, end: datetime, zone: ZoneInfo) -> list[date]:
    first, last = start.astimezone(zone).date(), (end - HOUR).astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _meter_rows(session: Session, since: datetime, code: str | None = None) -> Sequence[Any]:
    """The IT energies that meters of one point told over the same time, added up; the oldest first."""
    row = s.SiteMeasure
    of_site = () if code is None else (row.site == code,)
    return session.execute(
        select(
            row.site,
            row.category,
            row.started_at,
            row.ended_at,
            func.sum(row.amount).label("amount"),
            func.count().label("meters"),
        )
        .where(row.quantity == Quantity.IT, row.ended_at > since, *of_site)
        .group_by(row.site, row.category, row.started_at, row.ended_at)
        .order_by(row.site, row.category, row.started_at, row.ended_at)
    ).all()


def _last_readings(session: Session, now: datetime) -> list[SiteReading]:
    """The last reading of each site and point."""
    last = {(row.site, row.category): row for row in _meter_rows(session, now - LAST_READINGS)}
    return _readings(session, list(last.values()))


def _readings(session: Session, rows: Sequence[Any]) -> list[SiteReading]:
    """Readings of meters beside the hosts of their sites; two statements a site."""
    found = []
    for code in dict.fromkeys(row.site for row in rows):
        of_site = [row for row in rows if row.site == code]
        hosts = _standing(session, code)
        start, end = min(row.started_at for row in of_site), max(row.ended_at for row in of_site)
        hours = _Hours(session, code, start, end)
        found += [_reading(row, hosts, hours) for row in of_site]
    return found


class _Hours:
    """The hours of the hosts of a site, added up once so that any stretch of them is a subtraction."""

    def __init__(self, session: Session, site: str, start: datetime, end: datetime) -> None:
        row = m.HostHour
        rows = session.execute(
            select(row.hour, func.sum(row.energy_mj), func.sum(row.covered_ms))
            .join(m.Host, m.Host.host_id == row.host_id)
            .outerjoin(f.HostStay, stayed(row.host_id, row.hour))
            .where(site_then == site, row.hour >= start, row.hour < end)
            .group_by(row.hour)
            .order_by(row.hour)
        ).all()
        self.hours = [hour for hour, _energy_mj, _covered_ms in rows]
        self.energies_mj = [0, *accumulate(int(row[1]) for row in rows)]
        self.covered_ms = [0, *accumulate(int(row[2]) for row in rows)]

    def between(self, start: datetime, end: datetime) -> tuple[int, int]:
        """The energy, and the time that it was covered."""
        first, last = bisect_left(self.hours, start), bisect_left(self.hours, end)
        return (
            self.energies_mj[last] - self.energies_mj[first],
            self.covered_ms[last] - self.covered_ms[first],
        )


def _reading(row: Any, hosts: Sequence[tuple[m.Host, Sequence[Stay]]], hours: _Hours) -> SiteReading:
    there = [due for host, stays in hosts if (due := _due_ms(host, stays, row)) > 0]
    energy_mj = covered = None
    is_whole = hour_of(row.started_at) == row.started_at and hour_of(row.ended_at) == row.ended_at
    if is_whole and there:
        energy_mj, covered_ms = hours.between(row.started_at, row.ended_at)
        covered = min(Fraction(1), Fraction(covered_ms, sum(there)))
    return SiteReading(
        site=row.site,
        category=row.category,
        meters=row.meters,
        started_at=row.started_at,
        ended_at=row.ended_at,
        hosts=len(there),
        covered=covered,
        energies=Compared(energy_mj if covered else None, int(row.amount)),
    )


def _standing(session: Session, code: str) -> list[tuple[m.Host, Sequence[Stay]]]:
    """The hosts that stand on a site or stood there, each with when."""
    hosts = session.scalars(select(m.Host).where(m.Host.host_id.in_(ever_at(code)))).all()
    known = whereabouts(session, ever_at(code))
    return [(host, [one for one in known[host.host_id].spans if one.site == code]) for host in hosts]


def _due_ms(host: m.Host, stays: Sequence[Stay], row: Any) -> int:
    """For how long of a stretch a host was there."""
    start: datetime = max(row.started_at, hour_of(host.first_seen_at))
    end: datetime = row.ended_at if host.retired_at is None else min(row.ended_at, host.retired_at)
    there = (min(end, one.until) - max(start, one.since) for one in stays)
    return sum((long for long in there if long > ZERO), ZERO) // timedelta(milliseconds=1)
