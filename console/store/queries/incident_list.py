"""Incidents as lists show them: where each stands at `now` against its time to restore, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from console.domain.alerts import Standing
from console.domain.calendar import Calendar
from console.domain.clock import Phase
from console.domain.countdown import Countdown, countdown
from console.domain.folding import folded_words
from console.store.models import catalogue as c
from console.store.models import signals as g
from console.store.models import tenant as t
from console.store.queries.paging import PAGE, PageOf
from console.store.queries.plans import PlanKey, calendars_of
from console.store.queries.standing import of_subscription, standing_at

YES, NO = "yes", "no"


class Which(StrEnum):
    """Which incidents: those that are not resolved, unless others are asked for."""

    OPEN = "open"
    RESOLVED = "resolved"
    ALL = "all"


class Awaited(StrEnum):
    """Whom an incident waits for."""

    OWNER = "owner"  # somebody of the operator who takes it
    OPERATOR = "operator"
    ADHERENT = "adherent"
    NOBODY = "nobody"


class Facet(StrEnum):
    """What a list is narrowed by, each beside the others."""

    STATE = "state"
    PRIORITY = "priority"
    AWAITED = "awaited"
    CATEGORY = "category"
    SECURITY = "security"
    ORIGIN = "origin"
    MAJOR = "major"
    AGENCY = "agency"
    MINE = "mine"


# Of each facet the values that it may have, empty where nobody told; agencies are those of the adherents.
VALUES: Mapping[Facet, tuple[str, ...]] = {
    Facet.STATE: tuple(Standing),
    Facet.PRIORITY: tuple(t.Priority),
    Facet.AWAITED: tuple(Awaited),
    Facet.CATEGORY: ("", *t.Category),
    Facet.SECURITY: (YES, NO),
    Facet.ORIGIN: tuple(t.Origin),
    Facet.MAJOR: (YES, NO),
    Facet.MINE: (YES, NO),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is sought: words of the adherent's name or the number of a ticket, and the values of facets.

    `mine` are the adherents that the reader follows, none where that says nothing.
    """

    which: Which = Which.OPEN
    tenant_id: int | None = None
    words: str = ""
    values: Mapping[Facet, str] = field(default_factory=dict)
    mine: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ListedIncident:
    """A line of a list. `due_at` is None while a wait moves it; `remaining_s` is then what will be left.

    `left` is known while the clock runs.
    """

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
    left: Countdown | None
    state: Standing
    awaited: Awaited
    is_security: bool
    major: int | None


@dataclass(frozen=True, slots=True)
class Incidents(PageOf[ListedIncident]):
    """One page of a list; `counts` tells of each facet how many the other ones leave for each value."""

    counts: Mapping[Facet, Mapping[str, int]]


def list_incidents(
    session: Session, asked: Asked, *, now: datetime, page: int = 1, size: int | None = PAGE
) -> Incidents:
    """The incidents in scope, by due date, those resolved last; all of them without `size`.

    The statements are as many whatever is found.
    """
    facets = _facets(asked, now)
    counts, total = _counts(session, asked, facets)
    wanted = (
        select(
            t.Incident,
            facets[Facet.STATE],
            facets[Facet.AWAITED],
            c.Adherent.name,
            c.Service.name_fr,
            c.Service.name_en,
            t.Subscription.plan_code,
            t.Subscription.plan_version,
        )
        .join(c.Adherent, c.Adherent.tenant_id == t.Incident.tenant_id)
        .join(t.Subscription, of_subscription())
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(*_within(asked), *(facets[name] == value for name, value in asked.values.items()))
        .order_by(*_order(asked.which))
    )
    if size is not None:
        wanted = wanted.limit(size).offset((page - 1) * size)
    rows = session.execute(wanted).all()
    plans = {(row.plan_code, row.plan_version) for row in rows if row.plan_code is not None}
    calendars = calendars_of(session, plans)
    return Incidents([_listed(row, calendars, now) for row in rows], total, page, counts)


