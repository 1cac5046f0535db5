"""What programs are told of incidents: each whole, in the order in which they changed.

A transaction that began first may end last, so that a change can appear behind one that was read already.
The last minute is therefore told again each time: a reader takes each incident as it stands, and loses none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, or_, select, tuple_
from sqlalchemy.orm import Session

from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import incident as i
from console.store.models import signals as s
from console.store.models import tenant as t
from console.store.queries.standing import of_subscription, standing_at

TOLD_AT_ONCE = 100
SETTLES_WITHIN = timedelta(minutes=1)
CURSOR = re.compile(r"(\d{1,17})\.(\d{1,18})\.(\d{1,9})")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Key = tuple[int, int]  # adherent, incident


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """How far a reader has come."""

    changed_at: datetime = EPOCH
    tenant_id: int = 0
    number: int = 0

    def __str__(self) -> str:
        return f"{(self.changed_at - EPOCH) // MICROSECOND}.{self.tenant_id}.{self.number}"


@dataclass(frozen=True, slots=True)
class ToldTicket:
    """What a service desk calls an incident."""

    desk: str
    external_id: str


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """A line of the log, and the value that holds from then on where it is a change."""

    kind: str
    value: str | None
    at: datetime
    recorded_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ToldComment:
    """What was written for the adherent to read."""

    number: int
    text: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ToldIncident:
    """An incident as a program reads it; `standing` is that of the time to restore."""

    adherent: int
    number: int
    tickets: Sequence[ToldTicket]
    subscription: int
    service: str
    title: str
    description: str | None
    priority: str
    impact: int | None
    urgency: int | None
    category: str | None
    is_security: bool
    effect: str | None
    origin: str
    phase: str
    standing: str
    opened_at: datetime
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None
    restore_by: datetime | None
    remaining_s: int | None
    resolved_at: datetime | None
    changed_at: datetime | None
    events: Sequence[ToldEvent]
    comments: Sequence[ToldComment]


@dataclass(frozen=True, slots=True)
class Feed:
    """Some incidents, and from where to go on; `more`: at once, for others are there already."""

    incidents: Sequence[ToldIncident]
    next: Cursor
    more: bool


def read_cursor(text: str) -> Cursor:
    """Where a reader goes on; raises `Invalid` for what was never given."""
    found = CURSOR.fullmatch(text)
    if found is None:
        raise Invalid("after", "La valeur de next d'une réponse précédente est attendue.")
    micros, tenant_id, number = map(int, found.groups())
    try:
        return Cursor(EPOCH + micros * MICROSECOND, tenant_id, number)
    except OverflowError:
        raise Invalid("after", "La valeur de next d'une réponse précédente est attendue.") from None


def tell_changes(session: Session, after: Cursor, *, now: datetime) -> Feed:
    """The incidents in scope that changed after a cursor, `TOLD_AT_ONCE` at most."""
    incident = t.Incident
    later = or_(
        incident.changed_at > after.changed_at,
        and_(
            incident.changed_at == after.changed_at,
            tuple_(incident.tenant_id, incident.number) > (after.tenant_id, after.number),
        ),
    )
    order = (incident.changed_at, incident.tenant_id, incident.number)
    keys = session.execute(select(*order).where(later).order_by(*order).limit(TOLD_AT_ONCE + 1)).all()
    more = len(keys) > TOLD_AT_ONCE
    told = [(at or EPOCH, tenant_id, number) for at, tenant_id, number in keys[:TOLD_AT_ONCE]]
    reached = Cursor(*told[-1]) if told else after
    if not more:
        reached = min(reached, Cursor(now - SETTLES_WITHIN))
    found = _tell(session, [(tenant_id, number) for _at, tenant_id, number in told], now)
    return Feed([found[tenant_id, number] for _at, tenant_id, number in told], reached, more)


def tell_incident(session: Session, tenant_id: int, number: int, *, now: datetime) -> ToldIncident:
    """One incident; raises `NotFound`, also for one out of scope."""
    found = _tell(session, [(tenant_id, number)], now)
    if not found:
        raise NotFound("Incident introuvable.")
    return found[tenant_id, number]


def incident_of_ticket(session: Session, desk: str, external_id: str, adherent: int | None) -> Key:
    """The incident of a ticket; raises `NotFound`, or `Conflict` where several adherents have one."""
    ticket = s.DeskTicket
    named = select(ticket.tenant_id, ticket.incident).where(
        ticket.desk == desk, ticket.external_id == external_id
    )
    if adherent is not None:
        named = named.where(ticket.tenant_id == adherent)
    found = session.execute(named.order_by(ticket.tenant_id)).all()
    if not found:
        raise NotFound("Aucun ticket de ce nom n'est connu.")
    if len(found) > 1:
        numbers = ", ".join(str(tenant_id) for tenant_id, _number in found)
        raise Conflict(
            "Plusieurs adhérents ont un ticket de ce nom : dites adherent=, parmi %(numbers)s.",
            numbers=numbers,
        )
    return found[0].tenant_id, found[0].incident


def _tell(session: Session, keys: Sequence[Key], now: datetime) -> dict[Key, ToldIncident]:
    if not keys:
        return {}
    incident = t.Incident
    rows = session.execute(
        select(incident, standing_at(now), t.Subscription.service_code)
        .join(t.Subscription, of_subscription())
        .where(tuple_(incident.tenant_id, incident.number).in_(keys))
    )
    events, comments, tickets = _events(session, keys), _comments(session, keys), _tickets(session, keys)
    return {
        (row.tenant_id, row.number): ToldIncident(
            adherent=row.tenant_id,
            number=row.number,
            tickets=tickets[row.tenant_id, row.number],
            subscription=row.subscription,
            service=service,
            title=row.title,
            description=row.description,
            priority=row.priority.value,
            impact=row.impact,
            urgency=row.urgency,
            category=row.category,
            is_security=row.is_security,
            effect=row.effect,
            origin=row.origin.value,
            phase=row.phase,
            standing=standing,
            opened_at=row.opened_at,
            acknowledge_by=row.tto_due_at,
            acknowledged_at=row.tto_met_at,
            restore_by=row.due_at,
            remaining_s=row.remaining_s if row.phase == "waiting" else None,
            resolved_at=row.resolved_at,
            changed_at=row.changed_at,
            events=events[row.tenant_id, row.number],
            comments=comments[row.tenant_id, row.number],
        )
        for row, standing, service in rows
    }


def _events(session: Session, keys: Sequence[Key]) -> Mapping[Key, list[ToldEvent]]:
    line = t.IncidentEvent
    found: defaultdict[Key, list[ToldEvent]] = defaultdict(list)
    rows = session.scalars(
        select(line).where(tuple_(line.tenant_id, line.incident).in_(keys)).order_by(line.position)
    )
    for row in rows:
        told = ToldEvent(row.kind, row.value, row.at, row.recorded_at, row.recorded_by)
        found[row.tenant_id, row.incident].append(told)
    return found


def _comments(session: Session, keys: Sequence[Key]) -> Mapping[Key, list[ToldComment]]:
    comment = i.Comment
    found: defaultdict[Key, list[ToldComment]] = defaultdict(list)
    rows = session.scalars(
        select(comment)
        .where(tuple_(comment.tenant_id, comment.incident).in_(keys), comment.is_shared)
        .order_by(comment.number)
    )
    for row in rows:
        told = ToldComment(row.number, row.text, row.written_at, row.written_by)
        found[row.tenant_id, row.incident].append(told)
    return found


def _tickets(session: Session, keys: Sequence[Key]) -> Mapping[Key, list[ToldTicket]]:
    ticket = s.DeskTicket
    found: defaultdict[Key, list[ToldTicket]] = defaultdict(list)
    rows = session.scalars(
        select(ticket)
        .where(tuple_(ticket.tenant_id, ticket.incident).in_(keys))
        .order_by(ticket.desk, ticket.external_id)
    )
    for row in rows:
        found[row.tenant_id, row.incident].append(ToldTicket(row.desk, row.external_id))
    return found
