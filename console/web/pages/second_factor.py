"""One's own second factor: taking one up, its recovery codes, giving it up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, flash, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions import second_factor
from console.actions.sealing import BrokenSeal
from console.domain.errors import Conflict, Invalid
from console.store.session import Operator, ScopedSession
from console.web import inputs, qr
from console.web.access import current_account, needs_second_factor, signed_in
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.rate_limit import limited
from console.web.state import state

PROPOSED = "second_factor"  # the secret on the page, under seal, until a code shows that a device has it
PROPOSAL_LASTS = timedelta(minutes=30)

bp = Blueprint("second_factor", __name__)


@bp.get("/account/second-factor")
@signed_in
def enrol() -> ResponseReturnValue:
    """The secret to take up, as a drawing and as a text; or what can be done with the one there is."""
    if current_account().has_second_factor:
        return render_template("account/second_factor.html", **_manage({}))
    return render_template("account/enrol.html", **_proposal({}))


@bp.post("/account/second-factor")
@signed_in
@limited
def confirm() -> ResponseReturnValue:
    """Take the secret up, if the code shows that the device has it; the recovery codes, this once."""
    account, now = current_account(), datetime.now(UTC)
    try:
        with state().database.write(Operator(), by=account.login) as store:
            codes = second_factor.enrol(
                store,
                account.account_id,
                _proposed(),
                inputs.text("code"),
                seal=state().seal,
                now=now,
            )
    except Invalid as error:
        return render_template("account/enrol.html", **_proposal({error.field: message_of(error)})), 422
    session.pop(PROPOSED, None)
    return render_template("account/recovery_codes.html", codes=codes, new=True)


@bp.post("/account/second-factor/codes")
@signed_in
@limited
def renew_codes() -> ResponseReturnValue:
    """Ten other recovery codes, for who shows a code."""
    account = current_account()
    with state().database.write(Operator(), by=account.login) as store:
        right = _is_right(store, "renew_code")
        codes = second_factor.renew_recovery_codes(store, account.account_id) if right else []
    if not codes:
        return _refused("renew_code")
    return render_template("account/recovery_codes.html", codes=codes, new=False)


@bp.post("/account/second-factor/off")
@signed_in
@limited
def remove() -> ResponseReturnValue:
    """Give the second factor up, for who shows a code and need not have one."""
    account = current_account()
    if needs_second_factor(account):
        raise Conflict("Votre rôle demande un second facteur : un administrateur peut le réinitialiser.")
    with state().database.write(Operator(), by=account.login) as store:
        right = _is_right(store, "off_code")
        if right:
            second_factor.remove_second_factor(store, account.account_id)
    if not right:
        return _refused("off_code")
    flash(_("La double authentification est désactivée."))
    return go_to(url_for("account.show"))


def _is_right(store: ScopedSession, field: str) -> bool:
    account_id, now = current_account().account_id, datetime.now(UTC)
    right = second_factor.accepts(store, account_id, inputs.text(field), seal=state().seal, now=now)
    if right:
        second_factor.clear_failures(store, account_id)
    return right


def _refused(field: str) -> ResponseReturnValue:
    errors = {field: _("Ce code n'est pas celui du moment, ou a déjà servi.")}
    return render_template("account/second_factor.html", **_manage(errors)), 422


def _manage(errors: dict[str, str]) -> dict[str, object]:
    return {"errors": errors, "required": needs_second_factor(current_account())}


def _proposed() -> str:
    """The secret that the browser was shown; raises `Invalid` where that was too long ago."""
    try:
        return state().seal.open(session.get(PROPOSED, ""), PROPOSAL_LASTS)
    except BrokenSeal:
        raise Invalid("code", "Cette clé n'est plus valable : en voici une autre à enregistrer.") from None


def _proposal(errors: dict[str, str]) -> dict[str, object]:
    try:
        secret = _proposed()
    except Invalid:
        secret = second_factor.new_secret()
        session[PROPOSED] = state().seal.close(secret)
    address = second_factor.authenticator_address(secret, current_account().login, state().public_url)
    return {
        "errors": errors,
        "key": " ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        "address": address,
        "drawing": qr.drawing(address),
        "required": needs_second_factor(current_account()),
    }
