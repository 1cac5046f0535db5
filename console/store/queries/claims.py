"""Who holds which workloads, and those that nobody holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.store.models import catalogue as c
from console.store.models import measurement as m

INSTANT = timedelta(microseconds=1)
OFFERED = 50  # workloads in the claim form; a search finds the others


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed workload with the first and the last of its days, None while it is open."""

    claim_id: int
    subscription: int
    host: str
    workload: str
    first_day: date
    last_day: date | None
    withdrawn: bool
    claimed_by: str


@dataclass(frozen=True, slots=True)
class FreeWorkload:
    """A workload that nobody holds now."""

    host_id: int
    workload_id: int
    host: str
    workload: str
    kind: str


def claimed(
    session: Session, tenant_id: int, zone: ZoneInfo, subscription: int | None = None
) -> list[Claimed]:
    """The claims of an adherent, or of one of its subscriptions, those that run first."""
    claim = c.WorkloadClaim
    of_subscription = () if subscription is None else (claim.subscription == subscription,)
    rows = session.scalars(
        select(claim)
        .where(claim.tenant_id == tenant_id, *of_subscription)
        .order_by(claim.valid_to.is_not(None), claim.host_name, claim.workload_name, claim.valid_from)
    )
    return [
        Claimed(
            claim_id=row.claim_id,
            subscription=row.subscription,
            host=row.host_name,
            workload=row.workload_name,
            first_day=row.valid_from.astimezone(zone).date(),
            last_day=None if row.valid_to is None else (row.valid_to - INSTANT).astimezone(zone).date(),
            withdrawn=row.valid_to == row.valid_from,
            claimed_by=row.claimed_by,
        )
        for row in rows
    ]


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
