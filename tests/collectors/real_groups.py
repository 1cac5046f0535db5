"""Control groups of this very machine, for tests and measurements that may make some."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOUNTS = Path("/sys/fs/cgroup")


def counting_root() -> Path | None:
    """The hierarchy with CPU counters, version 2 or cpuacct of version 1, where groups can be made in it."""
    unified = [MOUNTS] if (MOUNTS / "cgroup.controllers").exists() else []
    found = [*unified, MOUNTS / "cpuacct", MOUNTS / "cpu,cpuacct"]
    root = next((one for one in found if one.exists()), None)
    return root if root and os.access(root, os.W_OK) else None


@contextmanager
def group(path: Path) -> Iterator[Path]:
    """A control group, removed at the end."""
    path.mkdir()
    yield path
    for _ in range(100):
        try:
            path.rmdir()
            return
        except OSError:  # the kernel still ends what was in it
            time.sleep(0.05)


def join(path: Path, pid: int) -> None:
    """Move a process into a group."""
    (path / "cgroup.procs").write_text(str(pid))


def counted_s(path: Path) -> float:
    """CPU time of a group and of all that it started."""
    version_1 = path / "cpuacct.usage"
    if version_1.exists():
        return int(version_1.read_text()) / 1e9
    return int((path / "cpu.stat").read_text().split()[1]) / 1e6
