"""Whom the loss of a host would touch: whose workloads ran there lately, by the claims in force.

A claim stays where a machine was once it has moved on; the machine runs where it ran last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

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

LATELY = timedelta(days=7)  # before the last hour of its host: a job of the week runs there
SubscriptionKey = tuple[int, int]
Key = TypeVar("Key")


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
    def critical(self) -> int | None:
        """The adherents for whom the day is critical; None where no calendar tells of any."""
        if self.lines and all(line.critical is None for line in self.lines):
            return None
        return len({line.tenant_id for line in self.lines if line.critical})


def impact_of(session: Session, host_id: int, day: date, *, now: datetime) -> Impact:
    """Whom a host serves now; raises `NotFound`. A constant number of statements."""
    host = host_of(session, host_id)
    last_hours = _last_hours(session)
    own, own_elsewhere = _own(session, host_id, last_hours, now)
    shared, shared_elsewhere = _shared(session, host_id, last_hours, now)
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
    return Impact(host_id, host.name, lines, _unclaimed(session, host_id, last_hours, now))


def _last_hours(session: Session) -> dict[int, datetime | None]:
    """The last hour in which anything ran on each host: one that is silent is not empty for that."""
    row = m.Workload
    rows = session.execute(select(row.host_id, func.max(row.last_hour)).group_by(row.host_id))
    return {host_id: last_hour for host_id, last_hour in rows}  # noqa: C416 - rows are no pairs to mypy


def _ran_lately(last_hour: datetime | None, last_of_host: datetime | None) -> bool:
    """Whether a workload is one of those that a host runs; of one that never told when, nobody knows."""
    return last_hour is None or last_of_host is None or last_hour > last_of_host - LATELY


def _has_not_moved() -> ColumnElement[bool]:
    """That no other host ran the machine of a line of `Workload` later."""
    there = aliased(m.Workload)
    later = select(there.host_id).where(
        there.uid == m.Workload.uid,
        there.workload_id == m.Workload.workload_id,
        there.last_hour > m.Workload.last_hour,
    )
    return ~later.exists()


def _unclaimed(
    session: Session, host_id: int, last_hours: Mapping[int, datetime | None], now: datetime
) -> int:
    """How many workloads of the host nobody claims: whom they serve is not known."""
    rows = session.scalars(
        select(m.Workload.last_hour).where(m.Workload.host_id == host_id, _has_not_moved(), *unclaimed(now))
    )
    return sum(_ran_lately(last_hour, last_hours.get(host_id)) for last_hour in rows)


def _own(
    session: Session, host_id: int, last_hours: Mapping[int, datetime | None], now: datetime
) -> tuple[dict[SubscriptionKey, list[str]], dict[SubscriptionKey, int]]:
    """The workloads here of each subscription, and on how many other hosts those that run here also run."""
    claim = c.WorkloadClaim
    there = select(claim.tenant_id).where(claim.host_id == host_id, holds_at(claim, now))
    running = [
        ((row.tenant_id, row.subscription), row)
        for row in _running(session, claim, last_hours, now, claim.tenant_id.in_(there))
    ]
    return _here_and_elsewhere(running, host_id)


def _shared(
    session: Session, host_id: int, last_hours: Mapping[int, datetime | None], now: datetime
) -> tuple[dict[str, list[str]], dict[str, int]]:
    """The same of each shared service."""
    claim = k.ServiceClaim
    there = select(claim.service_code).where(claim.host_id == host_id, holds_at(claim, now))
    running = [
        (row.service_code, row)
        for row in _running(session, claim, last_hours, now, claim.service_code.in_(there))
    ]
    return _here_and_elsewhere(running, host_id)


def _running(
    session: Session,
    claim: Any,
    last_hours: Mapping[int, datetime | None],
    now: datetime,
    which: ColumnElement[bool],
) -> list[Any]:
    """The claims in force whose workload ran lately where they are."""
    of_it = (m.Workload.host_id == claim.host_id) & (m.Workload.workload_id == claim.workload_id)
    rows = session.execute(
        select(claim, m.Workload.last_hour)
        .join(m.Workload, of_it)
        .where(holds_at(claim, now), which, _has_not_moved())
        .order_by(claim.workload_name)
    )
    return [row for row, last_hour in rows if _ran_lately(last_hour, last_hours.get(row.host_id))]


def _here_and_elsewhere(
    running: Iterable[tuple[Key, Any]], host_id: int
) -> tuple[dict[Key, list[str]], dict[Key, int]]:
    here: dict[Key, list[str]] = {}
    others: dict[Key, set[int]] = {}
    for key, row in running:
        if row.host_id == host_id:
            here.setdefault(key, []).append(row.workload_name)
        else:
            others.setdefault(key, set()).add(row.host_id)
    return here, {key: len(hosts) for key, hosts in others.items()}


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
