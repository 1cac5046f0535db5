"""What a server without a sensor is taken to draw, and that it can be shared among its workloads."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.power_models.components import CLOUD_CARBON_FOOTPRINT, DRIVE, MEMORY, PORTS
from collectors.power_models.families import family_of
from collectors.power_models.servers import ALL, TABLE, Curve, families, server_of
from console.domain.attribution import Consumer, IdlePolicy, attribute
from tests import power_families

MODELS = [None, "an unheard-of processor", "Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz", "AMD EPYC 7763"]


def test_the_table_that_is_shipped_follows_from_the_published_results() -> None:
    assert TABLE.read_text(encoding="utf-8") == power_families.build(power_families.results())


def test_all_servers_since_2017_are_609() -> None:
    family = families()[ALL]
    assert family.results == 609
    assert (family.low, family.median, family.high) == (Curve(276, 1367), Curve(634, 3352), Curve(1328, 4760))


def test_non_compliant_and_shifted_results_are_left_out() -> None:
    rows = power_families.results()
    real = next(row for row in rows if row["CPU Description"] == "AMD EPYC 7763")
    non_compliant = real | {"Result": "NC", power_families.FULL: "9000", power_families.IDLE: "8000"}
    shifted = real | {power_families.FULL: "120", power_families.IDLE: "1307"}
    assert power_families.believed(real)
    assert not power_families.believed(non_compliant)
    assert not power_families.believed(shifted)
    assert power_families.build([*rows, non_compliant, shifted]) == power_families.build(rows)


@pytest.mark.parametrize(
    ("cpu_model", "family"),
    [
        ("Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz", "cascade-lake"),
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "broadwell"),
        ("Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz", "sandy-bridge"),
        ("Intel(R) Xeon(R) CPU           X5650  @ 2.67GHz", "westmere"),
        ("Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", "ice-lake"),
        ("Intel(R) Xeon(R) Platinum 8380H CPU @ 2.90GHz", "cooper-lake"),
        ("INTEL(R) XEON(R) PLATINUM 8568Y+", "emerald-rapids"),
        ("Intel(R) Xeon(R) 6787P", "granite-rapids"),
        ("Intel Xeon 6369P", "raptor-lake"),
        ("AMD EPYC 7763 64-Core Processor", "milan"),
        ("AMD EPYC 75F3 32-Core Processor", "milan"),
        ("AMD EPYC 9754 128-Core Processor", "bergamo"),
        ("AMD EPYC 9654 96-Core Processor", "genoa"),
        ("Intel Xeon Processor (Skylake, IBRS)", "skylake"),
        ("AMD EPYC-Milan Processor", "milan"),
        ("AMD EPYC", None),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", None),
        ("Intel(R) Core(TM) i7-1065G7 CPU @ 1.30GHz", None),
        ("", None),
    ],
)
def test_a_family_is_known_by_the_name_of_the_processor_and_never_guessed(
    cpu_model: str, family: str | None
) -> None:
    assert family_of(cpu_model) == family


@pytest.mark.parametrize(
    ("cpu_model", "basis"),
    [
        ("AMD EPYC 7763", "SPECpower, milan (28 results)"),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", "SPECpower, all since 2017 (609 results)"),
        (None, "SPECpower, all since 2017 (609 results)"),
        ("Intel(R) Core(TM) i7-1065G7 CPU @ 1.30GHz", "load x TDP"),
    ],
)
def test_load_by_thermal_design_power_comes_last(cpu_model: str | None, basis: str) -> None:
    assert server_of(cpu_model, 8, sockets=2, tdp_w=280.0).basis == basis


def test_each_model_gives_its_own_figures() -> None:
    assert server_of("AMD EPYC 7763", 128).median == Curve(424 * 128, 1916 * 128)
    assert server_of("an unheard-of processor", 128).median == Curve(634 * 128, 3352 * 128)
    stated = server_of("an unheard-of processor", 128, sockets=2, tdp_w=280.0)
    assert stated.median == Curve(560_000 * 634 // 3352, 560_000)


@pytest.mark.parametrize("cpu_model", ["Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz", "AMD EPYC 7763", None])
def test_a_server_draws_the_same_with_hyper_threading_off(cpu_model: str | None) -> None:
    on = server_of(cpu_model, 96, cores=48, sockets=2, ram_mb=393_216)
    assert server_of(cpu_model, 48, cores=48, sockets=2, ram_mb=393_216) == on
    assert server_of(cpu_model, 96, sockets=2, ram_mb=393_216).median == on.median


def test_a_processor_that_shows_each_core_once_counts_its_cores_once() -> None:
    assert families()["altra"].threads_per_core == 1
    assert server_of("Ampere Altra Max", 128, cores=128) == server_of("Ampere Altra Max", 128)


def test_the_spread_is_wider_where_nobody_tells_the_cores() -> None:
    """48 logical CPUs are 24 cores, or 48 with hyper-threading off."""
    untold = server_of("AMD EPYC 7763", 48)
    on, off = server_of("AMD EPYC 7763", 48, cores=24), server_of("AMD EPYC 7763", 48, cores=48)
    assert (untold.low, untold.median, untold.high) == (on.low, on.median, off.high)
    stated = server_of("an unheard-of processor", 48, tdp_w=280.0)
    assert stated.high == server_of("an unheard-of processor", 48, tdp_w=280.0, cores=48).high


@given(
    cpu_model=st.sampled_from(MODELS),
    vcpu=st.integers(1, 512),
    cores=st.none() | st.integers(1, 512),
    tdp_w=st.none() | st.floats(1, 2000),
    utilisation=st.floats(0, 1),
    duration_ms=st.integers(1, 3_600_000),
)
def test_the_figure_lies_within_its_spread_whatever_the_model(
    cpu_model: str | None,
    vcpu: int,
    cores: int | None,
    tdp_w: float | None,
    utilisation: float,
    duration_ms: int,
) -> None:
    energy = server_of(cpu_model, vcpu, cores=cores, tdp_w=tdp_w).energy(duration_ms, utilisation)
    assert energy.min_mj is not None
    assert energy.max_mj is not None
    assert energy.min_mj <= energy.energy_mj <= energy.max_mj


@given(
    cpu_model=st.sampled_from(MODELS),
    vcpu=st.integers(1, 512),
    ram_mb=st.none() | st.integers(0, 4_000_000),
    more_mb=st.integers(0, 4_000_000),
    utilisation=st.floats(0, 1),
)
def test_more_memory_never_draws_less(
    cpu_model: str | None, vcpu: int, ram_mb: int | None, more_mb: int, utilisation: float
) -> None:
    less = server_of(cpu_model, vcpu, ram_mb=ram_mb).energy(60_000, utilisation)
    more = server_of(cpu_model, vcpu, ram_mb=(ram_mb or 0) + more_mb).energy(60_000, utilisation)
    assert more.energy_mj >= less.energy_mj
    assert (more.min_mj or 0) >= (less.min_mj or 0)
    assert (more.max_mj or 0) >= (less.max_mj or 0)


def test_memory_beyond_that_of_the_measured_servers_draws_392_milliwatts_a_gigabyte() -> None:
    held_mb = families()["milan"].ram_mb_per_cpu * 128
    bare = server_of("AMD EPYC 7763", 128, ram_mb=held_mb)
    assert server_of("AMD EPYC 7763", 128, ram_mb=held_mb + 512 * 1024).median == bare.median.plus(512 * 392)


def test_drives_and_ports_are_added_at_every_load() -> None:
    bare = server_of("AMD EPYC 7763", 128)
    fitted = server_of("AMD EPYC 7763", 128, drives=2, ports=("10G", "25G"))
    assert fitted.median == bare.median.plus(2 * 5000 + 15_000 + 20_000)


def test_every_coefficient_names_its_sources_and_says_which_are_to_be_confirmed() -> None:
    for coefficient in (MEMORY, DRIVE, *PORTS.values()):
        assert coefficient.added.low_mw <= coefficient.added.mw <= coefficient.added.high_mw
        for source in coefficient.sources:
            assert source.title
            assert source.publisher
            assert source.year >= 2009
            assert source.url.startswith("https://")
    assert CLOUD_CARBON_FOOTPRINT.to_confirm


@pytest.mark.parametrize(
    ("load_percent", "policy"), [*itertools.product([0, 10, 50, 100], [None, *IdlePolicy])], ids=str
)
def test_host_and_sum_of_workloads_agree_at_every_load(load_percent: int, policy: IdlePolicy | None) -> None:
    vcpu, duration_ms = 64, 60_000
    busy_ms = vcpu * duration_ms * load_percent // 100
    energy = server_of("AMD EPYC 7763", vcpu, ram_mb=1_000_000).energy(duration_ms, load_percent / 100)
    consumers = {
        "payroll": Consumer(cpu_ms=busy_ms * 2 // 3, reserved_mcpu=40_000),
        "pathways": Consumer(cpu_ms=busy_ms - busy_ms * 2 // 3, reserved_mcpu=24_000),
    }
    shared = attribute(
        energy.energy_mj, duration_ms, energy.idle_power_mw, vcpu, busy_ms, consumers, policy=policy
    )
    idle_mj = sum(share.idle_mj for share in shared.workloads.values()) + shared.idle_kept_mj
    dynamic_mj = sum(share.dynamic_mj for share in shared.workloads.values())
    assert shared.energy_mj == energy.energy_mj
    assert idle_mj + shared.unattributed.idle_mj == (energy.idle_power_mw or 0) * duration_ms // 1000
    assert dynamic_mj == energy.energy_mj - (energy.idle_power_mw or 0) * duration_ms // 1000
    assert shared.unattributed.energy_mj == 0
