"""The first page: the fleet for those who see it, their adherents for the others."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.domain.access import Permission
from console.store.queries import first_steps, overview
from console.web.access import allowed, scope, signed_in, unattended
from console.web.languages import ZONE, today
from console.web.state import state

bp = Blueprint("overview", __name__)


@bp.get("/")
@signed_in
def show() -> ResponseReturnValue:
    """The whole page."""
    if not allowed(Permission.SEE_FLEET):
        return render_template("overview/portfolio.html", **_portfolio())
    with state().database.read(scope()) as session:
        steps = first_steps.steps(session)
    return render_template("overview/fleet.html", steps=steps, **_fleet())


@bp.get("/overview/live")
@signed_in
@unattended
def live() -> ResponseReturnValue:
    """The part that asks for itself every half minute."""
    if not allowed(Permission.SEE_FLEET):
        return render_template("overview/portfolio_live.html", **_portfolio())
    return render_template("overview/fleet_live.html", **_fleet())


def _fleet() -> dict[str, object]:
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        seen = overview.fleet(session, today(), ZONE, now=now, silent_after=state().silent_after)
    return {"seen": seen, "now": now}


def _portfolio() -> dict[str, object]:
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        seen = overview.portfolio(session, today(), ZONE, now=now)
    return {"seen": seen, "now": now}
