"""The adherents that an account manager follows, with what needs somebody."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from console.domain.access import SEES_EVERY_ADHERENT, Permission
from console.store.queries.managers import managers
from console.store.queries.portfolio import Portfolio, portfolio
from console.web.access import current_account, requires, scope
from console.web.languages import today
from console.web.state import state

AHEAD = 6  # months in which renewals are told

bp = Blueprint("portfolio", __name__)


@bp.get("/portfolio")
@requires(Permission.SEE_PORTFOLIO)
def show() -> ResponseReturnValue:
    """My adherents; who sees them all chooses whose."""
    if current_account().role not in SEES_EVERY_ADHERENT:
        return render_template(
            "portfolio/show.html", seen=_portfolio(None), managers=[], chosen=None, month=today()
        )
    with state().database.read(scope()) as session:
        known = managers(session)
    asked = request.args.get("manager", "")
    chosen = next((manager for manager in known if str(manager.account_id) == asked), None)
    seen = None if chosen is None else _portfolio(chosen.account_id)
    return render_template("portfolio/show.html", seen=seen, managers=known, chosen=chosen, month=today())


def _portfolio(account_id: int | None) -> Portfolio:
    with state().database.read(scope()) as session:
        return portfolio(
            session,
            now=datetime.now(UTC),
            today=today(),
            months=AHEAD,
            account_id=account_id,
        )
