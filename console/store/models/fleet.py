"""What is known of hosts beyond their readings: where they stood, instruments, terms, calibrations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.store.base import Code, Count, Instant, KeyId, Label, MeasurementRow


class HostStay(MeasurementRow):
    """A site where a host stood from an hour to another, excluded, before it came to that of its row.

    See `domain.stays`: a host that never moved has none; else they follow one another without a hole.
    """

    __tablename__ = "host_stay"
    __table_args__ = (CheckConstraint('"until" > since', name="sound"),)
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    since: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    until: Mapped[datetime]
    site: Mapped[Code]


class HostSource(MeasurementRow):
    """An instrument of a host, as its latest reading leaves it: its last figure, or why there is none."""

    __tablename__ = "host_source"
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    name: Mapped[Code] = mapped_column(primary_key=True)
    authority: Mapped[Code | None]  # None where it never gave a figure
    boundary: Mapped[Code | None]
    quality: Mapped[Code | None]
    last_at: Mapped[datetime | None]  # the end of the last interval it measured
    last_energy_mj: Mapped[Count | None]
    last_duration_ms: Mapped[Count | None]
    gap_reason: Mapped[str | None]  # None while it measures
    gap_since: Mapped[datetime | None]


class HostTerms(MeasurementRow):
    """What the operator declares of a host from an hour on; the latest one before an hour holds for it."""

    __tablename__ = "host_terms"
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    valid_from: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    idle_power_mw: Mapped[Count | None]  # None: as its instruments state it
    idle_policy: Mapped[Code | None]  # None: the default of what is reserved there
    source: Mapped[Code | None]  # the instrument that counts; None: the strongest
    set_by: Mapped[Label]
    set_at: Mapped[datetime]


class Calibration(MeasurementRow):
    """From what a weaker instrument gives to what a stronger one gave at the same time, from an hour on.

    `server input power = slope x power + offset`, by least squares over `intervals` that both measured;
    the error is the relative standard deviation of what is left. `beside_gpu`: the graphics cards are out of
    both sides, and are added to what the line gives.
    """

    __tablename__ = "calibration"
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    source: Mapped[Code] = mapped_column(primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    reference: Mapped[Code]
    boundary: Mapped[Code]
    slope_ppm: Mapped[Count]
    offset_mw: Mapped[Count]
    error_ppm: Mapped[Count]
    beside_gpu: Mapped[bool]
    intervals: Mapped[Count]
    fitted_from: Mapped[datetime]
    fitted_to: Mapped[datetime]


class SourceHour(MeasurementRow):
    """An hour of a host as one instrument gives it, whether it counts or only reconciles."""

    __tablename__ = "source_hour"
    __table_args__ = (
        ForeignKeyConstraint(["source_id"], ["energy_source.source_id"]),
        Index("ix_source_hour_host", "host_id", "hour"),
    )
    hour: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    host_id: Mapped[KeyId] = mapped_column(ForeignKey("host.host_id"))
    source_id: Mapped[KeyId]
    energy_mj: Mapped[Count]
    covered_ms: Mapped[Count]
