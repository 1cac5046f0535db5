"""The sums of the ledger, from the readings to the hosts, the workloads and the adherents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from console.domain.hours import hours_between
from console.domain.intervals import RETENTION, counted, cut
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries.readings import interval_of_row, readings_between
from console.store.queries.rules import rule_book

HostHourKey = tuple[int, datetime]
PATIENCE = timedelta(minutes=10)  # an hour is metered within seconds, unless something is wrong


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """What a check found.

    `residue_mj` adds up the absolute differences, hour by hour and host by host, between the host's energy
    and its workload lines, its adherents' lines, and its readings where they are still kept. `coverage` is
    the share of the elapsed host time that was measured, None without any. `waiting_hours` are still to be
    metered; `late_hours` of them have waited too long.
    """

    @property
    def holds(self) -> bool:
        """Whether everything adds up and nothing is stuck."""
        return self.residue_mj == 0 and self.late_hours == 0

    residue_mj: int
    energy_mj: int
    hosts: int
    hours: int
    workloads: int
    coverage: float | None
    waiting_hours: int
    late_hours: int


def check(session: Session, start: datetime, end: datetime, *, now: datetime) -> LedgerCheck:
    """Add up the hours `[start, end)` of every host; hours that wait to be metered are only counted."""
    due = session.scalars(select(m.HourDue)).all()
    waiting = {(row.host_id, row.hour) for row in due}
    late = {(row.host_id, row.hour) for row in due if row.waits_since < now - PATIENCE}
    hosts = _sums(session, m.HostHour, start, end)
    residue_mj = sum(
        abs(hosts[key] - others[key])
        for others in (
            _sums(session, m.WorkloadHour, start, end),
            _sums(session, t.EnergyLine, start, end),
            _readings(session, hosts, start, end, now),
        )
        for key in hosts.keys() | others.keys()
        if key not in waiting
    )
    return LedgerCheck(
        residue_mj=residue_mj,
        energy_mj=sum(hosts.values()),
        hosts=len({host_id for host_id, _ in hosts}),
        hours=len(hosts),
        workloads=_named_workloads(session, start, end),
        coverage=_coverage(session, start, end, now),
        waiting_hours=sum(start <= hour < end for _, hour in waiting),
        late_hours=sum(start <= hour < end for _, hour in late),
    )


def first_hour(session: Session) -> datetime | None:
    """The oldest hour of the ledger."""
    return session.scalar(select(func.min(m.HostHour.hour)))


def _within(model: Any, start: datetime, end: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return model.hour >= start, model.hour < end


def _sums(session: Session, model: Any, start: datetime, end: datetime) -> Counter[HostHourKey]:
    rows = session.execute(
        select(model.host_id, model.hour, func.sum(model.energy_mj))
        .where(*_within(model, start, end))
        .group_by(model.host_id, model.hour)
    )
    return Counter({(host_id, hour): int(energy_mj) for host_id, hour, energy_mj in rows})


def _readings(
    session: Session, hosts: Counter[HostHourKey], start: datetime, end: datetime, now: datetime
) -> Counter[HostHourKey]:
    """Energy by host and hour straight from the readings, whether the ledger has the hour or not.

    Hours past the retention of readings keep the sum of the ledger.
    """
    oldest = now - RETENTION
    found = Counter({key: energy_mj for key, energy_mj in hosts.items() if key[1] <= oldest})
    rules = rule_book(session)
    for row in session.scalars(readings_between(max(start, oldest), end)):
        interval = interval_of_row(row)
        for hour in hours_between(row.started_at, row.ended_at):
            if start <= hour < end and hour > oldest:
                one = counted(interval, rules.at(row.host_id, hour))
                found[row.host_id, hour] += cut(interval, hour, one.measured.energy_mj) if one else 0
    return found


def _named_workloads(session: Session, start: datetime, end: datetime) -> int:
    named = (
        select(m.WorkloadHour.host_id, m.WorkloadHour.workload_id)
        .where(
            *_within(m.WorkloadHour, start, end),
            m.WorkloadHour.workload_id.not_in((m.IDLE_KEPT, m.UNATTRIBUTED)),
            m.WorkloadHour.energy_mj > 0,
        )
        .distinct()
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(named)) or 0


def _coverage(session: Session, start: datetime, end: datetime, now: datetime) -> float | None:
    """Measured host time over the host time elapsed since each host's first reading."""
    covered = select(func.sum(m.HostHour.covered_ms)).where(*_within(m.HostHour, start, end))
    births = session.scalars(select(m.Host.first_seen_at))
    spans = [(min(end, now) - max(start, birth)).total_seconds() for birth in births]
    elapsed_ms = 1000 * sum(span for span in spans if span > 0)
    return min(1.0, int(session.scalar(covered) or 0) / elapsed_ms) if elapsed_ms else None
