"""CodeCarbon gives a figure without the network, and its failures are reasons."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.instrument import Energy, Missing, Roots
from collectors.sources.codecarbon import Codecarbon
from tests.collectors.trees import Host

SENTINEL = """
import os, sys

REACHES_OUT = {
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
    "socket.getnameinfo", "socket.sendto", "socket.sendmsg",
}

def note(event, arguments):
    if event in REACHES_OUT:
        with open(os.environ["NETWORK_LOG"], "a") as log:
            log.write(f"{event} {arguments!r}\\n")

sys.addaudithook(note)
with open(os.environ["NETWORK_LOG"], "a") as log:
    log.write("watching " + " ".join(sys.orig_argv[1:3]) + "\\n")
"""
START_S = 30


@pytest.fixture
def codecarbon() -> Iterator[Codecarbon]:
    source = Codecarbon(Roots(powercap=Path("/nonexistent")))
    yield source
    source.close()


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of what every Python started from here asks of the network."""
    folder = tmp_path / "sentinel"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SENTINEL)
    log = tmp_path / "network.log"
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{Path(__file__).parents[2]}")
    monkeypatch.setenv("NETWORK_LOG", str(log))
    return log


def settled(source: Codecarbon) -> Energy | Missing:
    """The first figure, or the reason why there is none, once the child has spoken."""
    source.start()
    until(source.ready)
    first = source.read()
    assert isinstance(first, Missing)
    if first.reason != "codecarbon has just started":
        return first
    time.sleep(1)
    return source.read()


def until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + START_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def children() -> list[int]:
    """The processes of this one that hold CodeCarbon."""
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in pids if b"codecarbon_child" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_it_gives_the_energy_since_the_last_read_without_asking_the_network_anything(
    codecarbon: Codecarbon, watched: Path
) -> None:
    energy = settled(codecarbon)
    assert isinstance(energy, Energy)
    assert 0 < energy.energy_mj < 2_000_000 * energy.duration_ms / 1000
    assert abs(energy.duration_ms - 1000) < 500
    events = watched.read_text().splitlines()
    assert "watching -m collectors.sources.codecarbon_child" in events
    assert [event for event in events if not event.startswith("watching ")] == []


def test_the_watch_sees_an_attempt_when_there_is_one(watched: Path) -> None:
    attempt = (
        "import socket; socket.socket().connect_ex(('127.0.0.1', 9)); socket.getaddrinfo('localhost', 9)"
    )
    subprocess.run([sys.executable, "-c", attempt], check=True)
    events = [line.split()[0] for line in watched.read_text().splitlines()]
    assert events == ["watching", "socket.connect", "socket.getaddrinfo"]


def test_a_start_that_fails_in_silence_becomes_a_reason(
    codecarbon: Codecarbon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".codecarbon.config").write_text("[codecarbon]\noutput_dir = /no/such/folder\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    failed = settled(codecarbon)
    assert isinstance(failed, Missing)
    assert "codecarbon gave no figure" in failed.reason
    assert "/no/such/folder" in failed.reason
    assert codecarbon.read() == Missing("codecarbon failed and waits to be started again")


def test_a_facility_factor_in_its_configuration_changes_nothing(
    codecarbon: Codecarbon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = "[codecarbon]\npue = 1000\nforce_cpu_power = 10\nforce_ram_power = 5\n"
    (tmp_path / ".codecarbon.config").write_text(configuration)
    monkeypatch.setenv("HOME", str(tmp_path))
    energy = settled(codecarbon)
    assert isinstance(energy, Energy)
    assert 4 * energy.duration_ms < energy.energy_mj < 20 * energy.duration_ms


def test_a_child_that_dies_leaves_a_gap_with_its_status(codecarbon: Codecarbon) -> None:
    assert isinstance(settled(codecarbon), Energy)
    (child,) = children()
    os.kill(child, signal.SIGKILL)
    assert _reason(codecarbon.read()) == "codecarbon ended with status -9"
    assert _reason(codecarbon.read()) == "codecarbon failed and waits to be started again"
    assert child not in children()


def test_a_child_that_hangs_is_replaced_after_three_reads(codecarbon: Codecarbon) -> None:
    assert isinstance(settled(codecarbon), Energy)
    os.kill(*children(), signal.SIGSTOP)
    reasons = [_reason(codecarbon.read()) for _ in range(3)]
    assert reasons[:2] == ["codecarbon did not answer within 1 s"] * 2
    assert reasons[2] == "codecarbon did not answer 3 times"


def test_a_late_answer_is_not_taken_for_the_next_one(codecarbon: Codecarbon) -> None:
    assert isinstance(settled(codecarbon), Energy)
    (child,) = children()
    os.kill(child, signal.SIGSTOP)
    assert isinstance(codecarbon.read(), Missing)
    os.kill(child, signal.SIGCONT)
    energy = codecarbon.read()
    assert isinstance(energy, Energy)
    assert energy.duration_ms >= 1000


def test_the_child_ends_with_the_process_that_started_it_however_that_ends(tmp_path: Path) -> None:
    program = """
import sys, time
from collectors.instrument import Roots
from collectors.sources.codecarbon import Codecarbon
source = Codecarbon(Roots())
source.start()
while not source.ready():
    time.sleep(0.05)
print(source._child._process.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
    until(lambda: not _alive(child))


def test_it_does_not_run_beside_readable_counters(host: Host) -> None:
    assert Codecarbon(host.roots).available() is None
    host.zone("intel-rapl:0", "package-0", 12345)
    assert "rapl reads the same ones" in str(Codecarbon(host.roots).available())


def test_the_agents_own_process_does_not_import_it() -> None:
    program = (
        "import sys, collectors.__main__; sys.exit('codecarbon' in sys.modules or 'pandas' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def _reason(result: Energy | Missing) -> str:
    assert isinstance(result, Missing)
    return result.reason


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
