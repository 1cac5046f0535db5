"""The power of a server from its processor and its load: what to believe where no sensor measures.

    power = idle + (full - idle) x utilisation

Three models, the first that applies:

1. the curve of the processor's family: the median watts per logical CPU at active idle and at full load of
   the results of SPECpower_ssj2008 with that family (`families.csv`, `families.py`);
2. the curve of all servers published since 2017, for a server's processor of no known family, and for one
   that is not named;
3. load x TDP, last, for a processor that is no server's and whose thermal design power is stated: full power
   is the TDP of all sockets, idle the median share of full power of all servers. It knows nothing but the
   processor. Where no TDP is stated the second has to do.

The least and the greatest are the 10th and 90th percentiles of the same results; for load x TDP also those
of all servers, where they lie further out. The results hold the idle and the full load of each server, not
the nine loads between: the curve is a straight line.

The results are of servers whose cores show as many logical CPUs as they can, two mostly. A server with
hyper-threading off shows half of them and draws nearly the same, so a server counts as many logical CPUs as
one of the family with its cores would. Where nobody tells its cores, each logical CPU counts once, and the
greatest is that of a server which shows each core once only.

A server holds the memory of the median result of its family; what it has beyond draws more by a coefficient
(`components.py`), and what it lacks takes nothing away: more memory never draws less.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from collectors.instrument import Energy
from collectors.power_models.components import DRIVE, MEMORY, PORTS, Added
from collectors.power_models.families import family_of

TABLE = Path(__file__).with_name("families.csv")
ALL = "all since 2017"
SERVERS = re.compile(r"xeon|epyc|opteron|altra|neoverse|graviton|grace|power\d", re.IGNORECASE)
MB_PER_GB = 1024


@dataclass(frozen=True, slots=True)
class Curve:
    """Power at active idle and at full load, in milliwatts."""

    idle_mw: int
    full_mw: int

    def energy_mj(self, duration_ms: int, utilisation: float) -> int:
        """The energy of so long at a utilisation of 0 to 1."""
        return round((self.idle_mw + (self.full_mw - self.idle_mw) * utilisation) * duration_ms / 1000)

    def times(self, number: int) -> Curve:
        """The curve of so many."""
        return Curve(self.idle_mw * number, self.full_mw * number)

    def plus(self, added_mw: int) -> Curve:
        """The curve with a constant power on top."""
        return Curve(self.idle_mw + added_mw, self.full_mw + added_mw)


@dataclass(frozen=True, slots=True)
class Family:
    """The results of one family: curves of one logical CPU, and the memory that was measured with it.

    `threads_per_core` is how many logical CPUs most of its servers showed of a core.
    """

    name: str
    results: int
    low: Curve
    median: Curve
    high: Curve
    ram_mb_per_cpu: int
    threads_per_core: int

    def counted(self, vcpu: int, cores: int | None) -> tuple[int, int]:
        """How many logical CPUs of the family a server is taken to have, and how many at most."""
        if cores is None:
            return vcpu, vcpu * self.threads_per_core
        return cores * self.threads_per_core, cores * self.threads_per_core


@dataclass(frozen=True, slots=True)
class Server:
    """A server without a sensor; `basis` says in words what its figures rest on."""

    basis: str
    low: Curve
    median: Curve
    high: Curve

    def energy(self, duration_ms: int, utilisation: float) -> Energy:
        """What it used over so long at a mean utilisation of all its logical CPUs, from 0 to 1."""
        utilisation = min(max(utilisation, 0.0), 1.0)
        return Energy(
            energy_mj=self.median.energy_mj(duration_ms, utilisation),
            duration_ms=duration_ms,
            min_mj=self.low.energy_mj(duration_ms, utilisation),
            max_mj=self.high.energy_mj(duration_ms, utilisation),
            idle_power_mw=self.median.idle_mw,
        )


def server_of(
    cpu_model: str | None,
    vcpu: int,
    *,
    cores: int | None = None,
    sockets: int | None = None,
    ram_mb: int | None = None,
    tdp_w: float | None = None,
    drives: int = 0,
    ports: Iterable[str] = (),
) -> Server:
    """The model of a server of `vcpu` logical CPUs, on so many cores where that is known.

    `drives` and `ports` (speeds such as "10G") are those beyond the one drive and the port of a measured
    server.
    """
    family = families().get(family_of(cpu_model or "") or "")
    if family is None and tdp_w is not None and not of_server(cpu_model):
        bare, held_mb = _by_tdp(round(tdp_w * 1000) * (sockets or 1), vcpu, cores), 0
    else:
        family = family or families()[ALL]
        counted, most = family.counted(vcpu, cores)
        bare, held_mb = _by_family(family, counted, most), family.ram_mb_per_cpu * counted
    return _with(bare, _parts(max((ram_mb or 0) - held_mb, 0), drives, ports))


def of_server(cpu_model: str | None) -> bool:
    """Whether a processor is made for servers, or may be: one that is not named."""
    return cpu_model is None or SERVERS.search(cpu_model) is not None


def _by_family(family: Family, counted: int, most: int) -> Server:
    basis = f"SPECpower, {family.name} ({family.results} results)"
    return Server(basis, family.low.times(counted), family.median.times(counted), family.high.times(most))


def _by_tdp(full_mw: int, vcpu: int, cores: int | None) -> Server:
    every = families()[ALL]
    counted, most = every.counted(vcpu, cores)
    low, high = every.low.times(counted), every.high.times(most)
    stated = Curve(full_mw * every.median.idle_mw // every.median.full_mw, full_mw)
    return Server(
        "load x TDP",
        Curve(min(low.idle_mw, stated.idle_mw), min(low.full_mw, stated.full_mw)),
        stated,
        Curve(max(high.idle_mw, stated.idle_mw), max(high.full_mw, stated.full_mw)),
    )


def _parts(more_ram_mb: int, drives: int, ports: Iterable[str]) -> list[Added]:
    return [
        MEMORY.added.times(more_ram_mb / MB_PER_GB),
        DRIVE.added.times(drives),
        *(PORTS[speed].added for speed in ports),
    ]


def _with(server: Server, parts: list[Added]) -> Server:
    return Server(
        server.basis,
        server.low.plus(sum(part.low_mw for part in parts)),
        server.median.plus(sum(part.mw for part in parts)),
        server.high.plus(sum(part.high_mw for part in parts)),
    )


@cache
def families() -> dict[str, Family]:
    """The families by name, and all servers since 2017 under `ALL`."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {row["family"]: _family(row) for row in csv.DictReader(lines)}


def _family(row: dict[str, str]) -> Family:
    def curve(rank: str) -> Curve:
        return Curve(int(row[f"idle_{rank}_mw"]), int(row[f"full_{rank}_mw"]))

    return Family(
        name=row["family"],
        results=int(row["results"]),
        low=curve("p10"),
        median=curve("p50"),
        high=curve("p90"),
        ram_mb_per_cpu=int(row["ram_mb_per_cpu"]),
        threads_per_core=int(row["threads_per_core"]),
    )
