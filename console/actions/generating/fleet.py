"""Hosts, what runs on them, and whose that is by the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from console.actions.generating import traces
from console.actions.generating.chance import dice, drawn, uneven, weighted
from console.actions.generating.facilities import site_of
from console.actions.generating.rows import Deed, Row, continue_numbers
from console.actions.generating.scale import ZONE, Scale
from console.actions.generating.world import Adherent, Contract, Host, Workload, World
from console.domain.claims import OPERATOR_TENANT, Claim
from console.domain.hours import day_bounds
from console.domain.proportion import apportion
from console.domain.spans import Span, union
from console.store.bulk import add_rows
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m

Line = Sequence[Contract]  # contracts of an adherent for one service, one after the other
AGENT = "collectors 0.1.0"
RAM_MB_PER_THREAD = 8_192
CENTRES = {"tls": 2, "ami": 1}  # Toulouse and Amiens, and how many of three hosts each has
YOUNG = 0.3  # of the hosts came during the past that is told
MODELLED = 0.2  # of the hosts have no power meter
SILENCES_A_YEAR = 6
UNCLAIMED = 0.07  # of the workloads
SHARED = 0.05  # of the workloads serve every subscriber of a service
SECOND = timedelta(seconds=1)
BY = "exploitation"
HOSTED = {"hosting": 6, "software": 2, "payroll": 1}  # how likely a workload is for a service of a trade
RESERVED = (700, 1200)  # of the threads of a host, in thousandths
USED_PART = (150, 750)  # of what is reserved, when the trace is at its highest
SIZES = (1, 2, 2, 4, 4, 8, 16)
KINDS = ("systemd", "cgroup", "container")
ROLES = ("app", "bd", "web", "int", "sauve", "arch")
BATCH = 100  # hosts a transaction


def draw_hosts(
    scale: Scale, adherents: Sequence[Adherent], contracts: Mapping[int, Sequence[Contract]]
) -> list[Host]:
    """As many hosts and workloads as asked for, with claims numbered from 1 in the order of both."""
    owners = _Owners(_lines(adherents, contracts), {one.tenant_id: one.zone for one in adherents})
    names = [_name(number) for number in range(1, scale.hosts + 1)]
    more = apportion(scale.workloads - scale.hosts, uneven(scale.seed, "crowd", names, spread=0.4))
    return [_host(scale, name, 1 + more[name], owners) for name in names]


def store_hosts(world: World) -> Iterator[Deed]:
    """Add hosts, their workloads and the claims on them."""
    for start in range(0, len(world.hosts), BATCH):
        batch = world.hosts[start : start + BATCH]

        def add(session: Session, batch: Sequence[Host] = batch) -> int:
            add_rows(session, m.Host, [_host_row(world.scale, host) for host in batch])
            add_rows(session, m.Workload, [row for host in batch for row in _workload_rows(host)])
            claims = [row for host in batch for row in _claim_rows(host)]
            add_rows(session, c.WorkloadClaim, [row for row in claims if "claim_id" in row])
            add_rows(session, k.ServiceClaim, [row for row in claims if "service_claim_id" in row])
            continue_numbers(session, c.WorkloadClaim)
            continue_numbers(session, k.ServiceClaim)
            return len(batch)

        yield add


@dataclass(slots=True)
class _Owners:
    """Those whose a workload may be, and how many claims of each kind there are so far."""

    lines: Mapping[str, Sequence[Line]]
    zones: Mapping[int, ZoneInfo]
    claims: int = 0
    shared: int = 0

    def draw(self, rng: Random, since: datetime, now: datetime) -> tuple[str, list[Claim]]:
        """What a workload is for, and its claims since its host came: of contracts, shared, or none."""
        fate = rng.random()
        if fate < UNCLAIMED or not self.lines:
            return "vm", []
        lines = self.lines[weighted(rng, {trade: HOSTED[trade] for trade in self.lines})]
        line = rng.choice(lines)
        service = line[0].service.code
        if fate < UNCLAIMED + SHARED:
            self.shared += 1
            return service, [Claim(-self.shared, OPERATOR_TENANT, since, None, service_code=service)]
        return service, [claim for contract in line for claim in self._claims(contract, since, now)]

    def _claims(self, contract: Contract, since: datetime, now: datetime) -> Iterator[Claim]:
        """The whole days of a contract, from the first one that the host saw the beginning of."""
        zone = self.zones[contract.tenant_id]
        first = max(contract.starts_on, (since - SECOND).astimezone(zone).date() + timedelta(days=1))
        if (contract.ends_on is None or first <= contract.ends_on) and day_bounds(first, zone)[0] < now:
            self.claims += 1
            valid_to = None if contract.ends_on is None else day_bounds(contract.ends_on, zone)[1]
            valid_from = day_bounds(first, zone)[0]
            yield Claim(self.claims, contract.tenant_id, valid_from, valid_to, subscription=contract.number)


def _lines(
    adherents: Sequence[Adherent], contracts: Mapping[int, Sequence[Contract]]
) -> dict[str, list[Line]]:
    """Every line of contracts by the trade of its service; drafts hold nothing yet."""
    found: dict[str, list[Line]] = {trade: [] for trade in HOSTED}
    for adherent in adherents:
        by_service: dict[str, list[Contract]] = {}
        for contract in contracts[adherent.tenant_id]:
            if contract.service.trade in HOSTED:
                by_service.setdefault(contract.service.code, []).append(contract)
        for code in sorted(by_service):
            line = by_service[code]
            found[line[0].service.trade].append(line)
    return {trade: lines for trade, lines in found.items() if lines}


def _name(number: int) -> str:
    centre = [name for name, of_three in CENTRES.items() for _ in range(of_three)][number % 3]
    return f"{centre}-hv-{number:03}"


def _host(scale: Scale, name: str, count: int, owners: _Owners) -> Host:
    rng = dice(scale.seed, "host", name)
    server = rng.choice(traces.servers())
    days = (scale.until - scale.since).days
    since = day_bounds(scale.since + timedelta(rng.randrange(days) if rng.random() < YOUNG else 0), ZONE)[0]
    workloads = [_workload(scale, name, number, since, owners) for number in range(1, count + 1)]
    sizes = {workload.name: workload.reserved_mcpu for workload in workloads}
    reserved = apportion(server.threads * rng.randint(*RESERVED), sizes)
    return Host(
        host_id=m.stable_id(name),
        name=name,
        vcpu=server.threads,
        idle_mw=server.idle_mw,
        full_mw=server.full_mw,
        modelled=rng.random() < MODELLED,
        since=since,
        silences=_silences(rng, since, scale.now),
        workloads=sorted(
            (replace(workload, reserved_mcpu=reserved[workload.name]) for workload in workloads),
            key=lambda workload: workload.workload_id,
        ),
    )


def _silences(rng: Random, since: datetime, until: datetime) -> list[Span]:
    """When nothing came from a host: as long as outages of a real service are."""
    seconds = int((until - since).total_seconds())
    count = round(SILENCES_A_YEAR * seconds / (365 * 86_400) * rng.uniform(0.3, 1.7))
    starts = [since + timedelta(seconds=rng.randrange(seconds)) for _ in range(count)]
    outage = traces.incidents().outage
    return union((start, start + timedelta(minutes=int(drawn(rng, outage)))) for start in starts)


def _workload(scale: Scale, host: str, number: int, since: datetime, owners: _Owners) -> Workload:
    rng = dice(scale.seed, "workload", host, number)
    service, claims = owners.draw(rng, since, scale.now)
    name = f"{service}-{rng.choice(ROLES)}-{number:03}"
    return Workload(
        workload_id=m.stable_id(name),
        name=name,
        kind=rng.choice(KINDS),
        reserved_mcpu=rng.choice(SIZES),
        part=rng.randint(*USED_PART),
        shift_s=traces.WEEK_S * rng.randrange(traces.load().weeks),
        claims=claims,
    )


def _host_row(scale: Scale, host: Host) -> Row:
    missing = [{"source": "bmc", "reason": "no sensor of power in this machine"}] if host.modelled else []
    return {
        "host_id": host.host_id,
        "name": host.name,
        "agent": AGENT,
        "vcpu": host.vcpu,
        "first_seen_at": host.since,
        "last_seen_at": scale.now,
        "gaps": missing,
        "site": site_of(host),
        "ram_mb": host.vcpu * RAM_MB_PER_THREAD,
    }


def _workload_rows(host: Host) -> Iterator[Row]:
    for number, name in ((m.IDLE_KEPT, "idle_kept"), (m.UNATTRIBUTED, "unattributed")):
        line = {"host_id": host.host_id, "workload_id": number, "name": name, "kind": name}
        yield line | {"reserved_mcpu": None}
    for workload in host.workloads:
        yield {
            "host_id": host.host_id,
            "workload_id": workload.workload_id,
            "name": workload.name,
            "kind": workload.kind,
            "reserved_mcpu": workload.reserved_mcpu,
        }


def _claim_rows(host: Host) -> Iterator[Row]:
    for workload in host.workloads:
        for claim in workload.claims:
            whose: Row = (
                {"service_claim_id": -claim.claim_id, "service_code": claim.service_code}
                if claim.service_code
                else {
                    "claim_id": claim.claim_id,
                    "tenant_id": claim.tenant_id,
                    "subscription": claim.subscription,
                }
            )
            yield whose | {
                "host_id": host.host_id,
                "workload_id": workload.workload_id,
                "host_name": host.name,
                "workload_name": workload.name,
                "valid_from": claim.valid_from,
                "valid_to": claim.valid_to,
                "claimed_by": BY,
                "claimed_at": claim.valid_from,
            }
