"""Why a due date is what it is: the steps that lead to it, one after the other.

    start, then open time that counts, closed time with its reason, pauses ... until the due date

In hours and minutes the steps lie one against the other from the start to the due date, and what counts adds
up to the target. In working days the open days are counted first, up to the wall time of the last; the open
time of each pause is then added from there. Steps hold plain values and no text: `reports.due_date` words
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.calendar import Calendar, Rule
from console.domain.clock import (
    Event,
    Pause,
    Phase,
    Run,
    Target,
    Unit,
    moved,
    read_history,
    run_to_own,
    run_to_restore,
)
from console.domain.hours import day_bounds

ONE_DAY = timedelta(days=1)


class StepKind(StrEnum):
    """What a step tells."""

    START = "start"
    COUNTED = "counted"  # open time that uses the target up
    CLOSED = "closed"
    PAUSED = "paused"
    DAY = "day"  # an open day that counts as a whole
    WALL = "wall"  # where on the last of these days the delay ends
    ADDED = "added"  # to a delay in working days: open time as long as its pauses
    DUE = "due"
    SUSPENDED = "suspended"  # an open wait: nobody knows the due date yet
    TOO_LATE = "too_late"  # a pause that began after the due date: it moves nothing


class Why(StrEnum):
    """Why a step is what it is."""

    OPEN = "open"
    OUTSIDE = "outside"  # of the hours of the week
    HOLIDAY = "holiday"
    CLOSURE = "closure"
    OPENING = "opening"  # a date with hours of its own
    WAITING = "waiting"
    RESOLVED = "resolved"  # from a resolution to a reopening
    SAME_WALL = "same_wall"
    NEXT_OPENING = "next_opening"
    CLOSING = "closing"
    END_OF_DAY = "end_of_day"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, from an instant to another; an end is None while it lasts.

    `seconds` is its open time: of a closed step 0, of a pause what it adds, of the last what is left.
    `number` counts the days of a delay in working days. `name` is that of a holiday, closure or opening.
    """

    kind: StepKind
    begins: datetime
    ends: datetime | None
    seconds: int = 0
    why: Why | None = None
    name: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """A due date with its steps; None while a wait moves it. `remaining_s` is the open time that is left."""

    target: Target
    due_at: datetime | None
    remaining_s: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch that is open, or closed for one reason."""

    begins: datetime
    ends: datetime
    why: Why
    name: str = ""


CLOSED_BY = {
    Rule.ALWAYS: Why.OUTSIDE,
    Rule.WEEK: Why.OUTSIDE,
    Rule.HOLIDAY: Why.HOLIDAY,
    Rule.CLOSURE: Why.CLOSURE,
    Rule.OPENING: Why.OPENING,
}


def explain(
    events: Iterable[Event], calendar: Calendar, target: Target, *, pauses: bool, now: datetime
) -> Explanation:
    """The due date of one clock at `now`: of the time to own, or with `pauses` of the time to restore.

    Raises `Conflict` for a log that cannot be, `Invalid` for a calendar that does not open.
    """
    history = read_history(events, now)
    run = run_to_restore(history, now) if pauses else run_to_own(history, now)
    unmoved = target.due_at(run.started_at, calendar)
    due = run.moved(unmoved, calendar)
    last = _last(run, due, calendar)
    if target.unit is Unit.WORKING_DAYS:
        counted = _days(run, unmoved, target, calendar)
    else:
        counted = _timeline(run, last[0].begins, calendar)
    start = Step(StepKind.START, run.started_at, run.started_at)
    return Explanation(
        target=target,
        due_at=None if run.is_moving(due) else due,
        remaining_s=calendar.open_seconds(run.stands_at, due),
        steps=(start, *counted, *last, *_too_late(run, unmoved, calendar)),
    )


def periods(calendar: Calendar, start: datetime, end: datetime) -> list[Period]:
    """The time from start to end cut where its reason changes: in order, nothing left out."""
    found: list[Period] = []
    for period in _cut_by_day(calendar, start, end):
        if found and (found[-1].why, found[-1].name) == (period.why, period.name):
            found[-1] = Period(found[-1].begins, period.ends, period.why, period.name)
        else:
            found.append(period)
    return found


def _cut_by_day(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Period]:
    date, at = start.astimezone(calendar.zone).date(), start
    while at < end:
        day = calendar.day(date)
        midnight = min(day_bounds(date, calendar.zone)[1], end)
        for opens, closes in day.spans:
            if at < min(opens, end):
                yield Period(at, min(opens, end), CLOSED_BY[day.rule], day.name)
                at = min(opens, end)
            if at < min(closes, end):
                yield Period(at, min(closes, end), Why.OPEN)
                at = min(closes, end)
        if at < midnight:
            yield Period(at, midnight, CLOSED_BY[day.rule], day.name)
            at = midnight
        date += ONE_DAY


def _timeline(run: Run, end: datetime, calendar: Calendar) -> Iterator[Step]:
    """From the start of a clock to an instant: what counts, what is closed, and the pauses."""
    at = run.started_at
    for pause in run.pauses:
        if pause.begins >= end:
            break
        if pause.begins == pause.ends:
            continue
        yield from _passing(StepKind.COUNTED, at, pause.begins, calendar)
        yield _pause(StepKind.PAUSED, pause, calendar)
        at = pause.ends
    yield from _passing(StepKind.COUNTED, at, end, calendar)


def _passing(kind: StepKind, start: datetime, end: datetime, calendar: Calendar) -> Iterator[Step]:
    """What is open is of that kind, and between is what is closed."""
    for period in periods(calendar, start, end):
        if period.why is Why.OPEN:
            open_s = calendar.open_seconds(period.begins, period.ends)
            yield Step(kind, period.begins, period.ends, open_s, Why.OPEN)
        else:
            yield Step(StepKind.CLOSED, period.begins, period.ends, why=period.why, name=period.name)


def _days(run: Run, unmoved: datetime, target: Target, calendar: Calendar) -> Iterator[Step]:
    """The working days that are counted, then what each pause adds."""
    start = calendar.next_opening(run.started_at)
    yield from _passing(StepKind.DAY, run.started_at, start, calendar)
    date = start.astimezone(calendar.zone).date()
    closed_from, number = day_bounds(date, calendar.zone)[1], 0
    while number < target.amount:
        date += ONE_DAY
        day = calendar.day(date)
        if day.spans:
            begins, ends = day_bounds(date, calendar.zone)
            yield from _passing(StepKind.DAY, closed_from, begins, calendar)
            closed_from, number = ends, number + 1
            yield Step(StepKind.DAY, begins, ends, day.open_s, number=number)
    yield Step(StepKind.WALL, unmoved, unmoved, why=_wall(start, unmoved, target, calendar))
    due = unmoved
    for pause in run.pauses:
        later = moved(due, pause, calendar)
        if later != due:
            yield _pause(StepKind.PAUSED, pause, calendar)
            yield from _passing(StepKind.ADDED, due, later, calendar)
            due = later


def _wall(start: datetime, unmoved: datetime, target: Target, calendar: Calendar) -> Why:
    """How the wall time of a delay in working days came about on its last day."""
    if target.end_of_day:
        return Why.END_OF_DAY
    if unmoved.astimezone(calendar.zone).time() == start.astimezone(calendar.zone).time():
        return Why.SAME_WALL
    return Why.NEXT_OPENING if calendar.is_open(unmoved) else Why.CLOSING


def _last(run: Run, due: datetime, calendar: Calendar) -> list[Step]:
    """The due date; or the wait that is open, and what is left until it ends."""
    if not run.is_moving(due):
        return [Step(StepKind.DUE, due, due)]
    left_s = calendar.open_seconds(run.stands_at, due)
    return [
        Step(StepKind.PAUSED, run.stands_at, None, why=Why.WAITING),
        Step(StepKind.SUSPENDED, run.stands_at, None, left_s),
    ]


def _too_late(run: Run, unmoved: datetime, calendar: Calendar) -> Iterator[Step]:
    """The pauses that began after what was then the due date."""
    due = unmoved
    for pause in run.pauses:
        if due < pause.begins < pause.ends:
            yield _pause(StepKind.TOO_LATE, pause, calendar)
        due = moved(due, pause, calendar)
    if run.phase is Phase.WAITING and run.stands_at > due:
        yield Step(StepKind.TOO_LATE, run.stands_at, None, why=Why.WAITING)


def _pause(kind: StepKind, pause: Pause, calendar: Calendar) -> Step:
    why = Why.WAITING if pause.phase is Phase.WAITING else Why.RESOLVED
    return Step(kind, pause.begins, pause.ends, calendar.open_seconds(pause.begins, pause.ends), why)
