"""Taking in what agents send: each reading once, or kept aside with the reason.

A batch costs the same few statements whatever it holds: one tells which readings are known, one which other
streams told of the same time, and the rows go in together.
"""

from __future__ import annotations

import hashlib
import json
import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.orm import Session

from collectors.reading import (
    LARGEST,
    Envelope,
    Gap,
    Measurement,
    Reading,
    UnreadableReading,
    Use,
    decode_reading,
)
from console.actions.host_sources import note_sources
from console.actions.stays import stand_where_told
from console.domain.attribution import Consumer
from console.domain.errors import Conflict
from console.domain.hours import hours_between
from console.domain.intervals import (
    LONGEST,
    MILLISECOND,
    RETENTION,
    Interval,
    Measured,
    Refused,
    Rule,
    refusal,
)
from console.store.bulk import Row, add_rows
from console.store.conditional import rows_touched
from console.store.models import measurement as m
from console.store.queries.generation import Origin, origin
from console.store.queries.readings import Told, known_keys, told_by_others
from console.store.upsert import upsert

# An hour that is still attributed again may need readings that began an hour before it.
KEPT = RETENTION + 3 * LONGEST
MOST_AHEAD_MS = 10 * 366 * 24 * 3_600_000  # a clock that is further off is simply wrong

# Put together once.
_LOCKED = select(m.Host).where(m.Host.host_id == bindparam("host")).with_for_update(key_share=True)

log = logging.getLogger(__name__)
Key = tuple[int, datetime]  # sequence, start


class Status(StrEnum):
    """What became of a reading; all three acknowledge it."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer for one reading; `sequence` is None where it could not be read."""

    sequence: int | None
    status: Status
    reason: str | None = None


def ingest(session: Session, envelope: Envelope, *, now: datetime) -> list[Receipt]:
    """Store the readings of a batch and mark their hours due; one receipt for each, in their order.

    A reading is known by (host, stream, sequence, start). Two streams may not tell of the same time of a
    host: the second one is quarantined, or its energy would count twice. A batch without readings, by which
    an agent tries its token, is no sign of life.
    """
    if not envelope.readings:
        return []
    with session.no_autoflush:  # what the batch tells of its host is written once, at its end
        receipts = _ingest(session, envelope, now)
    session.flush()
    return receipts


def _ingest(session: Session, envelope: Envelope, now: datetime) -> list[Receipt]:
    host = _host(session, envelope, now)
    told = [_decoded(raw) for raw in envelope.readings]
    readable = [one for one in told if isinstance(one, Reading)]
    _bring_back(host, readable)
    known = known_keys(session, host.host_id, envelope.stream, [one.started_at for one in readable])
    others = told_by_others(session, host.host_id, envelope.stream, readable)
    taken: dict[Key, Reading] = {}
    receipts, kept = [], []
    for raw, one in zip(envelope.readings, told, strict=True):
        if isinstance(one, Reading):
            key = (one.sequence, one.started_at)
            if key in taken or key in known:
                receipts.append(Receipt(one.sequence, Status.DUPLICATE))
                continue
            refused = refusal(interval_of(one), now) or overlap(one, others)
            if refused is None:
                taken[key] = one
                receipts.append(Receipt(one.sequence, Status.ACCEPTED))
                continue
        else:
            refused = one
        kept.append(_quarantined(host.host_id, envelope.stream, raw, refused, now))
        receipts.append(Receipt(_sequence_of(raw), Status.QUARANTINED, refused.reason))
    upsert(session, m.QuarantinedReading, kept)
    take_in(session, host, envelope.stream, list(taken.values()), now)
    site = envelope.facts.site
    if taken and site is not None and site != host.site:
        session.flush()
        stand_where_told(session, host, site, list(taken.values()), now=now)
    return receipts


def take_in(session: Session, host: m.Host, stream: str, readings: Sequence[Reading], now: datetime) -> None:
    """Put readings in the ledger's way: their rows, what they tell of the host, and their hours due."""
    if not readings:
        return
    add_rows(session, m.Reading, [stored_row(host.host_id, stream, reading, now) for reading in readings])
    host.first_seen_at = min(host.first_seen_at, *(reading.started_at for reading in readings))
    latest = max(readings, key=lambda reading: reading.ended_at)
    if note_sources(session, host.host_id, readings):
        host.vcpu, host.gaps = latest.vcpu, [_plain(gap) for gap in latest.gaps]
        host.ram_mb = host.ram_mb if latest.ram_mb is None else latest.ram_mb
    hours = {hour for reading in readings for hour in hours_between(reading.started_at, reading.ended_at)}
    mark_due(session, host.host_id, hours, now)


def interval_of(reading: Reading) -> Interval:
    """A reading in the terms of the domain."""
    return Interval(
        started_at=reading.started_at,
        ended_at=reading.ended_at,
        duration_ms=reading.duration_ms,
        vcpu=reading.vcpu,
        busy_cpu_ms=reading.busy_cpu_ms,
        measurements=[
            Measured(
                one.source,
                one.authority,
                one.boundary,
                one.quality,
                one.energy_mj,
                one.min_mj,
                one.max_mj,
                one.idle_power_mw,
            )
            for one in reading.measurements
        ],
        consumers={
            use.name: Consumer(use.cpu_ms, use.reserved_mcpu, use.gpu_ms) for use in reading.workloads
        },
        gpus=reading.gpus or 1,
    )


