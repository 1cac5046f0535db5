"""Carbon per unit of service, and what its changes are made of."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.sci import Effect, Missing, Terms, effects, total, trend

MONTH = Terms(
    energy_mj=1000, covered_mj=1000, carbon_ug=5000, embodied_ug=3000, without_embodied_mj=0, volume=40
)
KNOWN = st.builds(
    lambda energy_mj, carbon_ug, embodied_ug, volume: Terms(
        energy_mj, energy_mj, carbon_ug, embodied_ug, 0, volume
    ),
    st.integers(1, 10**14),
    st.integers(0, 10**14),
    st.integers(0, 10**14),
    st.integers(1, 10**6),
)


def test_it_is_use_and_making_over_the_volume() -> None:
    assert MONTH.use == 125
    assert MONTH.sci == 200


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"volume": None}, [Missing.VOLUME]),
        ({"volume": 0}, [Missing.NO_UNIT]),
        ({"carbon_ug": None}, [Missing.CARBON]),
        ({"covered_mj": 999}, [Missing.CARBON]),
        ({"embodied_ug": None}, [Missing.EMBODIED]),
        ({"without_embodied_mj": 1}, [Missing.EMBODIED]),
        ({"without_overhead_mj": 1}, [Missing.FACILITY]),
    ],
)
def test_what_is_unknown_makes_it_unknown_and_says_why(changes: dict[str, Any], why: list[Missing]) -> None:
    month = replace(MONTH, **changes)
    assert month.sci is None
    assert month.missing == why
    assert effects(MONTH, month) is None


def test_energy_without_what_the_data_centre_takes_is_no_intensity_of_use_either() -> None:
    month = replace(MONTH, without_overhead_mj=1)
    assert month.use is None
    assert total([MONTH, month]).missing == [Missing.FACILITY]


@given(KNOWN, KNOWN)
def test_effects_add_up_to_the_change_exactly(before: Terms, after: Terms) -> None:
    told = effects(before, after)
    assert told is not None
    assert before.sci is not None
    assert sum(told.values()) == (after.sci or 0) - before.sci


@given(KNOWN, KNOWN)
def test_going_back_undoes_each_effect(before: Terms, after: Terms) -> None:
    there, back = effects(before, after), effects(after, before)
    assert there is not None
    assert back is not None
    assert all(there[one] == -back[one] for one in Effect)


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({"energy_mj": 2000, "covered_mj": 2000, "carbon_ug": 10_000}, Effect.ENERGY),
        ({"carbon_ug": 6000}, Effect.INTENSITY),
        ({"embodied_ug": 3001}, Effect.EMBODIED),
        ({"volume": 41}, Effect.VOLUME),
    ],
)
def test_where_one_term_changed_it_is_the_only_effect(changes: dict[str, int], effect: Effect) -> None:
    told = effects(MONTH, replace(MONTH, **changes))
    assert told is not None
    assert {one for one, amount in told.items() if amount} == {effect}


def test_a_year_is_its_months_and_a_missing_volume_leaves_it_unknown() -> None:
    year = total([MONTH, replace(MONTH, volume=60)])
    assert year.sci == 160
    assert total([MONTH, replace(MONTH, volume=None)]).missing == [Missing.VOLUME]


def test_the_trend_is_from_the_first_month_to_the_last_that_are_known() -> None:
    unknown = replace(MONTH, volume=None)
    assert trend([unknown, MONTH, unknown, replace(MONTH, volume=80)]) == Fraction(-1, 2)
    assert trend([unknown, MONTH]) is None
