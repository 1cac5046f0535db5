"""Raw readings as the ledger reads them, and what is known before others come in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from collectors.reading import Reading
from console.domain.attribution import Consumer
from console.domain.hours import HOUR
from console.domain.intervals import LONGEST, Interval, Measured
from console.store.models import measurement as m

# Asked for each batch, and so put together once.
_KNOWN = select(m.Reading.sequence, m.Reading.started_at).where(
    m.Reading.started_at.in_(bindparam("starts", expanding=True)),
    m.Reading.host_id == bindparam("host"),
    m.Reading.stream == bindparam("of_stream"),
)
_BY_OTHERS = (
    select(m.Reading.stream, m.Reading.started_at, m.Reading.ended_at)
    .where(
        m.Reading.host_id == bindparam("host"),
        m.Reading.started_at > bindparam("after"),
        m.Reading.started_at < bindparam("before"),
        m.Reading.stream != bindparam("of_stream"),
    )
    .order_by(m.Reading.started_at)
)


@dataclass(frozen=True, slots=True)
class Told:
    """A stretch of time of a host of which a stream told."""

    stream: str
    started_at: datetime
    ended_at: datetime


def readings_of(host_id: int, hour: datetime) -> Select[m.Reading]:
    """The readings of a host that touch an hour, by start; ties always in the same order."""
    return (
        select(m.Reading)
        .where(
            m.Reading.host_id == host_id,
            m.Reading.started_at > hour - LONGEST,
            m.Reading.started_at < hour + HOUR,
            m.Reading.ended_at > hour,
        )
        .order_by(m.Reading.started_at, m.Reading.stream, m.Reading.sequence)
    )


def readings_between(start: datetime, end: datetime) -> Select[m.Reading]:
    """The readings of every host that touch `[start, end)`, a few at a time."""
    touching = (
        m.Reading.started_at > start - LONGEST,
        m.Reading.started_at < end,
        m.Reading.ended_at > start,
    )
    return select(m.Reading).where(*touching).execution_options(yield_per=1_000)


def interval_of_row(row: m.Reading) -> Interval:
    """A stored reading in the terms of the domain."""
    return Interval(
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_ms=row.duration_ms,
        vcpu=row.vcpu,
        busy_cpu_ms=row.busy_cpu_ms,
        measurements=[
            Measured(
                one["source"],
                one["authority"],
                one["boundary"],
                one["quality"],
                one["energy_mj"],
                one.get("min_mj"),
                one.get("max_mj"),
                one.get("idle_power_mw"),
            )
            for one in row.measurements
        ],
        consumers={
            use["name"]: Consumer(use["cpu_ms"], use.get("reserved_mcpu"), use.get("gpu_ms"))
            for use in row.workloads
        },
        gpus=row.gpus or 1,
    )


def known_keys(
    session: Session, host_id: int, stream: str, starts: Collection[datetime]
) -> set[tuple[int, datetime]]:
    """Sequence and start of the readings of a stream that began at one of these instants."""
    if not starts:
        return set()
    rows = session.execute(_KNOWN, {"starts": list(set(starts)), "host": host_id, "of_stream": stream})
    return {(sequence, started_at) for sequence, started_at in rows}


def told_by_others(session: Session, host_id: int, stream: str, readings: Sequence[Reading]) -> list[Told]:
    """What other streams of a host told of, from the first to the last of these readings."""
    if not readings:
        return []
    span = {
        "after": min(one.started_at for one in readings) - LONGEST,
        "before": max(one.ended_at for one in readings),
    }
    rows = session.execute(_BY_OTHERS, span | {"host": host_id, "of_stream": stream})
    return [Told(*told) for told in rows]
