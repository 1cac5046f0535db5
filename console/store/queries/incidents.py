"""An incident as its page shows it: where it stands at `now` against its time to restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.clock import Deadline, EventKind, next_events, read_clock
from console.domain.errors import NotFound
from console.domain.priority import priority
from console.store.models import catalogue as c
from console.store.models import signals as s
from console.store.models import tenant as t
from console.store.queries.incident_file import Place, Touched, touched_services, touched_sites
from console.store.queries.incident_log import declared_at, events_of
from console.store.queries.matrix import matrix_on
from console.store.queries.plans import plan_of
from console.store.queries.standing import of_subscription, standing_at


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a service desk calls an incident."""

    desk: str
    external_id: str


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident, both clocks as they stand at `now`, and what may happen next.

    `by_matrix` is the priority that the matrix gives, None where impact or urgency is not told.
    """

    tenant_id: int
    adherent: str
    zone: str
    number: int
    title: str
    description: str | None
    priority: str
    by_matrix: str | None
    impact: int | None
    urgency: int | None
    category: str | None
    is_security: bool
    effect: str | None
    origin: str
    major: int | None
    subscription: int
    contract: str | None
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
    next: Sequence[EventKind]
    touched: Sequence[Touched]
    sites: Sequence[Place]
    tickets: Sequence[Ticket]


def incident_page(session: Session, tenant_id: int, number: int, *, now: datetime) -> IncidentPage:
    """One incident; raises `NotFound`, also for one out of scope."""
    incident = t.Incident
    row = session.execute(
        select(incident, standing_at(now), t.Subscription, c.Adherent, c.Service)
        .join(c.Adherent, c.Adherent.tenant_id == incident.tenant_id)
        .join(t.Subscription, of_subscription())
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(incident.tenant_id == tenant_id, incident.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound("Incident introuvable.")
    found, state, subscribed, adherent, service = row
    events = events_of(session, tenant_id, number)
    plan = plan_of(session, subscribed.plan_code, subscribed.plan_version)
    targets = plan.targets[found.priority.value]
    clock = read_clock(events, plan.calendar, targets.tto, targets.ttr, now)
    return IncidentPage(
        tenant_id=tenant_id,
        adherent=adherent.name,
        zone=adherent.zone,
        number=number,
        title=found.title,
        description=found.description,
        priority=found.priority.value,
        by_matrix=_by_matrix(session, found),
        impact=found.impact,
        urgency=found.urgency,
        category=found.category and found.category.value,
        is_security=found.is_security,
        effect=found.effect and found.effect.value,
        origin=found.origin.value,
        major=found.major,
        subscription=found.subscription,
        contract=subscribed.contract,
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
        next=[kind for kind in EventKind if kind in next_events(events)],
        touched=touched_services(session, tenant_id, number),
        sites=touched_sites(session, tenant_id, number),
        tickets=_tickets(session, tenant_id, number),
    )


def _tickets(session: Session, tenant_id: int, number: int) -> list[Ticket]:
    ticket = s.DeskTicket
    rows = session.execute(
        select(ticket.desk, ticket.external_id)
        .where(ticket.tenant_id == tenant_id, ticket.incident == number)
        .order_by(ticket.desk, ticket.external_id)
    )
    return [Ticket(*row) for row in rows]


def _by_matrix(session: Session, incident: t.Incident) -> str | None:
    if incident.impact is None or incident.urgency is None:
        return None
    matrix = matrix_on(session, declared_at(session, incident.tenant_id, incident.number))
    return f"P{priority(incident.impact, incident.urgency, matrix)}"
