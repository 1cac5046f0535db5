"""Who holds which workloads, and those that nobody holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT, Claim
from console.store.models import catalogue as c
from console.store.models import contract as k
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
class SharedClaim:
    """A workload that serves a shared service, with its first and last day, None while it is open."""

    service_claim_id: int
    service_fr: str
    service_en: str
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


def shared_claims(session: Session, zone: ZoneInfo) -> list[SharedClaim]:
    """The workloads of every shared service, those that run first."""
    claim = k.ServiceClaim
    rows = session.execute(
        select(claim, c.Service)
        .join(c.Service, c.Service.code == claim.service_code)
        .order_by(claim.valid_to.is_not(None), c.Service.name_fr, claim.host_name, claim.workload_name)
    )
    return [
        SharedClaim(
            service_claim_id=row.service_claim_id,
            service_fr=service.name_fr,
            service_en=service.name_en,
            host=row.host_name,
            workload=row.workload_name,
            first_day=row.valid_from.astimezone(zone).date(),
            last_day=None if row.valid_to is None else (row.valid_to - INSTANT).astimezone(zone).date(),
            withdrawn=row.valid_to == row.valid_from,
            claimed_by=row.claimed_by,
        )
        for row, service in rows
    ]


def claims_on(
    session: Session, host_id: int, start: datetime, end: datetime | None
) -> dict[int, list[Claim]]:
    """Claims of both kinds that hold within `[start, end)` on a host, by workload."""
    claims: dict[int, list[Claim]] = {}
    for row in session.scalars(_holding(c.WorkloadClaim, host_id, start, end)):
        own = Claim(row.claim_id, row.tenant_id, row.valid_from, row.valid_to, subscription=row.subscription)
        claims.setdefault(row.workload_id, []).append(own)
    for row in session.scalars(_holding(k.ServiceClaim, host_id, start, end)):
        shared = Claim(
            row.claim_id, OPERATOR_TENANT, row.valid_from, row.valid_to, service_code=row.service_code
        )
        claims.setdefault(row.workload_id, []).append(shared)
    return claims


def _holding(claim: Any, host_id: int, start: datetime, end: datetime | None) -> Select[Any]:
    """What was withdrawn holds no hour."""
    before_end = () if end is None else (claim.valid_from < end,)
    return select(claim).where(
        claim.host_id == host_id,
        *before_end,
        or_(claim.valid_to.is_(None), and_(claim.valid_to > start, claim.valid_to > claim.valid_from)),
    )


def free_workloads(session: Session, words: str = "", *, now: datetime) -> list[FreeWorkload]:
    """Workloads without a claim at `now`, by host and name; needs the scope of the operator."""
    workload = m.Workload
    rows = session.execute(
        select(workload, m.Host.name)
        .join(m.Host, m.Host.host_id == workload.host_id)
        .where(
            *unclaimed(now),
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


def unclaimed(now: datetime) -> list[ColumnElement[bool]]:
    """That a line of `Workload` is one, and that no claim of either kind holds it now or later."""
    claims: tuple[Any, ...] = (c.WorkloadClaim, k.ServiceClaim)
    held = [
        select(claim.host_id).where(
            claim.host_id == m.Workload.host_id,
            claim.workload_id == m.Workload.workload_id,
            or_(claim.valid_to.is_(None), claim.valid_to > now),
        )
        for claim in claims
    ]
    return [
        m.Workload.workload_id.not_in([m.IDLE_KEPT, m.UNATTRIBUTED]),
        *(~one.exists() for one in held),
    ]
