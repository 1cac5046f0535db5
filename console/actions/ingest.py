"""Taking in what agents send: each reading once, or kept aside with the reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from collectors.reading import LARGEST, Envelope, Reading, UnreadableReading, decode_reading
from console.domain.attribution import Consumer
from console.domain.errors import Conflict
from console.domain.hours import hours_between
from console.domain.intervals import LONGEST, RETENTION, Interval, Measured, refusal
from console.store.conditional import rows_touched
from console.store.models import measurement as m
from console.store.queries.generation import Origin, origin
from console.store.upsert import upsert


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
    host: the second one is quarantined, or its energy would count twice.
    """
    host = _host(session, envelope, now)
    taken: dict[tuple[int, datetime], Reading] = {}
    receipts = []
    for raw in envelope.readings:
        try:
            reading = decode_reading(raw)
        except UnreadableReading as error:
            receipts.append(_quarantine(session, host, envelope, raw, str(error), now))
            continue
        key = (reading.sequence, reading.started_at)
        if key in taken or _is_known(session, host.host_id, envelope.stream, reading):
            receipts.append(Receipt(reading.sequence, Status.DUPLICATE))
            continue
        reason = refusal(interval_of(reading), now) or _overlap(
            session, host.host_id, envelope.stream, reading
        )
        if reason:
            receipts.append(_quarantine(session, host, envelope, raw, reason, now))
            continue
        taken[key] = reading
        receipts.append(Receipt(reading.sequence, Status.ACCEPTED))
    _store(session, host, envelope.stream, taken.values(), now)
    return receipts


def interval_of(reading: Reading) -> Interval:
    """A reading in the terms of the domain."""
    return Interval(
        started_at=reading.started_at,
        ended_at=reading.ended_at,
        duration_ms=reading.duration_ms,
        vcpu=reading.vcpu,
        busy_cpu_ms=reading.busy_cpu_ms,
        measurements=[Measured(**asdict(measurement)) for measurement in reading.measurements],
        consumers={use.name: Consumer(use.cpu_ms, use.reserved_mcpu) for use in reading.workloads},
    )


def _host(session: Session, envelope: Envelope, now: datetime) -> m.Host:
    """The host's row, locked: the batches of one host are taken in one after the other."""
    host_id = m.stable_id(envelope.host)
    born = {
        "host_id": host_id,
        "name": envelope.host,
        "agent": envelope.agent,
        "vcpu": 0,
        "first_seen_at": now,
        "last_seen_at": now,
        "gaps": [],
    }
    upsert(session, m.Host, [born])
    host = session.scalars(select(m.Host).where(m.Host.host_id == host_id).with_for_update()).one()
    if host.name != envelope.host:
        raise Conflict("Le nom %(host)s donne la clé d'un autre hôte.", host=envelope.host)
    host.agent, host.last_seen_at = envelope.agent, now
    return host


def _is_known(session: Session, host_id: int, stream: str, reading: Reading) -> bool:
    key = (reading.started_at, host_id, stream, reading.sequence)
    return session.get(m.Reading, key) is not None


def _overlap(session: Session, host_id: int, stream: str, reading: Reading) -> str | None:
    other = session.scalars(
        select(m.Reading.stream)
        .where(
            m.Reading.host_id == host_id,
            m.Reading.started_at > reading.started_at - LONGEST,
            m.Reading.started_at < reading.ended_at,
            m.Reading.ended_at > reading.started_at,
            m.Reading.stream != stream,
        )
        .limit(1)
    ).first()
    return f"started_at: stream {other} told of this time already" if other else None


def _quarantine(
    session: Session, host: m.Host, envelope: Envelope, raw: Any, reason: str, now: datetime
) -> Receipt:
    text = json.dumps(raw, sort_keys=True)
    row = {
        "host_id": host.host_id,
        "fingerprint": hashlib.sha256(f"{envelope.stream}{text}".encode()).hexdigest(),
        "stream": envelope.stream,
        "received_at": now,
        "reason": reason,
        "reading": text,
    }
    upsert(session, m.QuarantinedReading, [row])
    return Receipt(_sequence_of(raw), Status.QUARANTINED, reason)


def _sequence_of(raw: Any) -> int | None:
    sequence = raw.get("sequence") if isinstance(raw, dict) else None
    readable = isinstance(sequence, int) and not isinstance(sequence, bool) and 0 <= sequence <= LARGEST
    return sequence if readable else None


def _store(session: Session, host: m.Host, stream: str, readings: Iterable[Reading], now: datetime) -> None:
    rows = [_row(host.host_id, stream, reading, now) for reading in readings]
    if not rows:
        return
    session.execute(insert(m.Reading), rows)
    host.first_seen_at = min(host.first_seen_at, *(reading.started_at for reading in readings))
    latest = max(readings, key=lambda reading: reading.ended_at)
    host.vcpu, host.gaps = latest.vcpu, [asdict(gap) for gap in latest.gaps]
    hours = {hour for reading in readings for hour in hours_between(reading.started_at, reading.ended_at)}
    mark_due(session, host.host_id, hours, now)


def mark_due(session: Session, host_id: int, hours: Iterable[datetime], now: datetime) -> None:
    """Ask for these hours of a host to be attributed again."""
    rows = [{"host_id": host_id, "hour": hour, "due_at": now, "waits_since": now} for hour in sorted(hours)]
    upsert(session, m.HourDue, rows, update=["due_at"])


def forget_readings(session: Session, *, now: datetime) -> int:
    """Delete raw readings past their retention; how many. Their hours stay in the ledger for ever.

    Generated ones are kept: they are as old as the past that is told, and nothing comes after them.
    """
    if origin(session) is not Origin.REAL:
        return 0
    past = m.Reading.started_at < now - RETENTION - LONGEST
    return rows_touched(session, delete(m.Reading).where(past))


def _row(host_id: int, stream: str, reading: Reading, now: datetime) -> dict[str, Any]:
    return {
        "host_id": host_id,
        "stream": stream,
        "sequence": reading.sequence,
        "started_at": reading.started_at,
        "ended_at": reading.ended_at,
        "received_at": now,
        "duration_ms": reading.duration_ms,
        "vcpu": reading.vcpu,
        "busy_cpu_ms": reading.busy_cpu_ms,
        "measurements": [asdict(measurement) for measurement in reading.measurements],
        "workloads": [asdict(use) for use in reading.workloads],
    }
