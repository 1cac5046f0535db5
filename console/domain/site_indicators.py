"""The indicators of a data centre over some local months, as ISO/IEC 30134 and EN 50600-4 define them.

    measures -> stretches of whole months that both terms cover -> their quotient over these

PUE = E_DC / E_IT, by the category of the point where the IT energy is measured; pPUE = E_ZONE / E_IT of a
zone, whatever other zones take; REF = E_ren / E_DC; ERF = E_reuse / E_DC; WUE = water / E_IT, in litres per
kWh of the IT; CUE = carbon of E_DC / E_IT, in kg per kWh of the IT, at what a kWh of each month emits. A
quotient is of the stretches that both its terms cover whole: a month of which one of them lacks an hour is in
neither; a stretch of which the IT would draw more than the whole is in no PUE, no pPUE, no CUE. Over less
than twelve months it is interim (iPUE, ipPUE), and says how many they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from console.domain.facility import CATEGORIES, NO_POINT, Quantity
from console.domain.hours import month_bounds
from console.domain.renewal import add_months
from console.domain.site_measures import (
    MJ_PER_KWH,
    ML_PER_L,
    Line,
    Lines,
    Measure,
    Point,
    Quality,
    amount_over,
)
from console.domain.site_zones import energy_of_zone, it_of_zone

YEAR = 12  # months of a whole indicator
MG_PER_KG = 1_000_000


class Indicator(StrEnum):
    """What is reckoned."""

    PUE = "pue"
    PARTIAL_PUE = "ppue"  # of a zone
    REF = "ref"
    ERF = "erf"
    WUE = "wue"
    CUE = "cue"


OVER_THE_IT = (Indicator.PUE, Indicator.PARTIAL_PUE, Indicator.CUE)  # whose energy is never below its IT's
UNITS: Mapping[Indicator, Fraction] = {
    Indicator.WUE: Fraction(MJ_PER_KWH, ML_PER_L),
    Indicator.CUE: Fraction(1, MG_PER_KG),
}
STANDARDS: Mapping[Indicator, str] = {
    Indicator.PUE: "ISO/IEC 30134-2, EN 50600-4-2",
    Indicator.PARTIAL_PUE: "ISO/IEC 30134-2, EN 50600-4-2",
    Indicator.REF: "ISO/IEC 30134-3, EN 50600-4-3",
    Indicator.ERF: "ISO/IEC 30134-6, EN 50600-4-6",
    Indicator.WUE: "ISO/IEC 30134-9, EN 50600-4-9",
    Indicator.CUE: "ISO/IEC 30134-8, EN 50600-4-8",
}


@dataclass(frozen=True, slots=True)
class Found:
    """An indicator over the months that its terms cover; `value` is None where they cover none together.

    `category` is that of the IT energy in it, 0 where there is none in it. `missing` are the terms of which
    nothing at all is told over these months. `qualities` are those of the amounts in it.
    """

    indicator: Indicator
    category: int
    value: Fraction | None
    months: int
    asked: int
    missing: tuple[Quantity, ...] = ()
    qualities: frozenset[Quality] = frozenset()

    @property
    def is_interim(self) -> bool:
        """Whether it is of less than a year: iPUE and the like."""
        return self.months < YEAR

    @property
    def standard(self) -> str:
        return STANDARDS[self.indicator]


def last_months(today: date, count: int = YEAR) -> list[date]:
    """The first days of the last whole months before a day."""
    this_month = today.replace(day=1)
    return [add_months(this_month, -back) for back in range(count, 0, -1)]


def indicators(measures: Iterable[Measure], months: Sequence[date], zone: ZoneInfo) -> list[Found]:
    """PUE by category, REF, ERF and WUE over consecutive local months.

    The categories of which nothing is told are left out, unless that leaves none. A meter that tells anything
    within these months must tell all of a stretch for it to count.
    """
    lines = by_line(_within(measures, months, zone))
    it = _it(lines)
    total = _term((Quantity.TOTAL, NO_POINT), lines)
    renewable, reused, water = (
        _term((quantity, NO_POINT), lines)
        for quantity in (Quantity.RENEWABLE, Quantity.REUSED, Quantity.WATER)
    )
    found = [_quotient(Indicator.PUE, total, one, months, zone) for one in it]
    found.append(_quotient(Indicator.REF, renewable, total, months, zone))
    found.append(_quotient(Indicator.ERF, reused, total, months, zone))
    by_category = [_quotient(Indicator.WUE, water, one, months, zone) for one in it]
    found.append(max(by_category, key=lambda one: (one.months, one.category)))
    return found


def carbon_usage(
    measures: Iterable[Measure], months: Sequence[date], zone: ZoneInfo, mg_per_kwh: Mapping[date, int]
) -> Found:
    """CUE over consecutive local months, at the intensity of each; a month without one is not in it.

    Of several categories that of the most months, then the one nearest to the equipment.
    """
    lines = by_line(_within(measures, months, zone))
    starts = {month_bounds(month, zone)[0]: month for month in months}

    def intensity(start: datetime, end: datetime) -> int | None:
        found = {mg_per_kwh.get(month) for at, month in starts.items() if start <= at < end}
        return found.pop() if len(found) == 1 else None

    total = _term((Quantity.TOTAL, NO_POINT), lines)
    by_category = [_quotient(Indicator.CUE, total, one, months, zone, intensity) for one in _it(lines)]
    return max(by_category, key=lambda one: (one.months, one.category))


def partial_pues(
    measures: Iterable[Measure], name: str, months: Sequence[date], zone: ZoneInfo
) -> list[Found]:
    """The pPUE of a zone of the site over consecutive local months, by the category of its IT energy."""
    lines = by_line(_within(measures, months, zone))
    energy = _Term(Quantity.ZONE, NO_POINT, energy_of_zone(lines, name))
    it = it_of_zone(lines, name) or {NO_POINT: {}}
    return [
        _quotient(Indicator.PARTIAL_PUE, energy, _Term(Quantity.ZONE_IT, category, told), months, zone)
        for category, told in it.items()
    ]


def best_pue(found: Iterable[Found], indicator: Indicator = Indicator.PUE) -> Found:
    """The PUE of the most months, of those the one nearest to the equipment."""
    of_pue = (one for one in found if one.indicator is indicator)
    return max(of_pue, key=lambda one: (one.months, one.category))


def amounts_by_month(
    measures: Iterable[Measure], point: Point, months: Sequence[date], zone: ZoneInfo
) -> dict[date, int | None]:
    """What all meters of a quantity told of each month; None where one of them does not tell all of it."""
    told = _term(point, by_line(_within(measures, months, zone))).lines
    return {month: amount_over(told, *month_bounds(month, zone)) for month in months}


def zone_by_month(
    measures: Iterable[Measure], name: str, months: Sequence[date], zone: ZoneInfo
) -> dict[Point, dict[date, int | None]]:
    """What a zone took in each month, and its IT by category; None where not all of it is told."""
    lines = by_line(measures)
    told = {(Quantity.ZONE, NO_POINT): energy_of_zone(lines, name)}
    told |= {(Quantity.ZONE_IT, category): of_it for category, of_it in it_of_zone(lines, name).items()}
    return {
        point: {month: amount_over(of_point, *month_bounds(month, zone)) for month in months}
        for point, of_point in told.items()
    }


def water_ml(it_energy_mj: int, wue_l_per_kwh: Fraction) -> int:
    """The water of a workload: WUE is per kWh of the IT, whatever the PUE; a PUE of 1.5 changes nothing."""
    return round(Fraction(it_energy_mj * ML_PER_L, MJ_PER_KWH) * wue_l_per_kwh)


def by_line(measures: Iterable[Measure]) -> dict[Line, list[Measure]]:
    """The measures of each meter, in order."""
    lines: dict[Line, list[Measure]] = {}
    for measure in sorted(measures):
        lines.setdefault(measure.line, []).append(measure)
    return lines


def _within(measures: Iterable[Measure], months: Sequence[date], zone: ZoneInfo) -> Iterator[Measure]:
    """The measures that share any time with the months."""
    start, end = month_bounds(months[0], zone)[0], month_bounds(months[-1], zone)[1]
    return (one for one in measures if one.started_at < end and one.ended_at > start)


def _it(lines: Lines) -> list[_Term]:
    """The IT energy of a site by the categories that are told of; of the first one where none is."""
    terms = [_term((Quantity.IT, category), lines) for category in CATEGORIES]
    return [one for one in terms if one.lines] or terms[:1]


@dataclass(frozen=True, slots=True)
class _Term:
    """One of the two that a quotient is of, with the meters that tell it."""

    quantity: Quantity
    category: int
    lines: Lines


def _term(point: Point, lines: Lines) -> _Term:
    return _Term(*point, {line: told for line, told in lines.items() if line[:2] == point})


def _quotient(
    indicator: Indicator,
    above: _Term,
    below: _Term,
    months: Sequence[date],
    zone: ZoneInfo,
    weight: Callable[[datetime, datetime], int | None] = lambda _start, _end: 1,
) -> Found:
    """The sum of one term, times its weight in each stretch, over that of the other."""
    upper, lower = above.lines, below.lines
    bounds = [month_bounds(month, zone)[0] for month in months] + [month_bounds(months[-1], zone)[1]]
    total_above = total_below = covered = 0
    qualities: set[Quality] = set()
    for start, end, count in _stretches(upper, lower, bounds):
        part_above, part_below = amount_over(upper, start, end) or 0, amount_over(lower, start, end) or 0
        times = weight(start, end)
        if times is None or (indicator in OVER_THE_IT and part_above < part_below):
            continue
        total_above += part_above * times
        total_below += part_below
        covered += count
        qualities |= _qualities(upper, start, end) | _qualities(lower, start, end)
    unit = UNITS.get(indicator, Fraction(1))
    return Found(
        indicator=indicator,
        category=below.category,
        value=Fraction(total_above, total_below) * unit if total_below else None,
        months=covered if total_below else 0,
        asked=len(months),
        missing=tuple(term.quantity for term in (above, below) if not term.lines),
        qualities=frozenset(qualities),
    )


def _stretches(
    upper: Lines, lower: Lines, bounds: Sequence[datetime]
) -> Iterable[tuple[datetime, datetime, int]]:
    """The shortest runs of months that both terms cover, such as a quarter, and how many months they are."""
    place = 0
    while place < len(bounds) - 1:
        for last in range(place + 1, len(bounds)):
            start, end = bounds[place], bounds[last]
            if amount_over(upper, start, end) is not None and amount_over(lower, start, end) is not None:
                yield start, end, last - place
                place = last
                break
        else:
            place += 1


def _qualities(lines: Lines, start: datetime, end: datetime) -> set[Quality]:
    return {
        one.quality
        for measures in lines.values()
        for one in measures
        if start <= one.started_at and one.ended_at <= end
    }
