"""Readings as an agent sends them, for tests that start from the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.reading import (
    Authority,
    Boundary,
    Envelope,
    Gap,
    Kind,
    Measurement,
    Quality,
    Reading,
    Use,
    decode_batch,
    encode_batch,
)

STREAM = "5" * 32
OTHER_STREAM = "6" * 32
START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def measured(energy_mj: int, **changes: Any) -> Measurement:
    fields: dict[str, Any] = {
        "source": "rapl",
        "authority": Authority.RAPL,
        "boundary": Boundary.PACKAGE_DRAM,
        "quality": Quality.MEASURED,
    }
    return Measurement(energy_mj=energy_mj, **fields | changes)


def modelled(energy_mj: int, **changes: Any) -> Measurement:
    fields: dict[str, Any] = {
        "source": "model",
        "authority": Authority.MODEL,
        "boundary": Boundary.SERVER_INPUT,
        "quality": Quality.MODELLED,
    }
    return Measurement(energy_mj=energy_mj, **fields | changes)


def reading(
    sequence: int = 1,
    *measurements: Measurement,
    started_at: datetime | None = None,
    duration: timedelta = MINUTE,
    **cpu_ms: int,
) -> Reading:
    """A minute of a host of 4 vCPU; by default the `sequence`-th minute of the day's first hour at work."""
    start = started_at or START + (sequence - 1) * MINUTE
    return Reading(
        sequence=sequence,
        started_at=start,
        ended_at=start + duration,
        duration_ms=duration // timedelta(milliseconds=1),
        vcpu=4,
        busy_cpu_ms=sum(cpu_ms.values()) + 1_000,
        measurements=measurements,
        gaps=() if measurements else (Gap("rapl", "no counter"),),
        workloads=tuple(Use(name, Kind.SYSTEMD, used) for name, used in cpu_ms.items()),
    )


def batch(*readings: Reading, host: str = "srv-01", stream: str = STREAM) -> Envelope:
    return decode_batch(encode_batch("1.0", host, stream, readings))
