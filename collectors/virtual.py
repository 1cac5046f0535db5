"""What a hypervisor tells of its hosts and of the virtual machines that run on them, whatever its kind.

A hypervisor tells, for each of its hosts, what was used since the last read: of the host and of each machine
that runs on it. What a machine waited for a CPU (ready, steal) is told beside and never counts as use. A
machine that is off is not told. One that moves is told by each host for the time that host saw; its `uid`
goes with it.

Where a hypervisor has cumulative counters, `spent` says what two reads of one are worth: of a machine whose
counter began again nothing is known for this time, and its host's own total is the same.

Names must tell machines apart, on one host and where a machine moves to: two that share one are told with
their marks. A uid that machines of different names claim (a restore beside the original) tells none of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from collectors.instrument import Energy, HostUse, Missing, NoSettings, Work
from collectors.reading import LONGEST_NAME, Facts, Kind

LONGEST_UID = 64
REMEMBERED_S = 3600.0
EXTRA_THREADS = 1
"""What a machine may use beyond its vCPUs: the threads that emulate its devices."""
BELIEVED = 2
"""How many times what its vCPUs can use is believed of a machine that is known."""
MOST_SHOWN = 20
TOO_MUCH = "more CPU time than its vCPUs can have used"

FIRST_READ = Missing("the first read: what was counted before belongs to no interval")
"""What a host is told with when it is met: from here on it is watched."""


class Unreachable(Exception):
    """The hypervisor did not answer, or not what it should; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A virtual machine that runs: what it used of its host since the last read, and what it reserves.

    `cpu_us` is None where that cannot be told, with the reason in `missing`. `mark` is a short text that
    tells it from another of the same name.
    """

    name: str
    uid: str | None
    mark: str
    vcpu: int
    cpu_us: int | None
    ram_mb: int | None = None
    steal_us: int | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class HostSpan:
    """What one host did in the `covered_us` since the last read, as its hypervisor tells it.

    `vcpu` are its logical CPUs, on so many `cores` where that is told. `load` is its utilisation from 0 to 1
    where the hypervisor tells it otherwise than by busy time. `energy` is what the platform itself measured,
    None where it measures none.
    """

    covered_us: int
    vcpu: int
    busy_us: int
    guests: tuple[Guest, ...]
    facts: Facts = field(default_factory=Facts)
    load: float | None = None
    cores: int | None = None
    energy: Energy | Missing | None = None

    @property
    def utilisation(self) -> float:
        """From 0 to 1."""
        if self.load is not None:
            return min(max(self.load, 0.0), 1.0)
        used_us = max(self.busy_us, sum(guest.cpu_us or 0 for guest in self.guests))
        return min(used_us / max(self.covered_us * self.vcpu, 1), 1.0)


class Hypervisor(ABC):
    """Who runs virtual machines on one host or on many, and tells of them all at once.

    Its file is its manual. It is asked every `every_s` seconds, or as often as the agent samples, and tells
    the time since it was last asked; `tells_power` where hosts with a sensor may pass its figures on.
    """

    name: ClassVar[str]
    settings: ClassVar[type] = NoSettings
    every_s: ClassVar[float] = 0.0
    tells_power: ClassVar[bool] = False

    @classmethod
    def is_here(cls, settings: object) -> bool:
        """Whether its hosts are the machine that the agent runs on."""
        return False

    @abstractmethod
    def available(self) -> str | None:
        """None where this kind can be read from here, else the reason why it cannot."""

    @abstractmethod
    def read(self) -> Mapping[str, HostSpan | Missing]:
        """Each host by name; raises `Unreachable`. What the first read meets only starts a span."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of the connection."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The cumulative times of one machine on one host; another `epoch` is another run, from 0 again."""

    epoch: str
    cpu_us: int
    steal_us: int | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a machine used and waited for between two reads of its counter."""

    cpu_us: int
    steal_us: int | None


def spent(before: Counted | None, now: Counted, vcpu: int, longest_us: int) -> Spent | Missing:
    """What a machine used between two reads of its host, of which the first began `longest_us` ago.

    A counter that went on is believed, but for what no machine of its size can use: its emulator has threads
    beside the vCPUs, and it may be read a little later than the last time. One that was not there then, or
    runs anew, counts whole: it was born or arrived since. That is believed only where it can have used so
    much meanwhile, or a counter that travels with a machine would count twice.
    """
    known = before is not None and before.epoch == now.epoch
    if before is None or not known:
        before = Counted(now.epoch, 0, None if now.steal_us is None else 0)
    cpu_us = now.cpu_us - before.cpu_us
    if cpu_us < 0:
        return Missing("its CPU time began again")
    if cpu_us > most_cpu_us(vcpu, longest_us) * (BELIEVED if known else 1):
        return Missing(TOO_MUCH)
    steal_us = None
    if now.steal_us is not None and before.steal_us is not None and now.steal_us >= before.steal_us:
        steal_us = now.steal_us - before.steal_us
    return Spent(cpu_us, steal_us)


