"""The making of a thing over its life."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.amortisation import Extension, Life, booked, booked_by_year, extended, left, saved
from console.domain.errors import Invalid
from console.domain.renewal import add_months

START = date(2022, 3, 1)
WHOLE = st.integers(0, 10**13)
PLAN = st.integers(1, 300)


def _all(whole: int, life: Life, months: int = 700) -> list[int]:
    return [booked(whole, life, add_months(START, place)) for place in range(-3, months)]


@given(whole=WHOLE, plan=PLAN)
def test_the_parts_are_equal_to_a_unit_and_add_up_to_the_whole(whole: int, plan: int) -> None:
    parts = _all(whole, Life(START, plan))

    assert sum(parts) == whole
    used = parts[3 : 3 + plan]
    assert max(used) - min(used) <= 1
    assert not any(parts[:3])
    assert not any(parts[3 + plan :])


@given(whole=WHOLE, plan=PLAN, last=st.integers(0, 400))
def test_a_retirement_books_the_rest_at_once(whole: int, plan: int, last: int) -> None:
    retired = add_months(START, last)
    life = Life(START, plan, retired=retired)
    parts = _all(whole, life)

    assert sum(parts) == whole
    assert left(whole, life, retired) == 0
    assert parts[: 3 + min(last, plan)] == _all(whole, Life(START, plan))[: 3 + min(last, plan)]


@given(whole=WHOLE, plan=PLAN, place=st.integers(0, 400), more=st.integers(1, 200))
def test_an_extension_leaves_what_passed_and_adds_up(whole: int, plan: int, place: int, more: int) -> None:
    before = Life(START, plan)
    after = extended(before, add_months(START, place), plan + more)

    assert sum(_all(whole, after)) == whole
    assert _all(whole, after)[: 3 + place] == _all(whole, before)[: 3 + place]


@given(
    whole=WHOLE,
    plans=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=4),
    last=st.none() | st.integers(0, 300),
)
def test_whatever_is_decided_the_years_add_up_to_the_whole(
    whole: int, plans: list[tuple[int, int]], last: int | None
) -> None:
    life, month = Life(START, 60), START
    for wait, more in plans:
        month = add_months(month, wait)
        life = extended(life, month, life.plan + more)
    retired = None if last is None else add_months(START, last)
    life = Life(START, 60, life.extensions, retired)

    assert sum(amount for _, amount in booked_by_year(whole, life)) == whole


def test_past_its_plan_it_costs_nothing_and_shows_what_it_saves() -> None:
    life = Life(START, 60, retired=date(2028, 3, 1))

    assert booked(1200, life, date(2027, 3, 1)) == 0
    assert saved(1200, life, date(2027, 2, 1)) == 0
    assert saved(1200, life, date(2027, 3, 1)) == 20
    assert saved(1200, life, date(2028, 4, 1)) == 0


def test_an_extension_lowers_what_is_left_to_book_each_month() -> None:
    life = Life(START, 60, [Extension(date(2026, 3, 1), 84)])

    assert booked(6000, life, date(2026, 2, 1)) == 100
    assert {booked(6000, life, date(2026, month, 1)) for month in range(3, 13)} <= {33, 34}


@pytest.mark.parametrize(
    ("life", "month", "months", "field"),
    [
        (Life(START, 60), date(2022, 2, 1), 72, "month"),
        (Life(START, 60), date(2023, 2, 1), 60, "planned_months"),
        (Life(START, 60), date(2023, 2, 1), 1201, "planned_months"),
        (Life(START, 60, retired=date(2024, 1, 1)), date(2023, 2, 1), 72, "planned_months"),
        (Life(START, 60, [Extension(date(2024, 1, 1), 72)]), date(2024, 1, 1), 84, "month"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(life: Life, month: date, months: int, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        extended(life, month, months)

    assert refusal.value.field == field
