"""Processes: the CPU time of each named workload, from control groups first, then from processes.

A control group that a rule names (by systemd unit, path or container) brings its own counter, so that a
process that lives less than a sample counts as well; what an earlier rule takes from it by process (a
command, a user) is taken out of the counter. Where no rule names the group, each process counts its own time
and that of the children it reaped: their time is not lost with them, and what was already counted of a child
while it lived is taken out again. Whoever reaped a vanished process is unknown, so each of its ancestors is
taken to have; and a child may have worked in another group (init reaps what services leave), so no more is
taken than its own group used beyond its living processes. Time may go unattributed that way, but is never
counted twice.

Reading every process costs more than reading every group, so processes are read only where a group does not
speak for them: those of groups that no rule names, and all of a named group if an earlier rule takes one of
its processes. Of the other named groups the kernel's lists of processes alone are read, to find new ones that
an earlier rule may take; of those that no earlier rule can divide, or where nothing ran since, not even that.
Where the kernel does not list the processes of groups all are read.

A process is its pid and its start. What it is known by is read again each minute in which it ran and when its
name changes (a program started by exec, a process moved to its unit); of one that its group speaks for, its
name is looked at each minute and the rest every ten. The kernel's own threads are not listed: their time
is in the busy time and stays unattributed, as does what no rule names.

A group or a process that does not answer once keeps what it had counted; what it used meanwhile comes with
its next answer, never its whole life.

Nothing is told as set aside: the kernel knows ceilings (`cpu.max`, `memory.max`) and weights, and neither is
a reservation. One unit with a quota would be all that is reserved on the host, and decide who carries its
idle energy.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from collectors import cgroup_names, machine, proc
from collectors.cgroups import ROOT, Group, counted_hierarchy, exclusive, parents
from collectors.container_names import ContainerNames, Named
from collectors.instrument import HostUse, Missing, Roots, Work
from collectors.proc import CpuTimes, Key, ProcessTimes
from collectors.reading import Kind
from collectors.rules import OF_GROUPS, Match, Rules, Sign

IDENTITY_S = 60.0
"""How long what a process is known by is trusted."""

BYSTANDER_S = 600.0
"""The same of a process that its group speaks for, unless its name changes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the kernel has counted up to one moment; `passed_over` are processes that were seen, not read.

    The groups that are `silent` are there and never told what they counted.
    """

    times: CpuTimes
    processes: dict[Key, ProcessTimes]
    groups: dict[Group, int]
    silent: Set[Group]
    passed_over: Set[int]


@dataclass(frozen=True, slots=True)
class Identity:
    """What names a process: a rule's match, and the path of the group that counts it."""

    match: Match | None
    group: str | None
    short_name: str
    own_us: int
    read_at_s: float

    def is_still(self, process: ProcessTimes, now_s: float) -> bool:
        """Whether it holds: what did not run since is what it was."""
        ran = self.own_us != process.own_us
        return self.short_name == process.short_name and not (ran and now_s - self.read_at_s >= IDENTITY_S)


@dataclass(frozen=True, slots=True)
class Bystander:
    """A process that no earlier rule took from its group; when it was named, and looked at last."""

    key: Key
    short_name: str
    named_at_s: float
    looked_at_s: float

    def is_still(self, process: ProcessTimes, now_s: float) -> bool:
        """Whether it is the same process under the same name; what it is known by is asked now and then."""
        same = (self.key, self.short_name) == (process.key, process.short_name)
        return same and now_s - self.named_at_s < BYSTANDER_S


@dataclass(slots=True)
class Walk:
    """Which processes are to be read, None for all, and which are spoken for by their group."""

    pids: list[int] | None = None
    passed_over: set[int] = field(default_factory=set)


