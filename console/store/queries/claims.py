"""Who holds which workloads, and those that nobody holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.store.models import catalogue as c
from console.store.models import measurement as m

OFFERED = 50  # workloads in the claim form; a search finds the others


@dataclass(frozen=True, slots=True)
class FreeWorkload:
    """A workload that nobody holds now."""

    host_id: int
    workload_id: int
    host: str
    workload: str
    kind: str


def free_workloads(session: Session, words: str = "", *, now: datetime) -> list[FreeWorkload]:
    """Workloads without a claim at `now`, by host and name; needs the scope of the operator."""
    claim, workload = c.WorkloadClaim, m.Workload
    held = select(claim.claim_id).where(
        claim.host_id == workload.host_id,
        claim.workload_id == workload.workload_id,
        or_(claim.valid_to.is_(None), claim.valid_to > now),
    )
    rows = session.execute(
        select(workload, m.Host.name)
        .join(m.Host, m.Host.host_id == workload.host_id)
        .where(
            workload.workload_id.not_in([m.IDLE_KEPT, m.UNATTRIBUTED]),
            ~held.exists(),
            *(
                or_(
                    func.upper(workload.name).contains(word, autoescape=True),
                    func.upper(m.Host.name).contains(word, autoescape=True),
                )
                for word in words.upper().split()
            ),
        )
        .order_by(m.Host.name, workload.name)
        .limit(OFFERED)
    )
    return [FreeWorkload(row.host_id, row.workload_id, host, row.name, row.kind) for row, host in rows]
