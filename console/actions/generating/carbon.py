"""Month lines of the months before the ledger: their hours are not kept, their sums are.

What a host used in a stretch is known at once from its trace, so that a month costs what an hour does. The
rule of the ledger shares it, and the rule of carbon makes each line of it, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from console.actions.generating import power
from console.actions.generating.facilities import facility_of_meters, meter_rows, metered, site_of
from console.actions.generating.ledger import bound, ledger_start
from console.actions.generating.rows import Deed, Row
from console.actions.generating.scale import ZONE
from console.actions.generating.world import Host, Workload, World
from console.actions.pricing import Prices, carbon_row
from console.actions.site_terms import settle
from console.domain.attribution import Attribution, Share
from console.domain.claims import OPERATOR_TENANT, UNCLAIMED, Claim
from console.domain.facility import Quantity
from console.domain.hours import month_bounds, month_of
from console.domain.intervals import Measured
from console.domain.month_lines import OPEN_REVISION, Facility, LineKind
from console.domain.spans import Span
from console.store.bulk import add_rows
from console.store.models import carbon as b
from console.store.models import measurement as m
from console.store.models import site as s

SiteMonth = tuple[str, date]
Key = tuple[int, date, int, int]  # tenant_id, month, workload_id, claim_id


@dataclass(slots=True)
class _Sum:
    """A line while its stretches are added up."""

    subscription: int | None
    energy_mj: int = 0
    low_mj: int | None = 0
    high_mj: int | None = 0

    def add(self, share: Share, whole: Measured) -> None:
        low, high = bound(share, whole, whole.min_mj), bound(share, whole, whole.max_mj)
        self.energy_mj += share.energy_mj
        self.low_mj = None if self.low_mj is None or low is None else self.low_mj + low
        self.high_mj = None if self.high_mj is None or high is None else self.high_mj + high


@dataclass(slots=True)
class _Stretches:
    """A host's energy by stretch; many lines ask for the same one."""

    host: Host
    known: dict[Span, tuple[power.Use, Attribution]] = field(default_factory=dict)

    def of(self, span: Span) -> tuple[power.Use, Attribution]:
        if span not in self.known:
            use = power.use_of(self.host, tuple(power.heard(self.host, *span)))
            self.known[span] = use, power.share(self.host, use)
        return self.known[span]


def store_carbon(world: World) -> Iterator[Deed]:
    """The meters of the months before the ledger, then these months of a host in each transaction."""
    end = ledger_start(world)
    zones = {adherent.tenant_id: adherent.zone for adherent in world.adherents} | {OPERATOR_TENANT: ZONE}
    sums = {host.host_id: _sums(host, zones, max(world.scale.start, host.since), end) for host in world.hosts}
    used: Counter[SiteMonth] = Counter()
    for host in world.hosts:
        for (_, month, _, _), line in sums[host.host_id].items():
            used[site_of(host), month] += line.energy_mj
    meters = {
        (site, month): metered(world.scale.seed, site, month, hosts_mj)
        for (site, month), hosts_mj in sorted(used.items())
    }
    facilities = {key: facility_of_meters(amounts) for key, amounts in meters.items()}
    yield _add_meters(world, meters, used)
    for host in world.hosts:

        def add(session: Session, host: Host = host) -> int:
            rows = [
                _row(host, key, line, zones[key[0]], facilities, world.scale.now)
                for key, line in sorted(sums[host.host_id].items())
            ]
            prices = Prices(session)
            lines = [b.MonthLine(**row) for row in rows]
            add_rows(session, b.MonthLine, rows)
            add_rows(
                session,
                b.CarbonLine,
                [
                    carbon_row(line, basis, priced, world.scale.now)
                    for line in lines
                    for basis, priced in prices.of(line, None)
                ],
            )
            return 1

        yield add


def _add_meters(
    world: World, meters: Mapping[SiteMonth, Mapping[Quantity, int]], used: Mapping[SiteMonth, int]
) -> Deed:
    def add(session: Session) -> int:
        for (site, month), amounts in meters.items():
            add_rows(session, s.SiteMeasure, list(meter_rows(world, site, month, amounts)))
            session.flush()
            settle(session, site, month, now=world.scale.now)
            session.get_one(b.SiteMonth, (site, month)).hosts_mj = used[site, month]
        return 0

    return add


