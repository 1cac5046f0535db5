"""The instruments of hosts: the last figure of each, or since when it gives none and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from collectors.reading import Gap, Measurement, Reading
from console.store.models import fleet as f

_OF_HOST = select(f.HostSource).where(f.HostSource.host_id == bindparam("host"))  # put together once
LONGEST_NAME = 64  # of a column; an instrument with a longer name is in the ledger, and not in this list


def note_sources(session: Session, host_id: int, readings: Iterable[Reading]) -> bool:
    """Bring the instruments of a host up to date, whatever the order in which its readings come.

    Whether one of the readings is the latest that is known of the host.
    """
    sources = {row.name: row for row in session.scalars(_OF_HOST, {"host": host_id})}
    before = max(map(_latest, sources.values()), default=None)
    after = None
    for reading in sorted(readings, key=lambda one: one.ended_at):
        after = reading.ended_at
        for measurement in reading.measurements:
            _measures(_source(session, sources, host_id, measurement.source), measurement, reading)
        for gap in reading.gaps:
            _misses(_source(session, sources, host_id, gap.source), gap, reading)
    return after is not None and (before is None or after >= before)


def _latest(source: f.HostSource) -> datetime:
    return max(at for at in (source.last_at, source.gap_since) if at is not None)


def _source(session: Session, sources: dict[str, f.HostSource], host_id: int, name: str) -> f.HostSource:
    if name not in sources:
        sources[name] = f.HostSource(host_id=host_id, name=name)
        if len(name) <= LONGEST_NAME:
            session.add(sources[name])
    return sources[name]


def _measures(source: f.HostSource, measurement: Measurement, reading: Reading) -> None:
    if source.last_at is None or reading.ended_at > source.last_at:
        source.authority = measurement.authority
        source.boundary = measurement.boundary
        source.quality = measurement.quality
        source.last_at = reading.ended_at
        source.last_energy_mj = measurement.energy_mj
        source.last_duration_ms = reading.duration_ms
    if source.gap_since is not None and reading.ended_at > source.gap_since:
        source.gap_reason = source.gap_since = None


def _misses(source: f.HostSource, gap: Gap, reading: Reading) -> None:
    if source.last_at is not None and reading.ended_at <= source.last_at:
        return
    if source.gap_since is None or reading.started_at > source.gap_since:
        source.gap_reason = gap.reason
    if source.gap_since is None or reading.started_at < source.gap_since:
        source.gap_since = reading.started_at
