"""What a page needs to let the time that is left tick: the same as asking again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.calendar import Calendar
from console.domain.countdown import AHEAD, Countdown, countdown
from tests.domain.peer_vectors import MON_FRI, hours, named
from tests.domain.peer_vectors import at as utc

PARIS = ZoneInfo("Europe/Paris")
OFFICE = hours(MON_FRI, "08:30-12:30,13:30-18:00", PARIS, holidays=named(["2026-12-25"]))
NIGHTS = hours(MON_FRI, "22:00-06:00", PARIS)
AROUND_THE_CLOCK = Calendar.around_the_clock(PARIS)
CALENDARS = (OFFICE, NIGHTS, AROUND_THE_CLOCK)
START = datetime(2026, 10, 19, tzinfo=UTC)  # the week that ends with the clock change of autumn
moments = st.integers(0, 10 * 24 * 3600).map(lambda seconds: START + timedelta(seconds=seconds))
HOUR_S = 3600


def ticked(counted: Countdown, after_s: int) -> int:
    """What a page shows after so many seconds, as `static/countdown.js` reckons it."""
    left_s, runs, since_s = counted.left_s, counted.runs, 0
    for turn_s in (*counted.turns_s, after_s):
        until_s = min(turn_s, after_s)
        left_s -= max(until_s - since_s, 0) if runs else 0
        runs, since_s = not runs, max(until_s, since_s)
    return left_s


@given(st.sampled_from(CALENDARS), moments, moments, st.integers(0, int(AHEAD.total_seconds())))
def test_what_ticks_in_the_browser_is_what_asking_again_would_say(
    calendar: Calendar, due_at: datetime, now: datetime, after_s: int
) -> None:
    later = now + timedelta(seconds=after_s)
    assert ticked(countdown(calendar, due_at, now), after_s) == countdown(calendar, due_at, later).left_s


@pytest.mark.parametrize(
    ("calendar", "due", "now", "expected"),
    [
        (OFFICE, "2026-06-15 14:30", "2026-06-15 11:30", Countdown(7200, True, (3600, 7200, 23400))),
        (OFFICE, "2026-06-15 14:30", "2026-06-15 13:00", Countdown(3600, False, (1800, 18000))),
        (OFFICE, "2026-06-15 10:00", "2026-06-15 19:00", Countdown(-7 * HOUR_S, False, ())),
        (NIGHTS, "2026-06-16 01:00", "2026-06-15 23:00", Countdown(2 * HOUR_S, True, (7 * HOUR_S,))),
        (AROUND_THE_CLOCK, "2026-06-15 14:30", "2026-06-15 11:30", Countdown(3 * HOUR_S, True, ())),
        (AROUND_THE_CLOCK, "2026-06-15 11:30", "2026-06-15 11:30", Countdown(0, True, ())),
    ],
    ids=["over lunch", "at lunch", "late, and closed", "past midnight", "day and night", "due now"],
)
def test_the_time_left_is_open_time_and_stands_still_while_the_service_is_closed(
    calendar: Calendar, due: str, now: str, expected: Countdown
) -> None:
    assert countdown(calendar, utc(due, PARIS), utc(now, PARIS)) == expected
