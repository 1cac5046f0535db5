"""The CPU time of control groups, version 1 (cpuacct), version 2 (cpu.stat) or both side by side.

A group's counter holds its descendants. Where both versions are mounted the same work may be counted in
both, so one hierarchy is read: the one with more groups, that is the one which tells more work apart.

What a group may use at most (`cpu.max`, `memory.max`, their elders) is not read: a ceiling is no reservation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = "/"
PAGE = 1 << 16
LINKS_OF_A_LEAF = 2


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

    def groups(self) -> dict[Group, int | None]:
        """The CPU time of each group, its descendants included, in microseconds; None where it gives none.

        The root is there where the kernel counts it.
        """
        root_us = self._usage_us(ROOT)
        told: dict[Group, int | None] = {} if root_us is None else {Group(ROOT, 0): root_us}
        for path, inode in _folders(str(self.root), ""):
            told[Group(path, inode)] = self._usage_us(path)
        return told

    def holds(self, group: Group) -> bool:
        """Whether the group is still there, whatever it answers."""
        try:
            return Path(self.file(group.path, ".")).stat().st_ino == group.inode
        except OSError:
            return False

    def file(self, path: str, name: str) -> str:
        """Where a file of a group is."""
        return f"{self.root}{'' if path == ROOT else path}/{name}"

    def members(self, path: str) -> list[int] | None:
        """The processes of a group itself; None where the kernel does not list them."""
        try:
            return [int(pid) for pid in _read_whole(self.file(path, "cgroup.procs")).split()]
        except (OSError, ValueError):
            return None

    def lists_members(self) -> bool:
        """Whether the processes of groups are listed, under the numbers that they have for this process.

        One that is outside the agent's own namespace of processes is listed as 0.
        """
        members = self.members(ROOT)
        return members is not None and 0 not in members

    def _usage_us(self, path: str) -> int | None:
        try:
            text = _read(self.file(path, self.counter), 1024)
            return int(text) // 1000 if self.controller else int(text.split(None, 2)[1])
        except (OSError, ValueError, IndexError):
            return None


def _read(path: str, most: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def _read_whole(path: str) -> bytes:
    """A list that the kernel hands out page by page."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(descriptor, PAGE):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _folders(root: str, path: str) -> Iterator[tuple[str, int]]:
    """Every group below a group, with its inode; a folder of two links has none, and is not listed."""
    try:
        if os.stat(root + path).st_nlink == LINKS_OF_A_LEAF:  # noqa: PTH116 - thousands of times an hour
            return
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
        if _is_unified(folder):
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
        around = next((parent for parent in parents(path) if parent in own_us), None)
        if around:
            own_us[around] -= us
    return {path: max(us, 0) for path, us in own_us.items()}


def parents(path: str) -> Iterator[str]:
    """The groups around a group, from the nearest to the root."""
    while path != ROOT:
        path = path.rpartition("/")[0] or ROOT
        yield path


def _is_unified(folder: Path) -> bool:
    return (folder / "cgroup.controllers").exists()
