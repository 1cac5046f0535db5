"""Alerts of monitors: the routes by which they become incidents, and what became of the last ones."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from console.actions import alert_routes as actions
from console.actions.signals import Desk, try_again
from console.domain.access import Permission
from console.domain.alert_routes import Fate, Route, read_matchers
from console.domain.outages import Effect
from console.store.queries import plans
from console.store.queries.alert_routes import ListedRoute, route, routes_page, routing, unhandled
from console.store.session import Operator
from console.web import addresses, inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.state import state

bp = Blueprint("alert_routes", __name__)


@bp.get("/alert-routes")
@requires(Permission.MANAGE_PROBES)
def index() -> ResponseReturnValue:
    """The routes in their order, and the last alerts, of one fate where the address says it."""
    asked = request.args.get("fate", "")
    fate = Fate(asked) if asked in set(Fate) else None
    with state().database.read(Operator()) as session:
        page = routes_page(session, fate)
    return render_template(
        "alert_routes/index.html", page=page, fate=fate, fates=list(Fate), message_of=message_of
    )


@bp.get("/alert-routes/new")
@requires(Permission.MANAGE_PROBES)
def new() -> ResponseReturnValue:
    """The form of a new route."""
    return _form(None, {})


@bp.post("/alert-routes")
@requires(Permission.MANAGE_PROBES)
def add() -> ResponseReturnValue:
    """Make a route, for the alerts that come from now on."""
    return carry_out(
        lambda session: actions.add_route(session, _route(), _position()),
        lambda errors: _form(None, errors),
        said=_("La route est créée."),
        address=url_for("alert_routes.index"),
    )


@bp.get("/alert-routes/<int:route_id>")
@requires(Permission.MANAGE_PROBES)
def edit(route_id: int) -> ResponseReturnValue:
    """The form of a route."""
    return _form(route_id, {})


@bp.post("/alert-routes/<int:route_id>")
@requires(Permission.MANAGE_PROBES)
def save(route_id: int) -> ResponseReturnValue:
    """Change a route."""
    return carry_out(
        lambda session: actions.edit_route(session, route_id, _route(), _position()),
        lambda errors: _form(route_id, errors),
        said=_("La route est enregistrée."),
        address=url_for("alert_routes.index"),
    )


@bp.post("/alert-routes/<int:route_id>/remove")
@requires(Permission.MANAGE_PROBES)
def remove(route_id: int) -> ResponseReturnValue:
    """Take a route away."""
    with state().database.write(Operator(), by=current_account().login) as session:
        actions.remove_route(session, route_id)
    flash(_("La route est supprimée."))
    return go_to(url_for("alert_routes.index"))


@bp.post("/alert-routes/retry")
@requires(Permission.MANAGE_PROBES)
def retry() -> ResponseReturnValue:
    """Route again the alerts that fire and have no incident, each in a transaction of its own."""
    login, now = current_account().login, datetime.now(UTC)
    with state().database.read(Operator()) as session:
        desk = Desk(routing(session), None, now, login)
        keys = unhandled(session)
    opened = 0
    for key in keys:
        with state().database.write(Operator(), by=login) as session:
            opened += try_again(session, key, desk).fate is Fate.OPENED
    flash(ngettext("%(num)s incident ouvert.", "%(num)s incidents ouverts.", opened))
    return go_to(url_for("alert_routes.index"))


def _form(route_id: int | None, errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        listed = None if route_id is None else route(session, route_id)
        services = plans.offers(session)
    return render_template(
        "alert_routes/form.html",
        listed=listed,
        services=services,
        typed=request.form if request.method == "POST" else _values(listed),
        priorities=list(actions.Priority),
        errors=errors,
    )


def _values(listed: ListedRoute | None) -> dict[str, object]:
    if listed is None:
        return {"matchers": request.args.get("matchers", "")}
    shown = listed.route
    return {
        "name": shown.name,
        "position": listed.position,
        "matchers": "\n".join(map(str, shown.matchers)),
        "deed": "ignore" if shown.ignored else "open",
        "adherent": shown.adherent or "",
        "subscription": shown.subscription or "",
        "service": shown.service or "",
        "priority": shown.priority or "",
        "effect": shown.effect or "",
    }


def _route() -> Route:
    priority = inputs.optional_choice("priority", actions.Priority)
    return Route(
        name=inputs.text("name"),
        matchers=read_matchers(request.form.get("matchers", "")),
        ignored=inputs.text("deed") == "ignore",
        adherent=inputs.optional_count("adherent"),
        subscription=inputs.subscription() if inputs.text("subscription") else None,
        service=inputs.text("service") or None,
        priority=priority.value if priority else None,
        effect=inputs.optional_choice("effect", Effect),
    )


def _position() -> int | None:
    position = inputs.optional_count("position")
    return None if position is None else min(position, addresses.LARGEST)