def most_cpu_us(vcpu: int, longest_us: int) -> int:
    """What a machine can have used at most in so long."""
    return (vcpu + EXTRA_THREADS) * longest_us


class Names:
    """The names of the machines of one manager: they tell machines apart, now and over the last hour.

    A machine that was made anew under the name of another is told with its mark for an hour, or an interval
    would give the use of one to the other.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def told_apart(
        self, hosts: Mapping[str, HostSpan | Missing], now_s: float
    ) -> dict[str, HostSpan | Missing]:
        """The hosts, with names that tell their machines apart and uids that can be trusted."""
        names_of_uid: defaultdict[str, set[str]] = defaultdict(set)
        for guest in _guests(hosts):
            self._seen[printable(guest.name), guest.uid or guest.mark] = now_s
            if guest.uid:
                names_of_uid[guest.uid].add(guest.name)
        self._seen = {key: seen_s for key, seen_s in self._seen.items() if now_s - seen_s <= REMEMBERED_S}
        bearers = Counter(name for name, _ in self._seen)

        def told(guest: Guest) -> Guest:
            name = printable(guest.name)
            if bearers[name] > 1:
                name = f"{name[: LONGEST_NAME - len(guest.mark) - 3]} [{guest.mark}]"
            trusted = guest.uid is not None and len(names_of_uid[guest.uid]) == 1
            return replace(guest, name=name, uid=guest.uid if trusted else None)

        return {
            host: span if isinstance(span, Missing) else replace(span, guests=tuple(map(told, span.guests)))
            for host, span in hosts.items()
        }


def _guests(hosts: Mapping[str, HostSpan | Missing]) -> Iterable[Guest]:
    for span in hosts.values():
        if isinstance(span, HostSpan):
            yield from span.guests


def printable(name: str) -> str:
    """A name as the wire takes it."""
    return "".join(letter if letter.isprintable() else " " for letter in name)[:LONGEST_NAME] or "unnamed"


def misspelt(named: Iterable[str], told: Iterable[str]) -> list[str]:
    """What to say of hosts that were named, in small letters, and that their hypervisor does not tell of."""
    known = sorted(name.lower() for name in told)
    shown = ", ".join(known[:MOST_SHOWN]) + (", ..." if len(known) > MOST_SHOWN else "")
    return [
        f"it tells of no host {name!r}, so its table measures nothing; it tells of {shown or 'none'}"
        for name in sorted(set(named) - set(known))
    ]


def use_of(span: HostSpan) -> HostUse:
    """The span in the terms of the sampler; machines that share a name after all are one workload."""
    workloads: dict[str, Work] = {}
    for guest in span.guests:
        known = workloads.get(guest.name)
        workloads[guest.name] = _together(known, _work(guest)) if known else _work(guest)
    missing = [f"{guest.name}: {guest.missing}" for guest in span.guests if guest.missing]
    return HostUse(
        busy_us=max(span.busy_us, 0),
        vcpu=span.vcpu,
        workloads=workloads,
        ram_mb=span.facts.ram_mb,
        missing="; ".join(missing) or None,
    )


def _work(guest: Guest) -> Work:
    return Work(
        kind=Kind.VM,
        cpu_us=guest.cpu_us or 0,
        reserved_mcpu=guest.vcpu * 1000,
        reserved_mb=guest.ram_mb,
        steal_us=guest.steal_us,
        uid=guest.uid if guest.uid and len(guest.uid) <= LONGEST_UID else None,
    )


def _together(one: Work, other: Work) -> Work:
    return Work(
        kind=Kind.VM,
        cpu_us=one.cpu_us + other.cpu_us,
        reserved_mcpu=(one.reserved_mcpu or 0) + (other.reserved_mcpu or 0),
        reserved_mb=_sum(one.reserved_mb, other.reserved_mb),
        steal_us=_sum(one.steal_us, other.steal_us),
        uid=one.uid if one.uid == other.uid else None,
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