def _counts(
    session: Session, asked: Asked, facets: Mapping[Facet, ColumnElement[Any]]
) -> tuple[dict[Facet, dict[str, int]], int]:
    """Counted in one pass over what is found: for each value, those that the other facets leave."""
    columns = [expression.label(name.value) for name, expression in facets.items()]
    each = select(*columns).join(c.Adherent, c.Adherent.tenant_id == t.Incident.tenant_id)
    found = each.where(*_within(asked)).cte("found").prefix_with("MATERIALIZED")
    agencies = session.scalars(select(c.Adherent.agency).where(c.Adherent.agency.is_not(None)).distinct())
    known = {**VALUES, Facet.AGENCY: ("", *agencies)}
    narrowed = {name: found.c[name.value] == value for name, value in asked.values.items()}
    pairs = [(name, value) for name in facets for value in known[name]]
    numbers = [
        func.count().filter(
            found.c[name.value] == value, *(rule for other, rule in narrowed.items() if other is not name)
        )
        for name, value in pairs
    ]
    all_of_them = func.count().filter(*narrowed.values()) if narrowed else func.count()
    total, *counted = session.execute(select(all_of_them, *numbers).select_from(found)).one()
    counts: dict[Facet, dict[str, int]] = {name: {} for name in facets}
    for (name, value), number in zip(pairs, counted, strict=True):
        if number:
            counts[name][value] = number
    return counts, total


def _facets(asked: Asked, now: datetime) -> dict[Facet, ColumnElement[Any]]:
    """The value that each facet has for an incident, empty where nobody told."""
    incident = t.Incident
    return {
        Facet.STATE: standing_at(now),
        Facet.PRIORITY: incident.priority.expression,
        Facet.AWAITED: case(
            (incident.resolved_at.is_not(None), Awaited.NOBODY.value),
            (incident.phase == Phase.WAITING.value, Awaited.ADHERENT.value),
            (incident.tto_met_at.is_(None), Awaited.OWNER.value),
            else_=Awaited.OPERATOR.value,
        ),
        Facet.CATEGORY: func.coalesce(type_coerce(incident.category, String), ""),
        Facet.SECURITY: _whether(incident.is_security.expression),
        Facet.ORIGIN: incident.origin.expression,
        Facet.MAJOR: _whether(incident.major.is_not(None)),
        Facet.AGENCY: func.coalesce(c.Adherent.agency, ""),
        Facet.MINE: _whether(incident.tenant_id.in_(sorted(asked.mine))) if asked.mine else literal(NO),
    }


def _whether(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((condition, YES), else_=NO)


def _within(asked: Asked) -> list[ColumnElement[bool]]:
    found = [_sought(asked.words)] if asked.words.strip() else []
    if asked.tenant_id is not None:
        found.append(t.Incident.tenant_id == asked.tenant_id)
    if asked.which is not Which.ALL:
        is_open = asked.which is Which.OPEN
        found.append(t.Incident.resolved_at.is_(None) if is_open else t.Incident.resolved_at.is_not(None))
    return found


def _sought(words: str) -> ColumnElement[bool]:
    """Every word is in the name of the adherent, or all of it is the number of a ticket of a service desk."""
    named = and_(
        true(),
        *(c.Adherent.folded_name.contains(word, autoescape=True) for word in folded_words(words)),
    )
    ticket = g.DeskTicket
    return or_(
        named,
        exists().where(
            ticket.tenant_id == t.Incident.tenant_id,
            ticket.incident == t.Incident.number,
            ticket.external_id == words.strip(),
        ),
    )


def _order(which: Which) -> list[ColumnElement[Any]]:
    """By what the indexes of the table hold, so that the first page reads no more than its rows."""
    incident = t.Incident
    last = [incident.tenant_id.expression, incident.number.expression]
    match which:
        case Which.OPEN:
            return [incident.due_at.asc().nulls_last(), *last]
        case Which.RESOLVED:
            return [incident.resolved_at.desc(), *(column.desc() for column in last)]
    return [
        incident.resolved_at.is_not(None),
        incident.resolved_at.desc(),
        incident.due_at.asc().nulls_last(),
        *last,
    ]


def _listed(row: Any, calendars: Mapping[PlanKey, Calendar], now: datetime) -> ListedIncident:
    incident, state, awaited, adherent, service_fr, service_en, plan_code, plan_version = row
    calendar = calendars.get((plan_code, plan_version))
    runs = incident.resolved_at is None and incident.due_at is not None
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
        left=countdown(calendar, incident.due_at, now) if runs and calendar is not None else None,
        state=Standing(state),
        awaited=Awaited(awaited),
        is_security=incident.is_security,
        major=incident.major,
    )
