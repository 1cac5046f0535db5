"""Hours and local months."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.hours import HOUR, day_bounds, hours_between, month_bounds, month_of, split_by_hour

PARIS = ZoneInfo("Europe/Paris")
instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)
spans = st.timedeltas(timedelta(milliseconds=1), timedelta(hours=5))


@pytest.mark.parametrize(
    ("month", "hours"),
    [
        (date(2026, 3, 1), 743),
        (date(2026, 10, 1), 745),
        (date(2026, 11, 1), 720),
        (date(2026, 12, 1), 744),
        (date(2024, 2, 1), 696),
    ],
)
def test_a_local_month_knows_its_clock_changes(month: date, hours: int) -> None:
    start, end = month_bounds(month, PARIS)
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 25), 24), (date(2026, 12, 31), 24)],
)
def test_a_local_day_knows_its_clock_changes(day: date, hours: int) -> None:
    start, end = day_bounds(day, PARIS)
    assert end - start == timedelta(hours=hours)


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.sampled_from(["Europe/Paris", "Indian/Reunion"]))
def test_months_follow_each_other_without_a_gap(day: date, zone: str) -> None:
    _, end = month_bounds(day.replace(day=1), ZoneInfo(zone))
    following = month_of(end, ZoneInfo(zone))
    assert month_bounds(following, ZoneInfo(zone))[0] == end


@given(st.integers(0, 10**15), instants, spans)
def test_an_amount_cut_at_the_hours_adds_up(amount: int, start: datetime, span: timedelta) -> None:
    parts = split_by_hour(amount, start, start + span)
    assert sum(parts.values()) == amount
    assert list(parts) == list(hours_between(start, start + span))


def test_an_amount_within_an_hour_stays_whole() -> None:
    start = datetime(2026, 11, 25, 8, 59, tzinfo=UTC)
    assert split_by_hour(7, start, start + timedelta(minutes=1)) == {start.replace(minute=0): 7}


def test_an_amount_across_two_hours_goes_by_time() -> None:
    start = datetime(2026, 11, 25, 8, 59, 30, tzinfo=UTC)
    parts = split_by_hour(60, start, start + timedelta(minutes=1))
    assert parts == {start.replace(minute=0, second=0): 30, start.replace(minute=0, second=0) + HOUR: 30}
