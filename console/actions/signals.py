"""Alerts of monitors: each is kept once from its start to its end, and opens and resolves an incident.

    alert -> its signal, claimed -> routed unless it has an incident -> opened -> resolved at its end

What an alert is known by is said by who sends it, and holds among senders of the same adherents alone: nobody
ends, hides or goes on with an alert of an adherent out of reach. A message may come twice, late, or after the
one that ends it: a signal that has ended changes no more, and an alert that nobody saw fire is opened and
resolved at the times it tells. What has no route is kept, counted, and tried again with each message, for
Alertmanager repeats them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.actions.called import adherent_called, subscription_called
from console.actions.incident_clocks import hold_incident
from console.actions.incidents import Particulars, open_incident, record_event
from console.domain.alert_routes import Destination, Fate, Route, destination
from console.domain.alertmanager import Alert
from console.domain.clock import EventKind, next_events
from console.domain.errors import DomainError, Invalid, NotFound
from console.store.models import signals as s
from console.store.models import tenant as t
from console.store.queries.alert_routes import SignalKey
from console.store.queries.incident_log import events_of
from console.store.upsert import upsert

KEPT = timedelta(days=90)
UNHANDLED = (Fate.UNROUTED, Fate.REFUSED)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an alert; `is_stale`: a later one of its kind is known, so that nothing was kept."""

    fate: Fate
    tenant_id: int | None = None
    incident: int | None = None
    refusal: DomainError | None = None
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Who takes alerts in: the routes, the adherents of the sender (None is all), who signs what is done."""

    routes: Sequence[Route]
    tenants: frozenset[int] | None
    now: datetime
    by: str

    def reaches(self, tenant_id: int | None) -> bool:
        """Whether the sender may open, resolve and read an incident of an adherent."""
        return self.tenants is None or tenant_id in self.tenants


def take_alert(session: Session, alert: Alert, desk: Desk) -> Received:
    """Keep an alert, and open or resolve its incident; nothing is done for what was told before."""
    alert = replace(alert, fingerprint=_known_by(alert.fingerprint, desk))
    before = _latest(session, alert.fingerprint)
    if alert.ended_at is None and before is not None and before.started_at > alert.started_at:
        return Received(before.fate, before.tenant_id, before.incident, is_stale=True)
    signal = _claim(session, alert, desk.now)
    signal.times += 1
    signal.last_at = desk.now
    if signal.ended_at is None:
        if before is not None and before.started_at < alert.started_at:
            _continue(session, signal, before, desk)
        if signal.incident is None:
            _route(session, signal, alert, desk)
        if alert.ended_at is not None:
            signal.ended_at = alert.ended_at
            _resolve(session, signal, alert.ended_at, desk)
    session.flush()
    return Received(signal.fate, signal.tenant_id, signal.incident, _refusal(signal))


def try_again(session: Session, key: SignalKey, desk: Desk) -> Received:
    """Route an alert that fires and has no incident yet, now that the routes are others."""
    signal = session.get(s.AlertSignal, key, with_for_update=True)
    if signal is None:
        raise NotFound("Alerte introuvable.")
    if signal.incident is None and signal.ended_at is None:
        alert = Alert(signal.fingerprint, signal.labels, signal.annotations, signal.started_at, None)
        _route(session, signal, alert, desk)
        session.flush()
    return Received(signal.fate, signal.tenant_id, signal.incident, _refusal(signal))


def forget_signals(session: Session, *, now: datetime) -> None:
    """Remove alerts that nobody has told of for long; their incidents stay."""
    session.execute(delete(s.AlertSignal).where(s.AlertSignal.last_at < now - KEPT))


def _known_by(fingerprint: str, desk: Desk) -> str:
    """What an alert is kept under: as it is told by who speaks for all, apart for who speaks for some."""
    if desk.tenants is None:
        return fingerprint
    return sha256(f"{sorted(desk.tenants)} {fingerprint}".encode()).hexdigest()


def _latest(session: Session, fingerprint: str) -> s.AlertSignal | None:
    of_it = select(s.AlertSignal).where(s.AlertSignal.fingerprint == fingerprint)
    return session.scalars(of_it.order_by(s.AlertSignal.started_at.desc()).limit(1)).first()


def _claim(session: Session, alert: Alert, now: datetime) -> s.AlertSignal:
    """The row of an alert, made by the first message of it and held by this one."""
    row = {
        "fingerprint": alert.fingerprint,
        "started_at": alert.started_at,
        "ended_at": None,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "fate": Fate.UNROUTED,
        "route": "",
        "refusal": None,
        "tenant_id": None,
        "incident": None,
        "first_at": now,
        "last_at": now,
        "times": 0,
    }
    upsert(session, s.AlertSignal, [row])
    return session.get_one(
        s.AlertSignal, (alert.fingerprint, alert.started_at), with_for_update=True, populate_existing=True
    )


def _continue(session: Session, signal: s.AlertSignal, before: s.AlertSignal, desk: Desk) -> None:
    """The end of the alert before was never told: if its incident still runs, it goes on."""
    if before.ended_at is not None:
        return
    before.ended_at = signal.started_at
    if before.tenant_id is None or before.incident is None or not desk.reaches(before.tenant_id):
        return
    if hold_incident(session, before.tenant_id, before.incident).resolved_at is None:
        signal.fate, signal.route = before.fate, before.route
        signal.tenant_id, signal.incident = before.tenant_id, before.incident


def _route(session: Session, signal: s.AlertSignal, alert: Alert, desk: Desk) -> None:
    found = destination(alert.labels, desk.routes)
    signal.route = found.route if found else ""
    signal.refusal = None
    if found is None or found.ignored:
        signal.fate = Fate.UNROUTED if found is None else Fate.IGNORED
        return
    try:
        with session.begin_nested():
            tenant_id, incident = _open(session, alert, found, desk)
    except DomainError as error:
        signal.fate = Fate.REFUSED
        values = {name: str(value) for name, value in error.values.items()}
        signal.refusal = {"message": error.message, "values": values}
        return
    signal.fate, signal.tenant_id, signal.incident = Fate.OPENED, tenant_id, incident


def _open(session: Session, alert: Alert, found: Destination, desk: Desk) -> tuple[int, int]:
    if not found.adherent or not found.subscription:
        raise Invalid(
            "labels", "Ni la route ni les étiquettes de l'alerte ne disent son adhérent et sa souscription."
        )
    tenant_id = adherent_called(session, found.adherent).tenant_id
    if not desk.reaches(tenant_id):
        raise Invalid("adherent", "Aucun adhérent de votre périmètre n'a ce FINESS ou ce numéro.")
    at = min(alert.started_at, desk.now)
    number = open_incident(
        session,
        tenant_id=tenant_id,
        subscription=subscription_called(session, tenant_id, found.subscription, at.date()),
        title=alert.title,
        told=Particulars(
            priority=t.Priority(found.priority),
            effect=found.effect,
            description=alert.text,
            origin=t.Origin.ALERTMANAGER,
        ),
        at=at,
        now=desk.now,
        by=desk.by,
    )
    return tenant_id, number


def _resolve(session: Session, signal: s.AlertSignal, ended_at: datetime, desk: Desk) -> None:
    """Resolve the incident, unless somebody did; not before the last thing that happened to it."""
    if signal.tenant_id is None or signal.incident is None or not desk.reaches(signal.tenant_id):
        return
    log = events_of(session, signal.tenant_id, signal.incident)
    if EventKind.RESOLVED in next_events(log):
        record_event(
            session,
            tenant_id=signal.tenant_id,
            number=signal.incident,
            kind=EventKind.RESOLVED,
            at=max(min(ended_at, desk.now), log[-1].at),
            now=desk.now,
            by=desk.by,
        )


def _refusal(signal: s.AlertSignal) -> DomainError | None:
    told = signal.refusal
    return None if told is None else DomainError(told["message"], **told["values"])
