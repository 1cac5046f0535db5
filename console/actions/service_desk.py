"""Tickets of service desks: each becomes one incident, which then follows what the desk tells of it.

    ticket -> its incident, held -> particulars that the desk changed -> events that are missing -> comments

Nothing is done for what was told before, so a desk may send the same ticket again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.called import adherent_called, subscription_called
from console.actions.comments import add_comment, correct_comment
from console.actions.incident_clocks import hold_incident
from console.actions.incidents import (
    Particulars,
    Revision,
    open_incident,
    record_event,
    retell,
    set_particulars,
)
from console.actions.tenancy import hold_adherent
from console.domain.desk_tickets import DeskComment, Ticket
from console.domain.errors import Conflict, Invalid
from console.domain.outages import Effect
from console.domain.patient_data import patient_numbers
from console.domain.service_desk import Standing, missing_events, not_told_before
from console.store.models import signals as s
from console.store.models import tenant as t
from console.store.queries.incident_log import events_of

Choice = TypeVar("Choice", bound=StrEnum)
# What the desk may tell anew, and what it is read as.
CHOICES: dict[str, type[StrEnum]] = {"priority": t.Priority, "category": t.Category, "effect": Effect}
PLAIN = ("impact", "urgency", "is_security")
LONGEST_AUTHOR = 200


class Outcome(StrEnum):
    """What a ticket did."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Taken:
    """The incident that a ticket is, and what it did; `suspect` fields seem to hold a patient's number.

    `refused` is what a closed incident does not take beside the comments of the ticket.
    """

    tenant_id: int
    incident: int
    outcome: Outcome
    suspect: tuple[str, ...] = ()
    refused: tuple[Conflict, ...] = ()


def take_ticket(
    session: Session, desk: str, external_id: str, ticket: Ticket, *, now: datetime, by: str
) -> Taken:
    """Bring the incident of a ticket to what the desk tells, or open it.

    Raises `Invalid` with the field that is wrong, or `Conflict` where the console knows otherwise: the ticket
    is of another adherent, its incident is another ticket's, or is closed. Comments are taken all the same:
    where a ticket has some, what a closed incident does not take is told as `refused`.
    """
    tenant_id = _adherent_of(session, desk, external_id, ticket)
    hold_adherent(session, tenant_id)  # two messages of one new ticket make one incident
    row = session.get(s.DeskTicket, (tenant_id, desk, external_id))
    told = _particulars(ticket)
    outcome = Outcome.UNCHANGED
    if row is None:
        opens = ticket.incident is None
        number = (
            _open(session, tenant_id, ticket, told, now, by)
            if opens
            else _free(session, tenant_id, desk, ticket)
        )
        row = s.DeskTicket(
            tenant_id=tenant_id,
            desk=desk,
            external_id=external_id,
            incident=number,
            told=(told if opens else {}) | _hashes(ticket),
            comments=[],
            told_at=now,
        )
        session.add(row)
        outcome = Outcome.CREATED if opens else Outcome.CHANGED
    elif ticket.incident not in (None, row.incident):
        raise Conflict("Ce ticket est déjà l'incident n° %(number)s.", number=row.incident)
    moved, refused = [_comment(session, row, ticket.comments, now, by)], []
    for deed in (_revise, _retell, _catch_up):
        try:
            moved.append(deed(session, row, ticket, now, by))
        except Conflict as refusal:
            if not ticket.comments:
                raise
            refused.append(refusal)
    if any(moved):
        row.told_at = now
        outcome = outcome if outcome is Outcome.CREATED else Outcome.CHANGED
    session.flush()
    return Taken(tenant_id, row.incident, outcome, _suspect(ticket), tuple(refused))


def _adherent_of(session: Session, desk: str, external_id: str, ticket: Ticket) -> int:
    """Whose a ticket is: what it says, or what it was before."""
    ticket_row = s.DeskTicket
    before = session.scalars(
        select(ticket_row.tenant_id)
        .where(ticket_row.desk == desk, ticket_row.external_id == external_id)
        .order_by(ticket_row.tenant_id)
    ).all()
    if not ticket.adherent:
        if len(before) != 1:
            raise Invalid("adherent", "L'adhérent du ticket est attendu : son numéro ou son FINESS.")
        return before[0]
    tenant_id = adherent_called(session, ticket.adherent).tenant_id
    if before and tenant_id not in before:
        raise Conflict("Ce ticket est celui de l'adhérent n° %(number)s.", number=before[0])
    return tenant_id


def _open(
    session: Session, tenant_id: int, ticket: Ticket, told: dict[str, Any], now: datetime, by: str
) -> int:
    first = min((standing.since for standing in ticket.standings), default=None)
    at = ticket.opened_at or first
    if at is None:
        raise Invalid("opened_at", "L'ouverture d'un nouveau ticket est attendue.")
    if not ticket.title:
        raise Invalid("title", "Le titre d'un nouveau ticket est attendu.")
    if not ticket.subscription:
        raise Invalid("subscription", "Une souscription est attendue : son numéro, ou le code du service.")
    zone = ZoneInfo(hold_adherent(session, tenant_id).zone)
    number = subscription_called(session, tenant_id, ticket.subscription, at.astimezone(zone).date())
    return open_incident(
        session,
        tenant_id=tenant_id,
        subscription=number,
        title=ticket.title,
        told=Particulars(**_read(told), description=ticket.description, origin=t.Origin.SERVICE_DESK),
        at=at,
        now=now,
        by=by,
    )


