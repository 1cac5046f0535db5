"""Prices are revised to the cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Invalid
from console.domain.price import Revision


@pytest.mark.parametrize(
    ("price_cents", "revision", "expected"),
    [
        (100_000, Revision(index_from=31_340, index_to=31_820), 101_532),
        (100_000, Revision(index_from=31_820, index_to=31_340), 98_492),
        (1_000, Revision(rate=250), 1_025),
        (50, Revision(rate=100), 50),  # 50.5: half to even
        (150, Revision(rate=100), 152),  # 151.5: half to even
        (1_000, Revision(rate=-250), 975),
        (0, Revision(rate=250), 0),
    ],
)
def test_a_price_follows_its_index_or_its_rate(price_cents: int, revision: Revision, expected: int) -> None:
    assert revision.apply(price_cents) == expected


@pytest.mark.parametrize(
    ("revision", "field"),
    [
        (Revision(index_from=0, index_to=100), "index_from"),
        (Revision(index_from=100), "index_to"),
        (Revision(), "index_from"),
        (Revision(rate=-10_000), "rate"),
        (Revision(rate=10_001), "rate"),
    ],
)
def test_a_revision_without_its_values_is_refused_with_the_one_that_lacks(revision, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        revision.apply(100)
    assert refusal.value.field == field


@given(st.integers(0, 10**12), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_revised_price_is_within_half_a_cent_of_the_exact_one(price: int, old: int, new: int) -> None:
    assert abs(2 * (Revision(index_from=old, index_to=new).apply(price) * old - price * new)) <= old
