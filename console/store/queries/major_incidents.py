"""Major incidents: whom one touches, the list of them, and the page of one with each adherent's clocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.clock import EventKind
from console.domain.contract import Status
from console.domain.dependencies import Dependency
from console.domain.errors import NotFound
from console.domain.hosting import DataCentre
from console.domain.major_incidents import (
    NEXT,
    MajorPhase,
    Progress,
    ScopeKind,
    StepKind,
    Subscribed,
    Touched,
    adherents_touched,
    services_touched,
)
from console.domain.outages import Effect
from console.store.models import catalogue as c
from console.store.models import major as j
from console.store.models import offer as o
from console.store.models import tenant as t
from console.store.queries.paging import PAGE, PageOf
from console.store.queries.service_names import ServiceName, name_of
from console.store.queries.standing import standing_at


@dataclass(frozen=True, slots=True)
class Scope:
    """What does not work, with its name where it is a service."""

    kind: ScopeKind
    code: str
    service: ServiceName | None


@dataclass(frozen=True, slots=True)
class TouchedAdherent:
    """An adherent with the service that leads, and how many others it suffers from."""

    tenant_id: int
    adherent: str
    touched: Touched
    service: ServiceName


@dataclass(frozen=True, slots=True)
class ListedMajor:
    """A line of the list; counts are of adherents that were not taken out."""

    major_id: int
    title: str
    scope: Scope
    priority: str
    is_security: bool
    phase: MajorPhase
    opened_at: datetime
    resolved_at: datetime | None
    adherents: int
    unresolved: int


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to the record, and how many adherents' incidents went through it."""

    position: int
    kind: StepKind
    was: str | None
    value: str | None
    text: str | None
    is_mailed: bool
    is_notice: bool
    at: datetime
    recorded_at: datetime
    recorded_by: str
    applied: int


@dataclass(frozen=True, slots=True)
class Child:
    """An adherent of the record; its incident's columns are None before that is opened.

    `refused` is the message of an error and its values, in the words of `domain.errors`.
    """

    tenant_id: int
    adherent: str
    zone: str
    subscription: int
    incident: int | None
    state: str | None
    tto_met_at: datetime | None
    due_at: datetime | None
    resolved_at: datetime | None
    progress: Progress
    refused: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Children(PageOf[Child]):
    """One page of the adherents of a record."""


@dataclass(frozen=True, slots=True)
class MajorPage:
    """A record with its steps, how far it is, one page of its adherents, and what may happen next."""

    major_id: int
    title: str
    description: str | None
    scope: Scope
    priority: str
    category: str | None
    is_security: bool
    effect: Effect
    phase: MajorPhase
    opened_at: datetime
    resolved_at: datetime | None
    declared_by: str
    declared_at: datetime
    steps: Sequence[Step]
    next: Sequence[EventKind]
    counts: Mapping[Progress, int]
    by_state: Mapping[str, int]
    children: Children

    @property
    def adherents(self) -> int:
        """How many are on the record."""
        return sum(self.counts.values()) - self.counts[Progress.TAKEN_OUT]

    @property
    def passing_on(self) -> bool:
        """Whether something is still to be passed on."""
        return self.counts[Progress.DUE] > 0


def touched_by(
    session: Session, kind: ScopeKind, code: str, day: date, only: Collection[int] = ()
) -> list[TouchedAdherent]:
    """The adherents whose subscriptions a scope touches on a day, by name; a constant number of statements.

    Raises `NotFound` for a service that is not in the catalogue.
    """
    services = services_in(session, kind, code, day)
    if not services:
        return []
    row = t.Subscription
    runs = (
        row.status.in_((Status.ACTIVE, Status.SUSPENDED)),
        row.starts_on <= day,
        or_(row.ends_on.is_(None), row.ends_on >= day),
    )
    rows = session.execute(
        select(row.tenant_id, row.number, row.service_code, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == row.tenant_id)
        .where(*runs, row.service_code.in_(services), row.tenant_id != OPERATOR_TENANT)
    ).all()
    names = {tenant_id: name for tenant_id, _number, _service, name in rows}
    codes = {(tenant_id, number): service for tenant_id, number, service, _name in rows}
    called = _service_names(session)
    subscribed = [Subscribed(tenant_id, number, service) for tenant_id, number, service, _name in rows]
    found = adherents_touched(subscribed, services, only)
    return sorted(
        (
            TouchedAdherent(
                one.tenant_id,
                names[one.tenant_id],
                one,
                called[codes[one.tenant_id, one.subscription]],
            )
            for one in found
        ),
        key=lambda one: (one.adherent, one.tenant_id),
    )


