"""Incidents as lists and pages show them: where each stands at `now` against its time to restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from console.domain.clock import Deadline, Event, EventKind, next_events, read_clock
from console.domain.errors import NotFound
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.paging import PAGE, PageOf
from console.store.queries.plans import plan_of

STATES = ("breached", "at_risk", "waiting", "on_time", "missed", "met")


@dataclass(frozen=True, slots=True)
class ListedIncident:
    """A line of a list. `due_at` is None while a wait moves it; `state` is one of `STATES`."""

    tenant_id: int
    adherent: str
    number: int
    title: str
    priority: str
    service_fr: str
    service_en: str
    opened_at: datetime
    resolved_at: datetime | None
    due_at: datetime | None
    remaining_s: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Incidents(PageOf[ListedIncident]):
    """One page of a list; `by_state` counts all that the other filters let through."""

    by_state: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A line of the log: when it happened, when and by whom it was recorded."""

    kind: EventKind
    at: datetime
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident with its log, both clocks as they stand at `now`, and what may happen next."""

    tenant_id: int
    adherent: str
    zone: str
    number: int
    title: str
    priority: str
    subscription: int
    service_fr: str
    service_en: str
    plan: str
    plan_version: int
    calendar: str
    opened_at: datetime
    resolved_at: datetime | None
    phase: str
    state: str
    tto: Deadline
    ttr: Deadline
    tto_met_at: datetime | None
    log: Sequence[LoggedEvent]
    next: Sequence[EventKind]


def list_incidents(
    session: Session,
    *,
    now: datetime,
    state: str = "",
    priority: str = "",
    tenant_id: int | None = None,
    page: int = 1,
    size: int = PAGE,
) -> Incidents:
    """Incidents of one adherent, or of every adherent in scope: the open ones first, by due date."""
    incident, standing = t.Incident, _state_at(now)
    wanted = list(_conditions(priority, tenant_id))
    by_state = _count_by_state(session, standing, wanted)
    if state:
        wanted.append(standing == state)
    rows = session.execute(
        select(incident, standing, c.Adherent.name, c.Service.name_fr, c.Service.name_en)
        .join(c.Adherent, c.Adherent.tenant_id == incident.tenant_id)
        .join(t.Subscription, _of_subscription())
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(*wanted)
        .order_by(
            incident.resolved_at.is_not(None),
            incident.resolved_at.desc(),
            incident.due_at.is_(None),
            incident.due_at,
            incident.tenant_id,
            incident.number,
        )
        .limit(size)
        .offset((page - 1) * size)
    )
    return Incidents(
        rows=[_listed(row) for row in rows],
        total=by_state.get(state, 0) if state else sum(by_state.values()),
        by_state=by_state,
        page=page,
    )


def incident_page(session: Session, tenant_id: int, number: int, *, now: datetime) -> IncidentPage:
    """One incident; raises `NotFound`, also for one out of scope."""
    incident = t.Incident
    row = session.execute(
        select(incident, _state_at(now), t.Subscription, c.Adherent, c.Service)
        .join(c.Adherent, c.Adherent.tenant_id == incident.tenant_id)
        .join(t.Subscription, _of_subscription())
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(incident.tenant_id == tenant_id, incident.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound("Incident introuvable.")
    found, state, subscribed, adherent, service = row
    log = _log(session, tenant_id, number)
    events = [Event(line.kind, line.at) for line in log]
    plan = plan_of(session, subscribed.plan_code, subscribed.plan_version)
    targets = plan.targets[found.priority.value]
    clock = read_clock(events, plan.calendar, targets.tto, targets.ttr, now)
    return IncidentPage(
        tenant_id=tenant_id,
        adherent=adherent.name,
        zone=adherent.zone,
        number=number,
        title=found.title,
        priority=found.priority.value,
        subscription=found.subscription,
        service_fr=service.name_fr,
        service_en=service.name_en,
        plan=plan.name,
        plan_version=plan.version,
        calendar=plan.calendar_name,
        opened_at=found.opened_at,
        resolved_at=found.resolved_at,
        phase=clock.phase.value,
        state=state,
        tto=clock.tto,
        ttr=clock.ttr,
        tto_met_at=found.tto_met_at,
        log=log,
        next=[kind for kind in EventKind if kind in next_events(events)],
    )


def _state_at(now: datetime) -> ColumnElement[str]:
    """Where an incident stands: time alone takes one from on time to at risk to breached."""
    incident = t.Incident
    return case(
        (incident.resolved_at.is_not(None), incident.outcome),
        (incident.due_at < now, "breached"),
        (incident.phase == "waiting", "waiting"),
        (incident.at_risk_at <= now, "at_risk"),
        else_="on_time",
    )


def _count_by_state(
    session: Session, standing: ColumnElement[str], wanted: Sequence[ColumnElement[bool]]
) -> dict[str, int]:
    of_each = select(standing.label("state")).where(*wanted).subquery()
    counted = session.execute(select(of_each.c.state, func.count()).group_by(of_each.c.state))
    return {row[0]: row[1] for row in counted}


def _conditions(priority: str, tenant_id: int | None) -> list[ColumnElement[bool]]:
    conditions = []
    if priority:
        conditions.append(t.Incident.priority == priority)
    if tenant_id is not None:
        conditions.append(t.Incident.tenant_id == tenant_id)
    return conditions


def _of_subscription() -> ColumnElement[bool]:
    return and_(
        t.Subscription.tenant_id == t.Incident.tenant_id, t.Subscription.number == t.Incident.subscription
    )


def _listed(row: Any) -> ListedIncident:
    incident, state, adherent, service_fr, service_en = row
    return ListedIncident(
        tenant_id=incident.tenant_id,
        adherent=adherent,
        number=incident.number,
        title=incident.title,
        priority=incident.priority.value,
        service_fr=service_fr,
        service_en=service_en,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        due_at=incident.due_at,
        remaining_s=incident.remaining_s if incident.due_at is None else None,
        state=state,
    )


def _log(session: Session, tenant_id: int, number: int) -> list[LoggedEvent]:
    rows = session.scalars(
        select(t.IncidentEvent)
        .where(t.IncidentEvent.tenant_id == tenant_id, t.IncidentEvent.incident == number)
        .order_by(t.IncidentEvent.position)
    )
    return [LoggedEvent(EventKind(row.kind), row.at, row.recorded_at, row.recorded_by) for row in rows]
