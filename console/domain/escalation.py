"""When an incident is told to more people: so much time before or after a due date.

    rules of the plan -> each with its instant, while the clock it belongs to runs

A rule before the due date looks at the target alone and is moved by pauses as the due date is: what has
passed when a pause begins stays passed. A rule after it starts from where the due date ended up; one of 0
units is told at the due date itself, also where that is a closing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.calendar import Calendar
from console.domain.clock import (
    HOUR_S,
    MINUTE_S,
    Event,
    Run,
    Target,
    Unit,
    read_history,
    run_to_own,
    run_to_restore,
)
from console.domain.errors import Invalid

HIGHEST_LEVEL = 5
STILL_NEWS = timedelta(hours=1)


class Promise(StrEnum):
    """Which of the two clocks."""

    TTO = "tto"
    TTR = "ttr"


@dataclass(frozen=True, slots=True)
class Escalation:
    """A rule of a plan: a level that is told `amount` units from a due date, before it where below 0."""

    promise: Promise
    amount: int
    unit: Unit
    level: int

    def __post_init__(self) -> None:
        if not 1 <= self.level <= HIGHEST_LEVEL:
            raise Invalid(
                "level",
                "Un niveau d'escalade va de 1 à %(highest)s ; %(level)s ne convient pas.",
                highest=HIGHEST_LEVEL,
                level=self.level,
            )

    def instant(self, run: Run, target: Target, calendar: Calendar) -> datetime | None:
        """When it is told; None while an open wait moves it. Never before the start."""
        unmoved = target.due_at(run.started_at, calendar)
        if self.amount < 0:
            before = max(self._before(unmoved, calendar), run.started_at)
            instant = run.moved(before, calendar)
            return None if run.is_moving(instant) else instant
        due = run.moved(unmoved, calendar)
        return None if run.is_moving(due) else self._after(due, calendar)

    def _before(self, due: datetime, calendar: Calendar) -> datetime:
        if self.unit is Unit.WORKING_DAYS:
            return calendar.subtract_working_days(due, -self.amount)
        # a whole stretch before the due date is its opening, not the evening before
        return calendar.next_opening(calendar.subtract_open_seconds(due, -self._seconds()))

    def _after(self, due: datetime, calendar: Calendar) -> datetime:
        if self.amount == 0:  # 0 units from a closing would be the next opening, after the breach
            return due
        if self.unit is Unit.WORKING_DAYS:
            return calendar.add_working_days(due, self.amount)
        return calendar.add_open_seconds(due, self._seconds())

    def _seconds(self) -> int:
        return self.amount * (HOUR_S if self.unit is Unit.HOURS else MINUTE_S)


def is_no_news(instant: datetime, recorded_at: datetime) -> bool:
    """Whether an instant had passed long before its incident was recorded, as in an imported backlog.

    Who declares an incident some minutes late, or a desk that is slow to tell of it, still makes it known.
    """
    return instant < recorded_at - STILL_NEWS


@dataclass(frozen=True, slots=True)
class Planned:
    """A level of a clock and when it is told; None while nobody knows."""

    promise: Promise
    level: int
    at: datetime | None


def plan_escalations(
    rules: Iterable[Escalation],
    events: Iterable[Event],
    calendar: Calendar,
    tto: Target,
    ttr: Target,
    now: datetime,
) -> list[Planned]:
    """What is told, and when, of the clocks that run at `now`; of two rules of one level the earlier.

    Raises `Conflict` for a log that cannot be, `Invalid` for a calendar that does not open.
    """
    history = read_history(events, now)
    runs = {
        Promise.TTO: (run_to_own(history, now), tto),
        Promise.TTR: (run_to_restore(history, now), ttr),
    }
    found: dict[tuple[Promise, int], datetime | None] = {}
    for rule in rules:
        run, target = runs[rule.promise]
        if run.is_over:
            continue
        instant, other = rule.instant(run, target, calendar), found.get((rule.promise, rule.level))
        known = [at for at in (instant, other) if at is not None]
        found[rule.promise, rule.level] = min(known, default=None)
    return [Planned(promise, level, at) for (promise, level), at in sorted(found.items(), key=lambda i: i[0])]
