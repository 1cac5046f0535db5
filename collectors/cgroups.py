"""The CPU time of control groups, version 1 (cpuacct), version 2 (cpu.stat) or both side by side.

A group's counter holds its descendants. Where both versions are mounted the same work may be counted in
both, so one hierarchy is read: the one with more groups, that is the one which tells more work apart.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = "/"
UNIT = re.compile(r"[^/]+\.(service|scope|socket|mount|swap)")
CONTAINER_ID = re.compile(r"(?:.*[-_:])?([0-9a-f]{64})(?:\.scope)?")
LXC = re.compile(r"lxc(?:\.payload[./]|/)([^/]+)")


@dataclass(frozen=True, slots=True)
class Group:
    """A group for ever: a path is used again, a path with its inode is not."""

    path: str
    inode: int


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A mounted tree of groups with CPU counters; `controller` is its name in `/proc/PID/cgroup`."""

    root: Path
    controller: str
    counter: str

    def groups(self) -> dict[Group, int]:
        """The CPU time of each group, its descendants included, in microseconds.

        The root is there where the kernel counts it.
        """
        return {
            Group(path or ROOT, inode): usage_us
            for path, inode in [("", 0), *_folders(str(self.root), "")]
            if (usage_us := self._usage_us(path)) is not None
        }

    def _usage_us(self, path: str) -> int | None:
        try:
            descriptor = os.open(f"{self.root}{path}/{self.counter}", os.O_RDONLY)
            try:
                text = os.read(descriptor, 1024)
            finally:
                os.close(descriptor)
            return int(text) // 1000 if self.controller else int(text.split(None, 2)[1])
        except (OSError, ValueError, IndexError):
            return None


def _folders(root: str, path: str) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(root + path) as entries:
            below = [(f"{path}/{entry.name}", entry.inode()) for entry in entries if _is_folder(entry)]
    except OSError:
        return
    for child, inode in below:
        yield child, inode
        yield from _folders(root, child)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def counted_hierarchy(root: Path) -> Hierarchy | None:
    """The hierarchy to read under the root of the mounts; None where none has CPU counters."""
    found = [*_mounted(root)]
    return max(found, key=lambda hierarchy: sum(1 for _ in _folders(str(hierarchy.root), "")), default=None)


def _mounted(root: Path) -> Iterator[Hierarchy]:
    for folder in (root, root / "unified"):
        if (folder / "cgroup.controllers").exists():
            yield Hierarchy(folder, "", "cpu.stat")
    for name in ("cpuacct", "cpu,cpuacct", "cpuacct,cpu"):
        if (root / name / "cpuacct.usage").exists():
            yield Hierarchy(root / name, "cpuacct", "cpuacct.usage")
            return


def exclusive(before: dict[Group, int], now: dict[Group, int]) -> dict[str, int]:
    """What each group used since, without the groups below it, in microseconds; a new group counts whole."""
    used_us = {group.path: counter_us - before.get(group, 0) for group, counter_us in now.items()}
    own_us = dict(used_us)
    for path, us in used_us.items():
        around = next((parent for parent in map(str, PurePosixPath(path).parents) if parent in own_us), None)
        if around:
            own_us[around] -= us
    return {path: max(us, 0) for path, us in own_us.items()}


def unit_of(path: str) -> str | None:
    """The systemd unit of a group: the first part below the slices that is one."""
    parts = PurePosixPath(path).parts[1:]
    for part in parts:
        if not part.endswith(".slice"):
            return part if UNIT.fullmatch(part) else None
    return None


def container_of(path: str) -> str | None:
    """The container of a group: the first 12 digits of its id, or the name of an LXC one."""
    for part in PurePosixPath(path).parts:
        if match := CONTAINER_ID.fullmatch(part):
            return match[1][:12]
    match = LXC.search(path)
    return match[1] if match else None
