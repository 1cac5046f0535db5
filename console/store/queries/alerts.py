"""What alerts are made from, the episodes that last, and the messages that tell of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from console.domain.alerts import Episode, IncidentClock, Kind
from console.domain.escalation import is_no_news
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import measurement as m
from console.store.models import tenant as t

DeliveryState = k.DeliveryState


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A message and what became of it; `log` has one line for each attempt."""

    delivery_id: int
    subject: str
    recipients: tuple[str, ...]
    state: DeliveryState
    due_at: datetime
    attempts: int
    log: str


def hosts_not_seen_since(session: Session, before: datetime) -> list[tuple[str, datetime]]:
    """Hosts last seen before an instant, with that last time; those that were retired are not missed."""
    unheard = select(m.Host.name, m.Host.last_seen_at).where(
        m.Host.last_seen_at < before, m.Host.retired_at.is_(None)
    )
    return [(name, last_seen_at) for name, last_seen_at in session.execute(unheard)]


def retired_hosts(session: Session) -> set[str]:
    """The names of hosts that are out of service."""
    return set(session.scalars(select(m.Host.name).where(m.Host.retired_at.is_not(None))))


def incidents_past_their_risk(session: Session, now: datetime) -> list[IncidentClock]:
    """Incidents whose clock runs and has passed the instant from which they are at risk."""
    running = _incidents().where(
        t.Incident.at_risk_at <= now, t.Incident.due_at.is_not(None), t.Incident.resolved_at.is_(None)
    )
    return [clock_of(incident, name, zone) for incident, name, zone in session.execute(running)]


def late_when_recorded(session: Session) -> set[tuple[int, int]]:
    """Running incidents that were past their due date long before the console knew of them."""
    incident, first = t.Incident, t.IncidentEvent
    late = (
        select(incident.tenant_id, incident.number, incident.due_at, first.recorded_at)
        .join(
            first,
            and_(
                first.tenant_id == incident.tenant_id,
                first.incident == incident.number,
                first.position == 1,
            ),
        )
        .where(incident.due_at < first.recorded_at, incident.resolved_at.is_(None))
    )
    return {
        (tenant_id, number)
        for tenant_id, number, due_at, recorded_at in session.execute(late)
        if due_at is not None and is_no_news(due_at, recorded_at)
    }


def incident_clock(session: Session, tenant_id: int, number: int) -> IncidentClock:
    """One incident as it stands."""
    one = _incidents().where(t.Incident.tenant_id == tenant_id, t.Incident.number == number)
    incident, name, zone = session.execute(one).one()
    return clock_of(incident, name, zone)


def open_episodes(session: Session) -> list[Episode]:
    """The alerts that last, the oldest first."""
    lasting = select(k.AlertEpisode).where(k.AlertEpisode.ended_at.is_(None))
    rows = session.scalars(lasting.order_by(k.AlertEpisode.started_at, k.AlertEpisode.episode_id))
    return [
        Episode(row.episode_id, row.fingerprint, Kind(row.kind), row.facts, row.started_at) for row in rows
    ]


def last_ends(session: Session, fingerprints: Collection[str]) -> dict[str, datetime]:
    """When the last episode of each fingerprint ended, for those that had one."""
    ends = (
        select(k.AlertEpisode.fingerprint, func.max(k.AlertEpisode.ended_at))
        .where(k.AlertEpisode.fingerprint.in_(fingerprints), k.AlertEpisode.ended_at.is_not(None))
        .group_by(k.AlertEpisode.fingerprint)
    )
    return {fingerprint: ended_at for fingerprint, ended_at in session.execute(ends) if ended_at}


def deliveries(session: Session, limit: int = 20) -> list[DeliveryLine]:
    """The last messages, the newest first."""
    newest = select(k.Delivery).order_by(k.Delivery.delivery_id.desc()).limit(limit)
    return [_delivery_line(row) for row in session.scalars(newest)]


def delivery(session: Session, delivery_id: int) -> DeliveryLine:
    """One message."""
    return _delivery_line(session.get_one(k.Delivery, delivery_id))


def _incidents() -> Select[t.Incident, str, str]:
    return select(t.Incident, c.Adherent.name, c.Adherent.zone).join(
        c.Adherent, c.Adherent.tenant_id == t.Incident.tenant_id
    )


def clock_of(row: t.Incident, adherent: str, zone: str) -> IncidentClock:
    """A stored incident in the terms of the domain."""
    return IncidentClock(
        tenant_id=row.tenant_id,
        number=row.number,
        title=row.title,
        priority=row.priority,
        adherent=adherent,
        zone=zone,
        due_at=row.due_at,
        at_risk_at=row.at_risk_at,
        resolved_at=row.resolved_at,
        outcome=row.outcome,
    )


def _delivery_line(row: k.Delivery) -> DeliveryLine:
    return DeliveryLine(
        delivery_id=row.delivery_id,
        subject=row.subject,
        recipients=tuple(row.recipients),
        state=row.state,
        due_at=row.due_at,
        attempts=row.attempts,
        log=row.outcome or "",
    )
