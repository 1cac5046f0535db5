"""One host: facts, instruments, its last day hour by hour, what runs there, what is declared of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.domain.host_states import Heard, HostState, Limits, newest_version, states_of
from console.domain.hours import HOUR, hour_of, hours_between
from console.domain.intervals import GPU
from console.domain.stays import Stay
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.queries.hosts import (
    WINDOW,
    Instrument,
    covered_part,
    instrument_of,
    instruments,
    mean_power_mw,
    site_names,
)
from console.store.queries.stays import whereabouts

SENSOR = re.compile("[~+]")  # ends the name of a sensor in that of what is made from it


@dataclass(frozen=True, slots=True)
class Sensor:
    """An instrument of a host; `power_mw` is of the last interval it measured, which ended at `last_at`."""

    name: str
    authority: str | None
    boundary: str | None
    quality: str | None
    last_at: datetime | None
    power_mw: int | None
    gap_reason: str | None
    gap_since: datetime | None


@dataclass(frozen=True, slots=True)
class HostHour:
    """An hour of a host: the power that each counting instrument gave of its mean, none where unknown."""

    hour: datetime
    covered_ms: int
    power_mw: int | None
    by_source: Mapping[Instrument, int]


@dataclass(frozen=True, slots=True)
class Change:
    """At an hour, what counts became another instrument."""

    hour: datetime
    before: Instrument
    after: Instrument


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a workload now: a subscription of an adherent, or a service that its subscribers share."""

    tenant_id: int | None
    adherent: str | None
    subscription: int | None
    service_fr: str | None
    service_en: str | None


@dataclass(frozen=True, slots=True)
class RunningWorkload:
    """What a workload used in the last day; `kind` is `idle_kept` or `unattributed` for the two other lines.

    `stolen` is the part of its last interval in which it wanted a CPU and got none, where that is known.
    """

    workload_id: int
    name: str
    kind: str
    energy_mj: int
    idle_mj: int
    cpu_ms: int
    reserved_mcpu: int | None
    reserved_mb: int | None
    stolen: float | None
    holder: Holder | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What was declared of a host from an hour on; `in_force` tells the ones that hold now."""

    valid_from: datetime
    idle_power_mw: int | None
    idle_policy: str | None
    source: str | None
    set_by: str
    set_at: datetime
    in_force: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration of a weaker instrument on a stronger one."""

    source: str
    reference: str
    valid_from: datetime
    slope_ppm: int
    offset_mw: int
    error_ppm: int
    intervals: int
    fitted_from: datetime
    fitted_to: datetime


@dataclass(frozen=True, slots=True)
class HostPage:
    """All that is known of a host; `hours` are the last 24 whole ones and the one that runs.

    `stays` are where it stood before, the latest first; `sites` gives the codes of data centres their names.
    """

    host_id: int
    name: str
    site: str | None
    site_name: str | None
    stays: Sequence[Stay]
    sites: Mapping[str, str]
    cluster: str | None
    cpu_model: str | None
    vcpu: int
    sockets: int | None
    ram_mb: int | None
    agent: str
    first_seen_at: datetime
    last_seen_at: datetime
    clock_ahead_ms: int | None
    retired_at: datetime | None
    states: frozenset[HostState]
    instrument: Instrument | None
    covered: float | None
    sensors: Sequence[Sensor]
    hours: Sequence[HostHour]
    workloads: Sequence[RunningWorkload]
    terms: Sequence[Terms]
    fits: Sequence[Fit]

    @property
    def energy_mj(self) -> int:
        """Of the hours of the page."""
        return sum(line.energy_mj for line in self.workloads)

    @property
    def counting(self) -> str | None:
        """The sensor that counts, or from which what counts is made: `rapl` of `rapl~redfish`."""
        return None if self.instrument is None else SENSOR.split(self.instrument.name)[0]

    @property
    def choices(self) -> list[str]:
        """The instruments that may be told to count, with what a calibration makes of them."""
        own = [sensor.name for sensor in self.sensors if sensor.authority not in (GPU, None)]
        return sorted({*own, *(f"{one.source}~{one.reference}" for one in self.fits)})

    @property
    def changes(self) -> list[Change]:
        """Where the instrument that counts became another; hours that nobody knows change nothing."""
        found: list[Change] = []
        before: Instrument | None = None
        for hour in self.hours:
            after = max(hour.by_source, key=lambda one: hour.by_source[one], default=None)
            if before is not None and after is not None and after != before:
                found.append(Change(hour.hour, before, after))
            before = after or before
        return found


