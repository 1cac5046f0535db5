"""Grids as their pages show them: what is known of each, month by month, its gaps, its days and hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.domain.facility import Basis
from console.domain.grid import State
from console.domain.hours import HOUR, day_bounds, hour_of, hours_between, month_bounds
from console.store.models import site as s

USUAL_CLOCK = "Europe/Paris"  # of a grid that no data centre draws from


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a grid on a basis; nothing where `first` is None. Hours are those known as a whole."""

    zone: str
    basis: Basis
    hours: int
    first: datetime | None
    last: datetime | None
    publishers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid with the data centres that draw from it, by code and name."""

    zone: str
    known: Sequence[Known]
    sites: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class MonthKnown:
    """A local month of a grid: the hours that have passed, how many are known, how final these are."""

    month: date
    hours: int
    known: int
    mean_mg_per_kwh: int | None  # of the hours that are known
    states: Mapping[State, int]
    publishers: Sequence[str]

    @property
    def unknown(self) -> int:
        return self.hours - self.known


@dataclass(frozen=True, slots=True)
class Day:
    """A local day of a month: None where an hour of it is unknown."""

    day: date
    hours: int
    known: int
    mean_mg_per_kwh: int | None
    low_mg_per_kwh: int | None
    high_mg_per_kwh: int | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as its publisher gives it."""

    started_at: datetime
    duration_s: int
    intensity_mg_per_kwh: int
    state: State
    publisher: str


@dataclass(frozen=True, slots=True)
class GridPage:
    """A year of a grid on a basis, with its gaps; the days of a month, or the hours of a day, of it."""

    grid: Grid
    basis: Basis
    clock: str
    years: Sequence[int]
    year: int
    months: Sequence[MonthKnown]
    gaps: Sequence[tuple[datetime, datetime]]
    month: date
    days: Sequence[Day]
    day: date | None = None
    hours: Sequence[tuple[datetime, int | None]] = field(default_factory=tuple)
    figures: Sequence[Figure] = field(default_factory=tuple)


def grids(session: Session) -> list[Grid]:
    """Every grid of which something is known, or from which a data centre draws."""
    known = _known(session)
    sites: dict[str, list[tuple[str, str]]] = {}
    for code, name, zone in session.execute(select(s.Site.code, s.Site.name, s.Site.grid_zone)):
        sites.setdefault(zone, []).append((code, name))
    zones = sorted({one.zone for one in known} | sites.keys())
    return [
        Grid(zone, [one for one in known if one.zone == zone], sorted(sites.get(zone, ()))) for zone in zones
    ]


def grid_page(
    session: Session,
    zone: str,
    *,
    now: datetime,
    basis: Basis | None = None,
    year: int | None = None,
    month: date | None = None,
    day: date | None = None,
) -> GridPage:
    """A year of a grid, the last one known where none is asked for; raises `NotFound`."""
    grid = next((one for one in grids(session) if one.zone == zone), None)
    if grid is None:
        raise NotFound("Il n'y a pas de réseau « %(zone)s ».", zone=zone[:40])
    clock = _clock(session, zone)
    basis = basis or (grid.known[0].basis if grid.known else Basis.DIRECT_PRODUCTION)
    known = next((one for one in grid.known if one.basis is basis), None)
    years = _years(known, clock)
    shown = day or month
    year = shown.year if shown else year or (years[-1] if years else now.astimezone(clock).year)
    hours = _hours(session, zone, basis, year, clock)
    months = _months(session, zone, basis, year, clock, hours, now)
    month = shown.replace(day=1) if shown else _last_known(months, year)
    return GridPage(
        grid=grid,
        basis=basis,
        clock=clock.key,
        years=years,
        year=year,
        months=months,
        gaps=_gaps(months, hours, clock, now),
        month=month,
        days=_days(month, clock, hours),
        day=day,
        hours=_hours_of_day(day, clock, hours) if day else (),
        figures=_figures(session, zone, basis, day, clock) if day else (),
    )


def _known(session: Session) -> list[Known]:
    row, hour = s.GridIntensity, s.GridHour
    counted = {
        (zone, basis): count
        for zone, basis, count in session.execute(
            select(hour.grid_zone, hour.basis, func.count()).group_by(hour.grid_zone, hour.basis)
        )
    }
    told: dict[tuple[str, Basis], list[tuple[str, datetime, datetime]]] = {}
    for zone, basis, publisher, first, last in session.execute(
        select(row.grid_zone, row.basis, row.publisher, func.min(row.started_at), func.max(row.started_at))
        .group_by(row.grid_zone, row.basis, row.publisher)
        .order_by(row.grid_zone, row.basis, row.publisher)
    ):
        told.setdefault((zone, basis), []).append((publisher, first, last))
    return [
        Known(
            zone=zone,
            basis=basis,
            hours=counted.get((zone, basis), 0),
            first=min(first for _, first, _ in parts),
            last=max(last for _, _, last in parts),
            publishers=[publisher for publisher, _, _ in parts],
        )
        for (zone, basis), parts in told.items()
    ]


def _clock(session: Session, zone: str) -> ZoneInfo:
    """The clock of the first data centre on a grid."""
    found = session.scalars(select(s.Site.zone).where(s.Site.grid_zone == zone).order_by(s.Site.code)).first()
    return ZoneInfo(found or USUAL_CLOCK)


