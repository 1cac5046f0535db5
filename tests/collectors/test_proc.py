"""What is read of `/proc`: on files, and on this very machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors import proc
from collectors.proc import Key, ProcessTimes
from tests.collectors.trees import Host, written

XEONS = Path(__file__).parents[1] / "data/exporters/stat_two_xeons.txt"
MACHINE = Path("/proc")


def read(host: Host, pid: int) -> ProcessTimes:
    process = proc.process(host.roots.proc, pid)
    assert process is not None
    return process


def test_busy_time_counts_guests_once_and_leaves_out_idle_and_iowait(host: Host) -> None:
    written(host.roots.proc / "stat", XEONS.read_text())
    times = proc.cpu_times(host.roots.proc)
    user, nice, system, idle, iowait, irq, softirq = (
        254764110, 11797, 179539978, 8153136239, 4130255, 0, 8670797
    )  # fmt: skip
    assert times.vcpu == 24
    assert times.busy_us == (user + nice + system + irq + softirq) * proc.TICK_US
    assert times.total_us == times.busy_us + (idle + iowait) * proc.TICK_US


def test_stolen_time_is_not_busy_but_part_of_the_total(host: Host) -> None:
    written(host.roots.proc / "stat", "cpu  10 0 0 50 0 0 0 40 0 0\ncpu0 10 0 0 50 0 0 0 40 0 0\n")
    times = proc.cpu_times(host.roots.proc)
    assert (times.busy_us, times.total_us) == (10 * proc.TICK_US, 100 * proc.TICK_US)


@pytest.mark.parametrize(
    "text", ["", "cpu 1 2", "cpu  a b c d e f g h\ncpu0 1\n", "intr 1 2 3 4 5 6 7 8 9\n"]
)
def test_a_torn_file_is_refused(host: Host, text: str) -> None:
    written(host.roots.proc / "stat", text)
    with pytest.raises(proc.Unreadable):
        proc.cpu_times(host.roots.proc)


def test_a_thread_of_the_kernel_is_known_and_a_torn_process_is_there_all_the_same(host: Host) -> None:
    host.process(2, 1.0, command="kthreadd", flags=proc.KERNEL_THREAD)
    host.process(40, 1.0)
    written(host.roots.proc / "41/stat", "41 (torn) S 1")
    assert sorted(proc.every_pid(host.roots.proc)) == [2, 40, 41]
    assert [bool(read(host, pid).of_kernel) for pid in (2, 40)] == [True, False]
    assert [proc.process(host.roots.proc, pid) for pid in (41, 42)] == [None, None]
    assert [proc.is_there(host.roots.proc, pid) for pid in (41, 42)] == [True, False]


def test_a_name_with_brackets_and_spaces_is_read_whole(host: Host) -> None:
    stat = "50 (a) b (c) S 7 1 1 0 -1 0 0 0 0 0 100 50 30 20 20 0 1 0 900 0 0"
    written(host.roots.proc / "50/stat", stat)
    process = read(host, 50)
    assert (process.key, process.short_name, process.parent_pid) == (Key(50, 900), "a) b (c", 7)
    assert (process.own_us, process.reaped_us) == (150 * proc.TICK_US, 50 * proc.TICK_US)


def test_this_process_is_found_with_its_time_its_user_and_its_command() -> None:
    ended_at = time.process_time() + 0.05
    while time.process_time() < ended_at:
        pass
    me = proc.process(MACHINE, os.getpid())
    assert me is not None
    assert abs(me.own_us / 1e6 - time.process_time()) < 0.1
    assert me.parent_pid == os.getppid()
    assert "python" in str(proc.command_line(MACHINE, os.getpid()))
    assert Path(str(proc.executable(MACHINE, os.getpid()))).samefile(sys.executable)
    assert proc.user(MACHINE, os.getpid()) == subprocess.check_output(["id", "-un"], text=True).strip()


def test_what_a_child_used_is_its_parents_reaped_time_once_it_has_ended() -> None:
    before = proc.process(MACHINE, os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(8_000_000))"], check=True)
    after = proc.process(MACHINE, os.getpid())
    assert before is not None
    assert after is not None
    assert after.reaped_us > before.reaped_us


def test_a_process_that_is_gone_tells_nothing(host: Host) -> None:
    assert proc.command_line(host.roots.proc, 99) is None
    assert proc.executable(host.roots.proc, 99) is None
    assert proc.user(host.roots.proc, 99) is None
    assert proc.control_groups(host.roots.proc, 99) == {}


def test_the_groups_of_a_process_are_known_by_controller(host: Host) -> None:
    groups = "4:cpu,cpuacct:/docker/ab\n1:name=systemd:/system.slice/x.service\n0::/y"
    host.process(60, 0, groups=groups)
    assert proc.control_groups(host.roots.proc, 60) == {
        "cpu": "/docker/ab",
        "cpuacct": "/docker/ab",
        "name=systemd": "/system.slice/x.service",
        "": "/y",
    }
