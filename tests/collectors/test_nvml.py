"""Graphics cards, through NVIDIA's own binding and a small library in the place of the driver's."""

from __future__ import annotations

import ctypes
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.instrument import Energy, HostUse, Missing, Roots, Work
from collectors.reading import Kind
from collectors.sampler import Moment, Sampler
from collectors.sources.nvml import Nvml

SOURCE = Path(__file__).with_name("cards.c")
pytestmark = pytest.mark.compiler


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The library under the driver's name, loaded first: whoever asks for that name gets it."""
    name = "libnvidia-ml.so.1"
    path = tmp_path_factory.mktemp("driver") / name
    words = ["cc", "-shared", "-fPIC", "-w", f"-Wl,-soname,{name}", "-o", str(path), str(SOURCE)]
    subprocess.run(words, check=True, timeout=60)
    loaded = ctypes.CDLL(str(path))
    loaded.set_energy.argtypes = [ctypes.c_int, ctypes.c_ulonglong]
    loaded.add_sample.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_ulonglong, ctypes.c_uint]
    return loaded


@pytest.fixture
def cards(library: ctypes.CDLL) -> ctypes.CDLL:
    library.set_cards(2)
    return library


@pytest.fixture
def source(cards: ctypes.CDLL) -> Iterator[Nvml]:
    source = Nvml(Roots())
    yield source
    source.close()


def energy_of(source: Nvml) -> Energy:
    time.sleep(0.05)
    energy = source.read()
    assert isinstance(energy, Energy), energy
    return energy


def reason_of(source: Nvml) -> str:
    missing = source.read()
    assert isinstance(missing, Missing)
    return missing.reason


def test_the_counters_of_all_cards_are_added(cards: ctypes.CDLL, source: Nvml) -> None:
    assert source.available() is None
    cards.set_energy(0, 2**40)
    assert "first read" in reason_of(source)
    cards.set_energy(0, 2**40 + 7_000)
    cards.set_energy(1, 3_000)
    assert energy_of(source).energy_mj == 10_000
    assert source.gpus() == 2


def test_a_card_that_counts_nothing_is_sampled_beside_one_that_does(cards: ctypes.CDLL, source: Nvml) -> None:
    cards.set_power(1, 300_000)
    source.read()
    cards.set_energy(0, 5_000)
    energy = energy_of(source)
    assert energy.energy_mj == pytest.approx(5_000 + 300 * energy.duration_ms, abs=400)


def test_a_counter_that_was_reset_with_its_driver_gives_nothing_and_is_believed_from_there(
    cards: ctypes.CDLL, source: Nvml
) -> None:
    cards.set_energy(0, 10_000_000)
    source.read()
    cards.set_energy(0, 1_000)
    assert "it was reset" in reason_of(source)
    cards.set_energy(0, 3_000)
    assert energy_of(source).energy_mj == 2_000


def test_a_card_that_is_lost_makes_the_sum_unknown_and_its_span_goes_on(
    cards: ctypes.CDLL, source: Nvml
) -> None:
    source.read()
    cards.set_energy(0, 2_000)
    cards.set_lost(1, 1)
    assert "GPU is lost" in reason_of(source)
    cards.set_lost(1, 0)
    cards.set_energy(1, 1_000)
    assert energy_of(source).energy_mj == 3_000


def test_more_than_a_card_can_draw_is_not_believed(cards: ctypes.CDLL, source: Nvml) -> None:
    source.read()
    cards.set_energy(0, 10**12)
    time.sleep(0.05)
    assert "more than 3000 W" in reason_of(source)


def test_a_driver_without_a_card_says_so(cards: ctypes.CDLL, source: Nvml) -> None:
    cards.set_cards(0)
    assert source.available() == "the driver knows no card"
    assert reason_of(source) == "the driver knows no card"


class TestProcesses:
    def test_each_has_the_mean_of_its_samples_since_the_last_read(
        self, cards: ctypes.CDLL, source: Nvml
    ) -> None:
        cards.add_sample(0, 41, 100, 90)
        source.read()
        cards.add_sample(0, 41, 200, 30)
        cards.add_sample(0, 41, 300, 50)
        cards.add_sample(0, 42, 300, 20)
        cards.add_sample(1, 41, 300, 10)
        energy = energy_of(source)
        assert source.gpu_us_by_pid() == {41: 500 * energy.duration_ms, 42: 200 * energy.duration_ms}

    def test_no_card_is_busy_for_longer_than_there_was(self, cards: ctypes.CDLL, source: Nvml) -> None:
        source.read()
        cards.add_sample(0, 41, 100, 90)
        cards.add_sample(0, 42, 100, 60)
        energy = energy_of(source)
        used_us = source.gpu_us_by_pid()
        assert sum(used_us.values()) == pytest.approx(1000 * energy.duration_ms, abs=2)
        assert used_us[41] > used_us[42]

    def test_what_is_not_known_of_processes_changes_no_energy(self, cards: ctypes.CDLL, source: Nvml) -> None:
        source.read()
        cards.set_energy(0, 4_000)
        assert energy_of(source).energy_mj == 4_000
        assert source.gpu_us_by_pid() == {}

    def test_the_time_of_one_span_is_not_told_again_with_a_gap(
        self, cards: ctypes.CDLL, source: Nvml
    ) -> None:
        source.read()
        cards.add_sample(0, 41, 100, 50)
        energy_of(source)
        cards.set_lost(0, 1)
        source.read()
        assert source.gpu_us_by_pid() == {}


class Named:
    """The use of a host with one process that a rule names."""

    def read(self) -> HostUse | Missing:
        return HostUse(busy_us=1000, vcpu=2, workloads={"imaging": Work(Kind.SYSTEMD, 500)})

    def workload_of(self, pid: int) -> tuple[str, Kind] | None:
        return ("imaging", Kind.SYSTEMD) if pid == 41 else None


def test_the_time_of_processes_reaches_their_workloads_in_the_reading(
    cards: ctypes.CDLL, source: Nvml
) -> None:
    sampler = Sampler([source], [], Named())
    sampler.mark(Moment.now())
    cards.set_energy(0, 9_000)
    cards.add_sample(0, 41, 100, 50)
    cards.add_sample(0, 99, 100, 25)
    time.sleep(0.1)
    sampler.sample(Moment.now())
    reading = sampler.close()
    assert reading is not None
    [use], [measured] = reading.workloads, reading.measurements
    assert measured.energy_mj == 9_000
    assert reading.gpus == 2
    assert use.name == "imaging"
    assert use.gpu_ms == pytest.approx(reading.duration_ms / 2, abs=5)
