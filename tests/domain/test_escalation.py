"""Levels before and after a due date: in open time, moved by waits, gone once the clock stops."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.calendar import Calendar, Segment
from console.domain.clock import Event, Target, Unit, read_clock
from console.domain.errors import Invalid
from console.domain.escalation import Escalation, Planned, Promise, plan_escalations
from tests.domain.peer_vectors import MON_FRI, hours
from tests.domain.test_clock import AROUND_THE_CLOCK, OFFICE, at, hour_targets, log, logs, targets

PARIS = ZoneInfo("Europe/Paris")
HALF_AN_HOUR = Target(30, Unit.MINUTES)
FOUR_HOURS = Target(4, Unit.HOURS)
TTO, TTR = Promise.TTO, Promise.TTR


def minutes(amount: int, promise: Promise = TTR, level: int = 1) -> Escalation:
    return Escalation(promise, amount, Unit.MINUTES, level)


def days(amount: int, level: int = 1) -> Escalation:
    return Escalation(TTR, amount, Unit.WORKING_DAYS, level)


def planned(
    rules: list[Escalation], *lines: str, now: str = "18:00", ttr: Target = FOUR_HOURS
) -> list[Planned]:
    return plan_escalations(rules, log(*lines), OFFICE, HALF_AN_HOUR, ttr, at(now))


@pytest.mark.parametrize(
    ("rule", "lines", "expected"),
    [
        pytest.param(minutes(-60), ["opened 13:30"], "16:30", id="before, the same day"),
        pytest.param(minutes(-60), ["opened 14:30"], "17:30", id="before, over the night"),
        pytest.param(minutes(-60), ["opened 15:00"], "2026-06-16 08:30", id="a whole stretch: its opening"),
        pytest.param(minutes(-60), ["opened 08:30"], "11:30", id="due after lunch, used up before it"),
        pytest.param(minutes(-300), ["opened 13:30"], "13:30", id="never before the start"),
        pytest.param(minutes(0), ["opened 13:30"], "17:30", id="at the due date"),
        pytest.param(minutes(60), ["opened 13:30"], "2026-06-16 09:00", id="after, the next day"),
        pytest.param(days(1), ["opened 13:30"], "2026-06-16 17:30", id="a working day after"),
        pytest.param(minutes(-5, TTO), ["opened 09:00"], "09:25", id="of the time to own"),
        pytest.param(minutes(-5, TTO), ["opened 09:00", "waiting 09:05"], "09:25", id="which no wait moves"),
        pytest.param(minutes(-60), ["opened 13:30", "waiting 16:00"], None, id="an open wait moves it"),
        pytest.param(minutes(60), ["opened 13:30", "waiting 16:00"], None, id="and what comes after"),
        pytest.param(
            minutes(-60), ["opened 13:30", "waiting 16:45"], "16:30", id="what had passed stays passed"
        ),
        pytest.param(
            minutes(60), ["opened 13:30", "waiting 17:45"], "2026-06-16 09:00", id="late, and waiting"
        ),
        pytest.param(
            minutes(-60),
            ["opened 13:30", "waiting 16:00", "resumed 16:30"],
            "17:00",
            id="moved by a wait that is over",
        ),
        pytest.param(
            minutes(-60),
            ["opened 13:30", "waiting 16:45", "resumed 17:45"],
            "16:30",
            id="a wait begun after it moves the due date alone",
        ),
        pytest.param(
            minutes(-60),
            ["opened 13:30", "resolved 14:30", "reopened 15:30"],
            "17:30",
            id="reopened",
        ),
    ],
)
def test_a_level_is_told_in_open_time_from_the_due_date(
    rule: Escalation, lines: list[str], expected: str | None
) -> None:
    assert planned([rule], *lines) == [Planned(rule.promise, 1, at(expected) if expected else None)]


def test_working_days_before_a_due_date() -> None:
    (level,) = planned([days(-1)], "opened 10:00", ttr=Target(3, Unit.WORKING_DAYS))
    assert level.at == at("2026-06-17 10:00")


def test_a_clock_that_stopped_tells_nobody() -> None:
    rules = [minutes(-5, TTO), minutes(-60)]
    assert [p.promise for p in planned(rules, "opened 09:00")] == [TTO, TTR]
    assert [p.promise for p in planned(rules, "opened 09:00", "acknowledged 09:10")] == [TTR]
    assert planned(rules, "opened 09:00", "resolved 09:10") == []


def test_of_two_rules_of_one_level_the_earlier_counts() -> None:
    assert planned([minutes(30), minutes(-60), days(2, level=2)], "opened 13:30") == [
        Planned(TTR, 1, at("16:30")),
        Planned(TTR, 2, at("2026-06-17 17:30")),
    ]


END_OF_DAY = Target(0, Unit.WORKING_DAYS, end_of_day=True)
SHORT_TUESDAY = hours(
    MON_FRI, "08:30-18:00", PARIS, openings={date(2026, 6, 16): (Segment.parse("08:30-12:00"),)}
)


@pytest.mark.parametrize(
    ("target", "lines", "due"),
    [
        pytest.param(END_OF_DAY, ["opened 10:00"], "18:00", id="end of a day"),
        pytest.param(END_OF_DAY, ["opened 2026-06-19 10:00"], "2026-06-19 18:00", id="end of a Friday"),
        pytest.param(
            Target(1, Unit.WORKING_DAYS), ["opened 15:00"], "2026-06-16 12:00", id="a wall past the closing"
        ),
        pytest.param(
            END_OF_DAY,
            ["opened 10:00", "waiting 19:00", "resumed 20:00"],
            "18:00",
            id="a wait begun after it moves nothing",
        ),
        pytest.param(FOUR_HOURS, ["opened 14:00"], "2026-06-16 08:30", id="hours used up at the closing"),
    ],
)
@pytest.mark.parametrize("unit", Unit)
def test_a_level_at_the_due_date_is_told_then_even_at_a_closing(
    target: Target, lines: list[str], due: str, unit: Unit
) -> None:
    rule, events, now = Escalation(TTR, 0, unit, level=1), log(*lines), at("2026-06-20 10:00")
    (level,) = plan_escalations([rule], events, SHORT_TUESDAY, HALF_AN_HOUR, target, now)
    assert level.at == at(due) == read_clock(events, SHORT_TUESDAY, HALF_AN_HOUR, target, now).ttr.due_at


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (minutes(-1), "2026-06-19 17:59"),
        (minutes(1), "2026-06-22 08:31"),
        (days(-1), "2026-06-19 10:00"),  # never before the start
        (days(1), "2026-06-23 08:30"),  # a delay from a closing begins at the next opening
    ],
)
def test_a_level_near_a_due_date_at_a_closing(rule: Escalation, expected: str) -> None:
    (level,) = planned([rule], "opened 2026-06-19 10:00", now="2026-06-19 11:00", ttr=END_OF_DAY)
    assert level.at == at(expected)


@pytest.mark.parametrize("level", [0, 6])
def test_a_level_is_one_of_five(level: int) -> None:
    with pytest.raises(Invalid) as refusal:
        minutes(60, level=level)
    assert refusal.value.field == "level"


# -- properties ------------------------------------------------------------------------------------------

calendars = st.sampled_from([OFFICE, AROUND_THE_CLOCK, hours(MON_FRI, "22:00-06:00", PARIS)])
later = st.timedeltas(timedelta(), timedelta(days=20))


@given(logs(), calendars, targets, st.integers(-400, 400), st.integers(1, 400), later)
def test_a_smaller_amount_is_told_no_later(
    events: list[Event], calendar: Calendar, target: Target, amount: int, more: int, after: timedelta
) -> None:
    now = events[-1].at + after
    rules = [minutes(amount), minutes(amount + more, level=2)]
    found = plan_escalations(rules, events, calendar, target, target, now)
    instants = [level.at for level in found if level.at is not None]
    assert instants == sorted(instants)


@given(logs(), calendars, targets, st.sampled_from(Unit), later)
def test_a_level_of_nothing_is_the_due_date(
    events: list[Event], calendar: Calendar, target: Target, unit: Unit, after: timedelta
) -> None:
    now = events[-1].at + after
    due = read_clock(events, calendar, target, target, now).ttr.due_at
    found = plan_escalations([Escalation(TTR, 0, unit, 1)], events, calendar, target, target, now)
    assert {level.at for level in found} <= {due}


@given(logs(), calendars, hour_targets, st.integers(1, 60), later)
def test_a_level_after_is_known_when_its_due_date_is_and_comes_later(
    events: list[Event], calendar: Calendar, target: Target, amount: int, after: timedelta
) -> None:
    now = events[-1].at + after
    due = read_clock(events, calendar, target, target, now).ttr.due_at
    for level in plan_escalations([minutes(amount)], events, calendar, target, target, now):
        assert (level.at is None) is (due is None)
        if level.at and due:
            assert calendar.open_seconds(due, level.at) == amount * 60