def overlap(reading: Reading, others: Sequence[Told]) -> Refused | None:
    """That another stream of the host told of some of the same time; `others` by their start."""
    first = bisect_right(others, reading.started_at - LONGEST, key=lambda told: told.started_at)
    for told in islice(others, first, None):
        if told.started_at >= reading.ended_at:
            break
        if told.ended_at > reading.started_at:
            return Refused(Rule.OVERLAP, f"started_at: stream {told.stream} told of this time already")
    return None


def _decoded(raw: Any) -> Reading | Refused:
    try:
        return decode_reading(raw)
    except UnreadableReading as error:
        return Refused(Rule.UNREADABLE, str(error))


def _host(session: Session, envelope: Envelope, now: datetime) -> m.Host:
    """The host's row, locked: the batches of one host are taken in one after the other."""
    host_id = m.stable_id(envelope.host)
    host = session.scalars(_LOCKED, {"host": host_id}).one_or_none()
    if host is None:
        upsert(session, m.Host, [_newborn(host_id, envelope, now)])
        host = session.scalars(_LOCKED, {"host": host_id}).one()
    if host.name != envelope.host:
        raise Conflict("Le nom %(host)s donne la clé d'un autre hôte.", host=envelope.host)
    host.agent, host.last_seen_at = envelope.agent, now
    for name, fact in _facts(envelope):
        setattr(host, name, fact)
    if envelope.sent_at is not None:
        ahead_ms = (envelope.sent_at - now) // MILLISECOND
        host.clock_ahead_ms = max(-MOST_AHEAD_MS, min(MOST_AHEAD_MS, ahead_ms))
    return host


def _bring_back(host: m.Host, readings: Sequence[Reading]) -> None:
    """A retired host that ran after that is back; what it had kept from before brings nothing back."""
    retired_at = host.retired_at
    if retired_at is not None and any(reading.ended_at > retired_at for reading in readings):
        log.warning("host %s was retired on %s and sends again: it is back", host.name, retired_at)
        host.retired_at = None


def _newborn(host_id: int, envelope: Envelope, now: datetime) -> Row:
    return {
        "host_id": host_id,
        "name": envelope.host,
        "agent": envelope.agent,
        "vcpu": 0,
        "first_seen_at": now,
        "last_seen_at": now,
        "gaps": [],
    }


def _facts(envelope: Envelope) -> Iterable[tuple[str, Any]]:
    """What the sender tells of its host; what it does not tell stays as it is known."""
    facts = envelope.facts
    told = {
        "cluster": facts.cluster,
        "cpu_model": facts.cpu_model,
        "sockets": facts.sockets,
        "ram_mb": facts.ram_mb,
    }
    return ((name, fact) for name, fact in told.items() if fact is not None)


def _quarantined(host_id: int, stream: str, raw: Any, refused: Refused, now: datetime) -> Row:
    text = json.dumps(raw, sort_keys=True)
    return {
        "host_id": host_id,
        "fingerprint": hashlib.sha256(f"{stream}{text}".encode()).hexdigest(),
        "stream": stream,
        "received_at": now,
        "rule": refused.rule,
        "reason": refused.reason,
        "reading": text,
    }


def _sequence_of(raw: Any) -> int | None:
    sequence = raw.get("sequence") if isinstance(raw, dict) else None
    readable = isinstance(sequence, int) and not isinstance(sequence, bool) and 0 <= sequence <= LARGEST
    return sequence if readable else None


def mark_due(session: Session, host_id: int, hours: Iterable[datetime], now: datetime) -> None:
    """Ask for these hours of a host to be attributed again."""
    rows = [{"host_id": host_id, "hour": hour, "due_at": now, "waits_since": now} for hour in sorted(hours)]
    upsert(session, m.HourDue, rows, update=["due_at"])


def forget_readings(session: Session, *, now: datetime) -> int:
    """Delete raw readings past their retention; how many. Their hours stay in the ledger for ever.

    Those of a host from its first hour that waits to be metered are kept until it is. Generated
    ones are kept: they are as old as the past that is told, and nothing comes after them.
    """
    if origin(session) is not Origin.REAL:
        return 0
    waits = exists().where(m.HourDue.host_id == m.Reading.host_id, m.HourDue.hour < m.Reading.ended_at)
    return rows_touched(session, delete(m.Reading).where(m.Reading.started_at < now - KEPT, ~waits))


def stored_row(host_id: int, stream: str, reading: Reading, now: datetime) -> Row:
    """A reading as its table keeps it."""
    return {
        "host_id": host_id,
        "stream": stream,
        "sequence": reading.sequence,
        "started_at": reading.started_at,
        "ended_at": reading.ended_at,
        "received_at": now,
        "duration_ms": reading.duration_ms,
        "vcpu": reading.vcpu,
        "ram_mb": reading.ram_mb,
        "gpus": reading.gpus,
        "busy_cpu_ms": reading.busy_cpu_ms,
        "measurements": [_plain(measurement) for measurement in reading.measurements],
        "workloads": plain_uses(reading),
    }


def plain_uses(reading: Reading) -> list[dict[str, Any]]:
    """What each workload used, as a reading keeps it."""
    return [_plain(use) for use in reading.workloads]


def _plain(part: Measurement | Use | Gap) -> dict[str, Any]:
    """Its fields, without those that tell nothing."""
    return {name: value for name in part.__slots__ if (value := getattr(part, name)) is not None}
