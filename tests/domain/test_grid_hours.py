"""An hour of a grid is the mean of its figures where every moment is known; else it is unknown."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.facility import Basis
from console.domain.grid import Intensity, State
from console.domain.grid_hours import whole_hours
from console.domain.hours import HOUR

START = datetime(2026, 10, 25, 0, tzinfo=UTC)


def figures(minutes: int, *told: int | None, state: State = State.DEFINITIVE) -> list[Intensity]:
    """Figures that follow each other; None is a gap."""
    step = timedelta(minutes=minutes)
    return [
        Intensity(Basis.DIRECT_PRODUCTION, START + place * step, step, mg, "RTE", state)
        for place, mg in enumerate(told)
        if mg is not None
    ]


@pytest.mark.parametrize(
    ("minutes", "told", "means"),
    [
        (30, (10, 20), [15]),
        (15, (10, 20, 30, 40), [25]),
        (15, (1, 2, 2, 1), [2]),  # 1.5: half to even
        (30, (2, 3), [2]),  # 2.5
        (60, (7, 9), [7, 9]),
        (5, (1,) * 11 + (13,), [2]),
        (30, (10, None, 30, 40), [35]),
        (15, (10, 20, 30), []),
        (30, (0, 0), [0]),
        (30, (), []),
    ],
)
def test_an_hour_is_the_mean_of_its_whole_or_unknown(
    minutes: int, told: tuple[int | None, ...], means: list[int]
) -> None:
    found = whole_hours(figures(minutes, *told))
    assert [one.intensity_mg_per_kwh for _, one in sorted(found.items())] == means


def test_figures_of_two_lengths_count_by_how_long_they_hold() -> None:
    half, quarters = figures(30, 10), figures(15, None, None, 40, 60)
    assert whole_hours([*half, *quarters])[START].intensity_mg_per_kwh == 30


def test_a_figure_across_two_hours_counts_in_each_for_its_part() -> None:
    shifted = [
        Intensity(Basis.DIRECT_PRODUCTION, START + timedelta(minutes=at), HOUR, mg, "RTE", State.REALTIME)
        for at, mg in ((-30, 10), (30, 30))
    ]
    assert {hour: one.intensity_mg_per_kwh for hour, one in whole_hours(shifted).items()} == {START: 20}


def test_an_hour_is_as_final_as_the_least_final_of_its_figures() -> None:
    told = [*figures(30, 10), *figures(30, None, 20, state=State.REALTIME)]
    assert whole_hours(told)[START].state is State.REALTIME


@given(
    st.lists(st.integers(0, 5_000_000), min_size=4, max_size=96).map(lambda told: told[: len(told) // 4 * 4])
)
def test_hours_hold_what_their_quarters_hold_but_for_their_rounding(told: list[int]) -> None:
    found = whole_hours(figures(15, *told))
    assert len(found) == len(told) // 4
    exact = Fraction(sum(told), 4)
    assert abs(sum(one.intensity_mg_per_kwh for one in found.values()) - exact) <= Fraction(len(found), 2)
