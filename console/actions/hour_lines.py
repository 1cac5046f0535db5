"""The lines of one hour of a host while they are added up, and then as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain.attribution import POLICY_VERSION, Share
from console.domain.intervals import (
    Interval,
    Measured,
    Part,
    Rules,
    Stretch,
    cut,
    joined,
    part_in,
    stretch_in,
    touches,
)
from console.store.bulk import add_rows
from console.store.models import catalogue as c
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.queries.readings import interval_of_row
from console.store.upsert import upsert


class Instrument(NamedTuple):
    """What tells an instrument in the catalogue from the others."""

    name: str
    authority: str
    boundary: str
    quality: str


LineKey = tuple[int, Instrument]  # workload_id


@dataclass(slots=True)
class _Mean:
    """The mean of an amount over the time in which it was told; None where it never was."""

    weighted: int = 0
    over_ms: int = 0

    def add(self, amount: int | None, duration_ms: int) -> None:
        if amount is not None:
            self.weighted += amount * duration_ms
            self.over_ms += duration_ms

    @property
    def value(self) -> int | None:
        return (self.weighted + self.over_ms // 2) // self.over_ms if self.over_ms else None


@dataclass(slots=True)
class _Line:
    energy_mj: int = 0
    idle_mj: int = 0
    low_mj: int | None = 0
    high_mj: int | None = 0
    gpu_mj: int = 0
    cpu_ms: int = 0
    reserved_mcpu: _Mean = field(default_factory=_Mean)
    reserved_mb: _Mean = field(default_factory=_Mean)


@dataclass(slots=True)
class _Seen:
    """A workload as the last reading of the hour tells it."""

    name: str
    kind: str
    uid: str | None
    reserved_mcpu: int | None
    reserved_mb: int | None
    has_used: bool


@dataclass(slots=True)
class _Told:
    """What one instrument gave, whether it counts or only reconciles."""

    energy_mj: int = 0
    covered_ms: int = 0


@dataclass(slots=True)
class HourLines:
    """An hour of a host: what counts for it, its lines by workload and instrument, and every instrument."""

    host_id: int
    hour: datetime
    energy_mj: int = 0
    gpu_mj: int = 0
    covered_ms: int = 0
    stretches: list[Stretch] | None = field(default_factory=list)  # that are covered; None: not known
    policies: set[str] = field(default_factory=set)
    lines: dict[LineKey, _Line] = field(default_factory=dict)
    told: dict[Instrument, _Told] = field(default_factory=dict)
    seen: dict[int, _Seen] = field(default_factory=dict)

    def add(self, row: m.Reading, rules: Rules) -> None:
        """Add what of a reading falls into the hour."""
        self.add_interval(interval_of_row(row), row.workloads, rules)

    def add_interval(self, interval: Interval, uses: list[dict[str, Any]], rules: Rules) -> Part | None:
        """Add what of an interval falls into the hour; that part, None where nothing was measured."""
        if not touches(interval, self.hour):
            return None
        for use in uses:
            self._see(use)
        part = part_in(interval, self.hour, rules)
        self._tell(interval, part)
        if part is not None:
            self._attribute(part, uses, interval)
            if self.stretches is not None:
                self.stretches = joined([*self.stretches, stretch_in(interval, self.hour)])
        return part

    def may_hold(self, interval: Interval) -> bool:
        """Whether some of an interval is in these lines already, or it is not known which minutes are."""
        start, end = stretch_in(interval, self.hour)
        if self.stretches is None:
            return self.covered_ms > 0
        return any(first < end and start < last for first, last in self.stretches)

    def machines(self) -> set[int]:
        """The workloads that stay the same wherever they run."""
        return {workload_id for workload_id, seen in self.seen.items() if seen.uid is not None}

    def write(self, session: Session) -> None:
        """Put these lines in the place of what the ledger had for the hour."""
        self._write_workloads(session)
        numbers = {
            instrument: _source_id(session, instrument)
            for instrument in sorted({*self.told, *(instrument for _, instrument in self.lines)})
        }
        host_hour = {
            "host_id": self.host_id,
            "hour": self.hour,
            "energy_mj": self.energy_mj,
            "gpu_mj": self.gpu_mj,
            "covered_ms": self.covered_ms,
            "stretches": self.stretches,
            "policy": "+".join(sorted(self.policies)),
        }
        told = [name for name in host_hour if name not in ("host_id", "hour")]
        upsert(session, m.HostHour, [host_hour], update=told)
        for model, rows in (
            (m.WorkloadHour, list(self._line_rows(numbers))),
            (f.SourceHour, list(self._source_rows(numbers))),
        ):
            session.execute(delete(model).where(model.host_id == self.host_id, model.hour == self.hour))
            add_rows(session, model, rows)

    def _see(self, use: Mapping[str, Any]) -> None:
        workload_id = m.workload_key(use["name"], use.get("uid"))
        before = self.seen.get(workload_id)
        self.seen[workload_id] = _Seen(
            name=use["name"],
            kind=use["kind"],
            uid=use.get("uid"),
            reserved_mcpu=use.get("reserved_mcpu"),
            reserved_mb=use.get("reserved_mb"),
            has_used=bool(use["cpu_ms"] or use.get("gpu_ms")) or (before is not None and before.has_used),
        )

    def _tell(self, interval: Interval, part: Part | None) -> None:
        duration_ms = cut(interval, self.hour, interval.duration_ms)
        for measured in interval.measurements:
            self._add_told(measured, cut(interval, self.hour, measured.energy_mj), duration_ms)
        if part is not None and all(part.measured.source != one.source for one in interval.measurements):
            self._add_told(part.measured, part.measured.energy_mj, duration_ms)

    def _add_told(self, measured: Measured, energy_mj: int, duration_ms: int) -> None:
        told = self.told.setdefault(instrument_of(measured), _Told())
        told.energy_mj += energy_mj
        told.covered_ms += duration_ms

    def _attribute(self, part: Part, uses: list[dict[str, Any]], interval: Interval) -> None:
        self.energy_mj += part.measured.energy_mj
        self.gpu_mj += part.gpu_mj
        self.covered_ms += part.duration_ms
        self.policies.add(f"{part.attribution.policy}/{POLICY_VERSION}")
        for use in uses:
            share = part.attribution.workloads[use["name"]]
            cpu_ms = cut(interval, self.hour, use["cpu_ms"])
            reserved = use.get("reserved_mcpu"), use.get("reserved_mb")
            if share.energy_mj or cpu_ms or any(reserved):
                line = self._add_line(m.workload_key(use["name"], use.get("uid")), share, part.measured)
                line.cpu_ms += cpu_ms
                line.reserved_mcpu.add(reserved[0], part.duration_ms)
                line.reserved_mb.add(reserved[1], part.duration_ms)
        rest = (
            (m.UNATTRIBUTED, part.attribution.unattributed),
            (m.IDLE_KEPT, Share(0, part.attribution.idle_kept_mj)),
        )
        for workload_id, share in rest:
            if share.energy_mj:
                self._add_line(workload_id, share, part.measured)

    def _add_line(self, workload_id: int, share: Share, whole: Measured) -> _Line:
        line = self.lines.setdefault((workload_id, instrument_of(whole)), _Line())
        line.energy_mj += share.energy_mj
        line.idle_mj += share.idle_mj
        line.gpu_mj += share.gpu_mj
        line.low_mj = _bound(line.low_mj, share, whole, whole.min_mj)
        line.high_mj = _bound(line.high_mj, share, whole, whole.max_mj)
        return line

    def _write_workloads(self, session: Session) -> None:
        """Each workload as its latest hour tells it, whatever the order in which hours are metered."""
        rest = ((m.IDLE_KEPT, "idle_kept"), (m.UNATTRIBUTED, "unattributed"))
        born = [
            {"host_id": self.host_id, "workload_id": number, "name": seen.name, "kind": seen.kind}
            for number, seen in sorted(self.seen.items())
        ]
        born += [
            {"host_id": self.host_id, "workload_id": number, "name": name, "kind": name}
            for number, name in rest
        ]
        upsert(session, m.Workload, born)
        for row in session.scalars(
            select(m.Workload).where(
                m.Workload.host_id == self.host_id, m.Workload.workload_id.in_(sorted(self.seen))
            )
        ):
            if row.last_hour is not None and row.last_hour > self.hour:
                continue
            seen = self.seen[row.workload_id]
            row.name, row.kind, row.uid = seen.name, seen.kind, seen.uid
            row.reserved_mcpu, row.reserved_mb = seen.reserved_mcpu, seen.reserved_mb
            if seen.has_used:
                row.last_hour = self.hour
        session.flush()

    def _line_rows(self, numbers: Mapping[Instrument, int]) -> Iterator[dict[str, Any]]:
        for (workload_id, instrument), line in self.lines.items():
            yield {
                "hour": self.hour,
                "host_id": self.host_id,
                "workload_id": workload_id,
                "source_id": numbers[instrument],
                "energy_mj": line.energy_mj,
                "idle_mj": line.idle_mj,
                "low_mj": line.low_mj,
                "high_mj": line.high_mj,
                "gpu_mj": line.gpu_mj,
                "cpu_ms": line.cpu_ms,
                "reserved_mcpu": line.reserved_mcpu.value,
                "reserved_mb": line.reserved_mb.value,
            }

    def _source_rows(self, numbers: Mapping[Instrument, int]) -> Iterator[dict[str, Any]]:
        for instrument, told in self.told.items():
            yield {
                "hour": self.hour,
                "host_id": self.host_id,
                "source_id": numbers[instrument],
                "energy_mj": told.energy_mj,
                "covered_ms": told.covered_ms,
            }


def instrument_of(measured: Measured) -> Instrument:
    return Instrument(measured.source, measured.authority, measured.boundary, measured.quality)


def stored_lines(session: Session, host_id: int, hour: datetime) -> HourLines:
    """An hour as the ledger has it, for what is to be added to it without its readings.

    What is reserved is taken as told over all of what was covered.
    """
    lines = HourLines(host_id, hour)
    stored = session.get(m.HostHour, (hour, host_id))
    if stored is None:
        return lines
    lines.energy_mj, lines.gpu_mj, lines.covered_ms = stored.energy_mj, stored.gpu_mj, stored.covered_ms
    lines.stretches = None if stored.stretches is None else [(start, end) for start, end in stored.stretches]
    lines.policies = set(filter(None, stored.policy.split("+")))
    for row, source in session.execute(_with_source(m.WorkloadHour, host_id, hour)):
        line = _Line(row.energy_mj, row.idle_mj, row.low_mj, row.high_mj, row.gpu_mj, row.cpu_ms)
        line.reserved_mcpu.add(row.reserved_mcpu, stored.covered_ms)
        line.reserved_mb.add(row.reserved_mb, stored.covered_ms)
        lines.lines[row.workload_id, _instrument(source)] = line
    for row, source in session.execute(_with_source(f.SourceHour, host_id, hour)):
        lines.told[_instrument(source)] = _Told(row.energy_mj, row.covered_ms)
    return lines


def machines_in(session: Session, host_id: int, hour: datetime) -> set[int]:
    """The workloads of an hour, as the ledger has it, that stay the same wherever they run."""
    line, workload = m.WorkloadHour, m.Workload
    machine = (workload.host_id == line.host_id) & (workload.workload_id == line.workload_id)
    of_hour = select(line.workload_id).join(workload, machine & workload.uid.is_not(None))
    return set(session.scalars(of_hour.where(line.host_id == host_id, line.hour == hour)))


def _with_source(model: Any, host_id: int, hour: datetime) -> Any:
    return (
        select(model, c.EnergySource)
        .join(c.EnergySource, c.EnergySource.source_id == model.source_id)
        .where(model.host_id == host_id, model.hour == hour)
    )


def _instrument(source: c.EnergySource) -> Instrument:
    return Instrument(source.name, source.authority, source.boundary, source.quality)


def _bound(so_far: int | None, share: Share, whole: Measured, bound: int | None) -> int | None:
    """A line's bound is in proportion to its host's; unknown as soon as one interval states none."""
    if so_far is None or bound is None:
        return None
    return so_far + (share.energy_mj * bound // whole.energy_mj if whole.energy_mj else 0)


def _source_id(session: Session, instrument: Instrument) -> int:
    """The number of an instrument in the catalogue, which it enters when it is first heard of."""
    of_source = select(c.EnergySource.source_id).where(
        c.EnergySource.name == instrument.name,
        c.EnergySource.authority == instrument.authority,
        c.EnergySource.boundary == instrument.boundary,
        c.EnergySource.quality == instrument.quality,
    )
    known = session.scalar(of_source)
    if known is not None:
        return known
    born = c.EnergySource(**instrument._asdict())
    try:
        with session.begin_nested():
            session.add(born)
        return born.source_id
    except IntegrityError:  # another process was first
        return session.scalars(of_source).one()
