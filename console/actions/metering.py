"""From readings to the hourly ledger; an hour may be metered again at any time, with the same result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.actions.posting import post
from console.domain.attribution import POLICY_VERSION, Share
from console.domain.hours import HOUR
from console.domain.intervals import Measured, Part, part_in
from console.store.conditional import rows_touched
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.queries.readings import interval_of_row, readings_of
from console.store.upsert import upsert

LineKey = tuple[int, int]  # workload_id, source_id


def hours_due(session: Session, *, now: datetime, limit: int = 500) -> list[tuple[int, datetime]]:
    """Hosts and hours whose readings changed, the longest waiting first."""
    due = (
        select(m.HourDue.host_id, m.HourDue.hour)
        .where(m.HourDue.due_at <= now)
        .order_by(m.HourDue.due_at)
        .limit(limit)
    )
    return [(host_id, hour) for host_id, hour in session.execute(due)]


def postpone_hour(session: Session, host_id: int, hour: datetime, until: datetime) -> None:
    """Let the hours behind one that fails go first."""
    of_hour = (m.HourDue.host_id == host_id, m.HourDue.hour == hour)
    session.execute(update(m.HourDue).where(*of_hour).values(due_at=until))


def meter_hour(session: Session, host_id: int, hour: datetime, *, now: datetime) -> bool:
    """Attribute an hour of a host from its readings and post it to the adherents.

    False where another process took the hour first. The host is held meanwhile, so that a claim made at the
    same time is either seen or posts again after.
    """
    session.execute(select(m.Host.host_id).where(m.Host.host_id == host_id).with_for_update())
    of_hour = (m.HourDue.host_id == host_id, m.HourDue.hour == hour)
    if not rows_touched(session, delete(m.HourDue).where(*of_hour)):
        return False
    ledger = _HourLedger()
    kinds: dict[str, str] = {}
    for row in session.scalars(readings_of(host_id, hour)):
        kinds |= {use["name"]: use["kind"] for use in row.workloads}
        part = part_in(interval_of_row(row), hour)
        if part is not None:
            ledger.add(part, row, _source_id(session, part.measured))
    _write_hour(session, host_id, hour, ledger, kinds)
    post(session, host_id, hour, hour + HOUR, now=now)
    return True


def meter_waiting(session: Session, tenant_id: int, start: datetime, end: datetime, *, now: datetime) -> None:
    """Meter what waits, in `[start, end)`, on the hosts where an adherent has a claim."""
    hosts = select(c.WorkloadClaim.host_id).where(c.WorkloadClaim.tenant_id == tenant_id)
    waiting = select(m.HourDue.host_id, m.HourDue.hour).where(
        m.HourDue.host_id.in_(hosts), m.HourDue.hour >= start, m.HourDue.hour < end
    )
    for host_id, hour in session.execute(waiting).all():
        meter_hour(session, host_id, hour, now=now)


@dataclass(slots=True)
class _Line:
    energy_mj: int = 0
    idle_mj: int = 0
    low_mj: int | None = 0
    high_mj: int | None = 0
    cpu_ms: int = 0


@dataclass(slots=True)
class _HourLedger:
    """The lines of one host and hour while they are added up."""

    energy_mj: int = 0
    covered_ms: int = 0
    policies: set[str] = field(default_factory=set)
    lines: dict[LineKey, _Line] = field(default_factory=dict)

    def add(self, part: Part, row: m.Reading, source_id: int) -> None:
        self.energy_mj += part.measured.energy_mj
        self.covered_ms += part.duration_ms
        self.policies.add(part.attribution.policy)
        cpu_ms = {use["name"]: use["cpu_ms"] for use in row.workloads}
        for name, share in part.attribution.workloads.items():
            self._add_line((m.stable_id(name), source_id), share, part.measured, cpu_ms[name])
        self._add_line((m.UNATTRIBUTED, source_id), part.attribution.unattributed, part.measured)
        kept = Share(0, part.attribution.idle_kept_mj)
        self._add_line((m.IDLE_KEPT, source_id), kept, part.measured)

    def _add_line(self, key: LineKey, share: Share, whole: Measured, cpu_ms: int = 0) -> None:
        if not share.energy_mj and not cpu_ms:
            return
        line = self.lines.setdefault(key, _Line())
        line.energy_mj += share.energy_mj
        line.idle_mj += share.idle_mj
        line.low_mj = _bound(line.low_mj, share, whole, whole.min_mj)
        line.high_mj = _bound(line.high_mj, share, whole, whole.max_mj)
        line.cpu_ms += cpu_ms


def _bound(so_far: int | None, share: Share, whole: Measured, bound: int | None) -> int | None:
    """A line's bound is in proportion to its host's; unknown as soon as one interval states none."""
    if so_far is None or bound is None:
        return None
    return so_far + (share.energy_mj * bound // whole.energy_mj if whole.energy_mj else 0)


def _source_id(session: Session, measured: Measured) -> int:
    """The number of an instrument in the catalogue, which it enters when it is first heard of."""
    of_source = select(c.EnergySource.source_id).where(
        c.EnergySource.name == measured.source,
        c.EnergySource.authority == measured.authority,
        c.EnergySource.boundary == measured.boundary,
        c.EnergySource.quality == measured.quality,
    )
    known = session.scalar(of_source)
    if known is not None:
        return known
    born = c.EnergySource(
        name=measured.source,
        authority=measured.authority,
        boundary=measured.boundary,
        quality=measured.quality,
    )
    try:
        with session.begin_nested():
            session.add(born)
        return born.source_id
    except IntegrityError:  # another process was first
        return session.scalars(of_source).one()


def _write_hour(
    session: Session, host_id: int, hour: datetime, ledger: _HourLedger, kinds: Mapping[str, str]
) -> None:
    named = [
        {"host_id": host_id, "workload_id": m.stable_id(name), "name": name, "kind": kind}
        for name, kind in sorted(kinds.items())
    ]
    reserved = [
        {"host_id": host_id, "workload_id": number, "name": name, "kind": name}
        for number, name in ((m.IDLE_KEPT, "idle_kept"), (m.UNATTRIBUTED, "unattributed"))
    ]
    upsert(session, m.Workload, named + reserved)
    host_hour = {
        "host_id": host_id,
        "hour": hour,
        "energy_mj": ledger.energy_mj,
        "covered_ms": ledger.covered_ms,
        "policy": "+".join(f"{policy}/{POLICY_VERSION}" for policy in sorted(ledger.policies)),
    }
    upsert(session, m.HostHour, [host_hour], update=["energy_mj", "covered_ms", "policy"])
    session.execute(
        delete(m.WorkloadHour).where(m.WorkloadHour.host_id == host_id, m.WorkloadHour.hour == hour)
    )
    rows = [
        {
            "hour": hour,
            "host_id": host_id,
            "workload_id": workload_id,
            "source_id": source_id,
            "energy_mj": line.energy_mj,
            "idle_mj": line.idle_mj,
            "low_mj": line.low_mj,
            "high_mj": line.high_mj,
            "cpu_ms": line.cpu_ms,
        }
        for (workload_id, source_id), line in ledger.lines.items()
    ]
    if rows:
        session.execute(insert(m.WorkloadHour), rows)
