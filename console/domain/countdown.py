"""The open time that an incident has left, and when it will tick: enough to follow it without asking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.calendar import ONE_DAY, ONE_SECOND, Calendar
from console.domain.spans import union, whole_second

AHEAD = timedelta(hours=12)  # nobody leaves a page alone for longer and believes it


@dataclass(frozen=True, slots=True)
class Countdown:
    """Open seconds to a due date, negative past it; `runs` tells whether it ticks.

    `turns_s` are the seconds from now at which it stands still, or ticks again, in turn.
    """

    left_s: int
    runs: bool
    turns_s: tuple[int, ...] = ()


def countdown(calendar: Calendar, due_at: datetime, now: datetime) -> Countdown:
    """What is left at `now`, and how it goes on for `AHEAD`."""
    now = whole_second(now)
    late_s = calendar.open_seconds(due_at, now)
    return Countdown(
        left_s=-late_s if late_s else calendar.open_seconds(now, due_at),
        runs=calendar.is_open(now),
        turns_s=tuple((turn - now) // ONE_SECOND for turn in _turns(calendar, now)),
    )


def _turns(calendar: Calendar, now: datetime) -> Iterator[datetime]:
    """The openings and closings after `now`; a span that goes on past midnight does not close there."""
    first = now.astimezone(calendar.zone).date()
    days = (calendar.day(first + number * ONE_DAY) for number in range(2))
    for span in union(span for day in days for span in day.spans):
        yield from (instant for instant in span if now < instant <= now + AHEAD)