class Processes:
    """Reads the CPU time of workloads under the given roots."""

    def __init__(self, roots: Roots, rules: Rules) -> None:
        self._roots = roots
        self._rules = rules
        self._hierarchy = counted_hierarchy(roots.cgroup)
        self._names = ContainerNames(roots.container_logs, roots.docker)
        self._container_names: dict[str, Named] = {}
        self._ram_mb = machine.ram_mb(roots.proc)
        self._identities: dict[Key, Identity] = {}
        self._members: dict[str, list[int]] = {}
        self._listed: bool | None = None
        self._bystanders: dict[int, Bystander] = {}
        self._kernel_threads: set[int] = set()
        self._group_matches: dict[str, Match | None] = {}
        self._looked_again_s = time.monotonic()
        self._last: Snapshot | None = None

    def available(self) -> str | None:
        """None where the CPU times can be read here, else the reason why not."""
        try:
            proc.cpu_times(self._roots.proc)
        except proc.Unreadable as reason:
            return str(reason)
        return None

    def read(self) -> HostUse | Missing:
        """The use since the last read; the first read only starts a span."""
        self._look_again()
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

    def workload_of(self, pid: int) -> tuple[str, Kind] | None:
        """The workload that a process belongs to, whether it is read or its group speaks for it."""
        process = proc.process(self._roots.proc, pid)
        if process is None:
            return None
        known = self._identities.get(process.key) or self._identity(process, time.monotonic())
        group = self._group_matches.get(known.group or "")
        named = [match for match in (known.match, group) if match]
        first = min(named, key=lambda match: match.rank, default=None)
        return (first.name, first.kind) if first else None

    def _look_again(self) -> None:
        """Forget once a minute what may change without a sign."""
        now_s = time.monotonic()
        if now_s - self._looked_again_s >= IDENTITY_S:
            self._looked_again_s = now_s
            self._container_names.clear()
            self._listed = None
            self._kernel_threads.clear()
            self._choose_again()

    def _choose_again(self) -> None:
        """Of two hierarchies the one that tells more apart is read, which it may have begun to do since.

        What its groups counted before is not known to be new, so their next span begins here.
        """
        chosen = counted_hierarchy(self._roots.cgroup)
        if chosen == self._hierarchy:
            return
        self._hierarchy = chosen
        self._identities.clear()
        self._bystanders.clear()
        self._members.clear()
        self._group_matches.clear()
        if self._last:
            groups, silent = self._groups(self._last.times, {})
            self._last = replace(self._last, groups=groups, silent=silent)

    def _groups(self, times: CpuTimes, known: dict[Group, int]) -> tuple[dict[Group, int], set[Group]]:
        """What each group has counted, and those that never told; the root counts as the machine where the
        kernel counts it not.

        One that does not answer now keeps what it had counted, and so do those around it: what they used
        since cannot be told apart.
        """
        told = self._hierarchy.groups() if self._hierarchy else {}
        groups = {group: counted_us for group, counted_us in told.items() if counted_us is not None}
        unheard = known.keys() - groups.keys() - {Group(ROOT, 0)}
        waiting = [group for group in unheard if self._hierarchy and self._hierarchy.holds(group)]
        groups |= {group: known[group] for group in waiting}
        around = {parent for group in waiting for parent in parents(group.path)}
        groups |= {group: known[group] for group in groups.keys() & known.keys() if group.path in around}
        if groups:
            groups = {Group(ROOT, 0): times.busy_us} | groups
        return groups, told.keys() - groups.keys()

    def _snapshot(self) -> Snapshot:
        times = proc.cpu_times(self._roots.proc)
        groups, silent = self._groups(times, self._last.groups if self._last else {})
        walk = self._walk(groups)
        found, torn = self._read(proc.every_pid(self._roots.proc) if walk.pids is None else walk.pids)
        known = self._last.processes if self._last else {}
        kept = {key: times for key, times in known.items() if key.pid in torn}
        passed_over = walk.passed_over | (torn - {key.pid for key in kept})
        return Snapshot(times, found | kept, groups, silent, passed_over)

    def _read(self, pids: Iterable[int]) -> tuple[dict[Key, ProcessTimes], set[int]]:
        """These processes, and those among them that are there and do not answer.

        Threads of the kernel among them are remembered, and not read for a minute.
        """
        found, torn = {}, set()
        for pid in pids:
            process = proc.process(self._roots.proc, pid)
            if process is None:
                if proc.is_there(self._roots.proc, pid):
                    torn.add(pid)
            elif process.of_kernel:
                self._kernel_threads.add(pid)
            else:
                found[process.key] = process
        return found, torn

    def _walk(self, groups: dict[Group, int]) -> Walk:
        matches = self._named_groups(groups)
        if not self._hierarchy or not groups or not self._lists_members():
            return Walk()
        taken_from = {known.group for known in self._identities.values() if self._takes(known)}
        walk = Walk([])
        for group, used_us in groups.items():
            path = group.path
            match = matches.get(path)
            if match and not self._divided(match):
                continue
            idle = match is not None and self._last is not None and self._last.groups.get(group) == used_us
            members = self._members_of(path, idle)
            if match and path not in taken_from and (idle or not self._takes_any(members, match)):
                walk.passed_over.update(members)
            elif walk.pids is not None:
                walk.pids += [pid for pid in members if pid not in self._kernel_threads]
        self._members = {
            group.path: self._members[group.path] for group in groups if group.path in self._members
        }
        self._bystanders = {pid: one for pid, one in self._bystanders.items() if pid in walk.passed_over}
        return walk

    def _lists_members(self) -> bool:
        if self._listed is None:
            self._listed = bool(self._hierarchy and self._hierarchy.lists_members())
        return self._listed

    def _members_of(self, path: str, idle: bool) -> list[int]:
        """The processes of a group; of one in which nothing ran since, as they were listed last."""
        if self._hierarchy and not (idle and path in self._members):
            listed = self._hierarchy.members(path)
            self._members[path] = self._members.get(path, []) if listed is None else listed
        return self._members[path]

    def _divided(self, match: Match) -> bool:
        """Whether an earlier rule may take processes out of a group that this one names.

        Under version 1 an earlier rule may know a process by its group in another hierarchy.
        """
        elsewhere = bool(self._hierarchy and self._hierarchy.controller) and match.rank > 0
        return elsewhere or self._rules.ask_of_processes_before(match.rank)

    def _takes(self, known: Identity) -> bool:
        group = self._group_matches.get(known.group or "")
        return bool(known.match and group and known.match.rank < group.rank)

    def _takes_any(self, members: list[int], group: Match) -> bool:
        """Whether an earlier rule takes one of these; those that none took a minute ago are not asked."""
        now_s = time.monotonic()
        for pid in members:
            known = self._bystanders.get(pid)
            if known and now_s - known.looked_at_s < IDENTITY_S:
                continue
            process = proc.process(self._roots.proc, pid)
            if process is None:
                continue
            if known is None or not known.is_still(process, now_s):
                match = self._identity(process, now_s).match
                if match and match.rank < group.rank:
                    return True
                known = Bystander(process.key, process.short_name, now_s, now_s)
            self._bystanders[pid] = replace(known, looked_at_s=now_s)
        return False

    def _use(self, before: Snapshot, now: Snapshot) -> HostUse:
        matches = self._named_groups(now.groups)
        first_told = {group: counted_us for group, counted_us in now.groups.items() if group in before.silent}
        left_us = exclusive(before.groups | first_told, now.groups)
        used: Counter[str] = Counter()
        kinds: dict[str, Kind] = {}
        for match, used_us in self._process_shares(before, now, matches, left_us):
            used[match.name] += used_us
            kinds.setdefault(match.name, match.kind)
        for path, match in matches.items():
            used[match.name] += left_us[path]
            kinds.setdefault(match.name, match.kind)
        works = {name: Work(kinds[name], us) for name, us in used.items() if us > 0}
        busy_us = now.times.busy_us - before.times.busy_us
        return HostUse(busy_us, now.times.vcpu, works, self._ram_mb)

    def _process_shares(
        self, before: Snapshot, now: Snapshot, matches: dict[str, Match], left_us: dict[str, int]
    ) -> Iterator[tuple[Match, int]]:
        """What each process brings to its workload, taken out of what is left of its group."""
        spans = self._spans(before, now, left_us)
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

    def _spans(self, before: Snapshot, now: Snapshot, left_us: dict[str, int]) -> dict[Key, Span]:
        """What each process that was read used; of one first read now, no more than its group did.

        One that was there before and was not read begins to count now: its time so far was its group's.
        """
        unread = before.processes.keys() - now.processes.keys()
        elsewhere = {key for key in unread if self._lives(key)}
        spans = spent(before.processes, now.processes, elsewhere)
        for key in now.processes.keys() - before.processes.keys():
            path = self._identities[key].group
            if key.pid in before.passed_over:
                spans[key] = Span(0, 0)
            elif path in left_us:
                spans[key] = Span(min(spans[key].own_us, left_us[path]), spans[key].reaped_us)
        return spans

    def _lives(self, key: Key) -> bool:
        process = proc.process(self._roots.proc, key.pid)
        return process is not None and process.key == key

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
            if known is None or not known.is_still(process, now_s):
                self._identities[key] = self._identity(process, now_s)

    def _identity(self, process: ProcessTimes, now_s: float) -> Identity:
        paths = proc.control_groups(self._roots.proc, process.key.pid)
        group = paths.get(self._hierarchy.controller) if self._hierarchy else None
        match = self._rules.match(ProcessTraits(self._roots, process, paths, self._group_trait))
        return Identity(match, group, process.short_name, process.own_us, now_s)

    def _named_groups(self, groups: dict[Group, int]) -> dict[str, Match]:
        known = self._group_matches
        self._group_matches = {
            group.path: known[group.path] if group.path in known else self._group_match(group.path)
            for group in groups
        }
        return {path: match for path, match in self._group_matches.items() if match}

    def _group_match(self, path: str) -> Match | None:
        return self._rules.match(lambda sign: self._group_trait(sign, path))

    def _group_trait(self, sign: Sign, path: str) -> str | None:
        """What is known of a group: by its path, or by the names that its container's files tell."""
        if sign in (Sign.CONTAINER_NAME, Sign.POD_NAME):
            identity = cgroup_names.container_id_of(path)
            named = self._named(identity) if identity else Named()
            return named.container if sign is Sign.CONTAINER_NAME else named.pod
        return group_trait(sign, path)

    def _named(self, container_id: str) -> Named:
        if container_id not in self._container_names:
            self._container_names[container_id] = self._names.of(container_id)
        return self._container_names[container_id]


