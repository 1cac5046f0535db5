"""Counters become energy only where two reads allow it, each physical counter once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.instrument import Energy, Missing
from collectors.sources.rapl import (
    SOCKET_LIMIT_W,
    Rapl,
    Snapshot,
    Zone,
    between,
    counted_zones,
    spent,
)
from tests.collectors.trees import Host

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
    result = spent(before_uj, now_uj, range_uj, elapsed_s)
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
    result = spent(before_uj, now_uj, range_uj, elapsed_s)
    assert isinstance(result, Missing) or 0 <= result <= SOCKET_LIMIT_W * 1e6 * elapsed_s


@given(
    start_uj=st.integers(0, RANGE_UJ - 1), used_uj=st.integers(0, 1_000_000_000), seconds=st.integers(1, 170)
)
def test_what_was_used_is_found_again_wherever_the_counter_stood(
    start_uj: int, used_uj: int, seconds: int
) -> None:
    used_uj = min(used_uj, SOCKET_LIMIT_W * 1_000_000 * seconds)
    assert spent(start_uj, (start_uj + used_uj) % RANGE_UJ, RANGE_UJ, seconds) == used_uj


def counted(host: Host) -> list[str]:
    return sorted(zone.path.name for zone in counted_zones(host.roots))


def test_packages_and_their_dram_count_and_what_is_inside_or_around_them_does_not(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 100)
    host.zone("intel-rapl:0:0", "core", 60)
    host.zone("intel-rapl:0:1", "uncore", 10)
    host.zone("intel-rapl:0:2", "dram", 20)
    host.zone("intel-rapl:1", "psys", 300)
    assert counted(host) == ["intel-rapl:0", "intel-rapl:0:2"]


def test_psys_counts_alone_where_there_is_no_package(host: Host) -> None:
    host.zone("intel-rapl:1", "psys", 300)
    host.zone("intel-rapl:1:0", "core", 100)
    assert counted(host) == ["intel-rapl:1"]


def test_zones_nested_in_the_folder_of_their_package_are_found_once(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 100)
    host.zone("intel-rapl:0/intel-rapl:0:0", "dram", 20)
    host.zone("intel-rapl:0:0", "dram", 20)
    assert counted(host) == ["intel-rapl:0", "intel-rapl:0:0"]


def test_two_packages_with_near_equal_counters_both_count(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 240_422_366_267)
    host.zone("intel-rapl:1", "package-1", 240_422_366_268)
    assert counted(host) == ["intel-rapl:0", "intel-rapl:1"]


def test_the_memory_mapped_mirror_of_a_package_counts_once(host: Host) -> None:
    host.zone("intel-rapl-mmio:0", "package-0", 105)
    host.zone("intel-rapl:0", "package-0", 100)
    host.zone("intel-rapl-mmio:0:0", "dram", 5)
    assert counted(host) == ["intel-rapl:0"]


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("GenuineIntel", ["intel-rapl:0", "intel-rapl:1", "intel-rapl:2"]),
        ("AuthenticAMD", ["intel-rapl:0", "intel-rapl:2"]),
    ],
)
def test_dies_have_their_own_counter_on_intel_and_mirror_their_package_on_amd(
    host: Host, vendor: str, expected: list[str]
) -> None:
    host.boot(vendor=vendor)
    host.zone("intel-rapl:0", "package-0-die-0", 100)
    host.zone("intel-rapl:1", "package-0-die-1", 180)
    host.zone("intel-rapl:2", "package-1-die-0", 100)
    assert counted(host) == expected


def test_the_sum_of_packages_and_dram_is_read_in_millijoules(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 1_000_000)
    host.zone("intel-rapl:0:0", "dram", 500_000, range_uj=65_712_999_613)
    source = Rapl(host.roots)
    assert source.available() is None
    assert isinstance(source.read(), Missing)
    host.zone("intel-rapl:0", "package-0", 1_030_000)
    host.zone("intel-rapl:0:0", "dram", 507_000)
    time.sleep(0.05)
    energy = source.read()
    assert isinstance(energy, Energy)
    assert energy.energy_mj == 37
    assert 50 <= energy.duration_ms < 1000


@pytest.mark.parametrize("torn", ["", "12\x00", "n/a"])
def test_one_empty_or_torn_read_is_a_gap_and_no_spike_after_it(host: Host, torn: str) -> None:
    host.zone("intel-rapl:0", "package-0", 1_000_000)
    source = Rapl(host.roots)
    source.read()
    host.zone("intel-rapl:0", "package-0", torn)
    gap = source.read()
    assert isinstance(gap, Missing)
    assert "empty or torn" in gap.reason
    host.zone("intel-rapl:0", "package-0", 1_040_000)
    time.sleep(0.05)
    energy = source.read()
    assert isinstance(energy, Energy)
    assert energy.energy_mj == 40


def test_a_counter_that_was_reset_is_believed_again_from_there(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 10_000_000_000)
    source = Rapl(host.roots)
    source.read()
    host.zone("intel-rapl:0", "package-0", 0)
    assert isinstance(source.read(), Missing)
    host.zone("intel-rapl:0", "package-0", 3_000)
    time.sleep(0.01)
    energy = source.read()
    assert isinstance(energy, Energy)
    assert energy.energy_mj == 3


def test_two_boots_and_two_sets_of_counters_are_not_compared(host: Host) -> None:
    package = Zone(host.folder / "intel-rapl:0", "package-0", RANGE_UJ)
    other = Zone(host.folder / "intel-rapl:1", "package-1", RANGE_UJ)
    before = Snapshot("first boot", 0.0, {package: 10})
    assert isinstance(between(before, Snapshot("second boot", 10.0, {package: 20})), Missing)
    assert isinstance(between(before, Snapshot("first boot", 10.0, {package: 20, other: 5})), Missing)
    assert between(before, Snapshot("first boot", 10.0, {package: 20_010})) == Energy(20, 10_000)


def test_a_machine_without_counters_says_so(host: Host) -> None:
    assert "no powercap tree" in str(Rapl(host.roots).available())
    host.zone("intel-rapl:0:0", "core", 1)
    assert "no package or psys" in str(Rapl(host.roots).available())
    host.zone("intel-rapl:0", "package-0", "")
    assert "intel-rapl:0/energy_uj held no whole number" in str(Rapl(host.roots).available())
