"""From the hourly ledger to the adherents: each line to the claim that holds, the rest to the operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.actions.reckoning_due import AT_ONCE, Step, make_due, make_months_due
from console.domain.claims import OPERATOR_TENANT, OPERATOR_ZONE, UNCLAIMED, Claim, owner_at
from console.domain.hours import hours_between, month_of
from console.store.bulk import add_rows
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import equipment as q
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries.claims import claims_on
from console.store.queries.stays import whereabouts, zones_of


def post(
    session: Session,
    host_id: int,
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    workload_id: int | None = None,
    later: timedelta = AT_ONCE,
) -> None:
    """Post the hours `[start, end)` of a host to the adherents whose claims hold, the rest to the operator.

    What serves a shared service goes to the operator under that service. What these hours were posted as
    before is replaced; the months touched, before and after, become due. Where the claims on one workload
    changed, its lines alone are posted again; those of the others stay as they are. Months that have lines
    already may be reckoned `later`: hours grow by the minute.
    """
    claims = claims_on(session, host_id, start, end)
    touched = _withdraw(session, host_id, start, end, workload_id)
    hours = select(m.WorkloadHour).where(
        m.WorkloadHour.host_id == host_id, m.WorkloadHour.hour >= start, m.WorkloadHour.hour < end
    )
    if workload_id is not None:
        hours = hours.where(m.WorkloadHour.workload_id == workload_id)
    lines = [_line(row, claims.get(row.workload_id, ())) for row in session.scalars(hours)]
    add_rows(session, t.EnergyLine, lines)
    _post_coverage(session, host_id, start, end, claims)
    touched |= {(line["tenant_id"], line["hour"]) for line in lines}
    _make_months_due(session, touched, now, later)
    _make_host_due(session, host_id, start, end, now, later)


def _withdraw(
    session: Session, host_id: int, start: datetime, end: datetime, workload_id: int | None
) -> set[tuple[int, datetime]]:
    posted = [t.EnergyLine.host_id == host_id, t.EnergyLine.hour >= start, t.EnergyLine.hour < end]
    if workload_id is not None:
        posted.append(t.EnergyLine.workload_id == workload_id)
    touched = {
        (tenant_id, hour)
        for tenant_id, hour in session.execute(
            select(t.EnergyLine.tenant_id, t.EnergyLine.hour).where(*posted).distinct()
        )
    }
    session.execute(delete(t.EnergyLine).where(*posted))
    session.execute(
        delete(t.CoverageHour).where(
            t.CoverageHour.host_id == host_id, t.CoverageHour.hour >= start, t.CoverageHour.hour < end
        )
    )
    return touched


def _line(row: m.WorkloadHour, claims: Iterable[Claim]) -> dict[str, Any]:
    owner = owner_at(claims, row.hour)
    return {
        "tenant_id": owner.tenant_id if owner else OPERATOR_TENANT,
        "claim_id": owner.claim_id if owner else UNCLAIMED,
        "subscription": owner.subscription if owner else None,
        "service_code": owner.service_code if owner else None,
        "hour": row.hour,
        "host_id": row.host_id,
        "workload_id": row.workload_id,
        "source_id": row.source_id,
        "energy_mj": row.energy_mj,
        "low_mj": row.low_mj,
        "high_mj": row.high_mj,
    }


def _post_coverage(
    session: Session,
    host_id: int,
    start: datetime,
    end: datetime,
    claims: Mapping[int, list[Claim]],
) -> None:
    """Tell the operator, and each adherent with a claim on the host, how much of an hour is known."""
    held = [claim for of_workload in claims.values() for claim in of_workload]
    rows = [
        {
            "tenant_id": tenant_id,
            "hour": row.hour,
            "host_id": host_id,
            "covered_ms": row.covered_ms,
            "policy": row.policy,
        }
        for row in session.scalars(
            select(m.HostHour).where(
                m.HostHour.host_id == host_id, m.HostHour.hour >= start, m.HostHour.hour < end
            )
        )
        for tenant_id in {OPERATOR_TENANT} | {claim.tenant_id for claim in held if claim.holds_at(row.hour)}
    ]
    add_rows(session, t.CoverageHour, rows)


def _make_months_due(
    session: Session, touched: Iterable[tuple[int, datetime]], now: datetime, later: timedelta
) -> None:
    zones = _zones(session)
    months = {(tenant_id, month_of(hour, zones[tenant_id])) for tenant_id, hour in touched}
    line = b.MonthLine
    known = select(line.tenant_id, line.month).where(
        line.tenant_id.in_({tenant_id for tenant_id, _ in months}),
        line.month.in_({month for _, month in months}),
    )
    begun = months & {(tenant_id, month) for tenant_id, month in session.execute(known.distinct())}
    make_months_due(session, months - begun, now=now)
    make_months_due(session, begun, now=now, later=later)


def _make_host_due(
    session: Session, host_id: int, start: datetime, end: datetime, now: datetime, later: timedelta
) -> None:
    """The months of the host's sites in which these hours are: what they held of the host is another."""
    zones = zones_of(session, whereabouts(session, [host_id])[host_id]) or {OPERATOR_ZONE}
    months = {month_of(hour, zone) for hour in hours_between(start, end) for zone in zones}
    row = q.WorkloadMonth
    known = select(row.month).where(row.host_id == host_id, row.month.in_(months))
    begun = set(session.scalars(known.distinct()))
    make_due(session, Step.HOST, [(str(host_id), month) for month in months - begun], now=now)
    make_due(session, Step.HOST, [(str(host_id), month) for month in begun], now=now, later=later)


def _zones(session: Session) -> dict[int, ZoneInfo]:
    zones = session.execute(select(c.Adherent.tenant_id, c.Adherent.zone))
    return {tenant_id: ZoneInfo(zone) for tenant_id, zone in zones}
