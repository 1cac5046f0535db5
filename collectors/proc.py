"""What the kernel says of CPU time and of processes.

Times are integer microseconds since the start of the machine or of the process. They are read by hand, one
small file for each process that is asked about. What a process is known by (its command line, user and
executable) is read when a rule asks for it, a few times in the life of a process; the command line never
leaves this host.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
PAGE = 1 << 16
KERNEL_THREAD = 0x00200000
"""PF_KTHREAD, in the flags of a process."""


class Unreadable(Exception):
    """A file of `/proc` that should be there could not be read or understood."""


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """CPU time of all logical CPUs together, and their number."""

    busy_us: int
    total_us: int
    vcpu: int


def cpu_times(root: Path) -> CpuTimes:
    """The first lines of `stat`; raises `Unreadable`.

    Busy is user + nice + system + irq + softirq. Guest time is inside user and nice, so it counts once. Idle
    and iowait are not busy; steal, which the hypervisor gave to others, is not busy but part of the total.
    """
    try:
        with (root / "stat").open("rb") as stat:
            fields = stat.readline().split()
            vcpu = sum(1 for _ in _cpu_lines(stat))
        user, nice, system, idle, iowait, irq, softirq, steal = (
            int(field) * TICK_US for field in fields[1:9]
        )
    except (OSError, ValueError) as error:
        raise Unreadable(f"{root / 'stat'}: {error}") from None
    if fields[0] != b"cpu" or vcpu == 0:
        raise Unreadable(f"{root / 'stat'} does not begin with the times of the CPUs")
    busy_us = user + nice + system + irq + softirq
    return CpuTimes(busy_us, busy_us + idle + iowait + steal, vcpu)


def _cpu_lines(stat: Iterator[bytes]) -> Iterator[bytes]:
    for line in stat:
        if not line.startswith(b"cpu"):
            return
        yield line


@dataclass(frozen=True, slots=True)
class Key:
    """One process for ever: a pid is used again, a pid with its start is not."""

    pid: int
    start_ticks: int


@dataclass(frozen=True, slots=True)
class ProcessTimes:
    """What a process used itself (`own_us`) and what its reaped children used (`reaped_us`)."""

    key: Key
    parent_pid: int
    short_name: str
    own_us: int
    reaped_us: int
    of_kernel: bool = False


def every_pid(root: Path) -> Iterator[int]:
    """The processes and the kernel's threads there are."""
    with os.scandir(root) as folders:
        for folder in folders:
            if folder.name.isdecimal():
                yield int(folder.name)


def process(root: Path, pid: int) -> ProcessTimes | None:
    """One process; None where there is none, where it ends while it is read, or where it does not answer."""
    try:
        descriptor = os.open(f"{root}/{pid}/stat", os.O_RDONLY)
        try:
            line = os.read(descriptor, 1024)
        finally:
            os.close(descriptor)
        return _parsed(line)
    except (OSError, ValueError, IndexError):
        return None


def is_there(root: Path, pid: int) -> bool:
    """Whether there is such a process, whatever it answers."""
    return (root / str(pid)).exists()


def _parsed(line: bytes) -> ProcessTimes:
    pid, _, rest = line.partition(b" (")
    name, _, rest = rest.rpartition(b") ")
    fields = rest.split(None, 20)
    return ProcessTimes(
        key=Key(int(pid), int(fields[19])),
        parent_pid=int(fields[1]),
        short_name=name.decode(errors="replace"),
        own_us=(int(fields[11]) + int(fields[12])) * TICK_US,
        reaped_us=(int(fields[13]) + int(fields[14])) * TICK_US,
        of_kernel=bool(int(fields[6]) & KERNEL_THREAD),
    )


def control_groups(root: Path, pid: int) -> dict[str, str]:
    """The path of a process in each hierarchy: by controller name, `name=systemd`, and `` for version 2."""
    paths = {}
    for line in _read(f"{root}/{pid}/cgroup").decode(errors="replace").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        paths.update(dict.fromkeys(controllers.split(","), path))
    return paths


def command_line(root: Path, pid: int) -> str | None:
    """The arguments joined by spaces; None for a process without any."""
    text = _read(f"{root}/{pid}/cmdline").decode(errors="replace")
    return text.replace("\0", " ").strip() or None


def executable(root: Path, pid: int) -> str | None:
    """The path of the program; None where the kernel does not let it be read."""
    with suppress(OSError):
        return os.readlink(f"{root}/{pid}/exe").removesuffix(" (deleted)") or None  # noqa: PTH115
    return None


def user(root: Path, pid: int) -> str | None:
    """The name of the real user, or its number where it has no name."""
    for line in _read(f"{root}/{pid}/status").splitlines():
        if line.startswith(b"Uid:"):
            return _user_name(int(line.split()[1]))
    return None


@lru_cache(maxsize=256)
def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _read(path: str) -> bytes:
    """The whole of a small file; nothing where it cannot be read."""
    parts = []
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            while part := os.read(descriptor, PAGE):
                parts.append(part)
        finally:
            os.close(descriptor)
    except OSError:
        return b""
    return b"".join(parts)
