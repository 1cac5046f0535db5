"""Why the due dates of an incident are what they are, and whom they were told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.clock import Clock, Deadline, Event, read_clock
from console.domain.errors import NotFound
from console.domain.escalation import Promise
from console.domain.explanation import Explanation, explain
from console.store.models import catalogue as c
from console.store.models import escalation as e
from console.store.models import tenant as t
from console.store.queries.incident_log import events_of
from console.store.queries.plans import plan_of


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a clock: when it is told, None while nobody knows, and when it was."""

    level: int
    due_at: datetime | None
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Explained:
    """One clock of an incident with the steps to its due date and its escalations, the lowest level first."""

    deadline: Deadline
    explanation: Explanation
    levels: Sequence[Level]


@dataclass(frozen=True, slots=True)
class ExplainedIncident:
    """An incident with both its clocks explained."""

    tenant_id: int
    adherent: str
    zone: str
    number: int
    title: str
    priority: str
    service_fr: str
    service_en: str
    plan: str
    plan_version: int
    calendar: str
    opened_at: datetime
    owned_at: datetime | None
    resolved_at: datetime | None
    phase: str
    log: Sequence[Event]
    clocks: Mapping[Promise, Explained]


def explained_incident(session: Session, tenant_id: int, number: int, *, now: datetime) -> ExplainedIncident:
    """One incident with its due dates explained; raises `NotFound`, also for one out of scope."""
    incident = t.Incident
    row = session.execute(
        select(incident, t.Subscription, c.Adherent, c.Service)
        .join(c.Adherent, c.Adherent.tenant_id == incident.tenant_id)
        .join(
            t.Subscription,
            (t.Subscription.tenant_id == incident.tenant_id)
            & (t.Subscription.number == incident.subscription),
        )
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(incident.tenant_id == tenant_id, incident.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound("Incident introuvable.")
    found, subscribed, adherent, service = row
    plan = plan_of(session, subscribed.plan_code, subscribed.plan_version)
    targets = plan.targets[found.priority.value]
    log = events_of(session, tenant_id, number)
    clock = read_clock(log, plan.calendar, targets.tto, targets.ttr, now)
    levels = _levels(session, tenant_id, number)
    return ExplainedIncident(
        tenant_id=tenant_id,
        adherent=adherent.name,
        zone=adherent.zone,
        number=number,
        title=found.title,
        priority=found.priority.value,
        service_fr=service.name_fr,
        service_en=service.name_en,
        plan=plan.name,
        plan_version=plan.version,
        calendar=plan.calendar_name,
        opened_at=found.opened_at,
        owned_at=found.tto_met_at,
        resolved_at=found.resolved_at,
        phase=clock.phase.value,
        log=log,
        clocks={
            promise: Explained(
                deadline=_deadline(clock, promise),
                explanation=explain(
                    log,
                    plan.calendar,
                    targets.tto if promise is Promise.TTO else targets.ttr,
                    pauses=promise is Promise.TTR,
                    now=now,
                ),
                levels=levels.get(promise, ()),
            )
            for promise in Promise
        },
    )


def _deadline(clock: Clock, promise: Promise) -> Deadline:
    return clock.tto if promise is Promise.TTO else clock.ttr


def _levels(session: Session, tenant_id: int, number: int) -> dict[Promise, list[Level]]:
    row = e.Escalation
    found: dict[Promise, list[Level]] = {}
    for level in session.scalars(
        select(row).where(row.tenant_id == tenant_id, row.incident == number).order_by(row.level)
    ):
        found.setdefault(level.promise, []).append(Level(level.level, level.due_at, level.told_at))
    return found
