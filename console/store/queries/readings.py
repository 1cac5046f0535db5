"""Raw readings as the ledger reads them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select

from console.domain.attribution import Consumer
from console.domain.hours import HOUR
from console.domain.intervals import LONGEST, Interval, Measured
from console.store.models import measurement as m


def readings_of(host_id: int, hour: datetime) -> Select[m.Reading]:
    """The readings of a host that touch an hour, by start."""
    return (
        select(m.Reading)
        .where(
            m.Reading.host_id == host_id,
            m.Reading.started_at > hour - LONGEST,
            m.Reading.started_at < hour + HOUR,
            m.Reading.ended_at > hour,
        )
        .order_by(m.Reading.started_at)
    )


def interval_of_row(row: m.Reading) -> Interval:
    """A stored reading in the terms of the domain."""
    return Interval(
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_ms=row.duration_ms,
        vcpu=row.vcpu,
        busy_cpu_ms=row.busy_cpu_ms,
        measurements=[Measured(**measurement) for measurement in row.measurements],
        consumers={use["name"]: Consumer(use["cpu_ms"], use["reserved_mcpu"]) for use in row.workloads},
    )