def _free(session: Session, tenant_id: int, desk: str, ticket: Ticket) -> int:
    """The incident that the console had before the desk had its ticket."""
    number = hold_incident(session, tenant_id, ticket.incident or 0).number
    other = session.scalars(
        select(s.DeskTicket.external_id).where(
            s.DeskTicket.tenant_id == tenant_id, s.DeskTicket.desk == desk, s.DeskTicket.incident == number
        )
    ).first()
    if other is not None:
        raise Conflict("L'incident n° %(number)s est déjà le ticket %(name)s.", number=number, name=other)
    return number


def _revise(session: Session, row: s.DeskTicket, ticket: Ticket, now: datetime, by: str) -> bool:
    """Tell anew what the desk tells otherwise than last time; what people changed here meanwhile stays."""
    told = _particulars(ticket)
    changed = {name: value for name, value in told.items() if row.told.get(name) != value}
    if not changed:
        return False
    if {"impact", "urgency"} & changed.keys() and "priority" in told:
        changed["priority"] = told["priority"]  # or the matrix would say it
    moved = set_particulars(
        session,
        tenant_id=row.tenant_id,
        number=row.incident,
        revision=Revision(**_read(changed)),
        at=now,
        now=now,
        by=by,
    )
    row.told = {**row.told, **told}
    return moved


def _retell(session: Session, row: s.DeskTicket, ticket: Ticket, now: datetime, by: str) -> bool:
    """Tell the texts anew that the desk tells otherwise than last time."""
    told = _hashes(ticket)
    changed = {name for name, value in told.items() if row.told.get(name) != value}
    if not changed:
        return False
    moved = retell(
        session,
        tenant_id=row.tenant_id,
        number=row.incident,
        title=ticket.title if "title_sha256" in changed else None,
        description=ticket.description if "description_sha256" in changed else None,
        now=now,
        by=by,
    )
    row.told = {**row.told, **told}
    return moved


def _catch_up(session: Session, row: s.DeskTicket, ticket: Ticket, now: datetime, by: str) -> bool:
    last = Standing(row.state, row.since) if row.state is not None and row.since is not None else None
    new = not_told_before(ticket.standings, last)
    missing = missing_events(
        events_of(session, row.tenant_id, row.incident),
        new,
        before=row.state,
        acknowledged_at=ticket.acknowledged_at,
    )
    for event in missing:
        record_event(
            session,
            tenant_id=row.tenant_id,
            number=row.incident,
            kind=event.kind,
            at=event.at,
            now=now,
            by=by,
        )
    for standing in new[-1:]:
        row.state, row.since = standing.state, standing.since
    return bool(missing)


def _comment(
    session: Session, row: s.DeskTicket, comments: Sequence[DeskComment], now: datetime, by: str
) -> bool:
    """Write the comments that are new, and correct those that the desk tells otherwise than last time."""
    taken = {name: (number, said) for name, number, said in row.comments}
    before = dict(taken)
    for one in comments:
        author = f"{row.desk}/{one.author}"[:LONGEST_AUTHOR] if one.author else None  # no login has a slash
        number, said = taken.get(one.external_id, (None, ""))
        hashed = _hash(repr((one.text, one.shared, one.author, one.at)))
        incident = (session, row.tenant_id, row.incident)
        if number is None:
            number = add_comment(*incident, one.text, shared=one.shared, now=now, by=author or by, at=one.at)
        elif said != hashed:
            correct_comment(*incident, number, one.text, shared=one.shared, now=now, by=author, at=one.at)
        taken[one.external_id] = number, hashed
    if taken != before:
        row.comments = [[name, *known] for name, known in taken.items()]
    return taken != before


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _hashes(ticket: Ticket) -> dict[str, str]:
    """What tells the texts of a ticket from others, for the texts themselves may be redacted."""
    texts = {"title_sha256": ticket.title or None, "description_sha256": ticket.description}
    return {name: _hash(text) for name, text in texts.items() if text is not None}


def _particulars(ticket: Ticket) -> dict[str, Any]:
    """What a ticket tells of what may be told anew, as JSON keeps it; checked."""
    told = {name: getattr(ticket, name) for name in (*CHOICES, *PLAIN)}
    told = {name: value for name, value in told.items() if value is not None}
    _read(told)
    return told


def _read(told: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _choice(name, CHOICES[name], value) if name in CHOICES else value
        for name, value in told.items()
    }


def _choice(field: str, choices: type[Choice], text: str) -> Choice:
    try:
        return choices(text)
    except ValueError:
        raise Invalid(
            field,
            "« %(value)s » n'est pas l'un de : %(choices)s.",
            value=text[:80],
            choices=", ".join(choices),
        ) from None


def _suspect(ticket: Ticket) -> tuple[str, ...]:
    texts = {
        "title": ticket.title,
        "description": ticket.description or "",
        "comments": "\n".join(one.text for one in ticket.comments),
    }
    return tuple(name for name, text in texts.items() if patient_numbers(text))
