"""The SLA clock: due dates, waits, states and reopening, from the log alone."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from console.domain.calendar import Calendar
from console.domain.clock import (
    Clock,
    Deadline,
    Event,
    EventKind,
    Phase,
    State,
    Target,
    Unit,
    next_events,
    read_clock,
)
from console.domain.errors import Conflict, Invalid
from console.domain.spans import whole_second
from tests.domain.peer_vectors import EVERY_DAY, MON_FRI, hours, named
from tests.domain.peer_vectors import at as utc

PARIS = ZoneInfo("Europe/Paris")
OFFICE = hours(MON_FRI, "08:30-12:30,13:30-18:00", PARIS, holidays=named(["2026-05-01", "2026-12-25"]))
AROUND_THE_CLOCK = Calendar.around_the_clock(PARIS)
SECOND = timedelta(seconds=1)
HOUR_S = 3600
HALF_AN_HOUR = Target(30, Unit.MINUTES)
FOUR_HOURS = Target(4, Unit.HOURS)
TWO_DAYS = Target(2, Unit.WORKING_DAYS)


def at(text: str) -> datetime:
    """A Paris wall time; of Monday 15 June 2026 where it has no date."""
    return utc(text if "-" in text else f"2026-06-15 {text}", PARIS)


def log(*lines: str) -> list[Event]:
    """Events written like "opened 09:00"."""
    return [Event(EventKind(line.split(maxsplit=1)[0]), at(line.split(maxsplit=1)[1])) for line in lines]


def clock(*lines: str, now: str, ttr: Target = FOUR_HOURS, calendar: Calendar = OFFICE) -> Clock:
    return read_clock(log(*lines), calendar, HALF_AN_HOUR, ttr, at(now))


# -- the time to own -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "now", "state"),
    [
        (["opened 09:00"], "09:22:29", State.ON_TIME),
        (["opened 09:00"], "09:22:30", State.AT_RISK),
        (["opened 09:00"], "09:30", State.AT_RISK),
        (["opened 09:00"], "09:30:01", State.BREACHED),
        (["opened 09:00", "acknowledged 09:30"], "11:00", State.MET),
        (["opened 09:00", "acknowledged 09:30:01"], "11:00", State.MISSED),
        (["opened 09:00", "resolved 09:20"], "11:00", State.MET),
        (["opened 09:00", "resolved 09:20", "reopened 10:00"], "11:00", State.MET),
        (["opened 09:00", "waiting 09:10"], "09:40", State.BREACHED),
        (["opened 09:00", "waiting 09:10", "acknowledged 09:20"], "09:40", State.MET),
        (["opened 07:00"], "08:59", State.AT_RISK),  # the clock runs from 08:30
    ],
)
def test_the_time_to_own_stops_at_the_first_answer_and_never_waits(
    lines: list[str], now: str, state: State
) -> None:
    assert clock(*lines, now=now).tto.state is state


# -- the time to restore ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "now", "expected"),
    [
        (
            ["opened 13:30"],
            "14:30",
            Deadline(at("17:30"), at("16:30"), State.ON_TIME, HOUR_S, 3 * HOUR_S),
        ),
        (
            ["opened 13:30"],
            "16:30",
            Deadline(at("17:30"), at("16:30"), State.AT_RISK, 3 * HOUR_S, HOUR_S),
        ),
        (
            ["opened 13:30"],
            "18:00",
            Deadline(at("17:30"), at("16:30"), State.BREACHED, 9 * HOUR_S // 2, 0),
        ),
        (
            ["opened 13:30", "resolved 17:30"],
            "2026-06-17 10:00",
            Deadline(at("17:30"), at("16:30"), State.MET, 4 * HOUR_S, 0),
        ),
        (
            ["opened 13:30", "resolved 17:30:01", "closed 17:40"],
            "2026-06-17 10:00",
            Deadline(at("17:30"), at("16:30"), State.MISSED, 4 * HOUR_S + 1, 0),
        ),
        (  # asked for before it was opened
            ["opened 13:30"],
            "12:00",
            Deadline(at("17:30"), at("16:30"), State.ON_TIME, 0, 4 * HOUR_S),
        ),
        (  # an hour of waiting, half of it at lunch: half an hour later
            ["opened 11:00", "waiting 12:00", "resumed 13:00"],
            "14:00",
            Deadline(at("16:30"), at("15:30"), State.ON_TIME, 3 * HOUR_S // 2, 5 * HOUR_S // 2),
        ),
    ],
)
def test_a_clock_reads(lines: list[str], now: str, expected: Deadline) -> None:
    assert clock(*lines, now=now).ttr == expected


def test_while_it_waits_it_has_no_due_date_and_what_remains_stands_still() -> None:
    waiting = ["opened 13:30", "acknowledged 13:40", "waiting 14:30"]
    stored = clock(*waiting, now="14:30").ttr
    assert stored == Deadline(None, None, State.ON_TIME, HOUR_S, 3 * HOUR_S)
    assert clock(*waiting, now="2026-07-15 10:00").ttr == stored
    assert clock("opened 13:30", "waiting 14:30", "acknowledged 15:30", now="16:30").ttr == stored
    resumed = clock(*waiting, "resumed 2026-06-16 09:30", now="2026-06-16 09:30").ttr
    assert resumed.due_at == OFFICE.add_open_seconds(at("2026-06-16 09:30"), stored.remaining_s)


@pytest.mark.parametrize(
    ("waits_from", "expected"),
    [
        ("16:29:59", Deadline(None, None, State.ON_TIME, 3 * HOUR_S - 1, HOUR_S + 1)),
        ("16:30", Deadline(None, None, State.ON_TIME, 3 * HOUR_S, HOUR_S)),
        ("16:30:01", Deadline(None, at("16:30"), State.AT_RISK, 3 * HOUR_S + 1, HOUR_S - 1)),
        ("17:30", Deadline(None, at("16:30"), State.AT_RISK, 4 * HOUR_S, 0)),
        ("17:30:01", Deadline(at("17:30"), at("16:30"), State.BREACHED, 4 * HOUR_S + 1, 0)),
    ],
)
def test_a_wait_moves_only_what_had_not_passed_when_it_began(waits_from: str, expected: Deadline) -> None:
    assert clock("opened 13:30", f"waiting {waits_from}", now="2026-06-18 10:00").ttr == expected


@pytest.mark.parametrize(
    ("lines", "due"),
    [
        (["opened 08:30"], "13:30"),  # used up at lunch
        (["opened 14:00"], "2026-06-16 08:30"),  # used up at the closing
        (["opened 14:00", "waiting 18:00", "resumed 19:00"], "2026-06-16 08:30"),
        (["opened 14:00", "waiting 18:00", "resumed 2026-06-16 10:00"], "2026-06-16 10:00"),
        (["opened 14:00", "waiting 2026-06-16 08:30", "resumed 2026-06-16 10:00"], "2026-06-16 10:00"),
        (["opened 13:30", "waiting 17:30", "resumed 2026-06-16 10:00"], "2026-06-16 10:00"),
        (["opened 13:30", "waiting 17:30:01", "resumed 2026-06-16 10:00"], "17:30"),
    ],
)
def test_a_target_used_up_at_a_closing_or_at_a_wait_is_due_at_the_next_open_instant_that_counts(
    lines: list[str], due: str
) -> None:
    assert clock(*lines, now="2026-06-16 12:00").ttr.due_at == at(due)


@pytest.mark.parametrize(
    ("target", "lines", "due"),
    [
        (TWO_DAYS, ["opened 10:00"], "2026-06-17 10:00"),
        (TWO_DAYS, ["opened 10:00", "waiting 11:00", "resumed 2026-06-16 09:00"], "2026-06-17 17:30"),
        # 7 h more, used up at the closing
        (TWO_DAYS, ["opened 10:00", "waiting 11:00", "resumed 2026-06-16 09:30"], "2026-06-18 08:30"),
        (TWO_DAYS, ["opened 10:00", "waiting 19:00", "resumed 23:00"], "2026-06-17 10:00"),
        (Target(2, Unit.WORKING_DAYS, end_of_day=True), ["opened 10:00"], "2026-06-17 18:00"),
        (
            Target(2, Unit.WORKING_DAYS, end_of_day=True),
            ["opened 10:00", "waiting 19:00", "resumed 23:00"],
            "2026-06-17 18:00",
        ),
        (
            Target(2, Unit.WORKING_DAYS, end_of_day=True),
            ["opened 10:00", "waiting 11:00", "resumed 12:00"],
            "2026-06-18 09:30",
        ),
    ],
)
def test_open_seconds_of_waits_are_added_to_a_date_in_working_days(
    target: Target, lines: list[str], due: str
) -> None:
    assert clock(*lines, now="2026-06-16 12:00", ttr=target).ttr.due_at == at(due)


def test_a_date_at_closing_is_missed_after_it() -> None:
    end_of_day = Target(0, Unit.WORKING_DAYS, end_of_day=True)
    assert clock("opened 10:00", now="18:00", ttr=end_of_day).ttr.state is State.AT_RISK
    assert clock("opened 10:00", now="18:00:01", ttr=end_of_day).ttr.state is State.BREACHED


# -- resolution, reopening -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "now", "state", "due", "consumed_s"),
    [
        (["opened 13:30", "resolved 14:30", "reopened 16:30"], "16:30", State.ON_TIME, "2026-06-16 10:00", 1),
        (
            ["opened 13:30", "resolved 14:30", "reopened 16:30"],
            "2026-06-16 09:00",
            State.AT_RISK,
            "2026-06-16 10:00",
            3,
        ),
        (
            ["opened 13:30", "resolved 14:30", "reopened 16:30"],
            "2026-06-16 10:30",
            State.BREACHED,
            "2026-06-16 10:00",
            4.5,
        ),
        (
            ["opened 13:30", "resolved 14:30", "reopened 16:30", "resolved 17:30"],
            "2026-06-18",
            State.MET,
            "2026-06-16 10:00",
            2,
        ),
        # missed before it was resolved: it stays so, and the time in between does not count
        (["opened 08:30", "resolved 15:30", "reopened 16:30"], "17:30", State.BREACHED, "13:30", 7),
        # the wait that the resolution ends, and the time until the reopening, are one pause
        (
            ["opened 13:30", "waiting 14:30", "resolved 15:30", "reopened 16:30"],
            "16:30",
            State.ON_TIME,
            "2026-06-16 10:00",
            1,
        ),
        (
            ["opened 13:30", "waiting 14:30", "resolved 2026-06-17 10:00"],
            "2026-06-18",
            State.MET,
            "2026-06-17 14:00",
            1,
        ),
    ],
)
def test_reopening_continues_the_clock(
    lines: list[str], now: str, state: State, due: str, consumed_s: float
) -> None:
    restore = clock(*lines, now=now).ttr
    assert (restore.state, restore.due_at, restore.consumed_s) == (state, at(due), consumed_s * HOUR_S)


def test_a_resolution_ends_a_wait_begun_when_the_date_at_closing_was_due() -> None:
    end_of_day = Target(0, Unit.WORKING_DAYS, end_of_day=True)
    restore = clock("opened 10:00", "waiting 18:00", "resolved 20:00", now="21:00", ttr=end_of_day).ttr
    assert (restore.state, restore.due_at) == (State.MET, at("2026-06-16 08:30"))


@pytest.mark.parametrize(
    ("resumed", "due"),
    [
        ("2026-06-19 20:00", "2026-06-22 08:30"),
        ("2026-06-22 08:30", "2026-06-22 08:30"),
        ("2026-06-22 08:30:01", "2026-06-22 08:30:01"),
        ("2026-06-22 09:00", "2026-06-22 09:00"),
    ],
)
def test_a_wait_begun_when_the_date_at_closing_was_due_never_makes_late_by_itself(
    resumed: str, due: str
) -> None:
    """Nothing was left when it began, nor used up in it; no later answer gives an earlier due date."""
    end_of_day = Target(0, Unit.WORKING_DAYS, end_of_day=True)
    lines = ["opened 2026-06-19 10:00", "waiting 2026-06-19 18:00", f"resumed {resumed}"]
    resuming = clock(*lines, now=resumed, ttr=end_of_day).ttr
    assert (resuming.state, resuming.due_at) == (State.AT_RISK, at(due))
    assert clock(*lines, now="2026-06-22 09:00:01", ttr=end_of_day).ttr.state is State.BREACHED


# -- what may happen -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        ([], "opened"),
        (["opened 09:00"], "acknowledged waiting resolved"),
        (["opened 09:00", "acknowledged 09:10"], "waiting resolved"),
        (["opened 09:00", "waiting 09:10"], "acknowledged resumed resolved"),
        (["opened 09:00", "acknowledged 09:05", "waiting 09:10"], "resumed resolved"),
        (["opened 09:00", "waiting 09:10", "resumed 09:20"], "acknowledged waiting resolved"),
        (["opened 09:00", "resolved 09:10"], "reopened closed"),
        (["opened 09:00", "resolved 09:10", "reopened 09:20"], "waiting resolved"),
        (["opened 09:00", "resolved 09:10", "closed 09:20"], ""),
    ],
)
def test_the_log_says_what_may_happen_next(lines: list[str], kinds: str) -> None:
    assert next_events(log(*lines)) == frozenset(map(EventKind, kinds.split()))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["acknowledged 09:00"], "Un incident se prend en charge une seule fois"),
        (["opened 09:00", "opened 09:10"], "Un incident ne s'ouvre qu'une fois"),
        (["opened 09:00", "resumed 09:10"], "Seul un incident en attente peut reprendre"),
        (["opened 09:00", "waiting 09:10", "waiting 09:20"], "Seul un incident en cours"),
        (["opened 09:00", "resolved 09:10", "resolved 09:20"], "en cours ou en attente peut être résolu"),
        (["opened 09:00", "resolved 09:10", "waiting 09:20"], "Seul un incident en cours"),
        (["opened 09:00", "closed 09:10"], "Seul un incident résolu peut être clos"),
        (["opened 09:00", "resolved 09:10", "closed 09:20", "reopened 09:30"], "pas encore clos"),
        (["opened 09:00", "reopened 09:10"], "Seul un incident résolu"),
        (["opened 09:00", "acknowledged 09:10", "acknowledged 09:20"], "une seule fois"),
        (["opened 09:00", "acknowledged 08:50"], "une seule fois"),
    ],
)
def test_an_impossible_log_is_refused(lines: list[str], message: str) -> None:
    with pytest.raises(Conflict, match=message):
        next_events(log(*lines))
    with pytest.raises(Conflict, match=message):
        clock(*lines, now="12:00")


def test_an_incident_without_an_opening_has_no_clock() -> None:
    with pytest.raises(Conflict, match="pas d'ouverture"):
        clock(now="12:00")


@pytest.mark.parametrize(
    ("lines", "phase", "due"),
    [
        (["opened 09:00", "acknowledged 09:00", "waiting 09:00", "resumed 09:00"], Phase.RUNNING, "14:00"),
        (
            ["opened 09:00", "waiting 10:00", "resumed 11:00", "waiting 11:00", "resumed 12:00"],
            Phase.RUNNING,
            "16:00",
        ),
        (["opened 09:00", "resolved 10:00", "reopened 11:00", "resolved 11:00"], Phase.RESOLVED, "15:00"),
        (["opened 09:00", "resolved 09:00", "closed 09:00"], Phase.CLOSED, "14:00"),
    ],
)
def test_events_of_one_second_are_taken_in_an_order_that_is_allowed(
    lines: list[str], phase: Phase, due: str
) -> None:
    read = clock(*reversed(lines), now="12:30")
    assert (read.phase, read.ttr.due_at) == (phase, at(due))


@pytest.mark.parametrize("amount", [0, -1])
def test_a_target_is_at_least_one(amount: int) -> None:
    with pytest.raises(Invalid) as refusal:
        Target(amount, Unit.HOURS)
    assert refusal.value.field == "amount"


def test_only_working_days_run_to_the_end_of_a_day() -> None:
    with pytest.raises(Invalid) as refusal:
        Target(4, Unit.HOURS, end_of_day=True)
    assert refusal.value.field == "end_of_day"


# -- properties ------------------------------------------------------------------------------------------

CALENDARS = [
    OFFICE,
    AROUND_THE_CLOCK,
    hours(EVERY_DAY, "00:00-24:00", PARIS, holidays=named(["2026-03-30"])),
    hours(MON_FRI, "22:00-06:00", PARIS),
]
calendars = st.sampled_from(CALENDARS)
hour_targets = st.builds(Target, st.integers(1, 60), st.just(Unit.HOURS))
day_targets = st.builds(Target, st.integers(1, 9), st.just(Unit.WORKING_DAYS), st.booleans())
targets = hour_targets | day_targets
# from before the clock change of March to after the end of a log
starts = st.datetimes(datetime(2026, 3, 26), datetime(2026, 3, 31)).map(lambda wall: wall.replace(tzinfo=UTC))


@st.composite
def logs(draw: st.DrawFn, *first: EventKind) -> list[Event]:
    """A log that can be: after the first steps, each is one of those allowed, within two days."""
    instant = draw(starts)
    events = [Event(EventKind.OPENED, instant)]
    for step in range(len(first) + draw(st.integers(0, 8))):
        allowed = [first[step]] if step < len(first) else sorted(next_events(events))
        if not allowed:
            break
        instant += draw(st.timedeltas(SECOND, timedelta(days=2)))
        events.append(Event(draw(st.sampled_from(allowed)), instant))
    return events


@given(
    logs(),
    calendars,
    targets,
    targets,
    st.randoms(use_true_random=False),
    st.timedeltas(SECOND, timedelta(days=20)),
)
def test_the_order_of_the_events_does_not_matter(
    events: list[Event],
    calendar: Calendar,
    tto: Target,
    ttr: Target,
    chance: random.Random,
    later: timedelta,
) -> None:
    now = events[0].at + later
    shuffled = chance.sample(events, len(events))
    assert read_clock(shuffled, calendar, tto, ttr, now) == read_clock(events, calendar, tto, ttr, now)


@given(logs(), calendars, targets, targets, st.integers(0, 8))
def test_a_past_instant_reads_as_it_did_then(
    events: list[Event], calendar: Calendar, tto: Target, ttr: Target, known: int
) -> None:
    then = events[: known + 1]
    now = then[-1].at
    assert read_clock(events, calendar, tto, ttr, now) == read_clock(then, calendar, tto, ttr, now)


@given(logs(), calendars, hour_targets)
def test_at_the_due_date_the_target_is_consumed_and_one_second_later_it_is_exceeded(
    events: list[Event], calendar: Calendar, target: Target
) -> None:
    while not next_events(events) >= {EventKind.WAITING}:  # back to where it runs
        events.pop()
    due = read_clock(events, calendar, target, target, events[-1].at).ttr.due_at
    assert due is not None
    assume(due >= events[-1].at)
    on_time = read_clock(events, calendar, target, target, due).ttr
    too_late = read_clock(events, calendar, target, target, due + SECOND).ttr
    assert (on_time.consumed_s, on_time.state) == (target.amount * HOUR_S, State.AT_RISK)
    assert (too_late.consumed_s, too_late.state) == (target.amount * HOUR_S + 1, State.BREACHED)
    assert (on_time.remaining_s, too_late.remaining_s) == (0, 0)


@given(logs(), calendars, hour_targets, st.timedeltas(timedelta(), timedelta(days=20)))
def test_a_clock_is_late_when_it_consumed_more_than_its_target(
    events: list[Event], calendar: Calendar, target: Target, later: timedelta
) -> None:
    now = events[-1].at + later
    restore = read_clock(events, calendar, target, target, now).ttr
    late = restore.state in (State.BREACHED, State.MISSED)
    assert late is (restore.consumed_s > target.amount * HOUR_S)
    assert restore.consumed_s + restore.remaining_s >= target.amount * HOUR_S


@given(logs(), calendars, targets, targets, st.timedeltas(timedelta(), timedelta(days=20)))
def test_dates_and_states_agree(
    events: list[Event], calendar: Calendar, tto: Target, ttr: Target, later: timedelta
) -> None:
    now = whole_second(events[-1].at + later)
    read = read_clock(events, calendar, tto, ttr, now)
    for deadline in (read.tto, read.ttr):
        running = deadline.state in (State.ON_TIME, State.AT_RISK, State.BREACHED)
        if deadline.due_at and deadline.at_risk_at:
            assert deadline.at_risk_at <= deadline.due_at
        if running:
            assert (deadline.state is State.BREACHED) is (
                deadline.due_at is not None and deadline.due_at < now
            )
            at_risk = deadline.at_risk_at is not None and deadline.at_risk_at <= now
            assert at_risk is (deadline.state is not State.ON_TIME)
    assert read.tto.due_at == tto.due_at(events[0].at, calendar)


@given(logs(EventKind.WAITING, EventKind.RESUMED), calendars, targets)
def test_no_answer_makes_late_what_was_on_time_when_its_wait_began(
    events: list[Event], calendar: Calendar, target: Target
) -> None:
    for place, event in enumerate(events):
        if event.kind is EventKind.WAITING and events[place + 1 :]:
            began, ended = (
                read_clock(known, calendar, target, target, known[-1].at).ttr.state
                for known in (events[: place + 1], events[: place + 2])
            )
            late = {State.BREACHED, State.MISSED}
            assert (ended in late) is (began in late) or events[place + 1].kind is EventKind.ACKNOWLEDGED


@given(
    logs(EventKind.WAITING, EventKind.RESUMED),
    calendars,
    targets,
    st.timedeltas(timedelta(), timedelta(days=20)),
)
def test_a_wait_cut_in_two_is_the_same_wait(
    events: list[Event], calendar: Calendar, target: Target, later: timedelta
) -> None:
    now = events[-1].at + later
    cut = list(events)
    for before, after in pairwise(events):
        if (before.kind, after.kind) == (EventKind.WAITING, EventKind.RESUMED):
            middle = before.at + (after.at - before.at) / 2
            cut += [Event(EventKind.RESUMED, middle), Event(EventKind.WAITING, middle)]
    assert len(cut) > len(events)
    assert read_clock(cut, calendar, target, target, now) == read_clock(events, calendar, target, target, now)
