"""Routes of alerts: made, changed, put in order and removed by those who run the services."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue
from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.alert_routes import Route
from console.domain.errors import Invalid, NotFound
from console.domain.free_text import one_line
from console.store.models import catalogue as c
from console.store.models import signals as s
from console.store.models import tenant as t

Priority = t.Priority
HIGHEST_POSITION = 32_000


def add_route(session: Session, route: Route, position: int | None) -> int:
    """Make a route, the last one where no position is told; its number. Raises `Invalid` with a field."""
    hold_catalogue(session)
    row = s.AlertRoute()
    last = session.scalar(select(func.max(s.AlertRoute.position))) or 0
    _fill(session, row, route, last + 10 if position is None else position)
    session.add(row)
    _flush(session, route.name)
    return row.route_id


def edit_route(session: Session, route_id: int, route: Route, position: int | None) -> None:
    """Change a route; what alerts became already stays."""
    hold_catalogue(session)
    row = _route(session, route_id)
    _fill(session, row, route, row.position if position is None else position)
    _flush(session, route.name)


def remove_route(session: Session, route_id: int) -> None:
    """Take a route away; the audit log keeps what it said."""
    hold_catalogue(session)
    session.delete(_route(session, route_id))
    session.flush()


def _fill(session: Session, row: s.AlertRoute, route: Route, position: int) -> None:
    if not 0 < position <= HIGHEST_POSITION:
        raise Invalid("position", "Un rang de 1 à %(most)s est attendu.", most=HIGHEST_POSITION)
    if route.service is not None and session.get(c.Service, route.service) is None:
        raise Invalid("service", "Un service du catalogue est attendu.")
    if route.subscription is not None and route.adherent is None:
        raise Invalid("adherent", "Une souscription se dit avec le numéro de son adhérent.")
    if route.subscription is not None and route.service is not None:
        raise Invalid("subscription", "Dites une souscription ou un service, pas les deux.")
    _check_adherent(session, route)
    row.position = position
    row.name = one_line(route.name, "name")
    row.matchers = [str(matcher) for matcher in route.matchers]
    row.ignored = route.ignored
    row.tenant_id, row.subscription, row.service_code = route.adherent, route.subscription, route.service
    row.priority = t.Priority(route.priority) if route.priority else None
    row.effect = route.effect


def _check_adherent(session: Session, route: Route) -> None:
    if route.adherent is None:
        return
    try:
        hold_adherent(session, route.adherent)
    except NotFound as error:
        raise Invalid("adherent", error.message) from None
    if route.subscription is not None:
        try:
            subscription_of(session, route.adherent, route.subscription)
        except NotFound as error:
            raise Invalid("subscription", error.message) from None


def _flush(session: Session, name: str) -> None:
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise Invalid("name", "Une route s'appelle déjà %(name)s.", name=name) from None


def _route(session: Session, route_id: int) -> s.AlertRoute:
    row = session.get(s.AlertRoute, route_id)
    if row is None:
        raise NotFound("Route introuvable.")
    return row
