"""One interval of a host: which instrument counts, and what of it falls into an hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.attribution import Attribution, Consumer, attribute
from console.domain.hours import split_by_hour

AUTHORITIES = ("pdu_outlet", "bmc", "rapl", "model")  # strongest first
LONGEST = timedelta(hours=1)
RETENTION = timedelta(days=35)  # of raw readings: what comes later can no longer be attributed
AHEAD = timedelta(minutes=5)  # how far a host's clock may run before ours
LABEL_ERROR_MS = 2_000  # what rounding may put between a duration and its label
MILLISECOND = timedelta(milliseconds=1)
HIGHEST_POWER_W = 100_000  # no single host draws more


@dataclass(frozen=True, slots=True)
class Measured:
    """The host's energy over the interval as one instrument gives it."""

    source: str
    authority: str
    boundary: str
    quality: str
    energy_mj: int
    min_mj: int | None
    max_mj: int | None
    idle_power_mw: int | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of one host: what was measured, and what each workload used."""

    started_at: datetime
    ended_at: datetime
    duration_ms: int
    vcpu: int
    busy_cpu_ms: int
    measurements: Sequence[Measured]
    consumers: Mapping[str, Consumer]

    @property
    def authoritative(self) -> Measured | None:
        """The strongest instrument, the first named among equals; the others only reconcile."""
        return min(self.measurements, key=lambda m: AUTHORITIES.index(m.authority), default=None)


@dataclass(frozen=True, slots=True)
class Part:
    """What of an interval falls into one hour, attributed."""

    measured: Measured
    duration_ms: int
    attribution: Attribution


def refusal(interval: Interval, now: datetime) -> str | None:
    """Why an interval cannot enter the ledger, or None."""
    if interval.ended_at > now + AHEAD:
        return "ended_at: in the future; check the clock of the host"
    if interval.started_at < now - RETENTION:
        return f"started_at: more than {RETENTION.days} days ago, later than raw readings are kept"
    if (
        interval.ended_at - interval.started_at > LONGEST
        or interval.duration_ms > LONGEST.total_seconds() * 1000
    ):
        return "duration_ms: an interval is at most one hour long"
    label_ms = (interval.ended_at - interval.started_at) // MILLISECOND
    if abs(label_ms - interval.duration_ms) > LABEL_ERROR_MS:
        return f"duration_ms: {interval.duration_ms} ms from a start and an end {label_ms} ms apart"
    runnable_ms = 2 * interval.vcpu * interval.duration_ms  # twice: ticks and counters do not agree
    if interval.busy_cpu_ms > runnable_ms:
        return "busy_cpu_ms: more than the CPUs could run in the interval"
    if sum(consumer.cpu_ms for consumer in interval.consumers.values()) > runnable_ms:
        return "workloads: more CPU time than the CPUs could run in the interval"
    for measured in interval.measurements:
        highest = max(measured.energy_mj, measured.max_mj or 0)
        if highest > HIGHEST_POWER_W * interval.duration_ms:
            return f"energy_mj: {measured.source} gives more than {HIGHEST_POWER_W} W"
    return None


def part_in(interval: Interval, hour: datetime) -> Part | None:
    """What of the interval falls into the hour; None where nothing does or nothing was measured.

    Energy, its bounds and the duration are cut at the hours first, then each part is attributed: an hour
    adds up on its own.
    """
    measured = interval.authoritative
    if measured is None:
        return None

    def cut(amount: int) -> int:
        return split_by_hour(amount, interval.started_at, interval.ended_at).get(hour, 0)

    if not interval.started_at < hour + timedelta(hours=1) or not hour < interval.ended_at:
        return None
    measured = replace(
        measured,
        energy_mj=cut(measured.energy_mj),
        min_mj=None if measured.min_mj is None else cut(measured.min_mj),
        max_mj=None if measured.max_mj is None else cut(measured.max_mj),
    )
    duration_ms = cut(interval.duration_ms)
    attribution = attribute(
        energy_mj=measured.energy_mj,
        duration_ms=duration_ms,
        idle_power_mw=measured.idle_power_mw,
        vcpu=interval.vcpu,
        busy_cpu_ms=interval.busy_cpu_ms,
        consumers=interval.consumers,
    )
    return Part(measured, duration_ms, attribution)
