"""What is to be said of a host that sends readings: silent, without a sensor, its clock off..."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

NUMBERS = re.compile(r"\d+")


class HostState(StrEnum):
    """One thing to look at; a host may be in several of them at once."""

    SILENT = "silent"
    NO_SOURCE = "no_source"  # it is heard, and no instrument tells its energy
    GAP = "gap"  # one of its instruments gives nothing
    CLOCK = "clock"
    AGENT = "agent"  # older than the newest of the fleet
    RETIRED = "retired"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a host is silent, and a clock is off."""

    silent_after: timedelta
    clock_off: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a host; `clock_ahead_ms` is None where its agent does not tell its time."""

    last_seen_at: datetime
    retired_at: datetime | None
    agent: str
    clock_ahead_ms: int | None
    has_source: bool
    has_gap: bool


def states_of(host: Heard, limits: Limits, newest: tuple[int, ...], now: datetime) -> frozenset[HostState]:
    """Every state of a host; a retired one is not missed, a silent one has told nothing to judge it by."""
    if host.retired_at is not None:
        return frozenset({HostState.RETIRED})
    found = {HostState.AGENT} if version_of(host.agent) < newest else set()
    if now - host.last_seen_at > limits.silent_after:
        return frozenset({HostState.SILENT, *found})
    if not host.has_source:
        found.add(HostState.NO_SOURCE)
    if host.has_gap:
        found.add(HostState.GAP)
    if host.clock_ahead_ms is not None and abs(host.clock_ahead_ms) > limits.clock_off / timedelta(
        milliseconds=1
    ):
        found.add(HostState.CLOCK)
    return frozenset(found or {HostState.SOUND})


def version_of(agent: str) -> tuple[int, ...]:
    """The numbers of the last word of what an agent calls itself; empty where it has none."""
    words = agent.split()
    return tuple(int(number) for number in NUMBERS.findall(words[-1])[:4]) if words else ()


def newest_version(agents: Iterable[str]) -> tuple[int, ...]:
    """The newest version among agents."""
    return max(map(version_of, agents), default=())
