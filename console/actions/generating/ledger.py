"""The hourly ledger: readings of an hour, attributed by the rule, then posted to those who claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, delete, func, insert, literal, or_, select
from sqlalchemy.orm import Session

from console.actions.generating import power
from console.actions.generating.chance import dice
from console.actions.generating.facilities import BY, SITES, STORED, meter_rows, metered
from console.actions.generating.rows import Deed, Row, continue_numbers
from console.actions.generating.scale import ZONE, Scale
from console.actions.generating.world import Host, World
from console.actions.host_months import settle_host
from console.actions.reckoning import reckon
from console.actions.reckoning_due import Step, make_due, steps_due
from console.actions.sharing import split
from console.actions.sharing_keys import assign_meter
from console.actions.site_rest import settle_rest
from console.actions.site_terms import hosts_energy
from console.domain.attribution import POLICY_VERSION, Share
from console.domain.claims import OPERATOR_TENANT, UNCLAIMED
from console.domain.facility import Quantity
from console.domain.hours import HOUR, month_bounds, month_of, months_between
from console.domain.intervals import LONGEST, MILLISECOND, RETENTION, Measured, Stretch, joined
from console.store.bulk import add_rows
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import coordination as o
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.models.generation import Generation

PORTION = timedelta(hours=12)  # a transaction
EVERY = 10_000  # months of services, and of sites: all of them
SOURCES = (("bmc", "bmc", "measured"), ("model", "model", "modelled"))
BOUNDARY = "server_input"
KEPT_READINGS = RETENTION + 2 * LONGEST


@dataclass(slots=True)
class _Rows:
    """What some hours give."""

    readings: list[Row] = field(default_factory=list)
    hours: list[Row] = field(default_factory=list)
    sources: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)


def ledger_start(world: World) -> datetime:
    """The first hour of the ledger, so that the months of every adherent are in it wholly or not at all."""
    return start_of(world.scale, _zones(world))


def start_of(scale: Scale, zones: Iterable[ZoneInfo]) -> datetime:
    """The first hour of a ledger for adherents of these zones."""
    if scale.ledger_days == 0:
        return scale.now
    month = month_of(scale.ledger_from, ZONE)
    return max(scale.start, min(month_bounds(month, zone)[0] for zone in zones))


def ledger_hours(world: World) -> int:
    return int((world.scale.now - ledger_start(world)) / HOUR)


def store_ledger(world: World) -> Iterator[Deed]:
    """Half a day of every host in each transaction, then the carbon of the months the ledger holds."""
    yield _add_sources
    yield _tell_start(world)
    start = ledger_start(world)
    while start < world.scale.now:
        end = min(start + PORTION, world.scale.now)
        yield _portion(world, start, end)
        start = end
    yield _add_meters(world)
    yield from _share_hosts(world)
    yield from _reckonings(world)
    yield _split(world)


def _add_sources(session: Session) -> int:
    rows = [
        {"source_id": number, "name": name, "authority": authority, "boundary": BOUNDARY, "quality": quality}
        for number, (name, authority, quality) in enumerate(SOURCES, start=1)
    ]
    add_rows(session, c.EnergySource, rows)
    continue_numbers(session, c.EnergySource)
    return 0


def _tell_start(world: World) -> Deed:
    """Say since when there are hours: a month that begins before is never reckoned from them."""

    def tell(session: Session) -> int:
        session.scalars(select(Generation)).one().ledger_from = ledger_start(world)
        return 0

    return tell


def _portion(world: World, start: datetime, end: datetime) -> Deed:
    rows = _Rows()
    hour = start
    while hour < end:
        for host in world.hosts:
            _tell(rows, world, host, hour)
        hour += HOUR

    def add(session: Session) -> int:
        add_rows(session, m.Reading, rows.readings)
        add_rows(session, m.HostHour, rows.hours)
        add_rows(session, f.SourceHour, rows.sources)
        add_rows(session, m.WorkloadHour, rows.lines)
        post_portion(session, start, end)
        return int((end - start) / HOUR)

    return add


def _tell(rows: _Rows, world: World, host: Host, hour: datetime) -> None:
    """The readings of an hour of a host, one for each stretch in which it was heard, and its lines."""
    ledger = _Hour()
    for span in power.heard(host, hour, hour + HOUR):
        use = power.use_of(host, (span,))
        if use.duration_ms:
            ledger.add(host, use)
            ledger.stretches.append(((span[0] - hour) // MILLISECOND, (span[1] - hour) // MILLISECOND))
            if hour >= world.scale.now - KEPT_READINGS:
                rows.readings.append(_reading(world, host, span, use))
    if ledger.covered_ms:
        rows.hours.append(
            {
                "hour": hour,
                "host_id": host.host_id,
                "energy_mj": ledger.energy_mj,
                "covered_ms": ledger.covered_ms,
                "stretches": joined(ledger.stretches),
                "policy": "+".join(f"{policy}/{POLICY_VERSION}" for policy in sorted(ledger.policies)),
            }
        )
        rows.sources.append(
            {
                "hour": hour,
                "host_id": host.host_id,
                "source_id": source_of(host),
                "energy_mj": ledger.energy_mj,
                "covered_ms": ledger.covered_ms,
            }
        )
        rows.lines += ledger.rows(hour, host)


class _Hour:
    """The lines of one host and hour while they are added up, as metering adds them."""

    def __init__(self) -> None:
        self.energy_mj = 0
        self.covered_ms = 0
        self.stretches: list[Stretch] = []
        self.policies: set[str] = set()
        self.lines: dict[int, list[int | None]] = {}

    def add(self, host: Host, use: power.Use) -> None:
        shared = power.share(host, use)
        self.energy_mj += use.measured.energy_mj
        self.covered_ms += use.duration_ms
        self.policies.add(shared.policy)
        for workload in host.workloads:
            cpu_ms = use.consumers[workload.name].cpu_ms
            share = shared.workloads[workload.name]
            self._add_line(workload.workload_id, share, use.measured, cpu_ms, workload.reserved_mcpu)
        self._add_line(m.UNATTRIBUTED, shared.unattributed, use.measured)
        self._add_line(m.IDLE_KEPT, Share(0, shared.idle_kept_mj), use.measured)

    def rows(self, hour: datetime, host: Host) -> Iterator[Row]:
        reserved = {workload.workload_id: workload.reserved_mcpu for workload in host.workloads}
        for workload_id, (energy_mj, idle_mj, low_mj, high_mj, cpu_ms) in sorted(self.lines.items()):
            yield {
                "hour": hour,
                "host_id": host.host_id,
                "workload_id": workload_id,
                "source_id": source_of(host),
                "energy_mj": energy_mj,
                "idle_mj": idle_mj,
                "low_mj": low_mj,
                "high_mj": high_mj,
                "cpu_ms": cpu_ms,
                "reserved_mcpu": reserved.get(workload_id),
            }

    def _add_line(
        self,
        workload_id: int,
        share: Share,
        whole: Measured,
        cpu_ms: int = 0,
        reserved_mcpu: int | None = None,
    ) -> None:
        if not share.energy_mj and not cpu_ms and not reserved_mcpu:
            return
        line = self.lines.setdefault(workload_id, [0, 0, 0, 0, 0])
        added = (
            share.energy_mj,
            share.idle_mj,
            bound(share, whole, whole.min_mj),
            bound(share, whole, whole.max_mj),
            cpu_ms,
        )
        for place, amount in enumerate(added):
            so_far = line[place]
            line[place] = None if so_far is None or amount is None else so_far + amount


def bound(share: Share, whole: Measured, bound_mj: int | None) -> int | None:
    """A line's bound is in proportion to its host's; unknown where the instrument states none."""
    if bound_mj is None:
        return None
    return share.energy_mj * bound_mj // whole.energy_mj if whole.energy_mj else 0


def source_of(host: Host) -> int:
    """The number of the instrument of a host in the catalogue."""
    return 2 if host.modelled else 1


def _reading(world: World, host: Host, span: tuple[datetime, datetime], use: power.Use) -> Row:
    """As an agent would have sent it that samples by the hour."""
    started_at, ended_at = span
    kinds = {workload.name: workload.kind for workload in host.workloads}
    return {
        "started_at": started_at,
        "host_id": host.host_id,
        "stream": f"{dice(world.scale.seed, 'stream', host.name).getrandbits(128):032x}",
        "sequence": 1 + int((started_at - host.since).total_seconds()),
        "ended_at": ended_at,
        "received_at": ended_at,
        "duration_ms": use.duration_ms,
        "vcpu": host.vcpu,
        "busy_cpu_ms": use.busy_cpu_ms,
        "measurements": [asdict(use.measured)],
        "workloads": [
            {
                "name": name,
                "kind": kinds[name],
                "cpu_ms": consumer.cpu_ms,
                "reserved_mcpu": consumer.reserved_mcpu,
            }
            for name, consumer in use.consumers.items()
        ],
    }


def post_portion(session: Session, start: datetime, end: datetime) -> None:
    """Post hours of every host at once, with what they cover."""
    _post_lines(session, start, end)
    _post_coverage(session, start, end)


def _post_lines(session: Session, start: datetime, end: datetime) -> None:
    """Each line to the claim that holds, the rest to the operator."""
    line, claim, shared = m.WorkloadHour, c.WorkloadClaim, k.ServiceClaim
    lines = (
        select(
            func.coalesce(claim.tenant_id, OPERATOR_TENANT),
            line.hour,
            line.host_id,
            line.workload_id,
            line.source_id,
            func.coalesce(claim.claim_id, -shared.service_claim_id, UNCLAIMED),
            claim.subscription,
            shared.service_code,
            line.energy_mj,
            line.low_mj,
            line.high_mj,
        )
        .outerjoin(claim, _holds(claim, line))
        .outerjoin(shared, _holds(shared, line))
        .where(line.hour >= start, line.hour < end)
        .order_by(func.coalesce(claim.tenant_id, OPERATOR_TENANT), line.hour, line.host_id, line.workload_id)
    )
    columns = [
        "tenant_id",
        "hour",
        "host_id",
        "workload_id",
        "source_id",
        "claim_id",
        "subscription",
        "service_code",
    ]
    session.execute(insert(t.EnergyLine).from_select([*columns, "energy_mj", "low_mj", "high_mj"], lines))


def _post_coverage(session: Session, start: datetime, end: datetime) -> None:
    """What was heard of each host, to the operator and to those who claim on it."""
    claim, host_hour = c.WorkloadClaim, m.HostHour
    facts = (host_hour.hour, host_hour.host_id, host_hour.covered_ms, host_hour.policy)
    within = (host_hour.hour >= start, host_hour.hour < end)
    of_operator = select(literal(OPERATOR_TENANT), *facts).where(*within)
    of_adherents = (
        select(claim.tenant_id, *facts)
        .join(
            claim,
            and_(
                claim.host_id == host_hour.host_id,
                claim.valid_from <= host_hour.hour,
                or_(claim.valid_to.is_(None), claim.valid_to > host_hour.hour),
            ),
        )
        .where(*within)
    )
    session.execute(
        insert(t.CoverageHour).from_select(
            ["tenant_id", "hour", "host_id", "covered_ms", "policy"], of_operator.union(of_adherents)
        )
    )


def _holds(claim: Any, line: type[m.WorkloadHour]) -> ColumnElement[bool]:
    """Where a claim of either kind holds the workload at the hour of a line."""
    return and_(
        claim.host_id == line.host_id,
        claim.workload_id == line.workload_id,
        claim.valid_from <= line.hour,
        or_(claim.valid_to.is_(None), claim.valid_to > line.hour),
    )


def _add_meters(world: World) -> Deed:
    """The meters of the months that are over, which tell of more than the hosts; storage is of a service."""

    def add(session: Session) -> int:
        first = next(_whole_months(world), None)
        for site in SITES:
            for month in _whole_months(world):
                hosts_mj = hosts_energy(session, site, *month_bounds(month, ZONE))
                amounts = metered(world.scale.seed, site, month, hosts_mj)
                add_rows(session, s.SiteMeasure, list(meter_rows(world, site, month, amounts)))
            if first is not None:
                assign_meter(
                    session, site, Quantity.STORAGE, STORED, valid_from=first, now=world.scale.now, by=BY
                )
        return 0

    return add


def _whole_months(world: World) -> Iterator[date]:
    """Those of the operator that the ledger holds from their first hour to their last."""
    for month in _months(world):
        start, end = month_bounds(month, ZONE)
        if start >= ledger_start(world) and end <= world.scale.now:
            yield month


def _share_hosts(world: World) -> Iterator[Deed]:
    """How the making of each host is shared in the months that the ledger holds."""
    for host in world.hosts:

        def share(session: Session, host: Host = host) -> int:
            months = [(str(host.host_id), month) for month in _months(world)]
            make_due(session, Step.HOST, months, now=world.scale.now)
            for number, month in months:
                settle_host(session, number, month, now=world.scale.now)
            session.execute(delete(o.MonthDue))  # every month of the ledger is reckoned after this
            return 0

        yield share


def _months(world: World, zone: ZoneInfo = ZONE) -> Iterator[date]:
    """The local months that the ledger holds an hour of."""
    return months_between(month_of(ledger_start(world), zone), month_of(world.scale.now - HOUR, zone))


def settle_rests(world: World) -> Iterator[Deed]:
    """What of the sites no line carries."""

    def settle(session: Session) -> int:
        for site, month in steps_due(session, Step.REST, now=world.scale.now, limit=EVERY):
            settle_rest(session, site, month, now=world.scale.now)
        return 1

    yield settle


def _split(world: World) -> Deed:
    """The shares of the services that serve many."""

    def settle(session: Session) -> int:
        for service, month in steps_due(session, Step.SERVICE, now=world.scale.now, limit=EVERY):
            split(session, service, month, now=world.scale.now)
        return 0

    return settle


def _reckonings(world: World) -> Iterator[Deed]:
    start = ledger_start(world)
    if start >= world.scale.now:
        return
    zones = {adherent.tenant_id: adherent.zone for adherent in world.adherents} | {OPERATOR_TENANT: ZONE}
    for tenant_id in sorted(zones):

        def reckon_months(session: Session, tenant_id: int = tenant_id) -> int:
            for month in _months(world, zones[tenant_id]):
                if month_bounds(month, zones[tenant_id])[0] >= start:
                    reckon(session, tenant_id, month, now=world.scale.now)
            return 0

        yield reckon_months


def _zones(world: World) -> Iterable[ZoneInfo]:
    return ({adherent.zone.key: adherent.zone for adherent in world.adherents} | {ZONE.key: ZONE}).values()
