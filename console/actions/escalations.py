"""Escalations: when each level of an incident is told is stored with its clocks, then told once.

    clocks reckoned -> rows with their instant -> due -> the highest level claimed -> one mail

What had come long before the incident was recorded is passed and told to nobody: an imported backlog is
silent until its next level.

The levels below one that is told are told with it: who comes late to an incident writes one mail, not three.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.actions.alerting import Readers
from console.actions.delivering import post
from console.domain.clock import Event
from console.domain.escalation import Planned, Promise, is_no_news, plan_escalations
from console.store.conditional import rows_touched
from console.store.models import escalation as e
from console.store.models import tenant as t
from console.store.queries.explanations import explained_incident
from console.store.queries.incident_log import declared_at
from console.store.queries.managers import in_charge_of
from console.store.queries.plans import Plan
from reports.escalation_mail import Escalated, escalated
from reports.language import FRENCH

ESCALATED = "escalated"
MANAGERS_FROM_LEVEL = 2


def plan_next(
    session: Session, incident: t.Incident, plan: Plan, log: Sequence[Event], now: datetime
) -> None:
    """Write when each level of an incident is told, as its log and its plan have it now.

    What was told stays so, unless its instant moved to a later one.
    """
    targets = plan.targets[incident.priority.value]
    planned = plan_escalations(plan.escalations, log, plan.calendar, targets.tto, targets.ttr, now)
    rows = {(row.promise, row.level): row for row in _rows(session, incident.tenant_id, incident.number)}
    wanted = {(level.promise, level.level) for level in planned}
    for key, row in rows.items():
        if key not in wanted and row.told_at is None:
            session.delete(row)
    recorded_at = declared_at(session, incident.tenant_id, incident.number)
    for level in planned:
        row = _write(session, incident, level, rows.get((level.promise, level.level)))
        if row.told_at is None and row.due_at is not None and is_no_news(row.due_at, recorded_at):
            row.told_at = recorded_at


def tell(
    session: Session, tenant_id: int, number: int, promise: Promise, *, now: datetime, readers: Readers
) -> bool:
    """Tell of the highest level that is due of a clock of an incident; False where another process did.

    From level 2 on the adherent's account managers are told too.
    """
    due = [
        row
        for row in _rows(session, tenant_id, number)
        if row.promise is promise and row.told_at is None and row.due_at is not None and row.due_at <= now
    ]
    if not due:
        return False
    *lower, highest = due
    if not _claim(session, highest, now):
        return False
    for row in lower:
        _claim(session, row, now)
    _post(session, highest, now, readers)
    return True


def postpone(session: Session, tenant_id: int, number: int, promise: Promise, *, until: datetime) -> None:
    """Look at what is due of a clock again at another instant: telling of it failed."""
    for row in _rows(session, tenant_id, number):
        if row.promise is promise and row.told_at is None and row.due_at is not None:
            row.due_at = max(row.due_at, until)


def _rows(session: Session, tenant_id: int, number: int) -> Iterable[e.Escalation]:
    row = e.Escalation
    return session.scalars(
        select(row).where(row.tenant_id == tenant_id, row.incident == number).order_by(row.promise, row.level)
    )


def _write(session: Session, incident: t.Incident, level: Planned, row: e.Escalation | None) -> e.Escalation:
    if row is None:
        row = e.Escalation(
            tenant_id=incident.tenant_id,
            incident=incident.number,
            promise=level.promise,
            level=level.level,
            due_at=level.at,
        )
        session.add(row)
    elif row.told_at is None:
        row.due_at = level.at
    elif level.at is not None and row.due_at is not None and level.at > row.due_at:
        row.due_at, row.told_at = level.at, None
    return row


def _claim(session: Session, row: e.Escalation, now: datetime) -> bool:
    claim = (
        update(e.Escalation)
        .where(
            e.Escalation.tenant_id == row.tenant_id,
            e.Escalation.incident == row.incident,
            e.Escalation.promise == row.promise,
            e.Escalation.level == row.level,
            e.Escalation.due_at == row.due_at,
            e.Escalation.told_at.is_(None),
        )
        .values(told_at=now)
    )
    return rows_touched(session, claim) == 1


def _post(session: Session, row: e.Escalation, now: datetime, readers: Readers) -> None:
    if readers.envelope is None:
        return
    incident = explained_incident(session, row.tenant_id, row.incident, now=now)
    clock = incident.clocks[row.promise].explanation
    facts = Escalated(
        adherent=incident.adherent,
        number=incident.number,
        title=incident.title,
        priority=incident.priority,
        clock=row.promise,
        level=row.level,
        due_at=clock.due_at,
        steps=clock.steps,
        zone=incident.zone,
        link=f"{readers.public_url}/adherents/{row.tenant_id}/incidents/{row.incident}",
    )
    recipients = readers.envelope.recipients
    if row.level >= MANAGERS_FROM_LEVEL:
        mails = [manager.mail for manager in in_charge_of(session, row.tenant_id) if manager.mail]
        recipients = tuple(dict.fromkeys((*recipients, *mails)))
    envelope = replace(readers.envelope, recipients=recipients)
    post(session, envelope, escalated(facts, now, FRENCH), ESCALATED, now=now)
