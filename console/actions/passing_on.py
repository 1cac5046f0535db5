"""Major incidents reach the incidents of their adherents.

A step is passed on to one adherent at a time, in a transaction of its own that also says how far the
adherent is: it may be broken off anywhere and begun again, and nothing is done twice. What an incident does
not take, for somebody moved it by hand, is kept with the adherent for a person to look at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.actions.comments import add_comment
from console.actions.delivering import Envelope, post
from console.actions.duties import settle_notice
from console.actions.incidents import Particulars, Revision, open_incident, record_event, set_particulars
from console.domain.clock import EventKind, Phase
from console.domain.contacts import ContactRole
from console.domain.errors import Conflict, DomainError, NotFound
from console.domain.major_incidents import YES, StepKind, yes_or_no
from console.domain.outages import Effect
from console.store.conditional import rows_touched
from console.store.models import catalogue as c
from console.store.models import major as j
from console.store.models import tenant as t
from console.store.queries.contacts import contacts_of
from reports import incident_mail
from reports.language import FRENCH

TOLD = (ContactRole.CIO, ContactRole.SECURITY, ContactRole.DPO)
COMMUNICATION = "communication"


@dataclass(frozen=True, slots=True)
class Post:
    """How mails of communications leave; no envelope: none can. `public_url` is the console's address."""

    envelope: Envelope | None
    public_url: str


def pass_on(session: Session, major_id: int, tenant_id: int, *, post_by: Post, now: datetime) -> bool:
    """Open an adherent's incident if it is not, and take it through the steps that it lacks.

    False where another process has done it, or there is nothing to do.
    """
    row = j.MajorAdherent
    is_due = (row.major_id == major_id, row.tenant_id == tenant_id, row.due_at <= now)
    if rows_touched(session, update(row).where(*is_due).values(due_at=None)) != 1:
        return False
    adherent = session.get_one(row, (major_id, tenant_id), populate_existing=True)
    major = session.get_one(j.MajorIncident, major_id)
    try:
        with session.begin_nested():
            if adherent.incident is None:
                adherent.incident = _open(session, major, adherent, now)
    except DomainError as error:
        adherent.refused = _refusal(error, 0)
        return True
    for step in _steps_after(session, major_id, adherent.applied):
        try:
            with session.begin_nested():
                _apply(session, major, adherent, step, post_by, now)
        except DomainError as error:
            adherent.refused = _refusal(error, step.position)
        adherent.applied = step.position
    return True


def postpone(session: Session, major_id: int, tenant_id: int, *, until: datetime) -> None:
    """Try an adherent again later: something failed that no rule foresees."""
    row = j.MajorAdherent
    still_due = (row.major_id == major_id, row.tenant_id == tenant_id, row.due_at.is_not(None))
    session.execute(update(row).where(*still_due).values(due_at=until))


def _open(session: Session, major: j.MajorIncident, adherent: j.MajorAdherent, now: datetime) -> int:
    """An incident as the record was declared; what it became since are steps that follow."""
    first = _first_values(session, major)
    return open_incident(
        session,
        tenant_id=adherent.tenant_id,
        subscription=adherent.subscription,
        title=major.title,
        told=Particulars(
            priority=t.Priority(first[StepKind.PRIORITY]),
            category=major.category,
            is_security=first[StepKind.SECURITY] == YES,
            effect=Effect(first[StepKind.EFFECT]),
            description=major.description,
            touches=adherent.others,
            origin=t.Origin.MAJOR,
            major=major.major_id,
        ),
        at=major.opened_at,
        now=now,
        by=major.declared_by,
    )


def _first_values(session: Session, major: j.MajorIncident) -> dict[StepKind, str]:
    """What was said at the declaration of what may be said anew."""
    first = {
        StepKind.PRIORITY: major.priority.value,
        StepKind.EFFECT: major.effect.value,
        StepKind.SECURITY: yes_or_no(major.is_security),
    }
    for step in reversed(_steps_after(session, major.major_id, 0)):
        if step.was is not None:
            first[step.kind] = step.was
    return first


