"""Hosts of a fleet that were heard until now, for tests that look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from collectors.reading import (
    Authority,
    Boundary,
    Facts,
    Gap,
    Kind,
    Measurement,
    Quality,
    Reading,
    Use,
    decode_batch,
    encode_batch,
)
from console.actions.ingest import ingest
from console.actions.metering import hours_due, meter_hour
from console.domain.facility import Quantity
from console.domain.hours import HOUR, hour_of
from console.store.models import measurement as m
from console.store.models import site as s

TEN_MINUTES = timedelta(minutes=10)
INSTRUMENTS = {
    "pdu": (Authority.PDU_OUTLET, Boundary.PDU, Quality.MEASURED),
    "redfish": (Authority.BMC, Boundary.SERVER_INPUT, Quality.MEASURED),
    "rapl": (Authority.RAPL, Boundary.PACKAGE_DRAM, Quality.MEASURED),
    "model": (Authority.MODEL, Boundary.SERVER_INPUT, Quality.MODELLED),
    "nvml": (Authority.GPU, Boundary.GPU, Quality.MEASURED),
}


@dataclass(frozen=True)
class Told:
    """What a host tells: watts by instrument, and how many CPUs each workload keeps busy."""

    name: str = "srv-01"
    watts: Mapping[str, int] = field(default_factory=lambda: {"redfish": 300})
    busy: Mapping[str, float] = field(default_factory=lambda: {"payroll": 2.0, "nginx": 1.0})
    gaps: Mapping[str, str] = field(default_factory=dict)
    site: str | None = "tls"
    cluster: str | None = None
    agent: str = "collectors 0.2.0"
    ahead: timedelta = timedelta(0)
    kind: Kind = Kind.SYSTEMD
    steal: float | None = None
    reserved_mcpu: int | None = None
    vcpu: int = 8


def heard(
    session: Session,
    told: Told,
    *,
    hours: int = 3,
    until: datetime | None = None,
    now: datetime | None = None,
) -> int:
    """A host is heard for some whole hours and of the one that runs until an instant; its key."""
    now = now or datetime.now(UTC)
    end = (until or now).replace(microsecond=0)
    start = hour_of(end) - hours * HOUR
    readings = []
    while start < end:
        ended_at = start + TEN_MINUTES if end - start >= 2 * TEN_MINUTES else end
        readings.append(_reading(told, len(readings) + 1, start, ended_at))
        start = ended_at
    sent_at = end + told.ahead
    facts = Facts(told.site, told.cluster, "Essai Xeon 6248", 2, 196_608)
    body = encode_batch(told.agent, told.name, _stream(told.name), readings, facts, sent_at)
    ingest(session, decode_batch(body), now=end)
    metered(session, end)
    return m.stable_id(told.name)


def metered(session: Session, now: datetime) -> None:
    """Every hour that is due is in the ledger."""
    for host_id, hour in hours_due(session, now=now):
        meter_hour(session, host_id, hour, now=now)


def a_meter(
    session: Session, site: str, started_at: datetime, ended_at: datetime, energy_mj: int, **changes: Any
) -> None:
    """The IT meter of a site told of an energy."""
    session.add(
        s.SiteMeasure(
            **{
                "site": site,
                "quantity": Quantity.IT,
                "category": 2,
                "meter": "general",
                "started_at": started_at,
                "ended_at": ended_at,
                "amount": energy_mj,
                "quality": "declared",
                "recorded_by": "test",
                "recorded_at": ended_at,
            }
            | changes
        )
    )
    session.flush()


def an_impossible_minute(session: Session, host: str) -> None:
    """A reading of 200 kW, which waits in quarantine."""
    now = datetime.now(UTC)
    minute = _reading(
        Told(host, {"redfish": 200_000}), 1, now - timedelta(hours=5), now - timedelta(hours=4.9)
    )
    ingest(session, decode_batch(encode_batch("collectors 0.2.0", host, "7" * 32, [minute])), now=now)


def _stream(name: str) -> str:
    return f"{m.stable_id(name):032x}"


def _reading(told: Told, sequence: int, started_at: datetime, ended_at: datetime) -> Reading:
    duration_ms = (ended_at - started_at) // timedelta(milliseconds=1)

    def part(amount: float) -> int:
        return int(amount * duration_ms)

    return Reading(
        sequence=sequence,
        started_at=started_at,
        ended_at=ended_at,
        duration_ms=duration_ms,
        vcpu=told.vcpu,
        busy_cpu_ms=sum(map(part, told.busy.values())),
        measurements=tuple(
            Measurement(source, *INSTRUMENTS[source], energy_mj=watts * duration_ms)
            for source, watts in told.watts.items()
        ),
        gaps=tuple(Gap(source, reason) for source, reason in told.gaps.items()),
        workloads=tuple(
            Use(
                name,
                told.kind,
                part(busy),
                reserved_mcpu=told.reserved_mcpu,
                steal_ms=None if told.steal is None else part(told.steal),
            )
            for name, busy in told.busy.items()
        ),
    )
