"""A delegation has an end, is not long, and stands somewhere on each day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.delegations import MOST_DAYS, Standing, check_days, standing
from console.domain.errors import Invalid

TODAY = date(2026, 11, 25)
DAY = timedelta(days=1)


@pytest.mark.parametrize("days", [1, 2, MOST_DAYS])
@pytest.mark.parametrize("starts_in", [0, 1, 366])
def test_it_starts_today_or_later_and_lasts_a_quarter_at_most(days: int, starts_in: int) -> None:
    first = TODAY + starts_in * DAY
    check_days(first, first + (days - 1) * DAY, TODAY)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (TODAY - DAY, TODAY, "first_day"),
        (TODAY + 367 * DAY, TODAY + 368 * DAY, "first_day"),
        (TODAY, TODAY - DAY, "last_day"),
        (TODAY, TODAY + MOST_DAYS * DAY, "last_day"),
    ],
)
def test_other_days_are_refused(first: date, last: date, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_days(first, last, TODAY)
    assert refusal.value.field == field


@given(st.integers(-5, 5), st.integers(0, 5), st.integers(-9, 12))
def test_it_runs_on_its_days_and_on_no_other(starts_in: int, lasts: int, at: int) -> None:
    first, today = TODAY + starts_in * DAY, TODAY + at * DAY
    running = standing(first, first + lasts * DAY, False, today) is Standing.RUNNING
    assert running is (first <= today <= first + lasts * DAY)
    assert standing(first, first + lasts * DAY, True, today) is Standing.OVER
