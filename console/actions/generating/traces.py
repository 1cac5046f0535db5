"""The shapes of real data that the generated past takes; shapes/SOURCE.txt says where each comes from."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate

SHAPES = files("console.actions.generating") / "shapes"
HOUR_S = 3600
WEEK_S = 7 * 24 * HOUR_S


@dataclass(frozen=True, slots=True)
class Server:
    """A two-socket server as it was benchmarked."""

    threads: int
    idle_mw: int
    full_mw: int


@dataclass(frozen=True, slots=True)
class Incidents:
    """When incidents come, how grave they are, how long each step takes; times are quantiles in minutes."""

    by_hour: Sequence[int]
    by_weekday: Sequence[int]
    tickets: int
    waiting: int
    reopened: int
    to_acknowledge: Sequence[int]
    wait: Sequence[int]
    to_close: Sequence[int]
    outage: Sequence[int]
    priorities: Mapping[str, int]
    to_resolve: Mapping[str, Sequence[int]]


class Load:
    """How busy a real server was, hour by hour for whole weeks, repeated without end from any Monday."""

    def __init__(self, levels: Sequence[int]) -> None:
        self._levels = levels  # in thousandths
        self._before = [0, *accumulate(levels)]
        self.weeks = len(levels) // 168

    def used_ms(self, start_s: int, end_s: int) -> int:
        """CPU time that one thread of that server was busy for, between two instants in seconds."""
        return self._until(end_s) - self._until(start_s)

    def _until(self, instant_s: int) -> int:
        hours, rest_s = divmod(instant_s, HOUR_S)  # thousandths x seconds = milliseconds
        rounds, hour = divmod(hours, len(self._levels))
        return HOUR_S * (rounds * self._before[-1] + self._before[hour]) + self._levels[hour] * rest_s


@cache
def load() -> Load:
    """The trace of the server, from a Monday at midnight."""
    weeks = csv.reader(_text("load.csv").splitlines(), delimiter=";")
    return Load([int(level) for week in weeks for level in week])


@cache
def servers() -> Sequence[Server]:
    """Servers in order of full power."""
    rows = csv.DictReader(_text("servers.csv").splitlines(), delimiter=";")
    return [Server(int(row["threads"]), int(row["idle_mw"]), int(row["full_mw"])) for row in rows]


@cache
def incidents() -> Incidents:
    """The shape of incidents."""
    facts = tomllib.loads(_text("incidents.toml"))
    priorities = facts.pop("priority")
    return Incidents(
        **facts,
        priorities={one["code"]: one["count"] for one in priorities},
        to_resolve={one["code"]: one["to_resolve"] for one in priorities},
    )


def _text(name: str) -> str:
    return (SHAPES / name).read_text("utf-8")