def _sums(host: Host, zones: dict[int, ZoneInfo], start: datetime, end: datetime) -> dict[Key, _Sum]:
    sums: dict[Key, _Sum] = {}
    stretches = _Stretches(host)

    def add(tenant_id: int, workload_id: int, claim: Claim | None, month: date, span: Span) -> None:
        use, shared = stretches.of(span)
        share = _share_of(host, workload_id, shared)
        if share.energy_mj:
            key = (tenant_id, month, workload_id, claim.claim_id if claim else UNCLAIMED)
            line = sums.setdefault(key, _Sum(claim.subscription if claim else None))
            line.add(share, use.measured)

    for workload in host.workloads:
        for claim in workload.claims:
            for month, span in _months(zones[claim.tenant_id], claim.valid_from, claim.valid_to, start, end):
                add(claim.tenant_id, workload.workload_id, claim, month, span)
        for begins, ends in _unclaimed(workload, start, end):
            for month, span in _months(ZONE, begins, ends, start, end):
                add(OPERATOR_TENANT, workload.workload_id, None, month, span)
    for workload_id in (m.IDLE_KEPT, m.UNATTRIBUTED):
        for month, span in _months(ZONE, start, end, start, end):
            add(OPERATOR_TENANT, workload_id, None, month, span)
    return sums


def _share_of(host: Host, workload_id: int, shared: Attribution) -> Share:
    if workload_id == m.IDLE_KEPT:
        return Share(0, shared.idle_kept_mj)
    if workload_id == m.UNATTRIBUTED:
        return shared.unattributed
    name = next(one.name for one in host.workloads if one.workload_id == workload_id)
    return shared.workloads[name]


def _months(
    zone: ZoneInfo, begins: datetime, ends: datetime | None, start: datetime, end: datetime
) -> Iterator[tuple[date, Span]]:
    """The local months that begin before `end`, each with what of it lies in `[begins, ends)` after `start`.

    A month that has begun before the ledger does is wholly here: the ledger's own begin with it.
    """
    begins = max(begins, start)
    month = month_of(begins, zone)
    while (bounds := month_bounds(month, zone))[0] < end:
        first = max(bounds[0], begins)
        last = bounds[1] if ends is None else min(bounds[1], ends)
        if first < last:
            yield month, (first, last)
        elif first > last:
            return
        month = (month + timedelta(days=32)).replace(day=1)


def _unclaimed(workload: Workload, start: datetime, end: datetime) -> Iterator[Span]:
    """The stretches that no claim holds."""
    for claim in workload.claims:
        if start < claim.valid_from:
            yield start, claim.valid_from
        if claim.valid_to is None:
            return
        start = max(start, claim.valid_to)
    yield start, end


def _row(
    host: Host,
    key: Key,
    line: _Sum,
    zone: ZoneInfo,
    facilities: Mapping[SiteMonth, Facility | None],
    now: datetime,
) -> Row:
    """The energy is declared, as no hour shows how it was come by."""
    tenant_id, month, workload_id, claim_id = key
    facility = facilities[site_of(host), month]
    return {
        "tenant_id": tenant_id,
        "month": month,
        "since": month_bounds(month, zone)[0],
        "host_id": host.host_id,
        "workload_id": workload_id,
        "claim_id": claim_id,
        "revision": OPEN_REVISION,
        "kind": LineKind.OWN if claim_id > 0 else LineKind.UNCLAIMED,  # nothing is shared before the ledger
        "counts": True,
        "subscription": line.subscription,
        "service_code": None,
        "site": site_of(host),
        "hours": 0,
        "energy_mj": line.energy_mj,
        "measured_mj": 0,
        "modelled_mj": 0,
        "declared_mj": line.energy_mj,
        "low_mj": line.low_mj,
        "high_mj": line.high_mj,
        "overhead_mj": facility.overhead_of(line.energy_mj) if facility else None,
        "water_ml": facility.water_of(line.energy_mj) if facility else None,
        **dict.fromkeys(("embodied_ug", "embodied_low_ug", "embodied_high_ug", "adpe_ug", "primary_mj")),
        "terms": {"facility": facility.to_terms()} if facility else {},
        "reckoned_at": now,
    }
