"""Sharing a whole number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.proportion import apportion

weights = st.dictionaries(st.text(max_size=4), st.integers(0, 10**15), max_size=12)


@given(st.integers(0, 10**18), weights.filter(lambda weights: any(weights.values())))
def test_the_parts_add_up_to_the_total(total: int, weights: dict[str, int]) -> None:
    assert sum(apportion(total, weights).values()) == total


@given(st.integers(0, 10**18), weights.filter(lambda weights: any(weights.values())))
def test_no_part_is_more_than_a_unit_away_from_its_quota(total: int, weights: dict[str, int]) -> None:
    whole = sum(weights.values())
    for key, part in apportion(total, weights).items():
        assert abs(part * whole - total * weights[key]) < whole


@given(st.integers(0, 10**18), weights.filter(lambda weights: any(weights.values())), st.randoms())
def test_the_order_of_the_weights_does_not_matter(total, weights, random) -> None:
    shuffled = list(weights.items())
    random.shuffle(shuffled)
    assert apportion(total, dict(shuffled)) == apportion(total, weights)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10, {"a": 1, "b": 1, "c": 1}, {"a": 4, "b": 3, "c": 3}),
        (1, {"a": 1, "b": 1}, {"a": 1, "b": 0}),
        (7, {"a": 0, "b": 3}, {"a": 0, "b": 7}),
        (0, {"a": 0}, {"a": 0}),
        (100, {"a": 2, "b": 3, "c": 5}, {"a": 20, "b": 30, "c": 50}),
    ],
)
def test_units_left_over_go_to_the_largest_remainders_and_ties_by_key(total, weights, parts) -> None:
    assert apportion(total, weights) == parts


@pytest.mark.parametrize(
    ("total", "weights"), [(1, {}), (1, {"a": 0}), (-1, {"a": 1}), (1, {"a": -1, "b": 3})]
)
def test_what_cannot_be_shared_is_refused(total: int, weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="share|least 0"):
        apportion(total, weights)
