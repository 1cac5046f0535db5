"""Incidents: what happens to one is appended to its log, from which its clocks are reckoned again."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions import duties, escalations, outages
from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.clock import REFUSALS, Event, EventKind, Phase, next_events, read_clock
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import several_lines
from console.domain.incident_log import TEXTS, Change
from console.domain.outages import Effect
from console.domain.priority import Matrix, priority
from console.domain.revisions import changed_fields
from console.domain.spans import whole_second
from console.store.models import directory as d
from console.store.models import follow_up as f
from console.store.models import incident as i
from console.store.models import tenant as t
from console.store.queries.incident_log import declared_at, events_of
from console.store.queries.matrix import matrix_on
from console.store.queries.plans import Plan, plan_of

Category, Origin, Priority = t.Category, t.Origin, t.Priority

LONGEST_TITLE = 200
LONGEST_VALUE = 64  # of a value in the log
OVER = (Phase.RESOLVED, Phase.CLOSED)
ANSWERS = (EventKind.ACKNOWLEDGED, EventKind.RESOLVED)
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


@dataclass(frozen=True, slots=True)
class Site:
    """A place of an adherent: one of the directory by its FINESS number, or one of its own by its number."""

    finess_et: str | None = None
    own_site: int | None = None


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
    plan = _plan_of(session, incident)
    _read(incident, plan, log, now)
    session.add(incident)
    session.flush()
    _append(session, incident, EventKind.OPENED, at, now, by)
    if by_matrix not in (None, set_priority):
        _append(session, incident, Change.PRIORITY, at, now, by, was=by_matrix, value=set_priority)
    _touch(session, incident, told.touches, told.sites)
    _follow(session, incident, plan, log, now)
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
    _append(session, incident, kind, at, now, by)
    _reckon(session, incident, log, now)


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
        _append(session, incident, change, at, now, by, was=_told(was), value=_told(value))
    moved = _touch(session, incident, revision.touches, revision.sites)
    if not changed and not moved:
        return False
    _reckon(session, incident, events_of(session, tenant_id, number), now)
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
            _append(session, incident, change, now, now, by)
            incident.changed_at = now  # programs read it too
    return before != after


def redact_incident(session: Session, *, tenant_id: int, number: int) -> None:
    """Take the title and the description of an incident away for good; the rest stays."""
    incident = hold_incident(session, tenant_id, number)
    incident.title, incident.description = REDACTED_TITLE, None


def reckon(session: Session, tenant_id: int, number: int, *, now: datetime) -> None:
    """Read the clocks of an incident again from its log."""
    incident = hold_incident(session, tenant_id, number)
    _reckon(session, incident, events_of(session, tenant_id, number), now)


def reckon_open(session: Session, tenant_id: int, subscription: int, *, now: datetime) -> None:
    """Read the clocks of a subscription's unresolved incidents again, under the plan as it is now."""
    for incident in _unresolved_of(session, tenant_id, subscription):
        _reckon(session, incident, events_of(session, tenant_id, incident.number), now)


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
        _append(session, incident, Change.PLAN, now, now, by, was=before, value=after)
        _reckon(session, incident, events_of(session, incident.tenant_id, incident.number), now)


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


def _named_plan(code: str | None, version: int | None) -> str | None:
    """A plan as the log names it: its version, then its code, cut to the width of the column."""
    return None if code is None else f"{version} {code}"[:LONGEST_VALUE]


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


def _append(
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


def _touch(
    session: Session,
    incident: t.Incident,
    touches: Collection[int] | None,
    sites: Collection[Site] | None,
) -> bool:
    """Make an incident touch these subscriptions, beside its own, and these places; None leaves them.

    Whether anything is another than before.
    """
    moved = touches is not None and _touch_services(session, incident, {*touches} - {incident.subscription})
    moved |= sites is not None and _touch_sites(session, incident, list(dict.fromkeys(sites)))
    session.flush()
    return moved


def _touch_services(session: Session, incident: t.Incident, wanted: set[int]) -> bool:
    touched = t.TouchedService
    rows = session.scalars(
        select(touched).where(touched.tenant_id == incident.tenant_id, touched.incident == incident.number)
    ).all()
    there = {row.subscription for row in rows}
    for row in rows:
        if row.subscription not in wanted:
            session.delete(row)
    for number in sorted(wanted - there):
        subscription_of(session, incident.tenant_id, number)
        session.add(touched(tenant_id=incident.tenant_id, incident=incident.number, subscription=number))
    return there != wanted


def _touch_sites(session: Session, incident: t.Incident, wanted: list[Site]) -> bool:
    touched = i.TouchedSite
    rows = session.scalars(
        select(touched)
        .where(touched.tenant_id == incident.tenant_id, touched.incident == incident.number)
        .order_by(touched.position)
    ).all()
    if {Site(row.finess_et, row.own_site) for row in rows} == {*wanted}:
        return False
    for row in rows:
        session.delete(row)
    session.flush()
    for position, site in enumerate(wanted, start=1):
        _check_site(session, incident.tenant_id, site)
        session.add(
            touched(
                tenant_id=incident.tenant_id,
                incident=incident.number,
                position=position,
                finess_et=site.finess_et,
                own_site=site.own_site,
            )
        )
    return True


def _check_site(session: Session, tenant_id: int, site: Site) -> None:
    """Refuse a place that is not the adherent's."""
    adherent = hold_adherent(session, tenant_id)
    if site.own_site is not None:
        known = session.get(f.OwnSite, (tenant_id, site.own_site)) is not None
    else:
        found = session.get(d.DirectorySite, site.finess_et)
        known = found is not None and found.finess_ej == adherent.finess_ej
    if not known:
        raise Invalid("sites", "Choisissez parmi les sites de l'adhérent.")


def _reckon(session: Session, incident: t.Incident, log: list[Event], now: datetime) -> None:
    """Read both clocks from the log, and let what hangs on them follow."""
    plan = _plan_of(session, incident)
    _read(incident, plan, log, now)
    _follow(session, incident, plan, log, now)


def _plan_of(session: Session, incident: t.Incident) -> Plan:
    subscribed = subscription_of(session, incident.tenant_id, incident.subscription)
    return plan_of(session, subscribed.plan_code, subscribed.plan_version)


def _follow(session: Session, incident: t.Incident, plan: Plan, log: list[Event], now: datetime) -> None:
    """What is written from the log and the clocks of an incident: each of these may be done again."""
    incident.changed_at = now
    session.flush()
    escalations.plan_next(session, incident, plan, log, now)
    outages.write_outages(session, incident, log, now)
    duties.renew(session, incident, now)


def _read(incident: t.Incident, plan: Plan, log: list[Event], now: datetime) -> None:
    """Read both clocks from the log and store what jobs and lists ask for."""
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
