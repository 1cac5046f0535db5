"""A month cut where contracts change: stretches that are the month, amounts of which nothing is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.facility import NO_POINT, Quantity
from console.domain.hours import HOUR, month_bounds
from console.domain.site_measures import Measure, Quality
from console.domain.spans import Span
from console.domain.stretches import by_stretch, cut, rests, spread

PARIS = ZoneInfo("Europe/Paris")
MARCH, APRIL, OCTOBER = date(2026, 3, 1), date(2026, 4, 1), date(2026, 10, 1)


def hours_cut(month: date, *days: date) -> list[int]:
    return [(end - start) // HOUR for start, end in cut(*month_bounds(month, PARIS), days, PARIS)]


def a_measure(start: datetime, end: datetime, amount: int) -> Measure:
    return Measure(start, end, Quantity.STORAGE, NO_POINT, "site", amount, Quality.MEASURED)


@pytest.mark.parametrize(
    ("month", "days", "hours"),
    [
        (APRIL, [], [720]),
        (APRIL, [date(2026, 4, 15)], [14 * 24, 16 * 24]),
        (APRIL, [date(2026, 4, 1), date(2026, 4, 11), date(2026, 4, 21)], [240, 240, 240]),
        (APRIL, [date(2026, 1, 1), date(2026, 5, 1), date(2027, 1, 1)], [720]),
        (MARCH, [date(2026, 3, 29)], [28 * 24, 23 + 48]),
        (MARCH, [date(2026, 3, 30)], [28 * 24 + 23, 48]),
        (OCTOBER, [date(2026, 10, 25)], [24 * 24, 25 + 6 * 24]),
    ],
)
def test_a_month_is_cut_at_the_midnights_of_the_site(month: date, days: list[date], hours: list[int]) -> None:
    assert hours_cut(month, *days) == hours


def test_a_reading_within_a_stretch_is_of_it_and_one_over_several_goes_by_time() -> None:
    start, end = month_bounds(APRIL, PARIS)
    stretches = cut(start, end, [date(2026, 4, 11)], PARIS)
    middle = stretches[0][1]
    assert by_stretch([a_measure(start, end, 720)], stretches) == [240, 480]
    assert by_stretch([a_measure(start, middle, 700), a_measure(middle, end, 20)], stretches) == [700, 20]
    daily = [a_measure(start, middle - 24 * HOUR, 500), a_measure(middle - 24 * HOUR, middle + 24 * HOUR, 7)]
    assert by_stretch([*daily, a_measure(middle + 24 * HOUR, end, 20)], stretches) == [504, 23]


@pytest.mark.parametrize(
    ("rest", "told", "carried", "found"),
    [
        (30, [50, 50], [40, 30], [10, 20]),  # what was told, less what is carried
        (30, [50, 50], [60, 10], [0, 30]),  # no rest where more is carried than an even power would be
        (20, [40, 40, 40], [60, 20, 20], [0, 10, 10]),
        (7, [0, 0], [0, 0], [2, 5]),  # nothing told: by time, 10 days and 20
    ],
)
def test_the_rest_of_a_stretch_is_what_was_told_of_it_less_what_is_carried(
    rest: int, told: list[int], carried: list[int], found: list[int]
) -> None:
    days = [date(2026, 4, 11), date(2026, 4, 21)][: len(told) - 1]
    assert rests(rest, told, carried, cut(*month_bounds(APRIL, PARIS), days, PARIS)) == found


cuts = st.lists(st.dates(date(2026, 2, 20), date(2026, 11, 10)), max_size=4)
months = st.sampled_from([MARCH, APRIL, OCTOBER])


@given(months, cuts)
def test_stretches_follow_one_another_from_the_start_of_the_month_to_its_end(
    month: date, days: list[date]
) -> None:
    start, end = month_bounds(month, PARIS)
    stretches = cut(start, end, days, PARIS)
    assert (stretches[0][0], stretches[-1][1]) == (start, end)
    assert all(one[1] == after[0] for one, after in pairwise(stretches))
    assert all(since < until for since, until in stretches)


@given(months, cuts, st.data())
def test_nothing_of_what_was_measured_is_lost_or_made(
    month: date, days: list[date], data: st.DataObject
) -> None:
    stretches = cut(*month_bounds(month, PARIS), days, PARIS)
    measures = data.draw(_measures(stretches))
    told = by_stretch(measures, stretches)
    assert sum(told) == sum(one.amount for one in measures)
    for (since, until), amount in zip(stretches, told, strict=True):
        assert amount >= sum(
            one.amount for one in measures if since <= one.started_at and one.ended_at <= until
        )
    rest, carried = data.draw(st.integers(0, 10**15)), data.draw(_amounts(stretches))
    parts = rests(rest, told, carried, stretches)
    assert sum(parts) == rest
    assert min(parts) >= 0
    assert sum(spread(rest, stretches)) == rest


def _amounts(stretches: list[Span]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 10**15), min_size=len(stretches), max_size=len(stretches))


@st.composite
def _measures(draw: st.DrawFn, stretches: list[Span]) -> list[Measure]:
    """Readings one after the other over the whole month, cut anywhere."""
    start, end = stretches[0][0], stretches[-1][1]
    minutes = draw(st.sets(st.integers(1, (end - start) // timedelta(minutes=1) - 1), max_size=5))
    at = [start, *(start + timedelta(minutes=one) for one in sorted(minutes)), end]
    return [
        a_measure(since.astimezone(UTC), until.astimezone(UTC), draw(st.integers(0, 10**15)))
        for since, until in pairwise(at)
    ]