class ProcessTraits:
    """What rules may ask of a process, read when they ask."""

    def __init__(
        self,
        roots: Roots,
        process: ProcessTimes,
        paths: dict[str, str],
        group_trait: Callable[[Sign, str], str | None],
    ) -> None:
        self._roots = roots
        self._process = process
        self._paths = _telling(paths)
        self._group_trait = group_trait
        self._known: dict[Sign, str | None] = {}

    def __call__(self, sign: Sign) -> str | None:
        if sign not in self._known:
            self._known[sign] = self._of_group(sign) if sign in OF_GROUPS else self._of_process(sign)
        return self._known[sign]

    def _of_group(self, sign: Sign) -> str | None:
        return next((trait for path in self._paths if (trait := self._group_trait(sign, path))), None)

    def _of_process(self, sign: Sign) -> str | None:
        root, pid = self._roots.proc, self._process.key.pid
        if sign is Sign.COMMAND:
            return proc.command_line(root, pid)
        if sign is Sign.EXECUTABLE:
            return proc.executable(root, pid) or self._process.short_name
        return proc.user(root, pid)


def group_trait(sign: Sign, path: str) -> str | None:
    """What the path of a control group says; the root group says nothing."""
    if sign is Sign.SYSTEMD:
        return cgroup_names.unit_of(path)
    if sign is Sign.CONTAINER:
        return cgroup_names.container_of(path)
    if sign is Sign.POD:
        return cgroup_names.pod_of(path)
    if sign is Sign.VM:
        return cgroup_names.machine_of(path)
    return path if sign is Sign.CGROUP and path != ROOT else None


