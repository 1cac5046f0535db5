"""Terms end, renew themselves, and may be given notice of until a day that is reckoned."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.renewal import (
    Deadline,
    NoticeUnit,
    Step,
    add_months,
    current_term,
    next_deadline,
    notice_deadline,
)

days = st.dates(date(2020, 1, 1), date(2060, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-05-31", 0, "2026-05-31"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(start, months, expected) -> None:
    assert add_months(day(start), months) == day(expected)


@given(days, st.integers(-600, 600))
def test_months_never_skip_a_month(start: date, months: int) -> None:
    there = add_months(start, months)
    assert (there.year - start.year) * 12 + there.month - start.month == months
    assert there.day <= start.day


@pytest.mark.parametrize(
    ("ends_on", "notice", "unit", "expected"),
    [
        ("2026-12-31", 3, NoticeUnit.MONTHS, "2026-09-30"),
        ("2026-05-31", 3, NoticeUnit.MONTHS, "2026-02-28"),
        ("2028-05-31", 3, NoticeUnit.MONTHS, "2028-02-29"),
        ("2026-12-31", 90, NoticeUnit.DAYS, "2026-10-02"),
        ("2026-12-31", 0, NoticeUnit.DAYS, "2026-12-31"),
    ],
)
def test_a_notice_is_given_so_long_before_the_end_of_a_term(ends_on, notice, unit, expected) -> None:
    assert notice_deadline(day(ends_on), notice, unit) == day(expected)


@pytest.mark.parametrize(
    ("ends_on", "months", "on", "expected"),
    [
        ("2026-12-31", 12, "2026-12-31", "2026-12-31"),
        ("2026-12-31", 12, "2027-01-01", "2027-12-31"),
        ("2026-06-30", 1, "2026-07-01", "2026-07-31"),
        ("2027-02-28", 12, "2027-03-01", "2028-02-29"),
        ("2026-01-30", 1, "2026-04-01", "2026-04-29"),
    ],
)
def test_a_tacit_renewal_begins_the_day_after_the_term(ends_on, months, on, expected) -> None:
    assert current_term(day(ends_on), True, months, day(on)) == day(expected)


@given(days, st.integers(1, 60), days)
def test_the_current_term_holds_the_day_and_the_one_before_did_not(ends_on, months, on) -> None:
    current = current_term(ends_on, True, months, on)
    assert current >= on or current == ends_on
    assert current == ends_on or add_months(current + timedelta(days=1), -months) <= on + timedelta(days=3)


@pytest.mark.parametrize("tacit", [False, None])
def test_a_term_that_does_not_renew_itself_stays_where_it_was_agreed(tacit: bool | None) -> None:
    assert current_term(day("2026-06-30"), tacit, 12, day("2030-01-01")) == day("2026-06-30")


@pytest.mark.parametrize(
    ("tacit", "notice_by", "today", "expected"),
    [
        (True, "2026-09-30", "2026-09-30", Deadline(Step.GIVE_NOTICE, day("2026-09-30"))),
        (True, "2026-09-30", "2026-10-01", Deadline(Step.RENEWS, day("2026-12-31"))),
        (True, None, "2026-01-01", Deadline(Step.RENEWS, day("2026-12-31"))),
        (False, "2026-09-30", "2026-12-31", Deadline(Step.RENEW, day("2026-12-31"))),
        (False, None, "2027-01-01", Deadline(Step.LAPSED, day("2026-12-31"))),
        (None, "2026-09-30", "2026-01-01", Deadline(Step.CLARIFY, day("2026-12-31"))),
    ],
)
def test_what_is_to_be_done_is_told_with_its_day(tacit, notice_by, today, expected) -> None:
    notice = None if notice_by is None else day(notice_by)
    assert next_deadline(day("2026-12-31"), tacit, notice, day(today)) == expected
