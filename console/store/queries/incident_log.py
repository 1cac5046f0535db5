"""The log of an incident, in the order in which it was recorded: what moves its clocks, what was changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.clock import Event, EventKind
from console.domain.incident_log import Change, Changed
from console.store.models import tenant as t

MOVES_CLOCKS = [kind.value for kind in EventKind]


def events_of(session: Session, tenant_id: int, number: int) -> list[Event]:
    """What moves the clocks of an incident."""
    line = t.IncidentEvent
    rows = session.execute(
        select(line.kind, line.at)
        .where(line.tenant_id == tenant_id, line.incident == number, line.kind.in_(MOVES_CLOCKS))
        .order_by(line.position)
    )
    return [Event(EventKind(kind), at) for kind, at in rows]


def declared_at(session: Session, tenant_id: int, number: int) -> datetime:
    """When an incident was declared, whenever it had begun."""
    line = t.IncidentEvent
    return session.execute(
        select(line.recorded_at)
        .where(line.tenant_id == tenant_id, line.incident == number)
        .order_by(line.position)
        .limit(1)
    ).scalar_one()


def changes_of(session: Session, tenant_id: int, number: int) -> list[Changed]:
    """What was changed of an incident."""
    line = t.IncidentEvent
    rows = session.execute(
        select(line.kind, line.was, line.value, line.at)
        .where(line.tenant_id == tenant_id, line.incident == number, line.kind.not_in(MOVES_CLOCKS))
        .order_by(line.position)
    )
    return [Changed(Change(kind), was, value, at) for kind, was, value, at in rows]
