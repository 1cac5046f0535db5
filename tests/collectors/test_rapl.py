"""Of the zones that the kernel shows each physical counter is added once, and torn reads are none."""

from __future__ import annotations

import time

import pytest

from collectors.counter import between
from collectors.instrument import Energy, Missing
from collectors.sources.rapl import Rapl, RaplSettings, counted_zones
from tests.collectors.trees import Host


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


def test_a_machine_without_counters_says_so(host: Host) -> None:
    assert "no powercap tree" in str(Rapl(host.roots).available())
    host.zone("intel-rapl:0:0", "core", 1)
    assert "no package or psys" in str(Rapl(host.roots).available())
    host.zone("intel-rapl:0", "package-0", "")
    assert "intel-rapl:0/energy_uj held no whole number" in str(Rapl(host.roots).available())


def test_a_host_that_draws_more_than_most_says_so(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 0)
    usual, large = Rapl(host.roots), Rapl(host.roots, RaplSettings(socket_limit_w=2500))
    before = usual.snapshot(0), large.snapshot(0)
    host.zone("intel-rapl:0", "package-0", 20_000_000_000)
    outcomes = [
        between(first, source.snapshot(10)) for first, source in zip(before, (usual, large), strict=True)
    ]
    assert isinstance(outcomes[0], Missing)
    assert outcomes[1] == Energy(20_000_000, 10_000)


@pytest.mark.parametrize("limit_w", [0, -5, 1_000_000])
def test_a_limit_that_makes_no_sense_is_refused(limit_w: float) -> None:
    with pytest.raises(ValueError, match="socket_limit_w: a power of 1 to 100000 W is expected"):
        RaplSettings(socket_limit_w=limit_w)
