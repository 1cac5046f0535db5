"""A year of a calendar adds up, whatever the clocks do."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.calendar import Calendar, Closure, Rule, Segment
from console.domain.calendar_year import DAY_S, year_of

ZONES = ("Europe/Paris", "America/Guadeloupe", "Indian/Reunion", "Australia/Lord_Howe", "UTC")
PARIS = ZoneInfo("Europe/Paris")
walls = st.times().map(lambda wall: wall.replace(second=0, microsecond=0, fold=0))
segments = st.tuples(walls, walls).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Segment(*pair))
days = st.dates(date(2025, 12, 20), date(2027, 1, 10))
calendars = st.builds(
    Calendar,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    week=st.dictionaries(st.integers(0, 6), st.lists(segments, max_size=3)),
    holidays=st.dictionaries(days, st.just("Fête"), max_size=3),
    closures=st.lists(days.map(lambda day: Closure(day, day)), max_size=2).map(tuple),
    openings=st.dictionaries(days, st.lists(segments, min_size=1, max_size=2), max_size=3),
)


def year_bounds(year: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return tuple(datetime(y, 1, 1, tzinfo=zone).astimezone(UTC) for y in (year, year + 1))  # type: ignore[return-value]


@given(calendars)
def test_the_year_is_the_open_time_between_its_ends(calendar: Calendar) -> None:
    year = year_of(calendar, 2026)
    assert year.open_s == calendar.open_seconds(*year_bounds(2026, calendar.zone))
    assert year.open_s == sum(one.day.open_s for month in year.months for one in month.days)
    assert year.open_days == sum(bool(one.day.spans) for month in year.months for one in month.days)


@pytest.mark.parametrize(("year", "dates"), [(2026, 365), (2028, 366)])
@pytest.mark.parametrize("zone", ZONES)
def test_around_the_clock_a_date_is_as_long_as_its_clocks_make_it(zone: str, year: int, dates: int) -> None:
    found = year_of(Calendar.around_the_clock(ZoneInfo(zone)), year)
    assert (found.open_s, found.open_days) == (dates * DAY_S, dates)
    shown = [one for month in found.months for one in month.days]
    assert [one.day.open_s for one in shown] == [DAY_S + one.shift_s for one in shown]


def test_the_notable_dates_are_named_in_their_order() -> None:
    office = [Segment.parse("08:00-18:00")]
    calendar = Calendar(
        PARIS,
        week=dict.fromkeys(range(5), office),
        holidays={date(2026, 5, 1): "Fête du Travail", date(2026, 7, 14): "Fête nationale"},
        closures=(Closure(date(2026, 12, 24), date(2027, 1, 2), name="Fin d'année"),),
        openings={date(2026, 7, 14): office},
        opening_names={date(2026, 7, 14): "Bascule"},
    )
    notable = [
        (one.day.date, one.day.rule, one.day.name, one.shift_s) for one in year_of(calendar, 2026).notable
    ]
    assert notable == [
        (date(2026, 3, 29), Rule.WEEK, "", -3600),
        (date(2026, 5, 1), Rule.HOLIDAY, "Fête du Travail", 0),
        (date(2026, 7, 14), Rule.OPENING, "Bascule", 0),
        (date(2026, 10, 25), Rule.WEEK, "", 3600),
        *((date(2026, 12, day), Rule.CLOSURE, "Fin d'année", 0) for day in range(24, 32)),
    ]