def _years(known: Known | None, clock: ZoneInfo) -> list[int]:
    if known is None or known.first is None or known.last is None:
        return []
    return list(range(known.first.astimezone(clock).year, known.last.astimezone(clock).year + 1))


def _hours(
    session: Session, zone: str, basis: Basis, year: int, clock: ZoneInfo
) -> Mapping[datetime, tuple[int, State]]:
    """The hours of a local year that are known, with a day on both sides."""
    start, _ = day_bounds(date(year, 1, 1), clock)
    row = s.GridHour
    rows = session.execute(
        select(row.hour, row.intensity_mg_per_kwh, row.state).where(
            row.grid_zone == zone,
            row.basis == basis,
            row.hour >= start - HOUR,
            row.hour < start + timedelta(days=368),
        )
    )
    return {hour: (mg_per_kwh, State(state)) for hour, mg_per_kwh, state in rows}


def _months(
    session: Session,
    zone: str,
    basis: Basis,
    year: int,
    clock: ZoneInfo,
    hours: Mapping[datetime, tuple[int, State]],
    now: datetime,
) -> list[MonthKnown]:
    """The months of a year that have begun."""
    begun = [
        one for one in (date(year, number, 1) for number in range(1, 13)) if month_bounds(one, clock)[0] < now
    ]
    publishers = _publishers(session, zone, basis, begun, clock)
    found = []
    for month in begun:
        passed = _passed(month, clock, now)
        known = [hours[hour] for hour in passed if hour in hours]
        found.append(
            MonthKnown(
                month=month,
                hours=len(passed),
                known=len(known),
                mean_mg_per_kwh=_mean([mg for mg, _ in known]),
                states=Counter(state for _, state in known),
                publishers=publishers.get(month, []),
            )
        )
    return found


def _passed(month: date, clock: ZoneInfo, now: datetime) -> list[datetime]:
    """The hours of a local month that are over."""
    start, end = month_bounds(month, clock)
    return list(hours_between(start, min(end, hour_of(now))))


def _publishers(
    session: Session, zone: str, basis: Basis, months: Sequence[date], clock: ZoneInfo
) -> Mapping[date, list[str]]:
    if not months:
        return {}
    row = s.GridIntensity
    bounds = [month_bounds(month, clock) for month in months]
    whens = [(row.started_at >= start, literal(number)) for number, (start, _) in enumerate(bounds)]
    number = case(*reversed(whens), else_=literal(0)).label("number")
    rows = session.execute(
        select(number, row.publisher)
        .where(
            row.grid_zone == zone,
            row.basis == basis,
            row.started_at >= bounds[0][0],
            row.started_at < bounds[-1][1],
        )
        .distinct()
        .order_by(number, row.publisher)
    )
    found: dict[date, list[str]] = {}
    for place, publisher in rows:
        found.setdefault(months[place], []).append(publisher)
    return found


def _gaps(
    months: Iterable[MonthKnown],
    hours: Mapping[datetime, tuple[int, State]],
    clock: ZoneInfo,
    now: datetime,
) -> list[tuple[datetime, datetime]]:
    """The stretches of a year of which nothing whole is known, hours that follow each other together."""
    found: list[tuple[datetime, datetime]] = []
    for one in months:
        if not one.unknown:
            continue
        for hour in _passed(one.month, clock, now):
            if hour in hours:
                continue
            if found and found[-1][1] == hour:
                found[-1] = (found[-1][0], hour + HOUR)
            else:
                found.append((hour, hour + HOUR))
    return found


def _last_known(months: Sequence[MonthKnown], year: int) -> date:
    known = [one.month for one in months if one.known]
    return known[-1] if known else date(year, 1, 1)


def _days(month: date, clock: ZoneInfo, hours: Mapping[datetime, tuple[int, State]]) -> list[Day]:
    _start, end = month_bounds(month, clock)
    found, day = [], month
    while day_bounds(day, clock)[0] < end:
        of_day = list(hours_between(*day_bounds(day, clock)))
        known = [hours[hour][0] for hour in of_day if hour in hours]
        whole = len(known) == len(of_day)
        found.append(
            Day(
                day=day,
                hours=len(of_day),
                known=len(known),
                mean_mg_per_kwh=_mean(known) if whole else None,
                low_mg_per_kwh=min(known, default=None),
                high_mg_per_kwh=max(known, default=None),
            )
        )
        day += timedelta(days=1)
    return found


def _hours_of_day(
    day: date, clock: ZoneInfo, hours: Mapping[datetime, tuple[int, State]]
) -> list[tuple[datetime, int | None]]:
    return [
        (hour, hours[hour][0] if hour in hours else None) for hour in hours_between(*day_bounds(day, clock))
    ]


def _figures(session: Session, zone: str, basis: Basis, day: date, clock: ZoneInfo) -> list[Figure]:
    start, end = day_bounds(day, clock)
    row = s.GridIntensity
    rows = session.scalars(
        select(row)
        .where(row.grid_zone == zone, row.basis == basis, row.started_at >= start, row.started_at < end)
        .order_by(row.started_at)
    )
    return [
        Figure(
            one.started_at.astimezone(UTC),
            one.duration_s,
            one.intensity_mg_per_kwh,
            State(one.state),
            one.publisher,
        )
        for one in rows
    ]


def _mean(values: Sequence[int]) -> int | None:
    return round(Fraction(sum(values), len(values))) if values else None
