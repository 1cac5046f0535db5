"""From readings to the hourly ledger; an hour may be metered again at any time, with the same result."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from console.actions.following import follow
from console.actions.host_locks import hold_hosts, hold_machines
from console.actions.hour_lines import HourLines, machines_in
from console.actions.posting import post
from console.domain.claims import OPERATOR_TENANT
from console.domain.intervals import RETENTION
from console.store.conditional import rows_touched
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.queries.readings import readings_of
from console.store.queries.rules import rule_book

log = logging.getLogger(__name__)
PACE = timedelta(minutes=5)  # how often a month whose hours still grow is reckoned again


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
    same time is either seen or posts again after. An hour some of whose readings are past their retention
    stays as the ledger has it.
    """
    hold_machines(session, alone=False)
    hold_hosts(session, [host_id])
    if not _take(session, host_id, hour):
        return False
    _meter(session, host_id, hour, now)
    return True


def meter_waiting(session: Session, tenant_id: int, start: datetime, end: datetime, *, now: datetime) -> None:
    """Meter what waits, in `[start, end)`, on the hosts where an adherent has a claim, or on every host.

    A virtual machine may have moved to any host, whose hour says so once it is metered; and what no one
    claims is the operator's. Everything is held before anything is posted.
    """
    waiting = select(m.HourDue.host_id, m.HourDue.hour).where(m.HourDue.hour >= start, m.HourDue.hour < end)
    if tenant_id != OPERATOR_TENANT and not _claims_a_machine(session, tenant_id):
        hosts = select(c.WorkloadClaim.host_id).where(c.WorkloadClaim.tenant_id == tenant_id)
        waiting = waiting.where(m.HourDue.host_id.in_(hosts))
    hours = session.execute(waiting.order_by(m.HourDue.host_id, m.HourDue.hour)).all()
    hold_machines(session, alone=False)
    hold_hosts(session, {host_id for host_id, _ in hours})
    taken = [(host_id, hour) for host_id, hour in hours if _take(session, host_id, hour)]
    for host_id, hour in taken:
        _meter(session, host_id, hour, now)


def _claims_a_machine(session: Session, tenant_id: int) -> bool:
    claim, workload = c.WorkloadClaim, m.Workload
    claimed = (workload.host_id == claim.host_id) & (workload.workload_id == claim.workload_id)
    machine = exists().where(claim.tenant_id == tenant_id, claimed, workload.uid.is_not(None))
    return bool(session.scalar(select(machine)))


def _take(session: Session, host_id: int, hour: datetime) -> bool:
    of_hour = (m.HourDue.host_id == host_id, m.HourDue.hour == hour)
    return bool(rows_touched(session, delete(m.HourDue).where(*of_hour)))


def _meter(session: Session, host_id: int, hour: datetime, now: datetime) -> None:
    rules = rule_book(session, [host_id]).at(host_id, hour)
    lines = HourLines(host_id, hour)
    for row in session.scalars(readings_of(host_id, hour)):
        lines.add(row, rules)
    stored = session.get(m.HostHour, (hour, host_id))
    if stored is not None and hour < now - RETENTION and lines.covered_ms < stored.covered_ms:
        log.info("host %s, hour %s: its readings are gone, the ledger stays as it is", host_id, hour)
        machines = machines_in(session, host_id, hour)
    else:
        lines.write(session)
        machines = lines.machines()
    end = follow(session, host_id, hour, machines, now=now)
    post(session, host_id, hour, end, now=now, later=PACE)