def host_of(session: Session, host_id: int) -> m.Host:
    """The row of a host; raises `NotFound`."""
    host = session.get(m.Host, host_id)
    if host is None:
        raise NotFound("Hôte introuvable.")
    return host


def host_page(session: Session, host_id: int, limits: Limits, *, now: datetime) -> HostPage:
    """One host with its last day; raises `NotFound`. A constant number of statements."""
    host = host_of(session, host_id)
    sites, stood = site_names(session), whereabouts(session, [host_id])[host_id]
    sensors = _sensors(session, host_id)
    instrument = instruments(session, now=now, host_id=host_id).get(host_id)
    hours = _hours(session, host_id, now)
    heard = Heard(
        last_seen_at=host.last_seen_at,
        retired_at=host.retired_at,
        agent=host.agent,
        clock_ahead_ms=host.clock_ahead_ms,
        has_source=instrument is not None,
        has_gap=any(sensor.gap_reason for sensor in sensors),
    )
    agents = session.scalars(select(m.Host.agent).where(m.Host.retired_at.is_(None)).distinct())
    whole = [hour for hour in hours if hour.hour < hour_of(now)]
    return HostPage(
        host_id=host_id,
        name=host.name,
        site=host.site,
        site_name=sites.get(host.site or "", host.site),
        stays=stood.stays[::-1],
        sites=sites,
        cluster=host.cluster,
        cpu_model=host.cpu_model,
        vcpu=host.vcpu,
        sockets=host.sockets,
        ram_mb=host.ram_mb,
        agent=host.agent,
        first_seen_at=host.first_seen_at,
        last_seen_at=host.last_seen_at,
        clock_ahead_ms=host.clock_ahead_ms,
        retired_at=host.retired_at,
        states=states_of(heard, limits, newest_version(agents), now),
        instrument=instrument,
        covered=covered_part(sum(hour.covered_ms for hour in whole), host.first_seen_at, now),
        sensors=sensors,
        hours=hours,
        workloads=_workloads(session, host_id, now),
        terms=_terms(session, host_id, now),
        fits=_fits(session, host_id),
    )


def last_day(now: datetime) -> list[datetime]:
    """The last 24 whole hours and the one that runs."""
    return list(hours_between(hour_of(now) - WINDOW, hour_of(now) + HOUR))


def _sensors(session: Session, host_id: int) -> list[Sensor]:
    rows = session.scalars(select(f.HostSource).where(f.HostSource.host_id == host_id))
    return [
        Sensor(
            name=row.name,
            authority=row.authority,
            boundary=row.boundary,
            quality=row.quality,
            last_at=row.last_at,
            power_mw=mean_power_mw(row.last_energy_mj or 0, row.last_duration_ms or 0),
            gap_reason=row.gap_reason,
            gap_since=row.gap_since,
        )
        for row in sorted(rows, key=lambda row: (row.gap_reason is not None, row.name))
    ]


def _hours(session: Session, host_id: int, now: datetime) -> list[HostHour]:
    wanted = last_day(now)
    row, line = m.HostHour, m.WorkloadHour
    totals = {
        found.hour: found
        for found in session.scalars(select(row).where(row.host_id == host_id, row.hour.in_(wanted)))
    }
    shares: dict[datetime, dict[Instrument, int]] = {}
    for hour, source, energy_mj in session.execute(
        select(line.hour, c.EnergySource, func.sum(line.energy_mj))
        .join(c.EnergySource, c.EnergySource.source_id == line.source_id)
        .where(line.host_id == host_id, line.hour.in_(wanted))
        .group_by(line.hour, c.EnergySource.source_id)
        .order_by(line.hour, c.EnergySource.name)
    ):
        shares.setdefault(hour, {})[instrument_of(source)] = int(energy_mj)
    return [_hour(hour, totals.get(hour), shares.get(hour, {})) for hour in wanted]


