"""A month as a grid of weeks, with what falls on each of its days."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import request

from console.domain.errors import Invalid
from console.domain.hours import month_bounds
from console.store.queries.maintenance import PlannedDay, french_holidays
from console.web.languages import today


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of the grid, of the month or of the one beside it; `holiday` is a name or empty."""

    day: date
    in_month: bool
    is_today: bool
    holiday: str
    work: Sequence[PlannedDay]


@dataclass(frozen=True, slots=True)
class Grid:
    """A month with its weeks, which begin on Monday, and everything planned in it."""

    month: date
    zone: str
    weeks: Sequence[Sequence[Cell]]
    work: Sequence[PlannedDay]

    @property
    def before(self) -> str:
        return f"{self.month - timedelta(days=1):%Y-%m}"

    @property
    def after(self) -> str:
        return f"{self.month + timedelta(days=32):%Y-%m}"


def asked_month(zone: str) -> date:
    """The first day of the month that the address asks for, of this month where it asks for none."""
    asked = request.args.get("month", "").strip()
    if not asked:
        return today(zone).replace(day=1)
    try:
        found = date.fromisoformat(f"{asked}-01")
    except ValueError:
        raise Invalid("month", "Un mois est attendu ; par exemple 2026-11.") from None
    if not 2000 < found.year < 2199:
        raise Invalid("month", "Un mois de ce siècle est attendu.")
    return found


def bounds(month: date, zone: str) -> tuple[datetime, datetime]:
    """The instants between which the work of a month is."""
    return month_bounds(month, ZoneInfo(zone))


def grid(month: date, zone: str, work: Sequence[PlannedDay]) -> Grid:
    """The month with its work; work that lasts past midnight is on each of its days."""
    here, day_now = ZoneInfo(zone), today(zone)
    on_day: dict[date, list[PlannedDay]] = {}
    for one in work:
        for day in one.slot.days(here):
            on_day.setdefault(day, []).append(one)
    holidays = french_holidays()
    weeks = [
        [
            Cell(day, day.month == month.month, day == day_now, holidays.get(day) or "", on_day.get(day, ()))
            for day in week
        ]
        for week in Calendar().monthdatescalendar(month.year, month.month)
    ]
    return Grid(month, zone, weeks, work)
