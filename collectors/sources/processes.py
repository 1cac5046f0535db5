"""Processes: the CPU time of each named workload, from control groups first, then from processes.

A control group that a rule names (by systemd unit, path or container) brings its own counter, so that a
process that lives less than a sample counts as well; what an earlier rule takes from it by process (a
command, a user) is taken out of the counter. Where no rule names the group, each process counts its own time
and that of the children it reaped: their time is not lost with them, and what was already counted of a child
while it lived is taken out again. Whoever reaped a vanished process is unknown, so each of its ancestors is
taken to have; and a child may have worked in another group (init reaps what services leave), so no more is
taken than its own group used beyond its living processes. Time may go unattributed that way, but is never
counted twice.

A process is its pid and its start. What it is known by is read again each minute and when its name changes
(a program started by exec, a process moved to its unit). The kernel's own threads are not listed: their time
is in the busy time and stays unattributed, as does what no rule names.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from collectors import proc
from collectors.cgroups import ROOT, Group, container_of, counted_hierarchy, exclusive, unit_of
from collectors.instrument import Missing, Roots
from collectors.proc import CpuTimes, Key, ProcessTimes
from collectors.reading import Kind
from collectors.rules import OF_GROUPS, Match, Rules

IDENTITY_S = 60.0
"""How long what a process is known by is trusted."""


@dataclass(frozen=True, slots=True)
class CpuUse:
    """CPU time since the last read, in microseconds; `workloads` by name, with what named each.

    The kernel may count busy time by sampling ticks, and the time of processes and groups to the nanosecond:
    workloads may add up to more than busy. Whoever closes an interval settles it.
    """

    busy_us: int
    vcpu: int
    workloads: dict[str, int]
    kinds: dict[str, Kind]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the kernel has counted up to one moment."""

    times: CpuTimes
    processes: dict[Key, ProcessTimes]
    groups: dict[Group, int]


@dataclass(frozen=True, slots=True)
class Identity:
    """What names a process: a rule's match, and the path of the group that counts it."""

    match: Match | None
    group: str | None
    short_name: str
    read_at_s: float


class Processes:
    """Reads the CPU time of workloads under the given roots."""

    def __init__(self, roots: Roots, rules: Rules) -> None:
        self._roots = roots
        self._rules = rules
        self._hierarchy = counted_hierarchy(roots.cgroup)
        self._identities: dict[Key, Identity] = {}
        self._group_matches: dict[str, Match | None] = {}
        self._last: Snapshot | None = None

    def available(self) -> str | None:
        """None where the CPU times can be read here, else the reason why not."""
        try:
            proc.cpu_times(self._roots.proc)
        except proc.Unreadable as reason:
            return str(reason)
        return None

    def read(self) -> CpuUse | Missing:
        """The use since the last read; the first read only starts a span."""
        try:
            now = self._snapshot()
        except (proc.Unreadable, OSError) as reason:
            return Missing(str(reason))
        self._identify(now.processes)
        before, self._last = self._last, now
        if before is None:
            return Missing("the first read of the CPU times")
        if now.times.busy_us < before.times.busy_us:
            return Missing("the CPU times went backwards")
        return self._use(before, now)

    def _snapshot(self) -> Snapshot:
        times = proc.cpu_times(self._roots.proc)
        groups = self._hierarchy.groups() if self._hierarchy else {}
        if groups:
            groups = {Group(ROOT, 0): times.busy_us} | groups
        return Snapshot(times, proc.processes(self._roots.proc), groups)

    def _use(self, before: Snapshot, now: Snapshot) -> CpuUse:
        matches = self._named_groups(now.groups)
        left_us = exclusive(before.groups, now.groups)
        used: Counter[str] = Counter()
        kinds: dict[str, Kind] = {}
        for match, used_us in self._process_shares(before, now, matches, left_us):
            used[match.name] += used_us
            kinds.setdefault(match.name, match.kind)
        for path, match in matches.items():
            used[match.name] += left_us[path]
            kinds.setdefault(match.name, match.kind)
        busy_us = now.times.busy_us - before.times.busy_us
        return CpuUse(busy_us, now.times.vcpu, {name: us for name, us in used.items() if us > 0}, kinds)

    def _process_shares(
        self, before: Snapshot, now: Snapshot, matches: dict[str, Match], left_us: dict[str, int]
    ) -> Iterator[tuple[Match, int]]:
        """What each process brings to its workload, taken out of what is left of its group."""
        spans = spent(before.processes, now.processes)
        vanished_us = self._beyond_the_living(spans, left_us)
        for key, (own_us, reaped_us) in spans.items():
            match, path = self._identities[key].match, self._identities[key].group
            group = matches.get(path or "")
            if match is None or (group and match.rank >= group.rank):
                continue
            if path in vanished_us:
                reaped_us = min(reaped_us, vanished_us[path])
                vanished_us[path] -= reaped_us
            used_us = own_us + reaped_us
            if group and path:
                used_us = min(used_us, left_us[path])
                left_us[path] -= used_us
            yield match, used_us

    def _beyond_the_living(self, spans: dict[Key, Span], used_us: dict[str, int]) -> dict[str, int]:
        """What each group used beyond its living processes: the most that they can have reaped in it."""
        beyond_us = dict(used_us)
        for key, span in spans.items():
            path = self._identities[key].group
            if path in beyond_us:
                beyond_us[path] = max(beyond_us[path] - span.own_us, 0)
        return beyond_us

    def _identify(self, processes: dict[Key, ProcessTimes]) -> None:
        now_s = time.monotonic()
        for gone in self._identities.keys() - processes.keys():
            del self._identities[gone]
        for key, process in processes.items():
            known = self._identities.get(key)
            stale = known is None or now_s - known.read_at_s >= IDENTITY_S
            if known is None or stale or known.short_name != process.short_name:
                self._identities[key] = self._identity(process, now_s)

    def _identity(self, process: ProcessTimes, now_s: float) -> Identity:
        paths = proc.control_groups(self._roots.proc, process.key.pid)
        group = paths.get(self._hierarchy.controller) if self._hierarchy else None
        match = self._rules.match(ProcessTraits(self._roots, process, paths))
        return Identity(match, group, process.short_name, now_s)

    def _named_groups(self, groups: dict[Group, int]) -> dict[str, Match]:
        known = self._group_matches
        self._group_matches = {
            group.path: known[group.path] if group.path in known else self._group_match(group.path)
            for group in groups
        }
        return {path: match for path, match in self._group_matches.items() if match}

    def _group_match(self, path: str) -> Match | None:
        return self._rules.match(lambda kind: group_trait(kind, path))


