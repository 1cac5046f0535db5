"""What hosts draw now, from the last interval of each of their instruments, by the rules of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.hours import hour_of
from console.domain.intervals import Interval, Measured, Rules, counted
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.queries.hosts import Instrument, site_names
from console.store.queries.rules import rule_book

FRESH_INTERVALS = 3  # an instrument that told nothing for so many of its intervals is not asked
SHORTEST = timedelta(minutes=1)  # of an interval, but for those that a start or an end cut short
SPAN_MS = 1_000_000  # over which powers are compared: as many millijoules as microwatts


@dataclass(frozen=True, slots=True)
class HostPower:
    """What a host draws; None where none of its instruments told lately.

    `at` is when the last interval of the instrument that counts ended.
    """

    host_id: int
    name: str
    site: str | None
    cluster: str | None
    power_mw: int | None
    instrument: Instrument | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Sum:
    """What some hosts draw together: `known` of the `hosts` are in it, the others are unknown, not 0."""

    name: str | None
    hosts: int
    known: int
    power_mw: int | None
    modelled_mw: int


@dataclass(frozen=True, slots=True)
class LivePower:
    """The fleet at one moment; hosts with the most power first, those that are unknown last."""

    total: Sum
    by_site: Sequence[Sum]
    by_cluster: Sequence[Sum]
    hosts: Sequence[HostPower]
    sites: dict[str, str]


def live_power(session: Session, *, now: datetime, site: str = "", cluster: str = "") -> LivePower:
    """What hosts that are not retired draw, all or those of a site or a cluster; six statements at most."""
    hosts = session.scalars(select(m.Host).where(m.Host.retired_at.is_(None)).order_by(m.Host.name)).all()
    sources, book = _sources(session), rule_book(session)
    every = [
        _power(host, sources.get(host.host_id, ()), book.at(host.host_id, hour_of(now)), now)
        for host in hosts
    ]
    wanted = [
        one
        for one in every
        if (not site or (one.site or "") == site) and (not cluster or (one.cluster or "") == cluster)
    ]
    return LivePower(
        total=_sum(None, wanted),
        by_site=_by(wanted, lambda one: one.site),
        by_cluster=_by(wanted, lambda one: one.cluster),
        hosts=sorted(wanted, key=lambda one: (one.power_mw is None, -(one.power_mw or 0), one.name)),
        sites=site_names(session),
    )


def _sources(session: Session) -> dict[int, list[f.HostSource]]:
    found: dict[int, list[f.HostSource]] = {}
    told = select(f.HostSource).where(f.HostSource.last_at.is_not(None))
    for row in session.scalars(told.order_by(f.HostSource.host_id, f.HostSource.name)):
        found.setdefault(row.host_id, []).append(row)
    return found


def _power(host: m.Host, sources: Sequence[f.HostSource], rules: Rules, now: datetime) -> HostPower:
    fresh = [row for row in sources if _is_fresh(row, now)]
    found = counted(_as_interval(host, fresh, now), rules)
    instrument = at = power_mw = None
    if found is not None:
        one = found.measured
        power_mw = one.energy_mj * 1000 // SPAN_MS
        instrument = Instrument(one.source, one.authority, one.boundary, one.quality)
        at = _sensor_of(one.source, fresh).last_at
    return HostPower(host.host_id, host.name, host.site, host.cluster, power_mw, instrument, at)


def _sensor_of(source: str, told: Sequence[f.HostSource]) -> f.HostSource:
    """The sensor that counts, or from which what counts is made: `rapl` of `rapl~redfish+nvml`."""
    return max((row for row in told if source.startswith(row.name)), key=lambda row: len(row.name))


def _is_fresh(row: f.HostSource, now: datetime) -> bool:
    if row.last_at is None or not row.last_duration_ms:
        return False
    interval = max(SHORTEST, timedelta(milliseconds=row.last_duration_ms))
    return now - row.last_at <= FRESH_INTERVALS * interval


def _as_interval(host: m.Host, fresh: Sequence[f.HostSource], now: datetime) -> Interval:
    """The last figures, each over its own time, as if they were of one and the same time."""
    return Interval(
        started_at=now,
        ended_at=now + timedelta(milliseconds=SPAN_MS),
        duration_ms=SPAN_MS,
        vcpu=host.vcpu,
        busy_cpu_ms=0,
        measurements=[_as_measured(row) for row in fresh],
        consumers={},
    )


def _as_measured(row: f.HostSource) -> Measured:
    return Measured(
        source=row.name,
        authority=row.authority or "",
        boundary=row.boundary or "",
        quality=row.quality or "",
        energy_mj=(row.last_energy_mj or 0) * SPAN_MS // (row.last_duration_ms or 1),
        min_mj=None,
        max_mj=None,
        idle_power_mw=None,
    )


def _by(hosts: Sequence[HostPower], key: Callable[[HostPower], str | None]) -> list[Sum]:
    """The sums by site or by cluster, by name; hosts that do not tell come last."""
    names = sorted({key(one) for one in hosts}, key=lambda name: (name is None, name or ""))
    return [_sum(name, [one for one in hosts if key(one) == name]) for name in names]


def _sum(name: str | None, hosts: Sequence[HostPower]) -> Sum:
    powers = [one.power_mw for one in hosts if one.power_mw is not None]
    modelled = [
        one.power_mw
        for one in hosts
        if one.power_mw is not None and one.instrument and one.instrument.quality == "modelled"
    ]
    return Sum(name, len(hosts), len(powers), sum(powers) if powers else None, sum(modelled))
