"""A year of a calendar: each date with its hours and why, months and the year added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from console.domain.calendar import ONE_DAY, Calendar, Day, Rule
from console.domain.hours import day_bounds

DAY_S = 86_400
UNREMARKABLE = (Rule.ALWAYS, Rule.WEEK)


@dataclass(frozen=True, slots=True)
class YearDay:
    """A date; `shift_s` is what a clock change adds to its length or takes from it, 0 on most dates."""

    day: Day
    shift_s: int

    @property
    def is_notable(self) -> bool:
        """Whether the week alone does not say it."""
        return self.shift_s != 0 or self.day.rule not in UNREMARKABLE


@dataclass(frozen=True, slots=True)
class YearMonth:
    """A month of a year: all its dates, its open time and on how many dates it is open."""

    first: date
    days: Sequence[YearDay]
    open_s: int
    open_days: int


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """Twelve months; the open time of the year is that of its months."""

    year: int
    months: Sequence[YearMonth]
    open_s: int
    open_days: int

    @property
    def notable(self) -> list[YearDay]:
        """Holidays, closures, dated openings and clock changes, in their order."""
        return [day for month in self.months for day in month.days if day.is_notable]


def year_of(calendar: Calendar, year: int) -> CalendarYear:
    """A year of any calendar."""
    months = [_month(calendar, date(year, month, 1)) for month in range(1, 13)]
    return CalendarYear(
        year, months, sum(month.open_s for month in months), sum(month.open_days for month in months)
    )


def _month(calendar: Calendar, first: date) -> YearMonth:
    after = (first + timedelta(days=31)).replace(day=1)
    days = [_day(calendar, first + number * ONE_DAY) for number in range((after - first).days)]
    open_days = sum(bool(one.day.spans) for one in days)
    return YearMonth(first, days, sum(one.day.open_s for one in days), open_days)


def _day(calendar: Calendar, day: date) -> YearDay:
    starts, ends = day_bounds(day, calendar.zone)
    return YearDay(calendar.day(day), int((ends - starts).total_seconds()) - DAY_S)
