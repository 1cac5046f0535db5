"""How much of what is due of an adherent was measured: each hour of the hosts that its workloads were on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.hours import HOUR, hours_between
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import tenant as t
from reports import figures

MILLISECOND = timedelta(milliseconds=1)
HostHours = set[tuple[int, datetime]]
Ran = Mapping[tuple[int, datetime], set[int]]  # the hosts of a machine in an hour


def coverage_of(session: Session, tenant_id: int, start: datetime, end: datetime) -> figures.Coverage:
    """Hours measured among those in which the adherent had a claim, weighted by its hosts.

    A machine that moved is due where it ran, and not on each host that its claim followed it to. The operator
    has the claims of shared services.
    """
    told, due = t.CoverageHour, _due(session, tenant_id, start, end)
    covered_ms = sum(
        min(row.covered_ms, HOUR // MILLISECOND)
        for row in session.scalars(
            select(told).where(told.tenant_id == tenant_id, told.hour >= start, told.hour < end)
        )
        if (row.host_id, row.hour) in due
    )
    elapsed_hours = len({hour for _, hour in due})
    share_of_ms = len(due) * (HOUR // MILLISECOND)
    return figures.Coverage(
        covered_hours=covered_ms * elapsed_hours // share_of_ms if due else 0, elapsed_hours=elapsed_hours
    )


def _due(session: Session, tenant_id: int, start: datetime, end: datetime) -> HostHours:
    claims = list(_holding(session, c.WorkloadClaim, start, end, c.WorkloadClaim.tenant_id == tenant_id))
    if tenant_id == OPERATOR_TENANT:
        claims += _holding(session, k.ServiceClaim, start, end)
    machines: dict[int, list[Any]] = {}
    for row in claims:
        machines.setdefault(_first(row), []).append(row)
    moved = [row for rows in machines.values() if len(rows) > 1 for row in rows]
    ran = _ran(session, tenant_id, moved, start, end)
    due: HostHours = set()
    for first, rows in machines.items():
        due |= _of_one(rows, start, end) if len(rows) == 1 else _of_moved(first, rows, ran, start, end)
    return due


def _holding(
    session: Session, claim: Any, start: datetime, end: datetime, *which: ColumnElement[bool]
) -> Sequence[Any]:
    return session.scalars(
        select(claim).where(
            *which, claim.valid_from < end, or_(claim.valid_to.is_(None), claim.valid_to > start)
        )
    ).all()


def _first(claim: c.WorkloadClaim | k.ServiceClaim) -> int:
    """The number of the claim that a person made, which this one carries on if it is another."""
    sign = 1 if isinstance(claim, c.WorkloadClaim) else -1
    return claim.claim_id if claim.follows is None else sign * claim.follows


def _ran(session: Session, tenant_id: int, moved: Iterable[Any], start: datetime, end: datetime) -> Ran:
    """Where each machine that moved ran in each hour, by the first claim on it."""
    first, line = {row.claim_id: _first(row) for row in moved}, t.EnergyLine
    found: dict[tuple[int, datetime], set[int]] = {}
    if not first:
        return found
    rows = session.execute(
        select(line.claim_id, line.hour, line.host_id)
        .where(
            line.tenant_id == tenant_id, line.hour >= start, line.hour < end, line.claim_id.in_(list(first))
        )
        .distinct()
    )
    for claim_id, hour, host_id in rows:
        found.setdefault((first[claim_id], hour), set()).add(host_id)
    return found


def _of_one(rows: Iterable[Any], start: datetime, end: datetime) -> HostHours:
    return {
        (row.host_id, hour)
        for row in rows
        for hour in hours_between(max(start, row.valid_from), min(end, row.valid_to or end))
    }


def _of_moved(first: int, rows: Sequence[Any], ran: Ran, start: datetime, end: datetime) -> HostHours:
    """A machine is where it ran, or in an hour that nobody knows where it ran last.

    Before the first one that is known it is on the host that its claim came to last.
    """
    by_hour: dict[datetime, list[Any]] = {}
    for row in rows:
        for _, hour in _of_one([row], start, end):
            by_hour.setdefault(hour, []).append(row)
    due: HostHours = set()
    last: set[int] = set()
    for hour, held in sorted(by_hour.items(), key=lambda one: one[0]):
        hosts = {row.host_id for row in held}
        last = ran.get((first, hour), set()) or last & hosts or {max(held, key=_began).host_id}
        due |= {(host_id, hour) for host_id in last}
    return due


def _began(claim: Any) -> datetime:
    began: datetime = claim.valid_from
    return began
