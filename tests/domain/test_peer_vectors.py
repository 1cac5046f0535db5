"""Service hours, due dates, pauses, escalation and priorities against the suites of other products.

`test_vector_coverage` says where each suite is tested, and that none of these cases is left out.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pytest

from console.domain.calendar import Calendar, Closure, Segment
from console.domain.clock import (
    Clock,
    Deadline,
    Event,
    EventKind,
    Pause,
    Phase,
    State,
    Target,
    Unit,
    moved,
    read_clock,
)
from console.domain.errors import Invalid
from console.domain.escalation import Escalation, Promise, plan_escalations
from console.domain.priority import priority
from tests.domain.peer_vectors import (
    EVERY_DAY,
    MON_FRI,
    SUITES,
    UTC_ZONE,
    answer,
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


@pytest.mark.parametrize(("given", "expected"), cases("glpi-due-days"))
def test_a_delay_in_working_days_keeps_its_wall_time(given: dict[str, Any], expected: str) -> None:
    calendar = glpi_week(given["calendar"])
    start, days, end_of_day = at(given["start"]), given["working_days"], given["end_of_working_day"]
    if days < 0:
        assert calendar.subtract_working_days(start, -days, end_of_day) == at(expected)
    else:
        assert calendar.add_working_days(start, days, end_of_day) == at(expected)


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


@pytest.mark.parametrize(("given", "expected"), cases("glpi-holidays", lambda given: not given))
def test_what_is_no_date_is_no_closure_either(given: str | None, expected: bool) -> None:
    """glpi-holidays-05 and 09: where they answer that it is no holiday, nothing here can even ask."""
    assert expected is False
    with pytest.raises((TypeError, ValueError)):
        date.fromisoformat(given)  # type: ignore[arg-type]


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


def glpi_clock(given: dict[str, Any]) -> tuple[Target, list[Event]]:
    """The target and the log that the case asks for."""
    target = given["target"]
    events = [Event(EventKind.OPENED, at(given["opened"]))]
    for pause in given["pending"]:
        events.append(Event(EventKind.WAITING, at(pause["start"])))
        events.append(Event(EventKind.RESUMED, at(pause["end"])))
    return Target(target["number"], GLPI_UNITS[target["unit"]], target["end_of_working_day"]), events


def glpi_deadline(given: dict[str, Any]) -> Deadline:
    """The clock the case asks for, after its last pause."""
    target, events = glpi_clock(given)
    clock = read_clock(events, GLPI_PAUSES, target, target, now=max(event.at for event in events))
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


def minutes(amount: int, promise: Promise = Promise.TTR) -> Escalation:
    return Escalation(promise, amount, Unit.MINUTES, level=1)


def escalated_at(
    rule: Escalation, target: Target, events: list[Event], calendar: Calendar, now: datetime
) -> datetime | None:
    (planned,) = plan_escalations([rule], events, calendar, target, target, now)
    assert (planned.promise, planned.level) == (rule.promise, rule.level)
    return planned.at


@pytest.mark.parametrize(("given", "expected"), cases("glpi-sla-pauses"))
def test_an_escalation_is_that_open_time_from_the_due_date(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    promise = Promise(given["type"].lower())
    match given["escalation_offset"]:
        case {"working_seconds": seconds}:
            rule = minutes(seconds // 60, promise)
        case {"working_days": days}:
            rule = Escalation(promise, days, Unit.WORKING_DAYS, level=1)
    target, events = glpi_clock(given)
    escalation = escalated_at(rule, target, events, GLPI_PAUSES, max(event.at for event in events))
    assert escalation == at(expected["escalation_at"])


@pytest.mark.parametrize(("given", "expected"), cases("glpi-escalation-before-due"))
def test_an_escalation_before_the_due_date_may_fall_on_the_day_before(
    given: dict[str, Any], expected: dict[str, str]
) -> None:
    calendar = hours(MON_FRI, "08:00-18:00")
    target, opened = Target(given["target_hours"], Unit.HOURS), at(given["opened"])
    assert target.due_at(opened, calendar) == at(expected["due"])
    rule = Escalation(Promise.TTR, given["escalation_offset_hours"], Unit.HOURS, level=1)
    events = [Event(EventKind.OPENED, opened)]
    assert escalated_at(rule, target, events, calendar, opened) == at(expected["escalation_at"])


@pytest.mark.parametrize("expected", answer("glpi-sla-vs-ola-start-01"))
def test_a_clock_runs_from_the_start_it_is_given(expected: dict[str, str]) -> None:
    """T is 12:00; opened an hour before, assigned at T."""
    noon = at("2026-06-15 12:00")
    found = {}
    for name, start, target_h, before in (
        ("sla_tto", noon - timedelta(hours=1), 4, 15),
        ("sla_ttr", noon - timedelta(hours=1), 12, 30),
        ("ola_tto", noon, 2, 45),
        ("ola_ttr", noon, 8, 60),
    ):
        target, events = Target(target_h, Unit.HOURS), [Event(EventKind.OPENED, start)]
        found[f"{name}_due"] = target.due_at(start, AROUND_THE_CLOCK) - noon
        escalation = escalated_at(minutes(-before), target, events, AROUND_THE_CLOCK, start)
        assert escalation is not None
        found[f"{name}_escalation"] = escalation - noon
    assert found == {
        name: timedelta(hours=int(text[2:].partition("h")[0]), minutes=int(text.partition("h")[2] or 0))
        for name, text in expected.items()
    }


@pytest.mark.parametrize("expected", answer("glpi-sla-vs-ola-start-04"))
def test_a_due_date_moves_by_the_open_time_of_a_pause_wherever_it_comes_from(
    expected: dict[str, str],
) -> None:
    """There the date was set by hand."""
    tomorrow = at("2026-06-16 13:00")
    pause = Pause(at("2026-06-15 09:00"), at("2026-06-15 10:00"), Phase.WAITING)
    later = moved(tomorrow, pause, AROUND_THE_CLOCK)
    assert later.date() == tomorrow.date()
    assert f"tomorrow {later:%H:%M}" == expected["due"]


@pytest.mark.parametrize("expected", answer("glpi-sla-vs-ola-start-06"))
def test_levels_come_from_the_rules_that_hold_now_and_from_no_others(expected: dict[str, int]) -> None:
    """What is stored of them is in tests/actions/test_escalations.py."""
    opened = at("2026-06-15 09:00")
    events, target = [Event(EventKind.OPENED, opened)], Target(4, Unit.HOURS)
    rules = [minutes(-15)]
    assert plan_escalations(rules, events, AROUND_THE_CLOCK, target, target, opened)
    left = plan_escalations([], events, AROUND_THE_CLOCK, target, target, opened)
    assert len(left) == expected["pending_levels_of_old_sla"]


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


@pytest.mark.parametrize(
    ("given", "expected"), cases("glpi-sla-vs-ola-start", lambda given: "escalation" in given)
)
def test_four_hours_of_an_afternoon(given: dict[str, str], expected: dict[str, str]) -> None:
    opened, calendar = at(given["opened"]), glpi_week(given["calendar"])
    target = Target(int(given["target"].removesuffix("h")), Unit.HOURS)
    assert target.due_at(opened, calendar) == at(expected["due"])
    hours_from_due = int(given["escalation"].removesuffix("h"))
    rule = Escalation(Promise.TTR, hours_from_due, Unit.HOURS, level=1)
    escalation = escalated_at(rule, target, [Event(EventKind.OPENED, opened)], calendar, opened)
    assert escalation == at(expected["escalation_at"])


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


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda: Target(2, Unit("years")), id="znuny-add-working-time-33"),
        pytest.param(lambda: Target(-2, Unit.HOURS), id="znuny-add-working-time-34"),
        pytest.param(lambda: Target(int("invalid"), Unit.WORKING_DAYS), id="znuny-add-working-time-36"),
        pytest.param(lambda: Target(0, Unit.HOURS), id="znuny-add-working-time-37"),
    ],
)
def test_a_target_that_is_no_delay_is_refused(wrong: Callable[[], Target]) -> None:
    with pytest.raises((Invalid, ValueError)):
        wrong()


# -- biz -------------------------------------------------------------------------------------------------

BIZ_WEEK = {
    **dict.fromkeys((0, 2, 4), (Segment.parse("09:00-17:00"),)),
    **dict.fromkeys((1, 3), (Segment.parse("10:00-16:00"),)),
    5: (Segment.parse("11:00-14:30"),),
}
BIZ = Calendar(UTC_ZONE, BIZ_WEEK)


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
    ("given", "expected"), cases("biz-durations", lambda given: given.get("direction") == "before")
)
def test_a_duration_before_began_there(given: dict[str, Any], expected: str) -> None:
    end = at(given["start"])
    if "working_days" in given:
        assert BIZ.subtract_working_days(end, given["working_days"]) == at(expected)
    else:
        assert BIZ.subtract_open_seconds(end, given["working_seconds"]) == at(expected)


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
    but_november = Closure(date(2020, 12, 1), date(2021, 10, 31), yearly=True)
    closures = (but_november,) if "November" in given["interval"] else ()
    assert hours(MON_FRI, "09:00-17:00", zone, closures=closures).is_open(at(given["at"])) is expected


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


WHOLE_DATE = (Segment.parse("00:00-24:00"),)


def days_of_month(month: int, first: int, last: int, year: int) -> list[date]:
    """The days of a month from one to another, below 0 counted from its end; without those it has not."""
    length = monthrange(year, month)[1]
    first, last = (day if day > 0 else length + 1 + day for day in (first, last))
    return [date(year, month, day) for day in range(max(first, 1), min(last, length) + 1)]


# An interval by days of the month is written here as dated openings, in its zone.
MONTHLY: dict[str, tuple[ZoneInfo, Callable[[int], list[date]]]] = {
    "days -3..-1 of month": (UTC_ZONE, lambda year: _each_month(-3, -1, year)),
    "June, days -31..31": (UTC_ZONE, lambda year: days_of_month(6, -31, 31, year)),
    "New York last day of month": (ZoneInfo("America/New_York"), lambda year: _each_month(-1, -1, year)),
    "days 30:31 of February": (UTC_ZONE, lambda year: days_of_month(2, 30, 31, year)),
}


def _each_month(first: int, last: int, year: int) -> list[date]:
    return [day for month in range(1, 13) for day in days_of_month(month, first, last, year)]


def monthly(interval: str, years: range = range(2019, 2023)) -> Calendar:
    zone, days = MONTHLY[interval]
    return Calendar(zone, openings={day: WHOLE_DATE for year in years for day in days(year)})


@pytest.mark.parametrize(
    ("given", "expected"),
    cases("am-time-intervals", lambda given: given.get("interval") in MONTHLY and "at" in given),
)
def test_days_of_the_month_are_dated_openings(given: dict[str, str], expected: bool) -> None:
    assert monthly(given["interval"]).is_open(at(given["at"])) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    cases("am-time-intervals", lambda given: given.get("interval") in MONTHLY and "at" not in given),
)
def test_days_that_a_month_has_not_open_nothing(given: dict[str, str], expected: str) -> None:
    assert expected == "contains nothing"
    assert not monthly(given["interval"]).openings


@pytest.mark.parametrize(("given", "expected"), cases("am-time-intervals", lambda given: "weekdays" in given))
def test_days_of_the_week_are_named_one_by_one(given: dict[str, str], expected: str) -> None:
    """There is no range of days that could be turned around."""
    assert expected == "rejected"
    with pytest.raises(Invalid):
        Calendar(UTC_ZONE, {given["weekdays"]: WHOLE_DATE})  # type: ignore[dict-item]


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


@pytest.mark.parametrize(("year", "expected"), cases("derived-fr", lambda given: isinstance(given, int)))
def test_no_french_holiday_is_open(year: int, expected: list[str]) -> None:
    days = sorted(holidays.country_holidays("FR", years=year))
    assert days == [date.fromisoformat(day) for day in expected]
    office = hours(MON_FRI, "08:00-18:00", PARIS, holidays=holidays.country_holidays("FR"))
    for day in days:
        assert open_s(office, f"{day}", f"{day + timedelta(days=1)}") == 0
    year_s = open_s(office, f"{year}-01-01", f"{year + 1}-01-01")
    on_weekdays = [day for day in days if day.weekday() in MON_FRI]
    assert year_s == (261 - len(on_weekdays)) * 10 * HOUR_S
