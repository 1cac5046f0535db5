"""The model of this host: which server it is taken for, and its energy from the CPU times."""

from __future__ import annotations

import time

import pytest

from collectors.instrument import Energy, Missing, Roots
from collectors.power_models.servers import families, server_of
from collectors.power_models.stated import ModelSettings
from collectors.proc import CpuTimes
from collectors.sources.model import Model, between
from tests.collectors.trees import Host, written

SERVER = server_of(None, 2)


@pytest.mark.parametrize(
    ("busy_us", "total_us", "energy_mj"),
    [(0, 30_000_000, 19_020), (30_000_000, 30_000_000, 100_560), (15_000_000, 30_000_000, 59_790)],
)
def test_energy_goes_from_idle_to_full_with_the_utilisation(
    busy_us: int, total_us: int, energy_mj: int
) -> None:
    energy = between(CpuTimes(0, 0, 2), CpuTimes(busy_us, total_us, 2), 15_000, SERVER)
    assert isinstance(energy, Energy)
    assert energy.energy_mj == energy_mj
    assert energy.idle_power_mw == 2 * 634


def test_a_host_takes_the_curve_of_its_own_processor_and_the_settings_go_before_it(host: Host) -> None:
    written(host.roots.proc / "cpuinfo", "model name\t: AMD EPYC 7763 64-Core Processor\nphysical id\t: 0\n")
    assert idle_power_mw(host, Model(host.roots)) == 2 * families()["milan"].median.idle_mw
    hidden = ModelSettings(cpu_model="Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz", ram_gb=1024)
    cascade_lake = server_of(hidden.cpu_model, 2, ram_mb=1024 * 1024)
    assert idle_power_mw(host, Model(host.roots, hidden)) == cascade_lake.median.idle_mw


@pytest.mark.parametrize(
    ("cores", "flags", "cpus"),
    [(1, "fpu ht", 2), (2, "fpu ht", 4), (2, "fpu ht hypervisor", 2)],
    ids=["two threads of one core", "hyper-threading off", "a virtual machine, whose cores are made up"],
)
def test_a_host_with_hyper_threading_off_is_no_server_of_half_its_cores(
    host: Host, cores: int, flags: str, cpus: int
) -> None:
    """The kernel shows two logical CPUs."""
    shown = "processor\t: {}\nmodel name\t: AMD EPYC 7763\nphysical id\t: 0\ncore id\t\t: {}\nflags\t: {}\n\n"
    text = "".join(shown.format(number, number % cores, flags) for number in range(2))
    written(host.roots.proc / "cpuinfo", text)
    assert idle_power_mw(host, Model(host.roots)) == cpus * families()["milan"].median.idle_mw


def idle_power_mw(host: Host, source: Model) -> int | None:
    host.busy(0)
    source.read()
    time.sleep(0.02)
    host.busy(1, idle_s=1001)
    energy = source.read()
    assert isinstance(energy, Energy)
    return energy.idle_power_mw


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sockets": 0}, "sockets: a number from 1"),
        ({"cores": 0}, "cores: a number from 1"),
        ({"ram_gb": 0}, "ram_gb: at least 1"),
        ({"tdp_w": -5.0}, "tdp_w: watts of one socket"),
        ({"drives": -1}, "drives: 0 or more"),
        ({"ports": ("10g",)}, "ports: '10g' is not one of 1G, 10G"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_would_be_right(
    wrong: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ModelSettings(**wrong)  # type: ignore[arg-type]


def test_times_that_go_backwards_give_nothing() -> None:
    assert isinstance(between(CpuTimes(9, 99, 2), CpuTimes(8, 120, 2), 15_000, SERVER), Missing)


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
