"""Signing in through the identity provider: leaving for it, and coming back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.sealing import BrokenSeal
from console.actions.sign_in import open_sign_in
from console.actions.single_sign_on import Errand, NotProven, Provider, Unreachable, account_behind
from console.domain.access import Method
from console.domain.errors import DomainError
from console.store.session import Operator
from console.web.access import keep_cookie, local_path, public, this_device
from console.web.errors import message_of
from console.web.rate_limit import limited
from console.web.state import state

ERRAND = "single_sign_on"  # under seal: a browser keeps it, and nobody reads it
ERRAND_LASTS = timedelta(minutes=10)

bp = Blueprint("single_sign_on", __name__)


@bp.get("/sign-in/with-provider")
@public
def begin() -> ResponseReturnValue:
    """Send the person to the provider."""
    try:
        address, errand = _provider().begin(local_path(request.args.get("next")) or "")
    except Unreachable as error:
        return _failed(error, 502)
    session[ERRAND] = state().seal.close(errand.text())
    return redirect(address, 303)


@bp.get("/sign-in/back")
@public
@limited
def back() -> ResponseReturnValue:
    """The person comes back: open their account, or say why it is not."""
    provider, now = _provider(), datetime.now(UTC)
    try:
        errand = _errand()
        if request.args.get("error"):
            raise NotProven("Le fournisseur d'identité n'a pas confirmé la connexion.")
        identity = provider.finish(errand, request.args.get("state", ""), request.args.get("code", ""))
        with state().database.write(Operator()) as store:
            account_id = account_behind(store, identity)
            token = open_sign_in(
                store, account_id, now=now, method=Method.SINGLE_SIGN_ON, device=this_device()
            )
    except Unreachable as error:
        return _failed(error, 502)
    except NotProven as error:
        return _failed(error, 403)
    session.clear()
    answer = make_response(redirect(local_path(errand.asked) or url_for("overview.show"), 303))
    keep_cookie(answer, token)
    return answer


def _provider() -> Provider:
    return state().provider or abort(404)


def _errand() -> Errand:
    """What we remembered when the person left; it serves once."""
    try:
        return Errand.of(state().seal.open(session.pop(ERRAND, ""), ERRAND_LASTS))
    except BrokenSeal:
        raise NotProven("La réponse ne répond pas à une demande de ce navigateur : recommencez.") from None


def _failed(error: DomainError, status: int) -> ResponseReturnValue:
    title = _("L'authentification unique n'a pas abouti")
    return render_template("sign_in/failed.html", title=title, message=message_of(error)), status
