"""Incidents: what happens to one is appended to its log, from which its clocks are reckoned again."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.incident_clocks import (
    append_line,
    follow_clocks,
    hold_incident,
    read_clocks,
    reckon_from,
)
from console.actions.tenancy import hold_adherent, subscription_of
from console.actions.touched import Site, touch
from console.domain.clock import REFUSALS, Event, EventKind, Phase, next_events
from console.domain.errors import Conflict, Invalid
from console.domain.free_text import several_lines
from console.domain.incident_log import TEXTS, Change
from console.domain.outages import Effect
from console.domain.priority import Matrix, priority
from console.domain.revisions import changed_fields
from console.domain.spans import whole_second
from console.store.models import incident as i
from console.store.models import tenant as t
from console.store.queries.incident_log import declared_at, events_of
from console.store.queries.matrix import matrix_on

Category, Origin, Priority = t.Category, t.Origin, t.Priority

LONGEST_TITLE = 200
# Programs that say by names of their own what is the same incident: two of one title are two.
KNOWN_ELSEWHERE = (t.Origin.SERVICE_DESK, t.Origin.ALERTMANAGER)
REDACTED_TITLE = "—"
# What of an incident is in a column of its own, in the order in which changes of one deed are logged.
COLUMNS = {
    Change.IMPACT: "impact",
    Change.URGENCY: "urgency",
    Change.PRIORITY: "priority",
    Change.CATEGORY: "category",
    Change.SECURITY: "is_security",
    Change.EFFECT: "effect",
}

# What two people may change at once of one incident; the levels make one another.
PARTS = {
    "levels": ("priority", "impact", "urgency"),
    "category": ("category",),
    "security": ("is_security",),
    "effect": ("effect",),
    "touches": ("touches",),
    "sites": ("sites",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What is told of an incident beside its title; None is not told.

    Without `priority` the matrix gives it from `impact` and `urgency`. `touches` are the other subscriptions
    that suffer from it, `sites` the places.
    """

    priority: t.Priority | None = None
    impact: int | None = None
    urgency: int | None = None
    category: t.Category | None = None
    is_security: bool = False
    effect: Effect | None = None
    description: str | None = None
    touches: Collection[int] = ()
    sites: Collection[Site] = ()
    origin: t.Origin = t.Origin.CONSOLE
    major: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What is told anew of an incident; None leaves what was told.

    Without `priority`, an impact or an urgency gives it by the matrix.
    """

    priority: t.Priority | None = None
    impact: int | None = None
    urgency: int | None = None
    category: t.Category | None = None
    is_security: bool | None = None
    effect: Effect | None = None
    touches: Collection[int] | None = None
    sites: Collection[Site] | None = None


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

    A priority that is not the one of the matrix is a change in its log. Raises `Conflict` while another of
    the same title is unresolved: a form that was sent twice.
    """
    adherent = hold_adherent(session, tenant_id)
    subscribed = subscription_of(session, tenant_id, subscription)
    title = _one_line(title)
    at = _not_later(at, now)
    day = at.astimezone(ZoneInfo(adherent.zone)).date()
    if day < subscribed.starts_on or (subscribed.ends_on is not None and day > subscribed.ends_on):
        raise Invalid("subscription", "Cette souscription ne courait pas à la date de l'incident.")
    twin = told.origin not in KNOWN_ELSEWHERE and _unresolved(session, tenant_id, subscription, title)
    if twin:
        raise Conflict("L'incident n° %(number)s, du même titre, n'est pas encore résolu.", number=twin)
    by_matrix = _by_matrix(told.impact, told.urgency, matrix_on(session, now))
    set_priority = told.priority or by_matrix
    if set_priority is None:
        raise Invalid("priority", "Une priorité est attendue, ou un impact et une urgence.")
    last = session.scalar(select(func.max(t.Incident.number)).where(t.Incident.tenant_id == tenant_id))
    incident = t.Incident(
        tenant_id=tenant_id,
        number=(last or 0) + 1,
        subscription=subscription,
        title=title,
        description=several_lines(told.description or "", "description") or None,
        priority=set_priority,
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
    plan = read_clocks(session, incident, log, now)
    session.add(incident)
    session.flush()
    append_line(session, incident, EventKind.OPENED, at, now, by)
    if by_matrix not in (None, set_priority):
        append_line(session, incident, Change.PRIORITY, at, now, by, was=by_matrix, value=set_priority)
    touch(session, incident, told.touches, told.sites)
    follow_clocks(session, incident, plan, log, now)
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
    incident = hold_incident(session, tenant_id, number)
    log = events_of(session, tenant_id, number)
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
    append_line(session, incident, kind, at, now, by)
    reckon_from(session, incident, log, now)


def set_particulars(
    session: Session,
    *,
    tenant_id: int,
    number: int,
    revision: Revision,
    at: datetime,
    now: datetime,
    by: str,
    seen: Revision | None = None,
) -> bool:
    """Tell anew what holds of an incident from `at` on; whether anything is another than before.

    Each change is a line of the log, and the clocks are read again from all of it. The matrix is the one that
    held as the incident was declared. Of a form that was filled in from `seen`, only what the person changed
    is told; raises `Stale` where somebody else changed it meanwhile. Raises `Conflict` once the incident is
    closed.
    """
    incident = hold_incident(session, tenant_id, number)
    if incident.phase == Phase.CLOSED:
        raise Conflict("Un incident clos ne change plus.")
    at = max(_not_later(at, now), incident.opened_at)
    matrix = matrix_on(session, declared_at(session, tenant_id, number))
    if seen is not None:
        revision = _changed(revision, seen, _as_shown(session, incident, matrix))
    changed = _differences(incident, revision, matrix)
    for change, (was, value) in changed.items():
        setattr(incident, COLUMNS[change], value)
        append_line(session, incident, change, at, now, by, was=_told(was), value=_told(value))
    moved = touch(session, incident, revision.touches, revision.sites)
    if not changed and not moved:
        return False
    reckon_from(session, incident, events_of(session, tenant_id, number), now)
    return True


def retell(
    session: Session,
    *,
    tenant_id: int,
    number: int,
    title: str | None,
    description: str | None,
    now: datetime,
    by: str,
) -> bool:
    """Tell the texts of an incident anew, None leaving them; whether one is another than before.

    Raises `Conflict` once the incident is closed. What was redacted stays so.
    """
    incident = hold_incident(session, tenant_id, number)
    if incident.phase == Phase.CLOSED:
        raise Conflict("Un incident clos ne change plus.")
    if incident.title == REDACTED_TITLE:
        return False
    before = incident.title, incident.description
    if title is not None:
        incident.title = _one_line(title)
    if description is not None:
        incident.description = several_lines(description, "description") or None
    after = incident.title, incident.description
    for change, was, value in zip(TEXTS, before, after, strict=True):
        if was != value:
            append_line(session, incident, change, now, now, by)
            incident.changed_at = now  # programs read it too
    return before != after


def redact_incident(session: Session, *, tenant_id: int, number: int) -> None:
    """Take the title and the description of an incident away for good; the rest stays."""
    incident = hold_incident(session, tenant_id, number)
    incident.title, incident.description = REDACTED_TITLE, None


def _by_matrix(impact: int | None, urgency: int | None, matrix: Matrix) -> t.Priority | None:
    """The priority of an impact and an urgency, None where one of them is not told."""
    if impact is None or urgency is None:
        return None
    return t.Priority(f"P{priority(impact, urgency, matrix)}")


def _differences(incident: t.Incident, revision: Revision, matrix: Matrix) -> dict[Change, tuple[Any, Any]]:
    """What was and what becomes, of each thing that becomes another."""
    told = {change: getattr(revision, column) for change, column in COLUMNS.items()}
    if revision.priority is None and (revision.impact, revision.urgency) != (None, None):
        impact = incident.impact if revision.impact is None else revision.impact
        urgency = incident.urgency if revision.urgency is None else revision.urgency
        told[Change.PRIORITY] = _by_matrix(impact, urgency, matrix)
    before = {change: getattr(incident, column) for change, column in COLUMNS.items()}
    return {
        change: (before[change], value)
        for change, value in told.items()
        if value is not None and value != before[change]
    }


def _as_shown(session: Session, incident: t.Incident, matrix: Matrix) -> Revision:
    """What a form of an incident is filled in from: its priority is told where the matrix gives another."""
    touched, site = t.TouchedService, i.TouchedSite
    services = session.scalars(
        select(touched.subscription).where(
            touched.tenant_id == incident.tenant_id, touched.incident == incident.number
        )
    )
    sites = session.execute(
        select(site.finess_et, site.own_site).where(
            site.tenant_id == incident.tenant_id, site.incident == incident.number
        )
    )
    by_matrix = _by_matrix(incident.impact, incident.urgency, matrix)
    return Revision(
        priority=None if incident.priority == by_matrix else incident.priority,
        impact=incident.impact,
        urgency=incident.urgency,
        category=incident.category,
        is_security=incident.is_security,
        effect=incident.effect,
        touches=list(services),
        sites=[Site(*one) for one in sites],
    )


def _changed(revision: Revision, seen: Revision, shown: Revision) -> Revision:
    """What a person changed of a form; the rest of it is not told."""
    changed = changed_fields(*(_parts(one) for one in (revision, seen, shown)))
    left = {field: None for part, fields in PARTS.items() if part not in changed for field in fields}
    return replace(revision, **left)


def _parts(revision: Revision) -> dict[str, Hashable]:
    return {
        part: tuple(
            frozenset(value) if isinstance(value, Collection) and not isinstance(value, str) else value
            for value in (getattr(revision, field) for field in fields)
        )
        for part, fields in PARTS.items()
    }


def _told(value: Any) -> str | None:
    """A value as the log holds it."""
    if value is None:
        return None
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


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
