"""Incidents as lists show them: where each stands at `now` against its time to restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.paging import PAGE, PageOf
from console.store.queries.standing import of_subscription, standing_at

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
    incident, standing = t.Incident, standing_at(now)
    wanted = list(_conditions(priority, tenant_id))
    by_state = _count_by_state(session, standing, wanted)
    if state:
        wanted.append(standing == state)
    rows = session.execute(
        select(incident, standing, c.Adherent.name, c.Service.name_fr, c.Service.name_en)
        .join(c.Adherent, c.Adherent.tenant_id == incident.tenant_id)
        .join(t.Subscription, of_subscription())
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
