"""Critical days of the month: how they are written, and when the next one is."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.criticality import Window, is_critical, next_critical, read_windows, write_windows
from console.domain.errors import Invalid

WINDOWS = st.lists(
    st.tuples(st.integers(1, 31), st.integers(1, 31)).map(lambda pair: Window(min(pair), max(pair))),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("10-25", [Window(10, 25)]),
        (" 1 - 5 , 28-31,", [Window(1, 5), Window(28, 31)]),
        ("31", [Window(31, 31)]),
    ],
)
def test_windows_are_read_as_people_write_them(text: str, windows: list[Window]) -> None:
    assert read_windows(text) == windows


@pytest.mark.parametrize("text", ["", " , ", "0-5", "25-10", "10-32", "dix", "10-25-30", "1.5"])
def test_what_is_no_day_of_the_month_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_windows(text)


@given(WINDOWS)
def test_what_is_written_is_read_again(windows: list[Window]) -> None:
    assert read_windows(write_windows(windows)) == windows


@pytest.mark.parametrize(
    ("day", "critical"),
    [
        (date(2026, 2, 27), False),
        (date(2026, 2, 28), True),
        (date(2028, 2, 28), False),
        (date(2028, 2, 29), True),
        (date(2026, 4, 30), True),
        (date(2026, 5, 30), False),
        (date(2026, 5, 31), True),
    ],
)
def test_a_day_that_a_month_lacks_is_its_last_one(day: date, critical: bool) -> None:
    assert is_critical([Window(31, 31)], day) is critical


@given(WINDOWS, st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_the_next_critical_day_is_critical_and_none_before_it_is(windows: list[Window], day: date) -> None:
    found = next_critical(windows, day)
    assert found is not None
    assert is_critical(windows, found)
    assert not any(is_critical(windows, day + timedelta(days=n)) for n in range((found - day).days))


def test_without_a_window_no_day_is_critical() -> None:
    assert next_critical([], date(2026, 11, 25)) is None
