"""From what RAPL gives to what the server draws."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.calibration import (
    LEAST_INTERVALS,
    NO_RELATION,
    TOO_EVEN,
    TOO_FAR_OFF,
    TOO_FEW,
    Line,
    Pair,
    Unfit,
    fit,
)

MINUTE_MS = 60_000


def minutes(loads_w: list[float], slope: float = 1.25, offset_w: float = 40, noise: float = 0) -> list[Pair]:
    """A minute at each load of the packages, with what the server drew then."""
    rng = random.Random(1)  # noqa: S311
    return [
        Pair(
            energy_mj=int(load * MINUTE_MS),
            reference_mj=int((slope * load + offset_w) * (1 + rng.gauss(0, noise)) * MINUTE_MS),
            duration_ms=MINUTE_MS,
        )
        for load in loads_w
    ]


RISING = [60 + number for number in range(100)]


def test_a_line_is_found_again() -> None:
    line = fit(minutes(RISING))
    assert (line.slope_ppm, line.offset_mw, line.intervals) == (1_250_000, 40_000, 100)
    assert line.error_ppm < 10
    assert line.scale(100 * MINUTE_MS, MINUTE_MS) == 165 * MINUTE_MS


def test_its_error_is_that_of_what_is_left() -> None:
    line = fit(minutes(RISING, noise=0.03))
    assert 20_000 < line.error_ppm < 40_000
    low, high = line.bounds(1_000_000)
    assert (1_000_000 - low, high - 1_000_000) == (2 * line.error_ppm, 2 * line.error_ppm)


def test_two_deviations_hold_nearly_all_intervals() -> None:
    pairs = minutes([60 + number % 90 for number in range(1000)], noise=0.02)
    line = fit(pairs)
    within = 0
    for pair in pairs:
        low, high = line.bounds(line.scale(pair.energy_mj, pair.duration_ms))
        within += low <= pair.reference_mj <= high
    assert within >= 900


def test_the_same_intervals_give_the_same_line_in_any_order() -> None:
    pairs = minutes(RISING, noise=0.05)
    shuffled = random.Random(2).sample(pairs, len(pairs))  # noqa: S311
    assert fit(shuffled) == fit(pairs)


@pytest.mark.parametrize(
    ("pairs", "reason", "value"),
    [
        (minutes(RISING[: LEAST_INTERVALS - 1]), TOO_FEW, LEAST_INTERVALS - 1),
        (minutes([100.0] * 90 + [101.0] * 10), TOO_EVEN, 0),
        (minutes([0.0] * 100), TOO_EVEN, 0),
        (minutes([100.0] * 97 + [300.0] * 3), TOO_EVEN, 0),  # three minutes are no spread of loads
        (minutes(RISING, slope=-0.5, offset_w=200), NO_RELATION, -50),
        (minutes(RISING, noise=0.6), TOO_FAR_OFF, None),
    ],
    ids=["few", "even", "nothing", "even but for some", "falling", "unrelated"],
)
def test_what_says_nothing_gives_no_line(pairs: list[Pair], reason: str, value: int | None) -> None:
    with pytest.raises(Unfit) as refused:
        fit(pairs)
    assert refused.value.reason == reason
    assert value is None or refused.value.value == value


@given(
    st.builds(
        Line,
        st.integers(1, 5_000_000),
        st.integers(-(10**6), 10**6),
        st.integers(0, 250_000),
        st.just(60),
    ),
    st.integers(0, 10**10),
    st.integers(1, 3_600_000),
)
def test_scaled_energy_is_never_negative_and_lies_within_its_bounds(
    line: Line, energy_mj: int, duration_ms: int
) -> None:
    scaled_mj = line.scale(energy_mj, duration_ms)
    low_mj, high_mj = line.bounds(scaled_mj)
    assert 0 <= low_mj <= scaled_mj <= high_mj
