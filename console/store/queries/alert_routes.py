"""Routes of alerts, and the alerts that came: as the page of those who run the services shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from console.domain.alert_routes import Fate, Route, read_matchers
from console.domain.alertmanager import Alert
from console.domain.errors import DomainError, NotFound
from console.domain.patient_data import patient_numbers
from console.store.models import catalogue as c
from console.store.models import signals as s

LAST_SIGNALS = 100
TRIED_AT_ONCE = 200
SignalKey = tuple[str, datetime]  # fingerprint, start


@dataclass(frozen=True, slots=True)
class ListedRoute:
    """A route with what its numbers and codes are called."""

    route_id: int
    position: int
    route: Route
    adherent: str | None
    service_fr: str | None
    service_en: str | None


@dataclass(frozen=True, slots=True)
class ListedSignal:
    """An alert that came; `refusal` says why no incident could be opened.

    It `is_suspect` where a text of it seems to hold a patient's number.
    """

    alert: Alert
    ended_at: datetime | None
    fate: Fate
    route: str
    refusal: DomainError | None
    tenant_id: int | None
    adherent: str | None
    incident: int | None
    last_at: datetime
    times: int
    is_suspect: bool


@dataclass(frozen=True, slots=True)
class RoutesPage:
    """The routes in their order, the last alerts, and how many there are of each fate."""

    routes: Sequence[ListedRoute]
    signals: Sequence[ListedSignal]
    counts: Mapping[Fate, int]


def routing(session: Session) -> list[Route]:
    """The routes as the rules read them, in order."""
    return [listed.route for listed in _routes(session, _listed())]


def route(session: Session, route_id: int) -> ListedRoute:
    """One route; raises `NotFound`."""
    found = _routes(session, _listed().where(s.AlertRoute.route_id == route_id))
    if not found:
        raise NotFound("Route introuvable.")
    return found[0]


def routes_page(session: Session, fate: Fate | None) -> RoutesPage:
    """Everything the page shows; the last alerts are those of a fate, where one is asked for."""
    signal = s.AlertSignal
    last = (
        select(signal, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == signal.tenant_id, isouter=True)
        .order_by(signal.last_at.desc(), signal.fingerprint)
        .limit(LAST_SIGNALS)
    )
    if fate is not None:
        last = last.where(signal.fate == fate)
    counts = session.execute(select(signal.fate, func.count()).group_by(signal.fate)).all()
    return RoutesPage(
        routes=_routes(session, _listed()),
        signals=[_signal(row, adherent) for row, adherent in session.execute(last)],
        counts={kind: dict(counts).get(kind, 0) for kind in Fate},
    )


def unhandled(session: Session) -> list[SignalKey]:
    """The alerts that fire and have no incident, though nobody ignores them: the latest first."""
    signal = s.AlertSignal
    rows = session.execute(
        select(signal.fingerprint, signal.started_at)
        .where(signal.fate.in_((Fate.UNROUTED, Fate.REFUSED)), signal.ended_at.is_(None))
        .order_by(signal.last_at.desc())
        .limit(TRIED_AT_ONCE)
    )
    return [(fingerprint, started_at) for fingerprint, started_at in rows]


def _listed() -> Select[s.AlertRoute, str | None, str | None, str | None]:
    return (
        select(s.AlertRoute, c.Adherent.name, c.Service.name_fr, c.Service.name_en)
        .join(c.Adherent, c.Adherent.tenant_id == s.AlertRoute.tenant_id, isouter=True)
        .join(c.Service, c.Service.code == s.AlertRoute.service_code, isouter=True)
        .order_by(s.AlertRoute.position, s.AlertRoute.route_id)
    )


def _routes(
    session: Session, statement: Select[s.AlertRoute, str | None, str | None, str | None]
) -> list[ListedRoute]:
    return [
        ListedRoute(row.route_id, row.position, _route(row), adherent, service_fr, service_en)
        for row, adherent, service_fr, service_en in session.execute(statement)
    ]


def _route(row: s.AlertRoute) -> Route:
    return Route(
        name=row.name,
        matchers=read_matchers("\n".join(row.matchers)),
        ignored=row.ignored,
        adherent=row.tenant_id,
        subscription=row.subscription,
        service=row.service_code,
        priority=row.priority.value if row.priority else None,
        effect=row.effect,
    )


def _signal(row: s.AlertSignal, adherent: str | None) -> ListedSignal:
    told = row.refusal
    alert = Alert(row.fingerprint, row.labels, row.annotations, row.started_at, row.ended_at)
    return ListedSignal(
        alert=alert,
        ended_at=row.ended_at,
        fate=row.fate,
        route=row.route,
        refusal=None if told is None else DomainError(told["message"], **told["values"]),
        tenant_id=row.tenant_id,
        adherent=adherent,
        incident=row.incident,
        last_at=row.last_at,
        times=row.times,
        is_suspect=bool(patient_numbers(f"{alert.title}\n{alert.text}")),
    )
