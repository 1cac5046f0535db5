"""Service hours: openings, closings, clock changes, and the sums that must always hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from console.domain.calendar import Calendar, Closure, Rule, Segment
from console.domain.errors import Invalid
from tests.domain.peer_vectors import EVERY_DAY, MON_FRI, UTC_ZONE, hours, named
from tests.domain.peer_vectors import at as utc

PARIS = ZoneInfo("Europe/Paris")
OFFICE = hours(MON_FRI, "08:30-12:30,13:30-18:00", PARIS, holidays=named(["2026-05-01", "2026-12-25"]))
NIGHTS = hours(MON_FRI, "22:00-06:00", PARIS, holidays=named(["2026-05-01"]))
AROUND_THE_CLOCK = Calendar.around_the_clock(PARIS)
SEVEN_DAYS = hours(EVERY_DAY, "00:00-24:00", PARIS, holidays=named(["2026-05-01"]))


def at(text: str) -> datetime:
    return utc(text, PARIS)


# -- openings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "instant", "is_open"),
    [
        (OFFICE, "2026-06-15 08:29:59", False),
        (OFFICE, "2026-06-15 08:30", True),
        (OFFICE, "2026-06-15 12:30", False),
        (OFFICE, "2026-06-15 13:30", True),
        (OFFICE, "2026-06-15 17:59:59.9", True),
        (OFFICE, "2026-06-15 18:00", False),
        (OFFICE, "2026-05-01 10:00", False),
        (AROUND_THE_CLOCK, "2026-05-01 10:00", True),
        (SEVEN_DAYS, "2026-05-01 10:00", False),
        (SEVEN_DAYS, "2026-04-30 23:59:59", True),
        # a night belongs to two dates: Friday 1 May is a holiday, Saturday keeps its part
        (NIGHTS, "2026-04-30 23:00", True),
        (NIGHTS, "2026-05-01 05:00", False),
        (NIGHTS, "2026-05-01 23:00", False),
        (NIGHTS, "2026-05-02 05:00", True),
        (NIGHTS, "2026-05-02 06:00", False),
        (NIGHTS, "2026-05-04 05:00", False),
    ],
)
def test_an_opening_is_in_and_a_closing_is_out(calendar: Calendar, instant: str, is_open: bool) -> None:
    assert calendar.is_open(at(instant)) is is_open


@pytest.mark.parametrize(
    ("instant", "opening"),
    [
        ("2026-06-15 10:00", "2026-06-15 10:00"),
        ("2026-06-15 12:30", "2026-06-15 13:30"),
        ("2026-06-15 18:00", "2026-06-16 08:30"),
        ("2026-06-19 18:00", "2026-06-22 08:30"),
        ("2026-04-30 20:00", "2026-05-04 08:30"),
    ],
)
def test_the_next_opening_is_now_or_after_the_closed_time(instant: str, opening: str) -> None:
    assert OFFICE.next_opening(at(instant)) == at(opening)


# -- dates that are not as their week --------------------------------------------------------------------

YEAR_END = Closure(date(2025, 12, 24), date(2026, 1, 2), yearly=True)


@pytest.mark.parametrize(
    ("closure", "day", "holds"),
    [
        (Closure(date(2026, 7, 8), date(2026, 7, 8)), date(2026, 7, 8), True),
        (Closure(date(2026, 12, 24), date(2027, 1, 2)), date(2026, 12, 31), True),
        (Closure(date(2026, 12, 24), date(2027, 1, 2)), date(2027, 1, 2), True),
        (Closure(date(2026, 12, 24), date(2027, 1, 2)), date(2027, 1, 3), False),
        (Closure(date(2026, 12, 24), date(2027, 1, 2)), date(2027, 12, 28), False),
        (YEAR_END, date(2030, 12, 24), True),
        (YEAR_END, date(2031, 1, 2), True),
        (YEAR_END, date(2031, 1, 3), False),
        (YEAR_END, date(2030, 12, 23), False),
        (Closure(date(2026, 2, 20), date(2026, 3, 1), yearly=True), date(2028, 2, 29), True),
        # a year less a day, also over 29 February
        (Closure(date(2026, 12, 31), date(2027, 12, 29), yearly=True), date(2030, 12, 30), False),
        (Closure(date(2027, 12, 31), date(2028, 12, 29), yearly=True), date(2030, 12, 30), False),
        (Closure(date(2027, 12, 31), date(2028, 12, 30), yearly=True), date(2030, 12, 30), True),
        (Closure(date(2028, 2, 29), date(2029, 2, 27), yearly=True), date(2032, 2, 28), False),
        (Closure(date(2028, 2, 29), date(2029, 2, 28), yearly=True), date(2032, 2, 28), True),
    ],
)
def test_a_closure_holds_both_its_ends(closure: Closure, day: date, holds: bool) -> None:
    assert closure.holds(day) is holds


def test_a_closed_year_end_is_no_open_time() -> None:
    calendar = hours(MON_FRI, "08:00-18:00", PARIS, closures=(YEAR_END,))
    assert calendar.open_seconds(at("2026-12-24"), at("2027-01-03")) == 0
    assert calendar.add_open_seconds(at("2026-12-23 17:00"), 2 * 3600) == at("2027-01-04 09:00")


@pytest.mark.parametrize(
    ("instant", "is_open"),
    [
        ("2026-05-01 10:00", True),  # a holiday
        ("2026-12-28 10:00", True),  # within the closure
        ("2026-12-29 10:00", False),
        ("2026-06-15 10:00", False),  # a Monday with hours of its own
        ("2026-06-15 21:00", True),
        ("2026-06-16 01:00", True),  # past midnight of that Monday
        ("2026-06-16 10:00", True),  # and the hours of the Tuesday remain
        ("2026-06-17 10:00", False),  # a Wednesday opened for nothing
    ],
)
def test_a_dated_opening_replaces_the_week_and_beats_holiday_and_closure(instant: str, is_open: bool) -> None:
    morning = (Segment.parse("09:00-12:00"),)
    calendar = hours(
        MON_FRI,
        "08:00-18:00",
        PARIS,
        holidays=named(["2026-05-01"]),
        closures=(YEAR_END,),
        openings={
            date(2026, 5, 1): morning,
            date(2026, 12, 28): morning,
            date(2026, 6, 15): (Segment.parse("20:00-02:00"),),
            date(2026, 6, 17): (),
        },
    )
    assert calendar.is_open(at(instant)) is is_open


# -- clock changes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segments", "day", "seconds"),
    [
        ("00:00-24:00", "2026-03-29", 23 * 3600),
        ("00:00-24:00", "2026-10-25", 25 * 3600),
        ("01:00-04:00", "2026-03-29", 2 * 3600),
        ("01:00-04:00", "2026-10-25", 4 * 3600),
        ("02:00-03:00", "2026-03-29", 0),  # emptied: 03:00 to 03:00
        ("02:30-03:00", "2026-03-29", 0),  # 03:30 to 03:00
        ("02:15-02:45", "2026-03-29", 1800),  # 03:15 to 03:45
        ("02:30-04:00", "2026-03-29", 1800),  # from 03:30
        ("02:00-02:30,03:00-04:00", "2026-03-29", 3600),  # the first falls within the second
        ("02:00-03:00", "2026-10-25", 2 * 3600),  # from the first 02:00 to the only 03:00
        ("01:00-02:30", "2026-10-25", 90 * 60),  # to the first 02:30
        ("22:00-06:00", "2026-03-29", 7 * 3600),  # 00:00-06:00 of 23 h, and 22:00-24:00
    ],
)
def test_wall_times_of_a_clock_change(segments: str, day: str, seconds: int) -> None:
    calendar = hours(EVERY_DAY, segments, PARIS)
    next_day = date.fromisoformat(day) + timedelta(days=1)
    assert calendar.open_seconds(at(day), at(f"{next_day}")) == seconds


def test_a_day_that_starts_in_a_gap_opens_after_it() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")
    calendar = hours(EVERY_DAY, "00:00-24:00", sao_paulo)
    assert calendar.open_seconds(utc("2015-10-17", sao_paulo), utc("2015-10-19", sao_paulo)) == 47 * 3600


def test_repeated_hours_are_open_or_closed_by_their_instant() -> None:
    until_the_first_half_past_two = hours(EVERY_DAY, "00:00-02:30", PARIS)
    assert until_the_first_half_past_two.is_open(at("2026-10-25 02:15+02:00"))
    assert not until_the_first_half_past_two.is_open(at("2026-10-25 02:15+01:00"))


# -- delays ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "start", "seconds", "end"),
    [
        (OFFICE, "2026-06-15 08:30", 4 * 3600, "2026-06-15 13:30"),  # used up at lunch
        (OFFICE, "2026-06-15 13:30", 9 * 1800, "2026-06-16 08:30"),  # used up at the closing
        (OFFICE, "2026-06-19 17:00", 3600, "2026-06-22 08:30"),
        (OFFICE, "2026-06-15 18:00", 0, "2026-06-16 08:30"),
        (OFFICE, "2026-06-15 17:59:59", 1, "2026-06-16 08:30"),
        (SEVEN_DAYS, "2026-06-15 12:00", 12 * 3600, "2026-06-16 00:00"),
        (SEVEN_DAYS, "2026-04-30 12:00", 12 * 3600, "2026-05-02 00:00"),
        (NIGHTS, "2026-04-29 22:00", 8 * 3600, "2026-04-30 22:00"),
    ],
)
def test_a_delay_used_up_at_a_closing_ends_at_the_next_opening(
    calendar: Calendar, start: str, seconds: int, end: str
) -> None:
    assert calendar.add_open_seconds(at(start), seconds) == at(end)


@pytest.mark.parametrize(
    ("calendar", "start", "days", "end_of_day", "end"),
    [
        (OFFICE, "2026-06-15 10:00", 1, False, "2026-06-16 10:00"),
        (OFFICE, "2026-06-19 10:00", 1, False, "2026-06-22 10:00"),
        (OFFICE, "2026-04-30 10:00", 1, False, "2026-05-04 10:00"),
        (OFFICE, "2026-06-15 19:00", 1, False, "2026-06-17 08:30"),  # starts at Tuesday's opening
        (OFFICE, "2026-06-15 12:45", 1, False, "2026-06-16 13:30"),
        (OFFICE, "2026-06-15 10:00", 0, True, "2026-06-15 18:00"),
        (OFFICE, "2026-06-15 10:00", 2, True, "2026-06-17 18:00"),
        (AROUND_THE_CLOCK, "2026-03-28 02:30", 1, False, "2026-03-29 03:30"),
        (AROUND_THE_CLOCK, "2026-10-24 02:30", 1, False, "2026-10-25 02:30+02:00"),
        (AROUND_THE_CLOCK, "2026-10-25 02:30+01:00", 0, False, "2026-10-25 02:30+01:00"),
        (AROUND_THE_CLOCK, "2025-10-26 02:30+01:00", 154, False, "2026-03-29 03:30"),
        (AROUND_THE_CLOCK, "2026-04-30 10:00", 1, False, "2026-05-01 10:00"),
        (AROUND_THE_CLOCK, "2026-06-15 10:00", 1, True, "2026-06-17 00:00"),
        (SEVEN_DAYS, "2026-04-30 10:00", 1, False, "2026-05-02 10:00"),
    ],
)
def test_working_days_keep_the_wall_time(
    calendar: Calendar, start: str, days: int, end_of_day: bool, end: str
) -> None:
    assert calendar.add_working_days(at(start), days, end_of_day) == at(end)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-06-16 17:00", "2026-06-17 12:00"),  # past the closing: the closing
        ("2026-06-16 12:30", "2026-06-17 12:00"),
        ("2026-06-16 09:00", "2026-06-17 10:00"),  # before the opening: the opening
        ("2026-06-16 10:30", "2026-06-17 10:30"),
        ("2026-06-16 11:00", "2026-06-17 11:30"),  # at the closing before a break: the opening after it
    ],
)
def test_a_wall_time_outside_the_hours_of_the_last_day_is_moved_into_them(start: str, end: str) -> None:
    half_day = {date(2026, 6, 17): (Segment.parse("10:00-11:00"), Segment.parse("11:30-12:00"))}
    calendar = hours(MON_FRI, "08:00-18:00", PARIS, openings=half_day)
    assert calendar.add_working_days(at(start), 1) == at(end)


@pytest.mark.parametrize(
    "never",
    [
        Calendar(PARIS),
        hours(MON_FRI, "02:00-03:00", PARIS, closures=(Closure(date(2000, 1, 1), date(2100, 1, 1)),)),
    ],
)
def test_a_calendar_that_never_opens_says_so(never: Calendar) -> None:
    start = at("2026-06-15 10:00")
    assert not never.is_open(start)
    assert never.open_seconds(start, at("2027-06-15")) == 0
    for ask in (
        never.next_opening,
        lambda i: never.add_open_seconds(i, 1),
        lambda i: never.add_working_days(i, 1),
    ):
        with pytest.raises(Invalid, match="n'ouvre pas dans les dix ans après le 2026-06-15"):
            ask(start)


def test_the_last_opening_is_followed_by_an_error() -> None:
    once = Calendar(PARIS, openings={date(2026, 6, 16): (Segment.parse("10:00-12:00"),)})
    assert once.add_open_seconds(at("2026-06-15"), 7199) == at("2026-06-16 11:59:59")
    with pytest.raises(Invalid, match="2026-06-16"):
        once.add_open_seconds(at("2026-06-15"), 7200)


# -- counting back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "end", "seconds", "start"),
    [
        (OFFICE, "2026-06-15 13:45", 1800, "2026-06-15 12:15"),  # over lunch
        (OFFICE, "2026-06-15 09:00", 3600, "2026-06-12 17:30"),
        (OFFICE, "2026-06-15 09:00", 1800, "2026-06-12 18:00"),  # from the opening: the closing before it
        (OFFICE, "2026-06-15 03:00", 0, "2026-06-12 18:00"),
        (OFFICE, "2026-06-15 09:00", 0, "2026-06-15 09:00"),
        (AROUND_THE_CLOCK, "2026-03-29 03:30", 3600, "2026-03-29 01:30"),
        (AROUND_THE_CLOCK, "2026-10-25 02:30+01:00", 3600, "2026-10-25 02:30+02:00"),
        (SEVEN_DAYS, "2026-05-02 01:00", 7200, "2026-04-30 23:00"),
    ],
)
def test_open_time_counted_back_leads_to_the_first_instant_that_has_it_left(
    calendar: Calendar, end: str, seconds: int, start: str
) -> None:
    assert calendar.subtract_open_seconds(at(end), seconds) == at(start)


@pytest.mark.parametrize(
    ("calendar", "end", "days", "start"),
    [
        (OFFICE, "2026-06-16 10:00", 1, "2026-06-15 10:00"),
        (OFFICE, "2026-06-15 10:00", 1, "2026-06-12 10:00"),
        (OFFICE, "2026-06-16 07:00", 1, "2026-06-12 18:00"),  # from Monday's closing
        (OFFICE, "2026-06-16 13:00", 1, "2026-06-15 12:30"),  # from the closing before lunch
        (OFFICE, "2026-05-04 10:00", 1, "2026-04-30 10:00"),
        (AROUND_THE_CLOCK, "2026-06-16 00:00", 1, "2026-06-15 00:00"),
        (AROUND_THE_CLOCK, "2026-03-30 02:30", 1, "2026-03-29 03:30"),
        (AROUND_THE_CLOCK, "2026-10-25 02:30+01:00", 0, "2026-10-25 02:30+01:00"),
    ],
)
def test_working_days_counted_back_keep_the_wall_time(
    calendar: Calendar, end: str, days: int, start: str
) -> None:
    assert calendar.subtract_working_days(at(end), days) == at(start)


@pytest.mark.parametrize(
    ("end", "start"),
    [
        ("2026-06-18 09:00", "2026-06-17 10:00"),  # before the opening: the opening
        ("2026-06-18 11:15", "2026-06-17 11:00"),  # between: the closing before
        ("2026-06-18 17:00", "2026-06-17 12:00"),  # past the closing: the closing
    ],
)
def test_a_wall_time_outside_the_hours_of_the_first_day_is_moved_into_them(end: str, start: str) -> None:
    half_day = {date(2026, 6, 17): (Segment.parse("10:00-11:00"), Segment.parse("11:30-12:00"))}
    calendar = hours(MON_FRI, "08:00-18:00", PARIS, openings=half_day)
    assert calendar.subtract_working_days(at(end), 1) == at(start)


def test_a_calendar_that_was_never_open_says_so() -> None:
    once = Calendar(PARIS, openings={date(2026, 6, 16): (Segment.parse("10:00-12:00"),)})
    with pytest.raises(Invalid, match="n'ouvre pas dans les dix ans avant le 2026-06-16"):
        once.subtract_open_seconds(at("2026-06-16 11:00"), 7200)
    with pytest.raises(Invalid, match="n'ouvre pas dans les dix ans avant le 2026-06-16"):
        once.subtract_working_days(at("2026-06-16 11:00"), 1)


# -- why a date is open or closed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "open_hours", "rule", "name"),
    [
        ("2026-06-15", 8.5, Rule.WEEK, ""),
        ("2026-06-13", 0, Rule.WEEK, ""),
        ("2026-05-01", 0, Rule.HOLIDAY, "Fête du Travail"),
        ("2026-12-30", 0, Rule.CLOSURE, "Fin d'année"),
        ("2026-12-28", 3, Rule.OPENING, "Paie"),
    ],
)
def test_a_day_says_its_hours_and_why(day: str, open_hours: float, rule: Rule, name: str) -> None:
    calendar = hours(
        MON_FRI,
        "08:30-12:30,13:30-18:00",
        PARIS,
        holidays={date(2026, 5, 1): "Fête du Travail"},
        closures=(Closure(date(2026, 12, 24), date(2027, 1, 2), name="Fin d'année"),),
        openings={date(2026, 12, 28): (Segment.parse("09:00-12:00"),)},
        opening_names={date(2026, 12, 28): "Paie"},
    )
    found = calendar.day(date.fromisoformat(day))
    assert (found.open_s, found.rule, found.name) == (open_hours * 3600, rule, name)
    assert calendar.day(found.date) is found


def test_around_the_clock_a_day_has_no_other_rule() -> None:
    assert AROUND_THE_CLOCK.day(date(2026, 10, 25)).open_s == 25 * 3600
    assert AROUND_THE_CLOCK.day(date(2026, 10, 25)).rule is Rule.ALWAYS


# -- what cannot be written ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["8:00-18:00", "08:00-24:01", "08:00-08:00", "25:00-26:00", "08:00", ""])
def test_a_segment_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Segment.parse(text)
    assert refusal.value.field == "segment"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda: Closure(date(2026, 7, 8), date(2026, 7, 7)), "closure"),
        (lambda: Closure(date(2026, 1, 1), date(2027, 1, 1), yearly=True), "closure"),
        (lambda: Closure(date(2027, 12, 31), date(2028, 12, 31), yearly=True), "closure"),
        (lambda: Closure(date(2028, 2, 29), date(2029, 3, 1), yearly=True), "closure"),
        (lambda: Closure(date(2026, 3, 1), date(2029, 2, 1), yearly=True), "closure"),
        (lambda: Calendar(PARIS, always=True, holidays=named(["2026-05-01"])), "always"),
        (lambda: Calendar(PARIS, week={7: (Segment.parse("08:00-18:00"),)}), "week"),
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(wrong: Any, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        wrong()
    assert refusal.value.field == field


def test_an_instant_without_a_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no zone"):
        OFFICE.is_open(datetime(2026, 6, 15, 10, 0))


# -- properties ------------------------------------------------------------------------------------------

walls = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
segments = st.builds(lambda opens, closes: (opens, closes), walls, walls).filter(lambda s: s[0] != s[1])
days = st.dates(date(2026, 1, 1), date(2027, 1, 31))
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(
    lambda wall: wall.replace(tzinfo=UTC)
)
# around both clock changes, where it is easiest to be wrong
near_a_change = st.sampled_from(
    [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)]
).flatmap(lambda start: st.timedeltas(timedelta(), timedelta(days=2)).map(lambda after: start + after))
moments = instants | near_a_change


def _segments(most: int) -> st.SearchStrategy[tuple[Segment, ...]]:
    return st.lists(segments.map(lambda s: Segment(*s)), min_size=1, max_size=most).map(tuple)


calendars = st.builds(
    Calendar,
    zone=st.sampled_from([PARIS, UTC_ZONE, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Indian/Reunion")]),
    week=st.dictionaries(st.integers(0, 6), _segments(3), min_size=1),
    holidays=st.dictionaries(days, st.just("holiday"), max_size=5),
    closures=st.lists(days.map(lambda day: Closure(day, day + timedelta(days=9))), max_size=2).map(tuple),
    openings=st.dictionaries(days, _segments(2), max_size=3),
) | st.just(AROUND_THE_CLOCK)


@given(calendars, moments, moments, moments)
def test_open_time_adds_up_and_never_shrinks(
    calendar: Calendar, a: datetime, b: datetime, c: datetime
) -> None:
    a, b, c = sorted((a, b, c))
    whole = calendar.open_seconds(a, c)
    assert calendar.open_seconds(a, b) + calendar.open_seconds(b, c) == whole
    assert 0 <= whole <= (c - a).total_seconds() + 1
    assert calendar.open_seconds(c, a) == 0 or a.replace(microsecond=0) == c.replace(microsecond=0)


@given(calendars, moments, st.integers(0, 400_000))
def test_a_delay_consumes_itself_and_one_second_more_exceeds_it(
    calendar: Calendar, start: datetime, seconds: int
) -> None:
    end = calendar.add_open_seconds(start, seconds)
    assert calendar.is_open(end)
    assert calendar.open_seconds(start, end) == seconds
    assert calendar.open_seconds(start, end + timedelta(seconds=1)) == seconds + 1


@given(calendars, moments, st.integers(0, 200_000), st.integers(0, 200_000))
def test_two_delays_in_a_row_are_one(calendar: Calendar, start: datetime, first: int, second: int) -> None:
    halfway = calendar.add_open_seconds(start, first)
    assert calendar.add_open_seconds(halfway, second) == calendar.add_open_seconds(start, first + second)


@given(calendars, moments, st.integers(0, 400_000))
def test_counting_back_leaves_what_was_asked_and_one_second_earlier_more(
    calendar: Calendar, end: datetime, seconds: int
) -> None:
    start = calendar.subtract_open_seconds(end, seconds)
    assert calendar.open_seconds(start, end) == seconds
    assert calendar.open_seconds(start - timedelta(seconds=1), end) == seconds + 1


@given(calendars, moments, st.integers(0, 20))
def test_working_days_counted_back_end_in_the_hours_of_an_earlier_day(
    calendar: Calendar, end: datetime, count: int
) -> None:
    start = calendar.subtract_working_days(end, count)
    assert start <= end
    assert calendar.is_open(start - timedelta(seconds=1)) or calendar.is_open(start)
    assert calendar.subtract_working_days(end, count + 1) < start


@given(calendars, moments)
def test_the_next_opening_is_the_first_open_instant(calendar: Calendar, instant: datetime) -> None:
    opening = calendar.next_opening(instant)
    assert calendar.is_open(opening)
    assert calendar.open_seconds(instant, opening) == 0
    assert (opening == instant.replace(microsecond=0)) is calendar.is_open(instant)


@given(calendars, moments, st.integers(0, 30), st.booleans())
def test_working_days_end_in_the_hours_of_a_later_day(
    calendar: Calendar, start: datetime, count: int, end_of_day: bool
) -> None:
    begin = calendar.next_opening(start)
    end = calendar.add_working_days(start, count, end_of_day)
    assert end >= begin
    assert calendar.is_open(end - timedelta(seconds=1)) or calendar.is_open(end)
    assert calendar.add_working_days(start, count + 1, end_of_day) > end
    assume(not end_of_day)
    assert end <= calendar.add_working_days(start, count, end_of_day=True)
