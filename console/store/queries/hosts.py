"""The hosts of the fleet as their list shows them: heard when, measured by what, and what is amiss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from console.domain.host_states import Heard, HostState, Limits, newest_version, states_of
from console.domain.hours import HOUR, hour_of, hours_between
from console.store.models import catalogue as c
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.paging import PAGE, PageOf

WINDOW = timedelta(days=1)  # over which coverage is told
JUDGED = timedelta(hours=2)  # the hours, beside this one, in which an instrument shows that it counts
NOWHERE = "none"  # the value of a facet for hosts that do not tell


class Facet(StrEnum):
    """What the list is narrowed by, each beside the others."""

    STATE = "state"
    SITE = "site"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is sought: words of the host's name, and the values of facets."""

    words: str = ""
    values: Mapping[Facet, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instrument:
    """What counts for a host in the ledger: `authority` is its kind, `boundary` what its figures hold."""

    name: str
    authority: str
    boundary: str
    quality: str


@dataclass(frozen=True, slots=True)
class SourceGap:
    """An instrument that gives nothing, why, and since when."""

    source: str
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ListedHost:
    """A line of the list; power and coverage are None where nothing is known of those hours.

    `power_mw` is the mean of the last whole hour over what was covered of it, `covered` the part of the last
    24 whole hours that was, of those since the host was first heard.
    """

    host_id: int
    name: str
    site: str | None
    cluster: str | None
    agent: str
    last_seen_at: datetime
    clock_ahead_ms: int | None
    retired_at: datetime | None
    instrument: Instrument | None
    gaps: Sequence[SourceGap]
    power_mw: int | None
    covered: float | None
    states: frozenset[HostState]


@dataclass(frozen=True, slots=True)
class Hosts(PageOf[ListedHost]):
    """One page of the list; `counts` tells of each facet how many the other ones leave for each value.

    `sites` gives the codes of data centres their names.
    """

    counts: Mapping[Facet, Mapping[str, int]]
    sites: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Hours:
    """The last whole day of a host in the ledger."""

    covered_ms: int = 0
    last_energy_mj: int = 0
    last_covered_ms: int = 0


def list_hosts(
    session: Session, asked: Asked, limits: Limits, *, now: datetime, page: int = 1, size: int | None = PAGE
) -> Hosts:
    """The hosts by name, without those retired unless they are asked for; all of them without `size`.

    The statements are as many whatever is found.
    """
    every = _every_host(session, limits, now)
    found = [host for host in every if _is_sought(host, asked.words)]
    kept = [host for host in found if _passes(host, asked.values)]
    rows = kept if size is None else kept[(page - 1) * size : page * size]
    return Hosts(rows, len(kept), page, _counts(found, asked.values), site_names(session))


def site_names(session: Session) -> dict[str, str]:
    """The name of each data centre by its code."""
    return {row.code: row.name for row in session.scalars(select(s.Site))}


def instruments(session: Session, *, now: datetime, host_id: int | None = None) -> dict[int, Instrument]:
    """By host, what counted in the latest of its last hours in the ledger; of one host, or of all."""
    line = m.WorkloadHour
    of_host = () if host_id is None else (line.host_id == host_id,)
    energy = func.sum(line.energy_mj)
    rows = session.execute(
        select(line.host_id, c.EnergySource)
        .join(c.EnergySource, c.EnergySource.source_id == line.source_id)
        .where(line.hour.in_(hours_between(hour_of(now) - JUDGED, now)), *of_host)
        .group_by(line.host_id, line.hour, c.EnergySource.source_id)
        .order_by(line.hour, energy, c.EnergySource.source_id.desc())
    )
    return {host_id: instrument_of(source) for host_id, source in rows}


def instrument_of(source: c.EnergySource) -> Instrument:
    return Instrument(source.name, source.authority, source.boundary, source.quality)


def mean_power_mw(energy_mj: int, covered_ms: int) -> int | None:
    """None where nothing was covered."""
    return energy_mj * 1000 // covered_ms if covered_ms else None


def _every_host(session: Session, limits: Limits, now: datetime) -> list[ListedHost]:
    hosts = session.scalars(select(m.Host).order_by(m.Host.name)).all()
    newest = newest_version(host.agent for host in hosts if host.retired_at is None)
    counting, gaps, hours = instruments(session, now=now), _gaps(session), _hours(session, now)
    return [
        _listed(
            host,
            counting.get(host.host_id),
            gaps.get(host.host_id, ()),
            hours.get(host.host_id),
            limits,
            newest,
            now,
        )
        for host in hosts
    ]


def _gaps(session: Session) -> dict[int, list[SourceGap]]:
    found: dict[int, list[SourceGap]] = {}
    row = f.HostSource
    for source in session.scalars(
        select(row).where(row.gap_reason.is_not(None)).order_by(row.host_id, row.name)
    ):
        gap = SourceGap(source.name, source.gap_reason or "", source.gap_since)
        found.setdefault(source.host_id, []).append(gap)
    return found


def _hours(session: Session, now: datetime) -> dict[int, _Hours]:
    row, end = m.HostHour, hour_of(now)
    in_last = row.hour == end - HOUR
    rows = session.execute(
        select(
            row.host_id,
            func.sum(row.covered_ms),
            func.sum(case((in_last, row.energy_mj), else_=0)),
            func.sum(case((in_last, row.covered_ms), else_=0)),
        )
        .where(row.hour >= end - WINDOW, row.hour < end)
        .group_by(row.host_id)
    )
    return {host_id: _Hours(*map(int, sums)) for host_id, *sums in rows}


def _listed(
    host: m.Host,
    instrument: Instrument | None,
    gaps: Sequence[SourceGap],
    hours: _Hours | None,
    limits: Limits,
    newest: tuple[int, ...],
    now: datetime,
) -> ListedHost:
    hours = hours or _Hours()
    heard = Heard(
        last_seen_at=host.last_seen_at,
        retired_at=host.retired_at,
        agent=host.agent,
        clock_ahead_ms=host.clock_ahead_ms,
        has_source=instrument is not None,
        has_gap=bool(gaps),
    )
    return ListedHost(
        host_id=host.host_id,
        name=host.name,
        site=host.site,
        cluster=host.cluster,
        agent=host.agent,
        last_seen_at=host.last_seen_at,
        clock_ahead_ms=host.clock_ahead_ms,
        retired_at=host.retired_at,
        instrument=instrument,
        gaps=gaps,
        power_mw=mean_power_mw(hours.last_energy_mj, hours.last_covered_ms),
        covered=covered_part(hours.covered_ms, host.first_seen_at, now),
        states=states_of(heard, limits, newest, now),
    )


def covered_part(covered_ms: int, first_seen_at: datetime, now: datetime) -> float | None:
    """How much of the last whole day was covered, of what there was of it; None before its first hour."""
    end = hour_of(now)
    due = end - max(hour_of(first_seen_at), end - WINDOW)
    return min(1.0, covered_ms / (due / timedelta(milliseconds=1))) if due else None


def _is_sought(host: ListedHost, words: str) -> bool:
    return all(word in host.name for word in words.lower().split())


def _passes(host: ListedHost, values: Mapping[Facet, str], but: Facet | None = None) -> bool:
    """Whether a host has a value of each facet but one; a retired one is shown to those who ask for it."""
    if (
        HostState.RETIRED in host.states
        and values.get(Facet.STATE) != HostState.RETIRED
        and but != Facet.STATE
    ):
        return False
    return all(value in _values(host, facet) for facet, value in values.items() if facet is not but)


def _values(host: ListedHost, facet: Facet) -> frozenset[str]:
    match facet:
        case Facet.STATE:
            return frozenset(state.value for state in host.states)
        case Facet.SITE:
            return frozenset({host.site or NOWHERE})
    return frozenset({host.cluster or NOWHERE})


def _counts(hosts: Iterable[ListedHost], values: Mapping[Facet, str]) -> dict[Facet, dict[str, int]]:
    counts: dict[Facet, Counter[str]] = {facet: Counter() for facet in Facet}
    for host in hosts:
        for facet in Facet:
            if _passes(host, values, but=facet):
                counts[facet].update(_values(host, facet))
    return {facet: dict(counter) for facet, counter in counts.items()}
