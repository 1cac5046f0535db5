"""What a generated past is about, in memory: adherents, their contracts, hosts, workloads and claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from console.actions.generating.scale import Scale
from console.actions.generating.sites import Site
from console.domain.claims import Claim
from console.domain.spans import Span
from console.store.queries.plans import Plan


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the catalogue, with the plan that it comes with."""

    code: str
    trade: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Adherent:
    """One that is served; `site` is the place of the directory it was chosen by, where there is one."""

    tenant_id: int
    name: str
    kind: str
    zone: ZoneInfo
    agency: str
    since: date
    site: Site | None


@dataclass(frozen=True, slots=True)
class Contract:
    """A service taken from a day to another, both included; the number is that of its subscription."""

    tenant_id: int
    number: int
    service: Service
    starts_on: date
    ends_on: date | None
    with_plan: bool

    def runs_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that runs on a host.

    It uses `part` thousandths of what it reserves when the trace is at its highest, and follows the trace
    from `shift_s` on.
    """

    workload_id: int
    name: str
    kind: str
    reserved_mcpu: int
    part: int
    shift_s: int
    claims: Sequence[Claim]


@dataclass(frozen=True, slots=True)
class Host:
    """A machine with its power, its birth, and the times when nothing was heard of it."""

    host_id: int
    name: str
    vcpu: int
    idle_mw: int
    full_mw: int
    modelled: bool
    since: datetime
    silences: Sequence[Span]
    workloads: Sequence[Workload]


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is told about, each in the order of its key; contracts by adherent."""

    scale: Scale
    sites: Sequence[Site]
    adherents: Sequence[Adherent]
    contracts: Mapping[int, Sequence[Contract]]
    hosts: Sequence[Host]