def _apply(
    session: Session,
    major: j.MajorIncident,
    adherent: j.MajorAdherent,
    step: j.MajorStep,
    post_by: Post,
    now: datetime,
) -> None:
    """Take an adherent's incident through a step; raises what its rules refuse."""
    tenant_id, number = adherent.tenant_id, adherent.incident
    if number is None:
        raise NotFound("Incident introuvable.")
    if step.kind is StepKind.COMMUNICATION:
        _communicate(session, major, adherent, step, post_by, now)
    elif step.kind is StepKind.EVENT:
        kind = EventKind(step.value or "")
        if not _is_already(session.get_one(t.Incident, (tenant_id, number)), kind):
            record_event(
                session,
                tenant_id=tenant_id,
                number=number,
                kind=kind,
                at=step.at,
                now=now,
                by=step.recorded_by,
            )
    else:
        set_particulars(
            session,
            tenant_id=tenant_id,
            number=number,
            revision=_revision(step),
            at=step.at,
            now=now,
            by=step.recorded_by,
        )


def _revision(step: j.MajorStep) -> Revision:
    if step.kind is StepKind.PRIORITY:
        return Revision(priority=t.Priority(step.value or ""))
    if step.kind is StepKind.EFFECT:
        return Revision(effect=Effect(step.value or ""))
    return Revision(is_security=step.value == YES)


def _is_already(incident: t.Incident, kind: EventKind) -> bool:
    """Whether somebody has brought an incident by hand to where an event leads."""
    match kind:
        case EventKind.ACKNOWLEDGED:
            return incident.tto_met_at is not None
        case EventKind.RESOLVED:
            return incident.resolved_at is not None
        case EventKind.CLOSED:
            return incident.phase == Phase.CLOSED
        case _:
            return incident.resolved_at is None


def _communicate(
    session: Session,
    major: j.MajorIncident,
    adherent: j.MajorAdherent,
    step: j.MajorStep,
    post_by: Post,
    now: datetime,
) -> None:
    """Write a communication into an incident, then mail it; nobody is said to be informed who cannot be."""
    tenant_id, number, text = adherent.tenant_id, adherent.incident or 0, step.text or ""
    add_comment(
        session, tenant_id=tenant_id, number=number, text=text, shared=True, now=now, by=step.recorded_by
    )
    if not step.is_mailed:
        return
    if not _mail(session, major, adherent, text, post_by, now):
        adherent.refused = _refusal(
            Conflict("Aucun courriel n'est parti : aucun contact n'a d'adresse, ou l'envoi n'est pas réglé."),
            step.position,
        )
    elif step.is_notice:
        settle_notice(session, tenant_id, number, at=now, by=step.recorded_by)


def _mail(
    session: Session,
    major: j.MajorIncident,
    adherent: j.MajorAdherent,
    text: str,
    post_by: Post,
    now: datetime,
) -> bool:
    """Put a mail to the adherent's contacts among those to send; whether there is somebody to send it to."""
    told = session.get_one(c.Adherent, adherent.tenant_id)
    today = now.astimezone(ZoneInfo(told.zone)).date()
    people = contacts_of(session, adherent.tenant_id, today).current
    addresses = {person.mail: None for person in people if person.mail and person.role in TOLD}
    if post_by.envelope is None or not addresses:
        return False
    message = incident_mail.communication(
        incident_mail.Communication(
            adherent=told.name,
            incident_number=str(adherent.incident),
            title=major.title,
            text=text,
            at=now,
            zone=told.zone,
            link=f"{post_by.public_url}/adherents/{adherent.tenant_id}/incidents/{adherent.incident}",
        ),
        FRENCH,
    )
    envelope = replace(post_by.envelope, recipients=tuple(addresses))
    post(session, envelope, message, COMMUNICATION, now=now)
    return True


def _steps_after(session: Session, major_id: int, position: int) -> list[j.MajorStep]:
    row = j.MajorStep
    later = select(row).where(row.major_id == major_id, row.position > position).order_by(row.position)
    return list(session.scalars(later))


def _refusal(error: DomainError, step: int) -> dict[str, Any]:
    values = {name: str(value) for name, value in error.values.items()}
    return {"message": error.message, "values": values, "step": step}
