"""Service hours, due dates, pauses and priorities against the suites of other products.

Left out, each for what it asks: delays counted backwards that end in a closing, targets set by hand, and the
parts of time intervals (months, days of the month) that only muting alerts needs.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console.domain.calendar import Calendar, Closure, Segment
from console.domain.clock import Clock, Deadline, Event, EventKind, State, Target, Unit, read_clock
from console.domain.errors import Invalid
from console.domain.priority import priority
from tests.domain.peer_vectors import (
    EVERY_DAY,
    MON_FRI,
    SUITES,
    UTC_ZONE,
    answers,
    at,
    cases,
    hours,
    named,
)

PARIS = ZoneInfo("Europe/Paris")
FRENCH_HOLIDAYS = named(
    [day for days in answers("derived-fr", {"derived-fr-24", "derived-fr-25"}).values() for day in days]
)
OFFICE = hours(MON_FRI, "08:00-18:00", PARIS, holidays=FRENCH_HOLIDAYS)
WITH_LUNCH = hours(MON_FRI, "08:30-12:30,13:30-18:00", PARIS, holidays=FRENCH_HOLIDAYS)
AROUND_THE_CLOCK = Calendar.around_the_clock(PARIS)
A_MINUTE = Target(1, Unit.MINUTES)
HOUR_S = 3600

# -- GLPI ------------------------------------------------------------------------------------------------


def glpi_week(text: str) -> Calendar:
    """A calendar as written in the suite: "mon-fri 08:00-20:00"."""
    days, segment = text.split()
    assert days == "mon-fri"
    return hours(MON_FRI, segment)


@pytest.mark.parametrize(
    ("given", "expected"), cases("glpi-due-days", lambda given: given["working_days"] >= 0)
)
def test_a_delay_in_working_days_keeps_its_wall_time(given: dict[str, Any], expected: str) -> None:
    calendar = glpi_week(given["calendar"])
    due = calendar.add_working_days(at(given["start"]), given["working_days"], given["end_of_working_day"])
    assert due == at(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    cases("glpi-due-days", lambda given: given["working_days"] < 0 and not given["end_of_working_day"]),
)
def test_working_days_counted_backwards_lead_back(given: dict[str, Any], expected: str) -> None:
    calendar = glpi_week(given["calendar"])
    assert calendar.add_working_days(at(expected), -given["working_days"]) == at(given["start"])


@pytest.mark.parametrize(("given", "expected"), cases("glpi-active-between"))
def test_open_time_between_two_instants(given: dict[str, str], expected: int) -> None:
    calendar = hours(MON_FRI, "08:00-20:00")
    assert calendar.open_seconds(at(given["start"]), at(given["end"])) == expected


@pytest.mark.parametrize(("given", "expected"), cases("glpi-working-day-hour", lambda given: "date" in given))
def test_a_working_day_has_open_time(given: dict[str, str], expected: bool) -> None:
    midnight = at(given["date"])
    open_s = hours(MON_FRI, "08:00-20:00").open_seconds(midnight, midnight + timedelta(days=1))
    assert (open_s > 0) is expected


@pytest.mark.parametrize(
    ("given", "expected"), cases("glpi-working-day-hour", lambda given: "instant" in given)
)
def test_a_working_hour_is_open(given: dict[str, str], expected: bool) -> None:
    assert hours(MON_FRI, "08:00-20:00").is_open(at(given["instant"])) is expected


@pytest.mark.parametrize(("given", "expected"), cases("glpi-holidays", bool))
def test_a_closure_holds_its_dates_only(given: str, expected: bool) -> None:
    closures = [
        Closure(date.fromisoformat(row["begin"]), date.fromisoformat(row["end"]), row["perpetual"])
        for row in SUITES["glpi-holidays"]["setup"]["holidays"]
        if row["begin"] and row["end"]
    ]
    day = date.fromisoformat(given)
    assert any(closure.holds(day) for closure in closures) is expected


GLPI_PAUSES = Calendar(
    UTC_ZONE,
    {0: (Segment.parse("10:30-19:00"),), **dict.fromkeys(range(1, 5), (Segment.parse("08:30-19:00"),))},
)
GLPI_UNITS = {"minute": Unit.MINUTES, "hour": Unit.HOURS, "day": Unit.WORKING_DAYS}


def glpi_deadline(given: dict[str, Any]) -> Deadline:
    """The clock the case asks for, after its last pause."""
    target = given["target"]
    promised = Target(target["number"], GLPI_UNITS[target["unit"]], target["end_of_working_day"])
    events = [Event(EventKind.OPENED, at(given["opened"]))]
    for pause in given["pending"]:
        events.append(Event(EventKind.WAITING, at(pause["start"])))
        events.append(Event(EventKind.RESUMED, at(pause["end"])))
    clock = read_clock(events, GLPI_PAUSES, promised, promised, now=max(event.at for event in events))
    return clock.tto if given["type"] == "TTO" else clock.ttr


@pytest.mark.parametrize(("given", "expected"), cases("glpi-sla-pauses"))
def test_waiting_moves_the_time_to_restore_only(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert glpi_deadline(given).due_at == at(expected["due"])


@pytest.mark.parametrize(
    ("given", "expected"), cases("glpi-sla-pauses", lambda given: given["type"] == "TTR")
)
def test_a_pause_counts_for_its_open_time(given: dict[str, Any], expected: dict[str, Any]) -> None:
    open_s = sum(GLPI_PAUSES.open_seconds(at(p["start"]), at(p["end"])) for p in given["pending"])
    assert open_s == expected["pending_seconds_counted"]


@pytest.mark.parametrize(("given", "expected"), cases("glpi-sla-pauses"))
def test_an_escalation_is_that_open_time_from_the_due_date(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    due, escalation = at(expected["due"]), at(expected["escalation_at"])
    match given["escalation_offset"]:
        case {"working_seconds": seconds} if seconds > 0:
            assert GLPI_PAUSES.add_open_seconds(due, seconds) == escalation
        case {"working_seconds": seconds}:
            assert GLPI_PAUSES.add_open_seconds(escalation, -seconds) == due
        case {"working_days": days} if days > 0:
            assert GLPI_PAUSES.add_working_days(due, days) == escalation
        case {"working_days": days}:
            just_before = escalation - timedelta(seconds=1)
            assert GLPI_PAUSES.add_working_days(just_before, -days, end_of_day=True) == due


@pytest.mark.parametrize(("given", "expected"), cases("glpi-escalation-before-due"))
def test_an_escalation_before_the_due_date_may_fall_on_the_day_before(
    given: dict[str, Any], expected: dict[str, str]
) -> None:
    calendar = hours(MON_FRI, "08:00-18:00")
    due = Target(given["target_hours"], Unit.HOURS).due_at(at(given["opened"]), calendar)
    assert due == at(expected["due"])
    offset_s = -given["escalation_offset_hours"] * HOUR_S
    assert calendar.add_open_seconds(at(expected["escalation_at"]), offset_s) == due


def test_a_clock_runs_from_the_start_it_is_given() -> None:
    """glpi-sla-vs-ola-start-01: T is 12:00; opened an hour before, assigned at T."""
    noon = at("2026-06-15 12:00")
    by_ticket = {
        hours: Target(hours, Unit.HOURS).due_at(noon - timedelta(hours=1), AROUND_THE_CLOCK)
        for hours in (4, 12)
    }
    by_assignment = {hours: Target(hours, Unit.HOURS).due_at(noon, AROUND_THE_CLOCK) for hours in (2, 8)}
    assert {hours: due - noon for hours, due in (by_ticket | by_assignment).items()} == {
        4: timedelta(hours=3),
        12: timedelta(hours=11),
        2: timedelta(hours=2),
        8: timedelta(hours=8),
    }


@pytest.mark.parametrize(
    ("waits", "due"),
    [
        pytest.param([], "2026-06-16 13:00", id="glpi-sla-vs-ola-start-02"),
        pytest.param(
            ["2026-06-15 09:00", "2026-06-16 10:00"], "2026-06-16 14:00", id="glpi-sla-vs-ola-start-03"
        ),
    ],
)
def test_a_day_without_hours_consumes_nothing(waits: list[str], due: str) -> None:
    only_tomorrow = Calendar(UTC_ZONE, openings={date(2026, 6, 16): (Segment.parse("09:00-19:00"),)})
    kinds = (EventKind.OPENED, EventKind.WAITING, EventKind.RESUMED)
    instants = ["2026-06-15 08:00", *waits]
    events = [Event(kind, at(instant)) for kind, instant in zip(kinds, instants, strict=False)]
    four_hours = Target(4, Unit.HOURS)
    assert read_clock(events, only_tomorrow, four_hours, four_hours, at("2026-06-16 10:30")).ttr.due_at == at(
        due
    )


def test_four_hours_of_an_afternoon() -> None:
    (case,) = [c for c in SUITES["glpi-sla-vs-ola-start"]["cases"] if c["id"] == "glpi-sla-vs-ola-start-05"]
    due = Target(4, Unit.HOURS).due_at(at(case["input"]["opened"]), hours(MON_FRI, "08:00-20:00"))
    assert due == at(case["expected"]["due"])
    assert hours(MON_FRI, "08:00-20:00").open_seconds(at(case["expected"]["escalation_at"]), due) == HOUR_S


@pytest.mark.parametrize(("given", "expected"), cases("glpi-priority-matrix"))
def test_the_default_matrix_is_the_same_with_the_levels_turned(given: dict[str, int], expected: int) -> None:
    """There 5 is highest and here 1 is."""
    assert 6 - priority(6 - given["impact"], 6 - given["urgency"]) == expected


def test_the_default_matrix_agrees_everywhere() -> None:
    theirs = SUITES["glpi-priority-matrix"]["setup"]["matrix"]
    for urgency in range(1, 6):
        for impact in range(1, 6):
            assert 6 - priority(6 - impact, 6 - urgency) == theirs[str(urgency)][str(impact)]


# -- iTop ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "expected"), cases("itop-priority-matrix"))
def test_another_matrix_may_be_of_another_size(given: dict[str, int], expected: int) -> None:
    matrix = {
        int(impact): {int(urgency): level for urgency, level in row.items()}
        for impact, row in SUITES["itop-priority-matrix"]["setup"]["matrix"].items()
    }
    assert priority(given["impact"], given["urgency"], matrix) == expected


# -- Znuny -----------------------------------------------------------------------------------------------

ZNUNY_HOLIDAYS = named(
    [
        f"{year}-{day}"
        for year in range(2013, 2018)
        for day in SUITES["znuny-add-working-time"]["setup"]["holidays_recurring"]
    ]
)


def znuny_calendar(given: dict[str, Any]) -> Calendar:
    days, segments = given["week"].split()
    text = ",".join(f"{part[:2]}:00-{part[3:]}:00" for part in segments.split(","))
    return hours(
        {"mf": MON_FRI, "all": EVERY_DAY}[days],
        text,
        ZoneInfo(given["tz"]),
        holidays=ZNUNY_HOLIDAYS if given["holidays"] else {},
    )


@pytest.mark.parametrize(
    ("given", "expected"), cases("znuny-add-working-time", lambda given: "working_seconds" in given)
)
def test_open_time_over_holidays_breaks_and_clock_changes(given: dict[str, Any], expected: str) -> None:
    zone = ZoneInfo(given["tz"])
    due = znuny_calendar(given).add_open_seconds(at(given["start"], zone), given["working_seconds"])
    assert due.astimezone(zone).replace(tzinfo=None) == datetime.fromisoformat(expected)


def test_a_target_of_less_than_nothing_is_refused() -> None:
    """znuny-add-working-time-34"""
    with pytest.raises(Invalid, match="-2"):
        Target(-2, Unit.HOURS)


# -- biz -------------------------------------------------------------------------------------------------

BIZ_WEEK = {
    **dict.fromkeys((0, 2, 4), (Segment.parse("09:00-17:00"),)),
    **dict.fromkeys((1, 3), (Segment.parse("10:00-16:00"),)),
    5: (Segment.parse("11:00-14:30"),),
}
BIZ = Calendar(UTC_ZONE, BIZ_WEEK)
BACKWARDS_INTO_A_CLOSING = ("2006-01-05 08:00:00", "2006-01-05 18:00:00")


@pytest.mark.parametrize(
    ("given", "expected"), cases("biz-durations", lambda given: given.get("direction") == "after")
)
def test_a_duration_ends_there(given: dict[str, Any], expected: str) -> None:
    start = at(given["start"])
    if "working_days" in given:
        assert BIZ.add_working_days(start, given["working_days"]) == at(expected)
    else:
        assert BIZ.add_open_seconds(start, given["working_seconds"]) == at(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    cases(
        "biz-durations",
        lambda given: given.get("direction") == "before" and given["start"] not in BACKWARDS_INTO_A_CLOSING,
    ),
)
def test_a_duration_before_began_there(given: dict[str, Any], expected: str) -> None:
    if "working_days" in given:
        assert BIZ.add_working_days(at(expected), given["working_days"]) == at(given["start"])
    else:
        assert BIZ.open_seconds(at(expected), at(given["start"])) == given["working_seconds"]


@pytest.mark.parametrize(("given", "expected"), cases("biz-durations", lambda given: "end" in given))
def test_open_time_of_a_week(given: dict[str, str], expected: dict[str, int]) -> None:
    assert BIZ.open_seconds(at(given["start"]), at(given["end"])) == expected["working_seconds"]


@pytest.mark.parametrize(("given", "expected"), cases("biz-active"))
def test_a_dated_opening_replaces_the_week(given: dict[str, str], expected: bool) -> None:
    """A break of the suite is written here as what it leaves of its date."""
    calendar = Calendar(
        UTC_ZONE,
        BIZ_WEEK,
        holidays=named(["2006-01-04", "2006-01-11"]),
        openings={
            date(2006, 1, 3): (Segment.parse("11:00-16:00"),),
            date(2006, 1, 7): (Segment.parse("09:00-11:00"),),
            date(2006, 1, 10): (),
            date(2006, 1, 11): (Segment.parse("09:00-11:00"),),
        },
    )
    assert calendar.is_open(at(given["instant"])) is expected


# -- ERPNext ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "expected"), cases("erpnext-first-response"))
def test_the_first_answer_is_timed_in_open_hours(given: dict[str, str], expected: int) -> None:
    calendar = hours(MON_FRI, "10:00-18:00", closures=(Closure(date(2021, 6, 26), date(2021, 6, 27)),))
    answered = at(given["first_response"])
    events = [Event(EventKind.OPENED, at(given["opened"])), Event(EventKind.ACKNOWLEDGED, answered)]
    clock: Clock = read_clock(events, calendar, A_MINUTE, A_MINUTE, answered + timedelta(days=1))
    assert clock.tto.consumed_s == expected
    assert clock.tto.state is (State.MISSED if expected > 60 else State.MET)


# -- Alertmanager ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"), cases("am-time-intervals", lambda given: "09" in given.get("interval", ""))
)
def test_hours_of_a_zone_are_its_wall_times(given: dict[str, str], expected: bool) -> None:
    zone = ZoneInfo("Australia/Sydney" if "Sydney" in given["interval"] else "UTC")
    assert hours(MON_FRI, "09:00-17:00", zone).is_open(at(given["at"])) is expected


@pytest.mark.parametrize(
    ("given", "expected"), cases("am-time-intervals", lambda given: "time_range" in given)
)
def test_a_range_of_hours_is_read_or_refused(given: dict[str, str], expected: str) -> None:
    if expected == "rejected":
        with pytest.raises(Invalid):
            Segment.parse(given["time_range"])
    else:
        _, past_midnight = Segment.parse(given["time_range"]).split()
        assert (past_midnight is not None) is (expected == "runs past midnight")
        assert str(Segment.parse(given["time_range"])) == given["time_range"]


# -- French clock changes and holidays -------------------------------------------------------------------


def add_hours(calendar: Calendar, start: str, amount: int) -> datetime:
    return calendar.add_open_seconds(at(start, PARIS), amount * HOUR_S)


def open_s(calendar: Calendar, start: str, end: str) -> int:
    return calendar.open_seconds(at(start, PARIS), at(end, PARIS))


FRENCH = {
    "derived-fr-01": add_hours(OFFICE, "2026-03-27 17:00", 4),
    "derived-fr-03": OFFICE.add_working_days(at("2026-10-23 10:00", PARIS), 1),
    "derived-fr-04": open_s(AROUND_THE_CLOCK, "2026-03-29", "2026-03-30"),
    "derived-fr-06": open_s(AROUND_THE_CLOCK, "2026-10-25 00:30", "2026-10-25 12:00"),
    "derived-fr-07": open_s(AROUND_THE_CLOCK, "2026-03-28 23:30", "2026-03-30 12:00"),
    "derived-fr-09": add_hours(AROUND_THE_CLOCK, "2026-03-29 01:00", 3),
    "derived-fr-10": add_hours(AROUND_THE_CLOCK, "2026-10-25 02:30+02:00", 1),
    "derived-fr-12": open_s(AROUND_THE_CLOCK, "2026-03-01", "2026-04-01"),
    "derived-fr-13": open_s(AROUND_THE_CLOCK, "2026-10-01", "2026-11-01"),
    "derived-fr-15": add_hours(OFFICE, "2026-05-13 17:00", 2),
    "derived-fr-16": add_hours(OFFICE, "2026-05-22 17:30", 1),
    "derived-fr-18": add_hours(WITH_LUNCH, "2026-06-15 11:45", 1),
    "derived-fr-19": add_hours(OFFICE, "2026-06-15 14:00", 4),
    "derived-fr-21": Closure(date(2026, 12, 24), date(2027, 1, 2), yearly=True).holds(date(2026, 12, 28)),
    "derived-fr-22": {"counted_downtime_seconds": open_s(OFFICE, "2026-03-31 08:00", "2026-03-31 08:30")},
}


@pytest.mark.parametrize("case", FRENCH)
def test_french_clock_changes_and_holidays(case: str) -> None:
    expected = answers("derived-fr", {case})[case]
    assert FRENCH[case] == (at(expected) if isinstance(expected, str) else expected)


@pytest.mark.parametrize("year", [2026, 2027])
def test_no_french_holiday_is_open(year: int) -> None:
    holidays = sorted(day for day in FRENCH_HOLIDAYS if day.year == year)
    assert len(holidays) == 11
    for day in holidays:
        assert open_s(OFFICE, f"{day}", f"{day + timedelta(days=1)}") == 0
    year_s = open_s(OFFICE, f"{year}-01-01", f"{year + 1}-01-01")
    on_weekdays = [day for day in holidays if day.weekday() in MON_FRI]
    assert year_s == (261 - len(on_weekdays)) * 10 * HOUR_S