def _telling(paths: dict[str, str]) -> list[str]:
    """Each path but the root, those of the systemd hierarchy and of version 2 first.

    They hold the units, whatever the controllers do.
    """
    ordered = dict.fromkeys([paths.get("name=systemd"), paths.get(""), *paths.values()])
    return [path for path in ordered if path and path != ROOT]


class Span(NamedTuple):
    """What a living process used between two reads, and what it reaped that was not yet counted."""

    own_us: int
    reaped_us: int


def spent(
    before: dict[Key, ProcessTimes], now: dict[Key, ProcessTimes], elsewhere: Set[Key] = frozenset()
) -> dict[Key, Span]:
    """What each living process used since, and the children it reaped, in microseconds.

    Those `elsewhere` live and were not read this time.
    """
    counted_us = _counted_of_vanished(before, now, elsewhere)
    spans = {}
    for key, process in now.items():
        earlier = before.get(key)
        own_us = process.own_us - (earlier.own_us if earlier else 0)
        reaped_us = process.reaped_us - (earlier.reaped_us if earlier else 0) - counted_us[key]
        spans[key] = Span(max(own_us, 0), max(reaped_us, 0))
    return spans


def _counted_of_vanished(
    before: dict[Key, ProcessTimes], now: dict[Key, ProcessTimes], elsewhere: Set[Key]
) -> Counter[Key]:
    """For each living process, what was already counted of its descendants that have vanished."""
    by_pid = {key.pid: key for key in before}
    counted_us: Counter[Key] = Counter()
    for gone in before.keys() - now.keys() - elsewhere:
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
