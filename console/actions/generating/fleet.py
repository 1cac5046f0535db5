"""Hosts, what runs on them, and whose that is by the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy.orm import Session

from console.actions.generating import traces
from console.actions.generating.chance import dice, drawn, uneven, weighted
from console.actions.generating.rows import Deed, Row, add_rows, continue_numbers
from console.actions.generating.scale import Scale
from console.actions.generating.world import Adherent, Contract, Held, Host, Workload, World
from console.domain.claims import Claim
from console.domain.hours import day_bounds, hour_of
from console.domain.proportion import apportion
from console.domain.spans import Span, union
from console.store.models import catalogue as c
from console.store.models import measurement as m

Line = Sequence[Contract]  # contracts of an adherent for one service, one after the other
AGENT = "collectors 0.1.0"
CENTRES = {"tls": 2, "ami": 1}  # Toulouse and Amiens, and how many of three hosts each has
YOUNG = 0.3  # of the hosts came during the past that is told
MODELLED = 0.2  # of the hosts have no power meter
SILENCES_A_YEAR = 6
UNCLAIMED = 0.07  # of the workloads
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
    """As many hosts and workloads as asked for, with claims numbered from 1."""
    lines = _lines(adherents, contracts)
    zones = {adherent.tenant_id: adherent for adherent in adherents}
    names = [_name(number) for number in range(1, scale.hosts + 1)]
    more = apportion(scale.workloads - scale.hosts, uneven(scale.seed, "crowd", names, spread=0.4))
    numbers = iter(range(1, 10**9))
    return [
        _host(scale, name, _workloads(scale, name, 1 + more[name], lines, zones, numbers)) for name in names
    ]


def store_hosts(world: World) -> Iterator[Deed]:
    """Add hosts, their workloads and the claims on them."""
    for start in range(0, len(world.hosts), BATCH):
        batch = world.hosts[start : start + BATCH]

        def add(session: Session, batch: Sequence[Host] = batch) -> int:
            add_rows(session, m.Host, [_host_row(world.scale, host) for host in batch])
            add_rows(session, m.Workload, [row for host in batch for row in _workload_rows(host)])
            add_rows(session, c.WorkloadClaim, [row for host in batch for row in _claim_rows(host)])
            continue_numbers(session, c.WorkloadClaim)
            return len(batch)

        yield add


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


def _host(scale: Scale, name: str, drawn_workloads: Sequence[Workload]) -> Host:
    rng = dice(scale.seed, "host", name)
    server = rng.choice(traces.servers())
    days = (scale.until - scale.since).days
    since = scale.start + timedelta(rng.randrange(days) if rng.random() < YOUNG else 0)
    shares = apportion(
        server.threads * rng.randint(*RESERVED),
        {workload.name: workload.reserved_mcpu for workload in drawn_workloads},
    )
    since = hour_of(since)
    return Host(
        host_id=m.stable_id(name),
        name=name,
        vcpu=server.threads,
        idle_mw=server.idle_mw,
        full_mw=server.full_mw,
        modelled=rng.random() < MODELLED,
        since=since,
        silences=_silences(rng, since, scale.now),
        workloads=[
            _on_host(workload, shares[workload.name], scale, since)
            for workload in sorted(drawn_workloads, key=lambda workload: workload.workload_id)
        ],
    )


def _silences(rng: Random, since: datetime, until: datetime) -> list[Span]:
    """When nothing came from a host: as long as outages of a real service are."""
    seconds = int((until - since).total_seconds())
    count = round(SILENCES_A_YEAR * seconds / (365 * 86_400) * rng.uniform(0.3, 1.7))
    starts = [since + timedelta(seconds=rng.randrange(seconds)) for _ in range(count)]
    outage = traces.incidents().outage
    return union((start, start + timedelta(minutes=int(drawn(rng, outage)))) for start in starts)


def _workloads(
    scale: Scale,
    host: str,
    count: int,
    lines: Mapping[str, Sequence[Line]],
    adherents: Mapping[int, Adherent],
    numbers: Iterator[int],
) -> list[Workload]:
    return [_workload(scale, host, number, lines, adherents, numbers) for number in range(1, count + 1)]


def _workload(
    scale: Scale,
    host: str,
    number: int,
    lines: Mapping[str, Sequence[Line]],
    adherents: Mapping[int, Adherent],
    numbers: Iterator[int],
) -> Workload:
    rng = dice(scale.seed, "workload", host, number)
    claimed = bool(lines) and rng.random() >= UNCLAIMED
    line = rng.choice(lines[weighted(rng, {trade: HOSTED[trade] for trade in lines})]) if claimed else ()
    service = line[0].service.code if line else "vm"
    name = f"{service}-{rng.choice(ROLES)}-{number:03}"
    return Workload(
        workload_id=m.stable_id(name),
        name=name,
        kind=rng.choice(KINDS),
        reserved_mcpu=rng.choice(SIZES),
        part=rng.randint(*USED_PART),
        shift_s=traces.WEEK_S * rng.randrange(traces.load().weeks),
        claims=[_claim(contract, adherents[contract.tenant_id], next(numbers)) for contract in line],
    )


def _claim(contract: Contract, adherent: Adherent, number: int) -> Held:
    """The whole days of a contract."""
    valid_from = day_bounds(contract.starts_on, adherent.zone)[0]
    valid_to = None if contract.ends_on is None else day_bounds(contract.ends_on, adherent.zone)[1]
    return Held(Claim(number, contract.tenant_id, valid_from, valid_to), contract.number)


def _on_host(workload: Workload, reserved_mcpu: int, scale: Scale, since: datetime) -> Workload:
    """The workload in its place: no claim is older than its host, none begins later than the past ends."""
    claims = [
        replace(held, claim=replace(held.claim, valid_from=max(held.claim.valid_from, since)))
        for held in workload.claims
        if held.claim.valid_from < scale.now and (held.claim.valid_to is None or held.claim.valid_to > since)
    ]
    return replace(workload, reserved_mcpu=reserved_mcpu, claims=claims)


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
    }


def _workload_rows(host: Host) -> Iterator[Row]:
    for number, name in ((m.IDLE_KEPT, "idle_kept"), (m.UNATTRIBUTED, "unattributed")):
        yield {"host_id": host.host_id, "workload_id": number, "name": name, "kind": name}
    for workload in host.workloads:
        yield {
            "host_id": host.host_id,
            "workload_id": workload.workload_id,
            "name": workload.name,
            "kind": workload.kind,
        }


def _claim_rows(host: Host) -> Iterator[Row]:
    for workload in host.workloads:
        for held in workload.claims:
            yield {
                "claim_id": held.claim.claim_id,
                "tenant_id": held.claim.tenant_id,
                "subscription": held.subscription,
                "host_id": host.host_id,
                "workload_id": workload.workload_id,
                "host_name": host.name,
                "workload_name": workload.name,
                "valid_from": held.claim.valid_from,
                "valid_to": held.claim.valid_to,
                "claimed_by": "exploitation",
                "claimed_at": held.claim.valid_from,
            }
