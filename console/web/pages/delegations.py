"""Handing a part of one's own portfolio to a colleague, and ending what one gave or took."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.delegations import delegate, end_delegation
from console.domain.delegations import GIVES_AND_TAKES, MOST_DAYS
from console.domain.errors import Forbidden, Invalid
from console.store.queries.people import colleagues, entrusted
from console.store.session import Operator
from console.web import choosing, inputs
from console.web.access import current_account, signed_in
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import today
from console.web.state import state

bp = Blueprint("delegations", __name__)


@bp.get("/account/delegations/new")
@signed_in
def new() -> ResponseReturnValue:
    """The form: to whom, which adherents, from when to when."""
    _only_givers()
    return _form({})


@bp.post("/account/delegations")
@signed_in
def add() -> ResponseReturnValue:
    """Hand adherents of one's portfolio over."""
    _only_givers()
    account = current_account()
    try:
        with state().database.write(Operator(), by=account.login) as store:
            delegate(
                store,
                account.account_id,
                inputs.optional_count("taker") or 0,
                choosing.numbers(),
                first_day=inputs.day("first_day"),
                last_day=inputs.day("last_day"),
                now=datetime.now(UTC),
                by=account.login,
            )
    except Invalid as error:
        return _form({error.field: message_of(error)}), 422
    flash(_("La délégation est enregistrée : elle prend effet et fin d'elle-même."))
    return go_to(url_for("account.show"))


@bp.post("/account/delegations/<int:delegation_id>/end")
@signed_in
def end(delegation_id: int) -> ResponseReturnValue:
    """End a delegation that one gave or took."""
    account = current_account()
    with state().database.write(Operator(), by=account.login) as store:
        end_delegation(store, account.account_id, delegation_id, now=datetime.now(UTC))
    flash(_("La délégation est terminée."))
    return go_to(url_for("account.show"))


def _only_givers() -> None:
    if current_account().role is not GIVES_AND_TAKES:
        raise Forbidden("Seul un responsable de comptes délègue son portefeuille.")


def _form(errors: dict[str, str]) -> str:
    account = current_account()
    with state().database.read(Operator()) as store:
        portfolio, others = entrusted(store, account.account_id), colleagues(store, account.account_id)
    sent = request.method == "POST"
    chosen = set(request.form.getlist(choosing.FIELD)) if sent else {str(one.tenant_id) for one in portfolio}
    return render_template(
        "account/delegate.html",
        portfolio=portfolio,
        colleagues=others,
        chosen=chosen,
        errors=errors,
        today=today(),
        most_days=MOST_DAYS,
    )
