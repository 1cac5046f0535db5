"""Incidents: what happens to one is appended to its log, from which its clocks are reckoned again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.clock import REFUSALS, Event, EventKind, Phase, next_events, read_clock
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.outages import Effect
from console.domain.priority import priority
from console.domain.spans import whole_second
from console.store.models import tenant as t
from console.store.queries.plans import plan_of

Category, Origin, Priority = t.Category, t.Origin, t.Priority

LONGEST_TITLE = 200
OVER = (Phase.RESOLVED, Phase.CLOSED)
ANSWERS = (EventKind.ACKNOWLEDGED, EventKind.RESOLVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What is told of an incident beside its title; None is not told.

    Without `priority` the matrix gives it from `impact` and `urgency`. `touches` are the other subscriptions
    that suffer from it.
    """

    priority: t.Priority | None = None
    impact: int | None = None
    urgency: int | None = None
    category: t.Category | None = None
    is_security: bool = False
    effect: Effect | None = None
    description: str | None = None
    touches: Collection[int] = ()
    origin: t.Origin = t.Origin.CONSOLE
    major: int | None = None


def open_incident(
    session: Session,
    *,
    tenant_id: int,
    subscription: int,
    title: str,
    told: Particulars,
    at: datetime,
    now: datetime,
    by: str,
) -> int:
    """Open an incident on a subscription, as of `at`, which may be past; its number within the adherent.

    Raises `Conflict` while another of the same title is unresolved: a form that was sent twice.
    """
    adherent = hold_adherent(session, tenant_id)
    subscribed = subscription_of(session, tenant_id, subscription)
    title = _one_line(title)
    at = _not_later(at, now)
    day = at.astimezone(ZoneInfo(adherent.zone)).date()
    if day < subscribed.starts_on or (subscribed.ends_on is not None and day > subscribed.ends_on):
        raise Invalid("subscription", "Cette souscription ne courait pas à la date de l'incident.")
    if twin := _unresolved(session, tenant_id, subscription, title):
        raise Conflict("L'incident n° %(number)s, du même titre, n'est pas encore résolu.", number=twin)
    last = session.scalar(select(func.max(t.Incident.number)).where(t.Incident.tenant_id == tenant_id))
    incident = t.Incident(
        tenant_id=tenant_id,
        number=(last or 0) + 1,
        subscription=subscription,
        title=title,
        description=told.description,
        priority=_priority(told),
        impact=told.impact,
        urgency=told.urgency,
        category=told.category,
        is_security=told.is_security,
        effect=told.effect,
        origin=told.origin,
        major=told.major,
        opened_at=at,
        phase=Phase.RUNNING,
        outcome="",
    )
    log = [Event(EventKind.OPENED, at)]
    _reckon(session, incident, log, now)
    session.add(incident)
    session.flush()
    _append(session, incident, log, now, by)
    for touched in sorted({*told.touches} - {subscription}):
        subscription_of(session, tenant_id, touched)
        session.add(t.TouchedService(tenant_id=tenant_id, incident=incident.number, subscription=touched))
    session.flush()
    return incident.number


def record_event(
    session: Session,
    *,
    tenant_id: int,
    number: int,
    kind: EventKind,
    at: datetime,
    now: datetime,
    by: str,
) -> None:
    """Append what happened to an incident, as of `at`, not before the event before it.

    Raises `Conflict` where it cannot happen: what someone else recorded a moment ago counts already.
    """
    incident = session.scalars(
        select(t.Incident)
        .where(t.Incident.tenant_id == tenant_id, t.Incident.number == number)
        .with_for_update()
    ).one_or_none()
    if incident is None:
        raise NotFound("Incident introuvable.")
    log = _log(session, tenant_id, number)
    if kind not in next_events(log):
        raise Conflict(REFUSALS[kind])
    at = _not_later(at, now)
    if at < log[-1].at:
        raise Invalid(
            "at",
            "L'événement précédent date de %(before)s : celui-ci ne peut pas le précéder.",
            before=f"{log[-1].at:%Y-%m-%d %H:%M:%S} UTC",
        )
    log.append(Event(kind, at))
    _reckon(session, incident, log, now)
    _append(session, incident, log, now, by)


def reckon_open(session: Session, tenant_id: int, subscription: int, *, now: datetime) -> None:
    """Read the clocks of a subscription's unresolved incidents again, under the plan that it holds now."""
    unresolved = session.scalars(
        select(t.Incident)
        .where(
            t.Incident.tenant_id == tenant_id,
            t.Incident.subscription == subscription,
            t.Incident.resolved_at.is_(None),
        )
        .order_by(t.Incident.number)
        .with_for_update()
    )
    for incident in unresolved.all():
        _reckon(session, incident, _log(session, tenant_id, incident.number), now)


def _priority(told: Particulars) -> t.Priority:
    if told.priority is not None:
        return told.priority
    if told.impact is None or told.urgency is None:
        raise Invalid("priority", "Une priorité est attendue, ou un impact et une urgence.")
    return t.Priority(f"P{priority(told.impact, told.urgency)}")


def _unresolved(session: Session, tenant_id: int, subscription: int, title: str) -> int | None:
    return session.scalars(
        select(t.Incident.number)
        .where(
            t.Incident.tenant_id == tenant_id,
            t.Incident.subscription == subscription,
            t.Incident.title == title,
            t.Incident.resolved_at.is_(None),
        )
        .limit(1)
    ).one_or_none()


def _log(session: Session, tenant_id: int, number: int) -> list[Event]:
    rows = session.scalars(
        select(t.IncidentEvent)
        .where(t.IncidentEvent.tenant_id == tenant_id, t.IncidentEvent.incident == number)
        .order_by(t.IncidentEvent.position)
    )
    return [Event(EventKind(row.kind), row.at) for row in rows]


def _append(session: Session, incident: t.Incident, log: list[Event], now: datetime, by: str) -> None:
    session.add(
        t.IncidentEvent(
            tenant_id=incident.tenant_id,
            incident=incident.number,
            position=len(log),
            kind=log[-1].kind.value,
            at=log[-1].at,
            recorded_at=now,
            recorded_by=by,
        )
    )
    session.flush()


def _reckon(session: Session, incident: t.Incident, log: list[Event], now: datetime) -> None:
    """Read both clocks from the log and store what jobs and lists ask for."""
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


def _not_later(at: datetime, now: datetime) -> datetime:
    at = whole_second(at)
    if at > now:
        raise Invalid("at", "Une heure à venir ne peut pas être enregistrée.")
    return at


def _one_line(title: str) -> str:
    title = " ".join(title.split())
    if not 0 < len(title) <= LONGEST_TITLE or not title.isprintable():
        raise Invalid("title", "Un titre de 1 à %(longest)s caractères est attendu.", longest=LONGEST_TITLE)
    return title
