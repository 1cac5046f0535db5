"""Whom the loss of a host would touch: whose workloads run there, by the claims in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.contract import RUNNING
from console.domain.criticality import Window, is_critical
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import offer as o
from console.store.models import tenant as t
from console.store.queries.claims import unclaimed
from console.store.queries.host import holds_at, host_of

SubscriptionKey = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident of a subscription that is not resolved."""

    number: int
    title: str
    priority: str


@dataclass(frozen=True, slots=True)
class Touched:
    """A subscription that runs on the host, by workloads of its own or through a service that many share.

    `elsewhere` counts the other hosts on which its workloads run, or those of the service. `critical` tells
    whether the day is one on which the service matters most; None where nothing says so.
    """

    tenant_id: int
    adherent: str
    subscription: int
    service_code: str
    service_fr: str
    service_en: str
    plan: str | None
    workloads: Sequence[str]
    shared: bool
    elsewhere: int
    critical: bool | None
    critical_fr: str | None
    critical_en: str | None
    incidents: Sequence[OpenIncident]


@dataclass(frozen=True, slots=True)
class Impact:
    """If the host stops, these subscriptions are touched: those of one adherent stand together."""

    host_id: int
    host: str
    lines: Sequence[Touched]
    unclaimed: int

    @property
    def adherents(self) -> int:
        return len({line.tenant_id for line in self.lines})

    @property
    def alone(self) -> int:
        """The adherents who have a subscription that runs nowhere else."""
        return len({line.tenant_id for line in self.lines if not line.elsewhere})

    @property
    def critical(self) -> int:
        return len({line.tenant_id for line in self.lines if line.critical})


def impact_of(session: Session, host_id: int, day: date, *, now: datetime) -> Impact:
    """Whom a host serves now; raises `NotFound`. A constant number of statements."""
    host = host_of(session, host_id)
    own, own_elsewhere = _own(session, host_id, now), _own_elsewhere(session, host_id, now)
    shared, shared_elsewhere = _shared(session, host_id, now), _shared_elsewhere(session, host_id, now)
    rows = _subscriptions(session, own, shared)
    incidents = _incidents(session, {(row.tenant_id, row.number) for row, *_ in rows})
    lines = []
    for row, adherent, service, calendar in rows:
        key = (row.tenant_id, row.number)
        is_own = key in own
        windows = [Window(*window) for window in calendar.windows] if calendar else []
        lines.append(
            Touched(
                tenant_id=row.tenant_id,
                adherent=adherent,
                subscription=row.number,
                service_code=row.service_code,
                service_fr=service.name_fr,
                service_en=service.name_en,
                plan=row.plan_code,
                workloads=own[key] if is_own else shared[row.service_code],
                shared=not is_own,
                elsewhere=own_elsewhere.get(key, 0) if is_own else shared_elsewhere.get(row.service_code, 0),
                critical=is_critical(windows, day) if windows else None,
                critical_fr=calendar.name_fr if calendar else None,
                critical_en=calendar.name_en if calendar else None,
                incidents=incidents.get(key, ()),
            )
        )
    return Impact(host_id, host.name, lines, _unclaimed(session, host_id, now))


def _unclaimed(session: Session, host_id: int, now: datetime) -> int:
    """How many workloads of the host nobody claims: whom they serve is not known."""
    counted = select(func.count()).select_from(m.Workload)
    return session.scalar(counted.where(m.Workload.host_id == host_id, *unclaimed(now))) or 0


def _own(session: Session, host_id: int, now: datetime) -> dict[SubscriptionKey, list[str]]:
    claim, found = c.WorkloadClaim, dict[SubscriptionKey, list[str]]()
    for row in session.scalars(
        select(claim).where(claim.host_id == host_id, holds_at(claim, now)).order_by(claim.workload_name)
    ):
        found.setdefault((row.tenant_id, row.subscription), []).append(row.workload_name)
    return found


def _shared(session: Session, host_id: int, now: datetime) -> dict[str, list[str]]:
    claim, found = k.ServiceClaim, dict[str, list[str]]()
    for row in session.scalars(
        select(claim).where(claim.host_id == host_id, holds_at(claim, now)).order_by(claim.workload_name)
    ):
        found.setdefault(row.service_code, []).append(row.workload_name)
    return found


def _own_elsewhere(session: Session, host_id: int, now: datetime) -> dict[SubscriptionKey, int]:
    """On how many other hosts the subscriptions of this one also run."""
    here, other = c.WorkloadClaim, _other(c.WorkloadClaim, host_id, now)
    there = select(here.tenant_id).where(here.host_id == host_id, holds_at(here, now))
    rows = session.execute(
        select(here.tenant_id, here.subscription, func.count(here.host_id.distinct()))
        .where(*other, here.tenant_id.in_(there))
        .group_by(here.tenant_id, here.subscription)
    )
    return {(tenant_id, number): count for tenant_id, number, count in rows}


def _shared_elsewhere(session: Session, host_id: int, now: datetime) -> dict[str, int]:
    claim = k.ServiceClaim
    rows = session.execute(
        select(claim.service_code, func.count(claim.host_id.distinct()))
        .where(*_other(claim, host_id, now))
        .group_by(claim.service_code)
    )
    return {code: count for code, count in rows}  # noqa: C416 - rows are no pairs to the type checker


def _other(claim: Any, host_id: int, now: datetime) -> tuple[Any, ...]:
    return (claim.host_id != host_id, holds_at(claim, now))


def _subscriptions(
    session: Session, own: Mapping[SubscriptionKey, object], shared: Iterable[str]
) -> Sequence[Any]:
    """The subscriptions that are claimed for, and those that run on a shared service, by adherent."""
    row = t.Subscription
    by_key = [(row.tenant_id == tenant_id) & (row.number == number) for tenant_id, number in own]
    of_service = row.service_code.in_(sorted(shared)) & row.status.in_(RUNNING)
    return session.execute(
        select(row, c.Adherent.name, c.Service, o.CriticalityCalendar)
        .join(c.Adherent, c.Adherent.tenant_id == row.tenant_id)
        .join(c.Service, c.Service.code == row.service_code)
        .outerjoin(o.CriticalityCalendar, o.CriticalityCalendar.code == c.Service.criticality_code)
        .where(row.tenant_id != OPERATOR_TENANT, or_(of_service, *by_key))
        .order_by(c.Adherent.folded_name, row.tenant_id, row.number)
    ).all()


def _incidents(
    session: Session, keys: Iterable[SubscriptionKey]
) -> dict[SubscriptionKey, list[OpenIncident]]:
    """Those that are not resolved, of these subscriptions or touching them, the gravest first."""
    row, also, wanted = t.Incident, t.TouchedService, set(keys)
    of_incident = (also.tenant_id == row.tenant_id) & (also.incident == row.number)
    rows = session.execute(
        select(row, also.subscription)
        .outerjoin(also, of_incident)
        .where(row.resolved_at.is_(None), row.tenant_id.in_({tenant_id for tenant_id, _number in wanted}))
        .order_by(row.priority, row.opened_at, row.number)
    )
    found: dict[SubscriptionKey, dict[int, OpenIncident]] = {}
    for one, touched in rows:
        for number in (one.subscription, touched):
            if (one.tenant_id, number) in wanted:
                of_one = found.setdefault((one.tenant_id, number), {})
                of_one[one.number] = OpenIncident(one.number, one.title, one.priority.value)
    return {key: list(incidents.values()) for key, incidents in found.items()}
