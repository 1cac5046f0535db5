"""An incident as its page shows it: where it stands at `now` against its time to restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.clock import Deadline, Event, EventKind, next_events, read_clock
from console.domain.errors import NotFound
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.incident_log import MOVES_CLOCKS
from console.store.queries.plans import plan_of
from console.store.queries.standing import of_subscription, standing_at


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


def _log(session: Session, tenant_id: int, number: int) -> list[LoggedEvent]:
    rows = session.scalars(
        select(t.IncidentEvent)
        .where(
            t.IncidentEvent.tenant_id == tenant_id,
            t.IncidentEvent.incident == number,
            t.IncidentEvent.kind.in_(MOVES_CLOCKS),
        )
        .order_by(t.IncidentEvent.position)
    )
    return [LoggedEvent(EventKind(row.kind), row.at, row.recorded_at, row.recorded_by) for row in rows]
