"""How much of its service hours a service ran.

    outages, clipped to service hours -> announced work taken out of both -> the worst effect wins
        -> time lost, a degraded hour by its weight -> parts per million, rounded down

The hours are spans of open time within the period, the subscription and, for a running period, now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from console.domain.calendar import Calendar
from console.domain.hours import day_bounds
from console.domain.outages import Effect, Suffered
from console.domain.renewal import add_months
from console.domain.spans import Span, intersection, length_s, union, without

WHOLE_PPM = 1_000_000
PERCENT = 100
ONE_DAY = timedelta(days=1)


class Months(IntEnum):
    """How many months a period has."""

    MONTH = 1
    QUARTER = 3
    YEAR = 12


@dataclass(frozen=True, slots=True)
class Work:
    """Planned work as it was announced; cancelled work is none."""

    starts_at: datetime
    ends_at: datetime
    announced_at: datetime | None
    effect: Effect

    def is_excused(self, notice: timedelta) -> bool:
        """Whether it was announced so long before, whatever effect it was to have."""
        return self.announced_at is not None and self.announced_at <= self.starts_at - notice


@dataclass(frozen=True, slots=True)
class Measured:
    """What was counted of service hours, in seconds; `lost` is in hundredths of a second.

    `excused_s` is what announced work took out of the service hours, so it is not in `counted_s`.
    """

    counted_s: int = 0
    outage_s: int = 0
    degraded_s: int = 0
    lost: int = 0
    excused_s: int = 0

    def __add__(self, other: Measured) -> Measured:
        return Measured(
            self.counted_s + other.counted_s,
            self.outage_s + other.outage_s,
            self.degraded_s + other.degraded_s,
            self.lost + other.lost,
            self.excused_s + other.excused_s,
        )

    @property
    def lost_s(self) -> int:
        """The time lost, a degraded second by its weight; rounded up."""
        return -(-self.lost // PERCENT)

    @property
    def availability_ppm(self) -> int | None:
        """The part of the counted time in which the service ran, in millionths, rounded down.

        None where nothing is counted: nobody knows.
        """
        counted = self.counted_s * PERCENT
        return (counted - self.lost) * WHOLE_PPM // counted if counted else None


def measure(
    hours: Collection[Span],
    outages: Iterable[Suffered],
    works: Iterable[Work],
    *,
    notice_hours: int,
    degraded_percent: int,
) -> Measured:
    """What was lost of service hours; an outage that lasts is lost until their end."""
    hours = union(hours)
    if not hours:
        return Measured()
    notice = timedelta(hours=notice_hours)
    excused = [(work.starts_at, work.ends_at) for work in works if work.is_excused(notice)]
    counted = without(hours, excused)
    spans = [(suffered.effect, suffered.until(hours[-1][1])) for suffered in outages]
    down = intersection(counted, [span for effect, span in spans if effect is Effect.OUTAGE])
    degraded = intersection(counted, [span for effect, span in spans if effect is Effect.DEGRADED])
    outage_s, degraded_s = length_s(down), length_s(without(degraded, down))
    return Measured(
        counted_s=length_s(counted),
        outage_s=outage_s,
        degraded_s=degraded_s,
        lost=outage_s * PERCENT + degraded_s * degraded_percent,
        excused_s=length_s(hours) - length_s(counted),
    )


def open_spans(calendar: Calendar, start: datetime, end: datetime) -> list[Span]:
    """The service hours from start to end, in order and apart."""
    if calendar.always or start >= end:
        return union([(start, end)])
    day, last = start.astimezone(calendar.zone).date(), end.astimezone(calendar.zone).date()
    spans: list[Span] = []
    while day <= last:
        spans += ((max(opens, start), min(closes, end)) for opens, closes in calendar.day(day).spans)
        day += ONE_DAY
    return union(spans)


def period_days(month: date, months: Months) -> tuple[date, date]:
    """The first day of the period that holds a month, and the day after its last."""
    index = (month.month - 1) // months * months
    first = date(month.year, index + 1, 1)
    return first, add_months(first, months)


def period_bounds(first: date, after: date, zone: ZoneInfo) -> Span:
    """The instants at which local days start and end: 743, 744 or 745 hours in a month of 31 days."""
    return day_bounds(first, zone)[0], day_bounds(after, zone)[0]


def weighted_ppm(by_use: Iterable[tuple[Measured, int]]) -> int | None:
    """The availability of a group, from what was measured of each subscription and its use.

    Exact until it is rounded down, once. None where nobody used anything that was counted.
    """
    pairs = [(one, use) for one, use in by_use if one.counted_s]
    used = sum(use for _, use in pairs)
    if not used:
        return None
    lost = sum((Fraction(one.lost * use, one.counted_s * PERCENT) for one, use in pairs), Fraction(0))
    return floor((1 - lost / used) * WHOLE_PPM)