def list_majors(session: Session, page: int = 1) -> PageOf[ListedMajor]:
    """The records, those that are not over first, then the latest; three statements."""
    row = j.MajorIncident
    total = session.scalar(select(func.count()).select_from(row)) or 0
    on_it, unresolved = _counted()
    is_over = row.phase.in_((MajorPhase.RESOLVED, MajorPhase.CLOSED))
    rows = session.execute(
        select(row, on_it.scalar_subquery(), unresolved.scalar_subquery())
        .order_by(is_over, row.opened_at.desc(), row.major_id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    called = _service_names(session)
    return PageOf(
        rows=[
            ListedMajor(
                major_id=major.major_id,
                title=major.title,
                scope=_scope(major, called),
                priority=major.priority.value,
                is_security=major.is_security,
                phase=major.phase,
                opened_at=major.opened_at,
                resolved_at=major.resolved_at,
                adherents=adherents or 0,
                unresolved=left or 0,
            )
            for major, adherents, left in rows
        ],
        total=total,
        page=page,
    )


def major_page(session: Session, major_id: int, *, now: datetime, page: int = 1) -> MajorPage:
    """One record; raises `NotFound`. A constant number of statements."""
    major = session.get(j.MajorIncident, major_id)
    if major is None:
        raise NotFound("Incident majeur introuvable.")
    counts = _progress_counts(session, major_id)
    return MajorPage(
        major_id=major_id,
        title=major.title,
        description=major.description,
        scope=_scope(major, _service_names(session)),
        priority=major.priority.value,
        category=major.category and major.category.value,
        is_security=major.is_security,
        effect=major.effect,
        phase=major.phase,
        opened_at=major.opened_at,
        resolved_at=major.resolved_at,
        declared_by=major.declared_by,
        declared_at=major.declared_at,
        steps=_steps(session, major_id),
        next=list(NEXT[major.phase]),
        counts=counts,
        by_state=_state_counts(session, major_id, now),
        children=Children(_children(session, major_id, now, page), sum(counts.values()), page),
    )


def majors_due(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """The record and the adherent of what is to be passed on, the longest due first."""
    row = j.MajorAdherent
    due = select(row.major_id, row.tenant_id).where(row.due_at <= now)
    found = session.execute(due.order_by(row.due_at, row.major_id, row.tenant_id))
    return [(major_id, tenant_id) for major_id, tenant_id in found]


def adherents_on(session: Session, major_id: int) -> set[int]:
    """The adherents that are on a record."""
    row = j.MajorAdherent
    return set(
        session.scalars(select(row.tenant_id).where(row.major_id == major_id, row.taken_out_at.is_(None)))
    )


def services_in(session: Session, kind: ScopeKind, code: str, day: date) -> dict[str, int]:
    """The services that a scope touches on a day, by how many steps they are from what is down.

    Raises `NotFound` for a service that is not in the catalogue.
    """
    dependencies = [
        Dependency(row.service_code, row.needs_code, row.since, row.until)
        for row in session.scalars(select(o.ServiceDependency))
    ]
    if kind is ScopeKind.SERVICE:
        if session.get(c.Service, code) is None:
            raise NotFound("Ce service n'est pas au catalogue.")
        return services_touched([code], dependencies, day)
    return services_touched(_hosted_in(session, DataCentre(code), day), dependencies, day)


def _hosted_in(session: Session, centre: DataCentre, day: date) -> list[str]:
    """The services that the last statement of a day says are in a data centre."""
    rows = session.execute(
        select(o.HostingStatement.service_code, o.HostingStatement.data_centres)
        .where(o.HostingStatement.since <= day)
        .order_by(o.HostingStatement.service_code, o.HostingStatement.since)
    )
    stated = {code: centres or [] for code, centres in rows}
    return [code for code, centres in stated.items() if centre.value in centres]


def _service_names(session: Session) -> dict[str, ServiceName]:
    return {row.code: name_of(row) for row in session.scalars(select(c.Service))}


def _scope(major: j.MajorIncident, called: Mapping[str, ServiceName]) -> Scope:
    service = called.get(major.scope_code) if major.scope_kind is ScopeKind.SERVICE else None
    return Scope(major.scope_kind, major.scope_code, service)


def _counted() -> tuple[Any, Any]:
    """How many adherents are on a record, and how many of their incidents are not resolved."""
    row, incident = j.MajorAdherent, t.Incident
    on_it = (row.major_id == j.MajorIncident.major_id, row.taken_out_at.is_(None))
    adherents = select(func.count()).select_from(row).where(*on_it).correlate(j.MajorIncident)
    unresolved = (
        select(func.count())
        .select_from(row)
        .join(incident, and_(incident.tenant_id == row.tenant_id, incident.number == row.incident))
        .where(*on_it, incident.resolved_at.is_(None))
        .correlate(j.MajorIncident)
    )
    return adherents, unresolved


def _progress() -> ColumnElement[str]:
    row = j.MajorAdherent
    return case(
        (row.taken_out_at.is_not(None), Progress.TAKEN_OUT.value),
        (row.due_at.is_not(None), Progress.DUE.value),
        (row.refused.is_not(None), Progress.REFUSED.value),
        else_=Progress.DONE.value,
    )


def _progress_counts(session: Session, major_id: int) -> dict[Progress, int]:
    of_each = select(_progress().label("progress")).where(j.MajorAdherent.major_id == major_id).subquery()
    rows = session.execute(select(of_each.c.progress, func.count()).group_by(of_each.c.progress))
    found = {row[0]: row[1] for row in rows}
    return {progress: found.get(progress.value, 0) for progress in Progress}


def _state_counts(session: Session, major_id: int, now: datetime) -> dict[str, int]:
    """The adherents' incidents by where they stand against their time to restore."""
    of_each = select(standing_at(now).label("state")).where(t.Incident.major == major_id).subquery()
    rows = session.execute(select(of_each.c.state, func.count()).group_by(of_each.c.state))
    return {row[0]: row[1] for row in rows}


def _children(session: Session, major_id: int, now: datetime, page: int) -> list[Child]:
    row, incident, progress = j.MajorAdherent, t.Incident, _progress()
    rank = case({one.value: place for place, one in enumerate(Progress)}, value=progress)
    rows = session.execute(
        select(row, progress, c.Adherent.name, c.Adherent.zone, incident, standing_at(now))
        .join(c.Adherent, c.Adherent.tenant_id == row.tenant_id)
        .outerjoin(incident, and_(incident.tenant_id == row.tenant_id, incident.number == row.incident))
        .where(row.major_id == major_id)
        .order_by(rank, c.Adherent.name, row.tenant_id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return [
        Child(
            tenant_id=one.tenant_id,
            adherent=name,
            zone=zone,
            subscription=one.subscription,
            incident=one.incident,
            state=None if found is None else state,
            tto_met_at=found.tto_met_at if found else None,
            due_at=found.due_at if found else None,
            resolved_at=found.resolved_at if found else None,
            progress=Progress(stands),
            refused=one.refused,
        )
        for one, stands, name, zone, found, state in rows
    ]


def _steps(session: Session, major_id: int) -> list[Step]:
    row, adherent = j.MajorStep, j.MajorAdherent
    applied = (
        select(func.count())
        .select_from(adherent)
        .where(
            adherent.major_id == major_id,
            adherent.taken_out_at.is_(None),
            adherent.incident.is_not(None),
            adherent.applied >= row.position,
        )
        .correlate(row)
        .scalar_subquery()
    )
    rows = session.execute(select(row, applied).where(row.major_id == major_id).order_by(row.position.desc()))
    return [
        Step(
            position=step.position,
            kind=step.kind,
            was=step.was,
            value=step.value,
            text=step.text,
            is_mailed=step.is_mailed,
            is_notice=step.is_notice,
            at=step.at,
            recorded_at=step.recorded_at,
            recorded_by=step.recorded_by,
            applied=count or 0,
        )
        for step, count in rows
    ]
