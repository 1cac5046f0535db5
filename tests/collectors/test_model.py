"""The model's constants follow from the published results, and its energy from the CPU times."""

from __future__ import annotations

import csv
import statistics
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.instrument import Energy, Missing, Roots
from collectors.proc import CpuTimes
from collectors.sources.model import HIGH, LOW, MEDIAN, Curve, Model, between
from tests.collectors.trees import Host

RESULTS = Path(__file__).parents[1] / "data/specpower/SPECpower-2026-03-09.csv"


def compliant(row: dict[str, str]) -> bool:
    if "NC" in row.values():
        return False
    return float(row["avg. watts @ active idle"]) < float(row["avg. watts @ 100%"])


def milliwatts_per_thread(rows: list[dict[str, str]], column: str) -> list[float]:
    return [float(row[column]) * 1000 / int(row["Total Threads"]) for row in rows]


def spread(values: list[float]) -> tuple[int, int, int]:
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    return round(percentiles[9]), round(percentiles[49]), round(percentiles[89])


def test_the_constants_are_the_percentiles_of_the_results_since_2017() -> None:
    with RESULTS.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if compliant(row) and int(row["Published"][-4:]) >= 2017]
    idle = spread(milliwatts_per_thread(rows, "avg. watts @ active idle"))
    full = spread(milliwatts_per_thread(rows, "avg. watts @ 100%"))
    assert len(rows) == 609
    assert [Curve(*pair) for pair in zip(idle, full, strict=True)] == [LOW, MEDIAN, HIGH]


@pytest.mark.parametrize(
    ("busy_us", "total_us", "energy_mj"),
    [(0, 30_000_000, 19_020), (30_000_000, 30_000_000, 100_560), (15_000_000, 30_000_000, 59_790)],
)
def test_energy_goes_from_idle_to_full_with_the_utilisation(
    busy_us: int, total_us: int, energy_mj: int
) -> None:
    energy = between(CpuTimes(0, 0, 2), CpuTimes(busy_us, total_us, 2), 15_000)
    assert isinstance(energy, Energy)
    assert energy.energy_mj == energy_mj
    assert energy.idle_power_mw == 2 * 634


@given(busy_us=st.integers(0, 10**9), more_us=st.integers(1, 10**9), vcpu=st.integers(1, 512))
def test_the_figure_lies_within_its_spread(busy_us: int, more_us: int, vcpu: int) -> None:
    energy = between(CpuTimes(5, 9, vcpu), CpuTimes(5 + busy_us, 9 + busy_us + more_us, vcpu), 60_000)
    assert isinstance(energy, Energy)
    assert energy.min_mj is not None
    assert energy.max_mj is not None
    assert energy.min_mj <= energy.energy_mj <= energy.max_mj


def test_times_that_go_backwards_give_nothing() -> None:
    assert isinstance(between(CpuTimes(9, 99, 2), CpuTimes(8, 120, 2), 15_000), Missing)


def test_a_torn_read_is_a_gap_and_the_next_read_tells_the_whole_span(host: Host) -> None:
    source = Model(host.roots)
    assert source.available() is None
    source.read()
    (host.roots.proc / "stat").write_text("cpu  12")
    assert isinstance(source.read(), Missing)
    time.sleep(0.05)
    host.busy(1, idle_s=1001)
    energy = source.read()
    assert isinstance(energy, Energy)
    assert energy.duration_ms >= 50


def test_this_very_machine_can_be_modelled() -> None:
    source = Model(Roots())
    source.read()
    time.sleep(0.1)
    energy = source.read()
    assert isinstance(energy, Energy)
    assert energy.energy_mj > 0
