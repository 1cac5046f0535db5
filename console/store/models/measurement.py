"""The measurement plane: what hosts told, and the hourly ledger made of it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.store.base import Code, Count, Instant, KeyId, Label, MeasurementRow, Small

# Two lines of every host are no workload: they have numbers that no name could get.
IDLE_KEPT = 1
UNATTRIBUTED = 2


def workload_key(name: str, uid: str | None) -> int:
    """The key of a workload: a virtual machine keeps it wherever it runs and whatever it is called."""
    return stable_id(name if uid is None else f"vm:{uid}")


def stable_id(name: str) -> int:
    """The key of a host, or of a workload on its host, from its name: 63 bits, the same on every shard.

    A key born of the name needs no sequence and no unique index that a distributed table could not hold.
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


class Host(MeasurementRow):
    """A machine that sends readings."""

    __tablename__ = "host"
    host_id: Mapped[KeyId]
    name: Mapped[Code]
    agent: Mapped[Label]
    vcpu: Mapped[int]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime] = mapped_column(index=True)
    gaps: Mapped[list[Any]]  # the sources of the last reading that gave nothing, and why
    site: Mapped[Code | None]  # where it stands now; `HostStay` says where it stood before
    cluster: Mapped[Label | None]  # among whose hosts virtual machines move
    cpu_model: Mapped[Label | None]
    sockets: Mapped[Small | None]
    ram_mb: Mapped[Count | None]
    clock_ahead_ms: Mapped[Count | None]  # of its last batch against ours; below 0: behind
    retired_at: Mapped[datetime | None]  # it sends no more, and is not missed


class Workload(MeasurementRow):
    """Something that runs on a host and has a name there."""

    __tablename__ = "workload"
    __table_args__ = (Index("ix_workload_uid", "uid"),)
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    workload_id: Mapped[KeyId]
    name: Mapped[Label]
    kind: Mapped[Code]
    uid: Mapped[Code | None]  # what stays the same wherever a virtual machine runs, whatever its name
    reserved_mcpu: Mapped[Count | None]
    reserved_mb: Mapped[Count | None]
    last_hour: Mapped[datetime | None]  # the latest hour in which it used anything


class Reading(MeasurementRow):
    """One closed interval of a host, as it was accepted; time leads the key: rows come in its order."""

    __tablename__ = "reading"
    __table_args__ = (
        ForeignKeyConstraint(["host_id"], ["host.host_id"]),
        Index("ix_reading_host_id_started_at", "host_id", "started_at"),
    )
    started_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    host_id: Mapped[KeyId]
    stream: Mapped[Code] = mapped_column(primary_key=True)
    sequence: Mapped[KeyId]
    ended_at: Mapped[datetime]
    received_at: Mapped[datetime]
    duration_ms: Mapped[Count]
    vcpu: Mapped[int]
    ram_mb: Mapped[Count | None]
    gpus: Mapped[Small | None]
    busy_cpu_ms: Mapped[Count]
    measurements: Mapped[list[Any]]
    workloads: Mapped[list[Any]]


class QuarantinedReading(MeasurementRow):
    """A reading that was kept out of the ledger, as it came, with the rule it broke and the reason."""

    __tablename__ = "quarantined_reading"
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    fingerprint: Mapped[Code] = mapped_column(primary_key=True)
    stream: Mapped[Code]
    received_at: Mapped[datetime] = mapped_column(index=True)
    rule: Mapped[Code] = mapped_column(server_default="other")  # "other": of before rules were kept
    reason: Mapped[str]
    reading: Mapped[str]  # its JSON text, which need not be one that a database reads
    decision: Mapped[Code | None]  # accepted or rejected; None while it waits
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[Label | None]
    note: Mapped[str | None]  # why it was decided so


class HourDue(MeasurementRow):
    """An hour of a host whose readings must be attributed again; who deletes the row does the work."""

    __tablename__ = "hour_due"
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    hour: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)
    waits_since: Mapped[datetime]


class HostHour(MeasurementRow):
    """An hour of a host: its energy straight from the readings, whatever the attribution made of it."""

    __tablename__ = "host_hour"
    hour: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    energy_mj: Mapped[Count]
    gpu_mj: Mapped[Count] = mapped_column(default=0)  # within the energy: what went by GPU time
    covered_ms: Mapped[Count]
    stretches: Mapped[list[Any] | None]  # what is covered, in milliseconds of the hour; None: not known
    policy: Mapped[Code]


class WorkloadHour(MeasurementRow):
    """The hourly energy ledger: what one workload used of its host, by source; the idle part is within."""

    __tablename__ = "workload_hour"
    __table_args__ = (
        ForeignKeyConstraint(["host_id", "workload_id"], ["workload.host_id", "workload.workload_id"]),
        ForeignKeyConstraint(["source_id"], ["energy_source.source_id"]),
        CheckConstraint("energy_mj >= idle_mj AND idle_mj >= 0", name="idle_within"),
        Index("ix_workload_hour_host", "host_id", "workload_id", "hour"),
    )
    hour: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    host_id: Mapped[KeyId]
    workload_id: Mapped[KeyId]
    source_id: Mapped[KeyId]
    energy_mj: Mapped[Count]
    idle_mj: Mapped[Count]
    low_mj: Mapped[Count | None]
    high_mj: Mapped[Count | None]
    gpu_mj: Mapped[Count] = mapped_column(default=0)  # within the energy
    cpu_ms: Mapped[Count]
    reserved_mcpu: Mapped[Count | None]  # means over the time it was seen
    reserved_mb: Mapped[Count | None]
