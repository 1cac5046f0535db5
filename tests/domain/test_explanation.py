"""Every due date is told by steps, and can be worked out again from them alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.calendar import Calendar, Closure, Segment
from console.domain.clock import Event, EventKind, Target, Unit, read_clock
from console.domain.explanation import Explanation, Step, StepKind, Why, explain, periods
from tests.domain.peer_vectors import EVERY_DAY, MON_FRI, hours
from tests.domain.peer_vectors import at as utc
from tests.domain.test_clock import logs, targets

PARIS = ZoneInfo("Europe/Paris")
OFFICE = hours(
    MON_FRI,
    "08:30-12:30,13:30-18:00",
    PARIS,
    holidays={date(2026, 5, 1): "Fête du Travail", date(2026, 5, 8): "Victoire 1945"},
    closures=(Closure(date(2026, 12, 24), date(2027, 1, 2), yearly=True, name="Fermeture de Noël"),),
    openings={date(2026, 5, 8): (Segment.parse("09:00-12:00"),)},
    opening_names={date(2026, 5, 8): "Paie de mai"},
)
AROUND_THE_CLOCK = Calendar.around_the_clock(PARIS)
FOUR_HOURS = Target(4, Unit.HOURS)
TWO_DAYS = Target(2, Unit.WORKING_DAYS)


def at(text: str) -> datetime:
    """A Paris wall time; of Monday 15 June 2026 where it has no date."""
    return utc(text if "-" in text else f"2026-06-15 {text}", PARIS)


def log(*lines: str) -> list[Event]:
    """Events written like "opened 09:00"."""
    return [Event(EventKind(line.split(maxsplit=1)[0]), at(line.split(maxsplit=1)[1])) for line in lines]


def told(explanation: Explanation) -> list[str]:
    """Steps written like "closed 12:30-13:30 outside", the date where it is not 15 June 2026."""
    return [_told(step) for step in explanation.steps]


def _told(step: Step) -> str:
    when = _wall(step.begins)
    if step.ends != step.begins:
        when += "-" + (_wall(step.ends) if step.ends else "")
    minutes = f"{step.seconds // 60} min" if step.seconds else ""
    number = str(step.number) if step.number else ""
    why = "" if step.why in (None, Why.OPEN) else str(step.why)
    return " ".join(part for part in (step.kind, number, when, minutes, why, step.name) if part)


def _wall(instant: datetime) -> str:
    local = instant.astimezone(PARIS)
    return f"{local:%H:%M}" if local.date() == date(2026, 6, 15) else f"{local:%d/%m %H:%M}"


@pytest.mark.parametrize(
    ("lines", "target", "steps"),
    [
        pytest.param(
            ["opened 08:30"],
            FOUR_HOURS,
            ["start 08:30", "counted 08:30-12:30 240 min", "closed 12:30-13:30 outside", "due 13:30"],
            id="target used up at lunch",
        ),
        pytest.param(
            ["opened 14:00"],
            FOUR_HOURS,
            [
                "start 14:00",
                "counted 14:00-18:00 240 min",
                "closed 18:00-16/06 08:30 outside",
                "due 16/06 08:30",
            ],
            id="target used up at the closing",
        ),
        pytest.param(
            ["opened 2026-04-30 17:00"],
            FOUR_HOURS,
            [
                "start 30/04 17:00",
                "counted 30/04 17:00-30/04 18:00 60 min",
                "closed 30/04 18:00-01/05 00:00 outside",
                "closed 01/05 00:00-02/05 00:00 holiday Fête du Travail",
                "closed 02/05 00:00-04/05 08:30 outside",
                "counted 04/05 08:30-04/05 11:30 180 min",
                "due 04/05 11:30",
            ],
            id="over a holiday and a weekend",
        ),
        pytest.param(
            ["opened 2026-05-07 17:00"],
            FOUR_HOURS,
            [
                "start 07/05 17:00",
                "counted 07/05 17:00-07/05 18:00 60 min",
                "closed 07/05 18:00-08/05 00:00 outside",
                "closed 08/05 00:00-08/05 09:00 opening Paie de mai",
                "counted 08/05 09:00-08/05 12:00 180 min",
                "closed 08/05 12:00-09/05 00:00 opening Paie de mai",
                "closed 09/05 00:00-11/05 08:30 outside",
                "due 11/05 08:30",
            ],
            id="dated opening on a holiday",
        ),
        pytest.param(
            ["opened 2026-12-23 17:00"],
            FOUR_HOURS,
            [
                "start 23/12 17:00",
                "counted 23/12 17:00-23/12 18:00 60 min",
                "closed 23/12 18:00-24/12 00:00 outside",
                "closed 24/12 00:00-03/01 00:00 closure Fermeture de Noël",
                "closed 03/01 00:00-04/01 08:30 outside",
                "counted 04/01 08:30-04/01 11:30 180 min",
                "due 04/01 11:30",
            ],
            id="a closure over New Year",
        ),
        pytest.param(
            ["opened 11:00", "waiting 12:00", "resumed 13:45"],
            FOUR_HOURS,
            [
                "start 11:00",
                "counted 11:00-12:00 60 min",
                "paused 12:00-13:45 45 min waiting",
                "counted 13:45-16:45 180 min",
                "due 16:45",
            ],
            id="a wait over lunch",
        ),
        pytest.param(
            ["opened 14:00", "resolved 15:00", "reopened 16:00"],
            FOUR_HOURS,
            [
                "start 14:00",
                "counted 14:00-15:00 60 min",
                "paused 15:00-16:00 60 min resolved",
                "counted 16:00-18:00 120 min",
                "closed 18:00-16/06 08:30 outside",
                "counted 16/06 08:30-16/06 09:30 60 min",
                "due 16/06 09:30",
            ],
            id="a reopening",
        ),
        pytest.param(
            ["opened 08:30", "waiting 09:30"],
            FOUR_HOURS,
            [
                "start 08:30",
                "counted 08:30-09:30 60 min",
                "paused 09:30- waiting",
                "suspended 09:30- 180 min",
            ],
            id="a wait that is open",
        ),
        pytest.param(
            ["opened 13:30", "waiting 17:40", "resumed 2026-06-16 09:00"],
            FOUR_HOURS,
            [
                "start 13:30",
                "counted 13:30-17:30 240 min",
                "due 17:30",
                "too_late 17:40-16/06 09:00 50 min waiting",
            ],
            id="pause begun after the due date",
        ),
        pytest.param(
            ["opened 2026-06-12 19:00"],
            TWO_DAYS,
            [
                "start 12/06 19:00",
                "closed 12/06 19:00-08:30 outside",
                "day 1 16/06 00:00-17/06 00:00 510 min",
                "day 2 17/06 00:00-18/06 00:00 510 min",
                "wall 17/06 08:30 same_wall",
                "due 17/06 08:30",
            ],
            id="working days from outside hours",
        ),
        pytest.param(
            ["opened 2026-04-30 17:00", "waiting 2026-04-30 17:15", "resumed 2026-05-04 09:00"],
            TWO_DAYS,
            [
                "start 30/04 17:00",
                "closed 01/05 00:00-02/05 00:00 holiday Fête du Travail",
                "closed 02/05 00:00-04/05 00:00 outside",
                "day 1 04/05 00:00-05/05 00:00 510 min",
                "day 2 05/05 00:00-06/05 00:00 510 min",
                "wall 05/05 17:00 same_wall",
                "paused 30/04 17:15-04/05 09:00 75 min waiting",
                "added 05/05 17:00-05/05 18:00 60 min",
                "closed 05/05 18:00-06/05 08:30 outside",
                "added 06/05 08:30-06/05 08:45 15 min",
                "due 06/05 08:45",
            ],
            id="working days moved by a wait",
        ),
        pytest.param(
            ["opened 2026-05-06 08:45"],
            TWO_DAYS,
            [
                "start 06/05 08:45",
                "day 1 07/05 00:00-08/05 00:00 510 min",
                "day 2 08/05 00:00-09/05 00:00 180 min",
                "wall 08/05 09:00 next_opening",
                "due 08/05 09:00",
            ],
            id="wall before opening in day mode",
        ),
        pytest.param(
            ["opened 2026-05-06 17:00"],
            TWO_DAYS,
            [
                "start 06/05 17:00",
                "day 1 07/05 00:00-08/05 00:00 510 min",
                "day 2 08/05 00:00-09/05 00:00 180 min",
                "wall 08/05 12:00 closing",
                "due 08/05 12:00",
            ],
            id="wall past the closing in day mode",
        ),
        pytest.param(
            ["opened 10:00"],
            Target(0, Unit.WORKING_DAYS, end_of_day=True),
            ["start 10:00", "wall 18:00 end_of_day", "due 18:00"],
            id="end of the same day",
        ),
        pytest.param(
            ["opened 10:00", "waiting 18:00", "resumed 20:00"],
            Target(0, Unit.WORKING_DAYS, end_of_day=True),
            [
                "start 10:00",
                "wall 18:00 end_of_day",
                "paused 18:00-20:00 waiting",
                "closed 18:00-16/06 08:30 outside",
                "due 16/06 08:30",
            ],
            id="a wait without open time begun at a closing",
        ),
    ],
)
def test_the_steps_to_a_due_date(lines: list[str], target: Target, steps: list[str]) -> None:
    explanation = explain(log(*lines), OFFICE, target, pauses=True, now=at("2027-02-01"))
    assert told(explanation) == steps


def test_the_time_to_own_knows_no_pause() -> None:
    waiting = log("opened 08:30", "waiting 09:00", "resumed 11:00")
    explanation = explain(waiting, OFFICE, FOUR_HOURS, pauses=False, now=at("12:00"))
    assert StepKind.PAUSED not in {step.kind for step in explanation.steps}
    assert explanation.due_at == at("13:30")


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-03-28 23:00", "2026-03-29 05:00", [("open", 5)]),
        ("2026-10-24 23:00", "2026-10-25 05:00", [("open", 7)]),
    ],
)
def test_open_time_over_a_clock_change_is_one_stretch(
    start: str, end: str, expected: list[tuple[str, int]]
) -> None:
    found = periods(AROUND_THE_CLOCK, at(start), at(end))
    assert [(p.why, (p.ends - p.begins) // timedelta(hours=1)) for p in found] == expected


# -- the due date from the steps -------------------------------------------------------------------------

UNIT_S = {Unit.MINUTES: 60, Unit.HOURS: 3600}
calendars = st.sampled_from(
    [OFFICE, AROUND_THE_CLOCK, hours(MON_FRI, "22:00-06:00", PARIS), hours(EVERY_DAY, "00:00-24:00", PARIS)]
)
chosen_targets = targets | st.builds(Target, st.integers(1, 300), st.just(Unit.MINUTES))


def rebuilt(explanation: Explanation) -> datetime | None:
    """The due date from the steps alone: one against the other, and what counts is what was promised."""
    steps = [step for step in explanation.steps if step.kind is not StepKind.TOO_LATE]
    start, *between, last = steps
    assert start.kind is StepKind.START
    if last.kind is StepKind.SUSPENDED:
        assert between.pop().ends is None
    if explanation.target.unit is Unit.WORKING_DAYS:
        instant = _rebuilt_from_days(explanation.target, between)
    else:
        counted_s = sum(step.seconds for step in between if step.kind is StepKind.COUNTED)
        left_s = explanation.remaining_s if last.kind is StepKind.SUSPENDED else 0
        assert counted_s + left_s == explanation.target.amount * UNIT_S[explanation.target.unit]
        instant = _end_to_end(start.begins, between)
    if last.kind is StepKind.SUSPENDED:
        return None
    assert last.kind is StepKind.DUE
    return instant


def _rebuilt_from_days(target: Target, steps: list[Step]) -> datetime:
    place = next(place for place, step in enumerate(steps) if step.kind is StepKind.WALL)
    days = [step for step in steps[:place] if step.kind is StepKind.DAY]
    assert [day.number for day in days] == list(range(1, target.amount + 1))
    wall = steps[place].begins
    if days:
        assert days[-1].ends is not None
        assert days[-1].begins <= wall <= days[-1].ends
    added = [step for step in steps[place:] if step.kind is StepKind.ADDED]
    paused = [step for step in steps[place:] if step.kind is StepKind.PAUSED]
    assert sum(step.seconds for step in added) == sum(step.seconds for step in paused)
    moves = [step for step in steps[place + 1 :] if step.kind is not StepKind.PAUSED]
    return _end_to_end(wall, moves)


def _end_to_end(start: datetime, steps: list[Step]) -> datetime:
    for step in steps:
        assert step.begins == start
        assert step.ends is not None
        start = step.ends
    return start


@given(logs(), calendars, chosen_targets, st.booleans(), st.timedeltas(timedelta(), timedelta(days=20)))
def test_a_due_date_can_be_worked_out_again_from_its_steps(
    events: list[Event], calendar: Calendar, target: Target, pauses: bool, later: timedelta
) -> None:
    now = events[-1].at + later
    clock = read_clock(events, calendar, target, target, now)
    stored = clock.ttr if pauses else clock.tto
    explanation = explain(events, calendar, target, pauses=pauses, now=now)
    assert rebuilt(explanation) == stored.due_at
    assert explanation.due_at == stored.due_at
    assert explanation.remaining_s == stored.remaining_s


@given(logs(), calendars, chosen_targets)
def test_a_step_is_what_it_says(events: list[Event], calendar: Calendar, target: Target) -> None:
    explanation = explain(events, calendar, target, pauses=True, now=events[-1].at)
    for step in explanation.steps:
        if step.ends is None:
            continue
        open_s = calendar.open_seconds(step.begins, step.ends)
        length_s = (step.ends - step.begins) // timedelta(seconds=1)
        match step.kind:
            case StepKind.COUNTED | StepKind.ADDED:
                assert step.seconds == open_s == length_s > 0
            case StepKind.CLOSED:
                assert (step.seconds, open_s) == (0, 0) != (0, length_s)
            case StepKind.PAUSED | StepKind.DAY | StepKind.TOO_LATE:
                assert step.seconds == open_s


@given(calendars, st.datetimes(datetime(2026, 3, 20), datetime(2026, 5, 15)), st.integers(0, 800_000))
def test_periods_leave_nothing_out(calendar: Calendar, start: datetime, seconds: int) -> None:
    begins = start.replace(tzinfo=UTC, microsecond=0)
    ends = begins + timedelta(seconds=seconds)
    found = periods(calendar, begins, ends)
    assert [begins, *(period.ends for period in found)][-1] == ends
    assert all(before.ends == after.begins for before, after in pairwise(found))
    assert all((a.why, a.name) != (b.why, b.name) for a, b in pairwise(found))
    open_s = sum(
        (period.ends - period.begins) // timedelta(seconds=1) for period in found if period.why is Why.OPEN
    )
    assert open_s == calendar.open_seconds(begins, ends)
