"""Counters become energy only where two reads allow it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.counter import SOCKET_LIMIT_W, Counter, Snapshot, between, spent
from collectors.instrument import Energy, Missing

RANGE_UJ = 262_143_328_850


@pytest.mark.parametrize(
    ("before_uj", "now_uj", "range_uj", "elapsed_s", "outcome"),
    [
        pytest.param(1_000_000, 451_000_000, RANGE_UJ, 15, 450_000_000, id="30 W for 15 s"),
        pytest.param(5_000, 5_000, RANGE_UJ, 15, 0, id="nothing used"),
        pytest.param(10_000_000_000, 1_000_000, RANGE_UJ, 10, "a reset", id="10 000 J to 1 J in 10 s"),
        pytest.param(4_000_000_000, 10_000, None, 10, "reset", id="lower, no maximum known"),
        pytest.param(RANGE_UJ - 100_000_000, 200_000_000, RANGE_UJ, 15, 300_000_000, id="a true wrap"),
        pytest.param(RANGE_UJ - 1, 899_999_999, RANGE_UJ, 60, 900_000_000, id="a wrap within a minute"),
        pytest.param(1_000_000, 900_000_000, RANGE_UJ, 3600, "3600 s between", id="an hour between reads"),
        pytest.param(1_000_000, 900_000_000, None, 60, "60 s between", id="a minute, range unknown"),
        pytest.param(1_000_000, 99_000_000_000, RANGE_UJ, 15, "torn", id="6 600 W upwards"),
        pytest.param(RANGE_UJ, 0, RANGE_UJ, 0.5, 0, id="to zero at the very end of the range"),
    ],
)
def test_what_a_pair_of_reads_is_worth(
    before_uj: int, now_uj: int, range_uj: int | None, elapsed_s: float, outcome: int | str
) -> None:
    result = spent(Counter("c", range_uj), before_uj, now_uj, elapsed_s)
    if isinstance(outcome, int):
        assert result == outcome
    else:
        assert isinstance(result, Missing)
        assert outcome in result.reason


@given(
    before_uj=st.integers(0, RANGE_UJ),
    now_uj=st.integers(0, RANGE_UJ),
    range_uj=st.none() | st.just(RANGE_UJ),
    elapsed_s=st.floats(0.001, 10_000),
)
def test_energy_is_never_negative_nor_beyond_the_power_of_a_socket(
    before_uj: int, now_uj: int, range_uj: int | None, elapsed_s: float
) -> None:
    result = spent(Counter("c", range_uj), before_uj, now_uj, elapsed_s)
    assert isinstance(result, Missing) or 0 <= result <= SOCKET_LIMIT_W * 1e6 * elapsed_s


@given(
    start_uj=st.integers(0, RANGE_UJ - 1), used_uj=st.integers(0, 1_000_000_000), seconds=st.integers(1, 170)
)
def test_what_was_used_is_found_again_wherever_the_counter_stood(
    start_uj: int, used_uj: int, seconds: int
) -> None:
    used_uj = min(used_uj, int(SOCKET_LIMIT_W) * 1_000_000 * seconds)
    assert spent(Counter("c", RANGE_UJ), start_uj, (start_uj + used_uj) % RANGE_UJ, seconds) == used_uj


def test_two_boots_and_two_sets_of_counters_are_not_compared() -> None:
    package = Counter("intel-rapl:0", RANGE_UJ)
    other = Counter("intel-rapl:1", RANGE_UJ)
    before = Snapshot("first boot", 0.0, {package: 10})
    assert isinstance(between(before, Snapshot("second boot", 10.0, {package: 20})), Missing)
    assert isinstance(between(before, Snapshot("first boot", 10.0, {package: 20, other: 5})), Missing)
    assert between(before, Snapshot("first boot", 10.0, {package: 20_010})) == Energy(20, 10_000)


@pytest.mark.parametrize(
    ("before_uj", "now_uj", "elapsed_s", "outcome"),
    [
        pytest.param(1_000_000, 1_260_001_000_000, 3600, 1_260_000_000_000, id="an hour at 350 W"),
        pytest.param(900_000_000, 1_000_000, 15, "never wraps: it was reset", id="lower"),
        pytest.param(0, 99_000_000_000, 15, "more than 1500 W", id="6 600 W"),
    ],
)
def test_a_counter_that_a_program_adds_up_never_comes_round(
    before_uj: int, now_uj: int, elapsed_s: float, outcome: int | str
) -> None:
    result = spent(Counter("joules_total", wraps=False), before_uj, now_uj, elapsed_s)
    if isinstance(outcome, int):
        assert result == outcome
    else:
        assert isinstance(result, Missing)
        assert outcome in result.reason