class ProcessTraits:
    """What rules may ask of a process, read when they ask."""

    def __init__(self, roots: Roots, process: ProcessTimes, paths: dict[str, str]) -> None:
        self._roots = roots
        self._process = process
        self._paths = paths
        self._known: dict[Kind, str | None] = {}

    def __call__(self, kind: Kind) -> str | None:
        if kind not in self._known:
            self._known[kind] = self._of_group(kind) if kind in OF_GROUPS else self._of_process(kind)
        return self._known[kind]

    def _of_group(self, kind: Kind) -> str | None:
        """From the systemd hierarchy or version 2 first: they hold the units whatever the controllers do."""
        ordered = [self._paths.get("name=systemd"), self._paths.get(""), *self._paths.values()]
        return next((trait for path in ordered if path and (trait := group_trait(kind, path))), None)

    def _of_process(self, kind: Kind) -> str | None:
        root, pid = self._roots.proc, self._process.key.pid
        if kind is Kind.COMMAND:
            return proc.command_line(root, pid)
        if kind is Kind.EXECUTABLE:
            return proc.executable(root, pid) or self._process.short_name
        return proc.user(root, pid)


def group_trait(kind: Kind, path: str) -> str | None:
    """What the path of a control group says; the root group says nothing."""
    if kind is Kind.SYSTEMD:
        return unit_of(path)
    if kind is Kind.CONTAINER:
        return container_of(path)
    return path if kind is Kind.CGROUP and path != "/" else None


class Span(NamedTuple):
    """What a living process used between two reads, and what it reaped that was not yet counted."""

    own_us: int
    reaped_us: int


def spent(before: dict[Key, ProcessTimes], now: dict[Key, ProcessTimes]) -> dict[Key, Span]:
    """What each living process used since, and the children it reaped, in microseconds."""
    counted_us = _counted_of_vanished(before, now)
    spans = {}
    for key, process in now.items():
        earlier = before.get(key)
        own_us = process.own_us - (earlier.own_us if earlier else 0)
        reaped_us = process.reaped_us - (earlier.reaped_us if earlier else 0) - counted_us[key]
        spans[key] = Span(max(own_us, 0), max(reaped_us, 0))
    return spans


def _counted_of_vanished(before: dict[Key, ProcessTimes], now: dict[Key, ProcessTimes]) -> Counter[Key]:
    """For each living process, what was already counted of its descendants that have vanished."""
    by_pid = {key.pid: key for key in before}
    counted_us: Counter[Key] = Counter()
    for gone in before.keys() - now.keys():
        total_us = before[gone].own_us + before[gone].reaped_us
        for ancestor in _ancestors(gone, before, by_pid):
            if ancestor in now:
                counted_us[ancestor] += total_us
    return counted_us


def _ancestors(key: Key, processes: dict[Key, ProcessTimes], by_pid: dict[int, Key]) -> Iterator[Key]:
    seen = {key}
    parent = by_pid.get(processes[key].parent_pid)
    while parent and parent not in seen:
        yield parent
        seen.add(parent)
        parent = by_pid.get(processes[parent].parent_pid)
