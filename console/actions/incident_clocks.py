"""The clocks of incidents: read from the log of one, stored where they are due, with all that hangs on them.

    a line of the log -> both clocks read again -> due columns -> escalations, outages, duties

Each may be done again: what is written is what the log says.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions import duties, escalations, outages
from console.actions.tenancy import subscription_of
from console.domain.clock import Event, EventKind, Phase, read_clock
from console.domain.errors import Invalid, NotFound
from console.domain.incident_log import Change
from console.store.models import tenant as t
from console.store.queries.incident_log import events_of
from console.store.queries.plans import Plan, plan_of

LONGEST_VALUE = 64  # of a value in the log
OVER = (Phase.RESOLVED, Phase.CLOSED)
ANSWERS = (EventKind.ACKNOWLEDGED, EventKind.RESOLVED)


def hold_incident(session: Session, tenant_id: int, number: int) -> t.Incident:
    """An incident, locked until the transaction ends; raises `NotFound`."""
    incident = session.scalars(
        select(t.Incident)
        .where(t.Incident.tenant_id == tenant_id, t.Incident.number == number)
        .with_for_update()
    ).one_or_none()
    if incident is None:
        raise NotFound("Incident introuvable.")
    return incident


def append_line(
    session: Session,
    incident: t.Incident,
    kind: EventKind | Change,
    at: datetime,
    now: datetime,
    by: str,
    *,
    was: str | None = None,
    value: str | None = None,
) -> None:
    """Write the next line of the log; the caller holds the incident."""
    line = t.IncidentEvent
    last = session.scalar(
        select(func.max(line.position)).where(
            line.tenant_id == incident.tenant_id, line.incident == incident.number
        )
    )
    session.add(
        line(
            tenant_id=incident.tenant_id,
            incident=incident.number,
            position=(last or 0) + 1,
            kind=kind.value,
            was=was,
            value=value,
            at=at,
            recorded_at=now,
            recorded_by=by,
        )
    )
    session.flush()


def read_clocks(session: Session, incident: t.Incident, log: list[Event], now: datetime) -> Plan:
    """Read both clocks from the log and store what jobs and lists ask for; the plan they follow."""
    subscribed = subscription_of(session, incident.tenant_id, incident.subscription)
    plan = plan_of(session, subscribed.plan_code, subscribed.plan_version)
    targets = plan.targets.get(incident.priority.value)
    if targets is None:
        raise Invalid("priority", "Le plan de cette souscription ne couvre pas cette priorité.")
    clock = read_clock(log, plan.calendar, targets.tto, targets.ttr, now)
    over = clock.phase in OVER
    incident.phase = clock.phase.value
    incident.tto_due_at = clock.tto.due_at
    incident.tto_met_at = next((event.at for event in log if event.kind in ANSWERS), None)
    incident.resolved_at = (
        next(event.at for event in reversed(log) if event.kind is EventKind.RESOLVED) if over else None
    )
    incident.due_at = clock.ttr.due_at
    incident.at_risk_at = None if over else clock.ttr.at_risk_at
    incident.remaining_s = clock.ttr.remaining_s
    incident.outcome = clock.ttr.state.value
    return plan


def follow_clocks(
    session: Session, incident: t.Incident, plan: Plan, log: list[Event], now: datetime
) -> None:
    """What is written from the log and the clocks of an incident: each of these may be done again."""
    incident.changed_at = now
    session.flush()
    escalations.plan_next(session, incident, plan, log, now)
    outages.write_outages(session, incident, log, now)
    duties.renew(session, incident, now)


def reckon_from(session: Session, incident: t.Incident, log: list[Event], now: datetime) -> None:
    """Read both clocks from the log, and let what hangs on them follow."""
    plan = read_clocks(session, incident, log, now)
    follow_clocks(session, incident, plan, log, now)


def reckon(session: Session, tenant_id: int, number: int, *, now: datetime) -> None:
    """Read the clocks of an incident again from its log."""
    incident = hold_incident(session, tenant_id, number)
    reckon_from(session, incident, events_of(session, tenant_id, number), now)


def reckon_open(session: Session, tenant_id: int, subscription: int, *, now: datetime) -> None:
    """Read the clocks of a subscription's unresolved incidents again, under the plan as it is now."""
    for incident in _unresolved_of(session, tenant_id, subscription):
        reckon_from(session, incident, events_of(session, tenant_id, incident.number), now)


def follow_plan(
    session: Session,
    subscription: t.Subscription,
    *,
    was: tuple[str | None, int | None],
    now: datetime,
    by: str,
) -> None:
    """Log the plan that a subscription holds now in its unresolved incidents, and read their clocks again."""
    before = _named_plan(*was)
    after = _named_plan(subscription.plan_code, subscription.plan_version)
    for incident in _unresolved_of(session, subscription.tenant_id, subscription.number):
        append_line(session, incident, Change.PLAN, now, now, by, was=before, value=after)
        reckon_from(session, incident, events_of(session, incident.tenant_id, incident.number), now)


def _named_plan(code: str | None, version: int | None) -> str | None:
    """A plan as the log names it: its version, then its code, cut to the width of the column."""
    return None if code is None else f"{version} {code}"[:LONGEST_VALUE]


def _unresolved_of(session: Session, tenant_id: int, subscription: int) -> list[t.Incident]:
    rows = session.scalars(
        select(t.Incident)
        .where(
            t.Incident.tenant_id == tenant_id,
            t.Incident.subscription == subscription,
            t.Incident.resolved_at.is_(None),
        )
        .order_by(t.Incident.number)
        .with_for_update()
    )
    return list(rows)
