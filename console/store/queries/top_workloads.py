"""The workloads that used most over some hours, each with who claims it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.store.models import catalogue as c
from console.store.models import contract as a
from console.store.models import measurement as m


@dataclass(frozen=True, slots=True)
class TopWorkload:
    """One of the workloads that used most today, and who claims it now, None where nobody does.

    `service_fr` and `service_en` name the shared service that it serves now, if it serves one.
    """

    host: str
    workload: str
    energy_mj: int
    tenant_id: int | None
    adherent: str | None
    service_fr: str | None
    service_en: str | None


def top_workloads(
    session: Session, start: datetime, end: datetime, now: datetime, count: int
) -> list[TopWorkload]:
    """Those that used most from one instant to another; idle energy and what has no name are none."""
    line, energy = m.WorkloadHour, func.sum(m.WorkloadHour.energy_mj).label("energy_mj")
    top = (
        select(line.host_id, line.workload_id, energy)
        .where(
            line.hour >= start,
            line.hour < end,
            line.workload_id.not_in((m.IDLE_KEPT, m.UNATTRIBUTED)),
            line.energy_mj > 0,
        )
        .group_by(line.host_id, line.workload_id)
        .order_by(energy.desc(), line.host_id, line.workload_id)
        .limit(count)
        .subquery()
    )
    claim, shared = c.WorkloadClaim, a.ServiceClaim
    same = (m.Workload.host_id == top.c.host_id) & (m.Workload.workload_id == top.c.workload_id)
    rows = session.execute(
        select(
            m.Host.name.label("host"),
            m.Workload.name.label("workload"),
            top.c.energy_mj,
            c.Adherent.tenant_id,
            c.Adherent.name.label("adherent"),
            c.Service.name_fr,
            c.Service.name_en,
        )
        .join(m.Host, m.Host.host_id == top.c.host_id)
        .join(m.Workload, same)
        .outerjoin(claim, _holds(claim, top, now))
        .outerjoin(c.Adherent, c.Adherent.tenant_id == claim.tenant_id)
        .outerjoin(shared, _holds(shared, top, now))
        .outerjoin(c.Service, c.Service.code == shared.service_code)
        .order_by(top.c.energy_mj.desc(), top.c.host_id, top.c.workload_id)
    )
    return [TopWorkload(row[0], row[1], int(row[2]), *row[3:]) for row in rows]


def _holds(claim: Any, top: Any, now: datetime) -> Any:
    return (
        (claim.host_id == top.c.host_id)
        & (claim.workload_id == top.c.workload_id)
        & (claim.valid_from <= now)
        & (claim.valid_to.is_(None) | (claim.valid_to > now))
    )