def _hour(hour: datetime, total: m.HostHour | None, shares: Mapping[Instrument, int]) -> HostHour:
    if total is None or not total.covered_ms:
        return HostHour(hour, 0, None, {})
    powers = {one: energy_mj * 1000 // total.covered_ms for one, energy_mj in shares.items()}
    return HostHour(hour, total.covered_ms, mean_power_mw(total.energy_mj, total.covered_ms), powers)


def _workloads(session: Session, host_id: int, now: datetime) -> list[RunningWorkload]:
    line, workload = m.WorkloadHour, m.Workload
    energy = func.sum(line.energy_mj)
    used = session.execute(
        select(workload, energy, func.sum(line.idle_mj), func.sum(line.cpu_ms))
        .join(line, and_(line.host_id == workload.host_id, line.workload_id == workload.workload_id))
        .where(line.host_id == host_id, line.hour.in_(last_day(now)))
        .group_by(workload.host_id, workload.workload_id)
        .order_by(energy.desc(), workload.name)
    ).all()
    holders, stolen = holders_on(session, host_id, now), stolen_on(session, [host_id], now)
    return [
        RunningWorkload(
            workload_id=row.workload_id,
            name=row.name,
            kind=row.kind,
            energy_mj=int(energy_mj),
            idle_mj=int(idle_mj),
            cpu_ms=int(cpu_ms),
            reserved_mcpu=row.reserved_mcpu,
            reserved_mb=row.reserved_mb,
            stolen=stolen.get((host_id, row.workload_id)),
            holder=holders.get(row.workload_id),
        )
        for row, energy_mj, idle_mj, cpu_ms in used
    ]


def holders_on(session: Session, host_id: int, now: datetime) -> dict[int, Holder]:
    """Who holds each workload of a host now."""
    claim, shared = c.WorkloadClaim, k.ServiceClaim
    own = session.execute(
        select(claim.workload_id, claim.subscription, c.Adherent.tenant_id, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == claim.tenant_id)
        .where(claim.host_id == host_id, holds_at(claim, now))
    )
    found = {row[0]: Holder(row.tenant_id, row.name, row.subscription, None, None) for row in own}
    services = session.execute(
        select(shared.workload_id, c.Service.name_fr, c.Service.name_en)
        .join(c.Service, c.Service.code == shared.service_code)
        .where(shared.host_id == host_id, holds_at(shared, now))
    )
    return found | {row[0]: Holder(None, None, None, row.name_fr, row.name_en) for row in services}


def holds_at(claim: Any, now: datetime) -> ColumnElement[bool]:
    """That a claim of either kind holds its workload at an instant."""
    return and_(claim.valid_from <= now, or_(claim.valid_to.is_(None), claim.valid_to > now))


def stolen_on(session: Session, host_ids: Sequence[int], now: datetime) -> dict[tuple[int, int], float]:
    """By host and workload, what part of the last interval it wanted a CPU and got none.

    It is in readings alone, so that only the last one of each host is asked: none in two hours is unknown.
    """
    row = m.Reading
    last = (
        select(row.host_id, func.max(row.started_at).label("started_at"))
        .where(row.host_id.in_(host_ids), row.started_at > now - 2 * HOUR)
        .group_by(row.host_id)
        .subquery()
    )
    found = session.execute(
        select(row.host_id, row.duration_ms, row.workloads).join(
            last, and_(last.c.host_id == row.host_id, last.c.started_at == row.started_at)
        )
    )
    return {
        (host_id, m.workload_key(use["name"], use.get("uid"))): use["steal_ms"] / duration_ms
        for host_id, duration_ms, workloads in found
        for use in workloads
        if use.get("steal_ms") is not None
    }


def _terms(session: Session, host_id: int, now: datetime) -> list[Terms]:
    rows = session.scalars(
        select(f.HostTerms).where(f.HostTerms.host_id == host_id).order_by(f.HostTerms.valid_from.desc())
    ).all()
    in_force = next((row.valid_from for row in rows if row.valid_from <= now), None)
    return [
        Terms(
            valid_from=row.valid_from,
            idle_power_mw=row.idle_power_mw,
            idle_policy=row.idle_policy,
            source=row.source,
            set_by=row.set_by,
            set_at=row.set_at,
            in_force=row.valid_from == in_force,
        )
        for row in rows
    ]


def _fits(session: Session, host_id: int) -> list[Fit]:
    row = f.Calibration
    found = session.scalars(
        select(row).where(row.host_id == host_id).order_by(row.valid_from.desc(), row.source)
    )
    return [
        Fit(
            source=one.source,
            reference=one.reference,
            valid_from=one.valid_from,
            slope_ppm=one.slope_ppm,
            offset_mw=one.offset_mw,
            error_ppm=one.error_ppm,
            intervals=one.intervals,
            fitted_from=one.fitted_from,
            fitted_to=one.fitted_to,
        )
        for one in found
    ]
