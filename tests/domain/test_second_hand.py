"""The share of second hand that public buyers owe, by year."""

from __future__ import annotations

from fractions import Fraction

import pytest

from console.domain.second_hand import least_share


@pytest.mark.parametrize(
    ("year", "percent"),
    [(2020, None), (2021, 20), (2024, 20), (2026, 20), (2027, 25), (2029, 25), (2030, 30), (2041, 30)],
)
def test_each_step_of_the_decree_holds_until_the_next(year: int, percent: int | None) -> None:
    assert least_share(year) == (None if percent is None else Fraction(percent, 100))
