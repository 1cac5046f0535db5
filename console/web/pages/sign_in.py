"""Signing in and out."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from console.actions.sign_in import count_attempt, open_sign_in, proves, sign_out
from console.store.session import Operator
from console.web.access import (
    COOKIE,
    current_account,
    keep_cookie,
    known_account,
    local_path,
    public,
    signed_in,
)
from console.web.fragments import go_to
from console.web.state import state

bp = Blueprint("sign_in", __name__)


@bp.get("/sign-in")
@public
def show() -> ResponseReturnValue:
    """The form; who is signed in already goes on."""
    if known_account() is not None:
        return go_to(_destination(request.args.get("next")))
    return render_template("sign_in/show.html", login="", failed=False, next=request.args.get("next"))


@bp.post("/sign-in")
@public
def enter() -> ResponseReturnValue:
    """Check the password; the browser gets a new token, and a new secret for its forms."""
    login, password = request.form.get("login", ""), request.form.get("password", "")
    asked = request.form.get("next")
    now = datetime.now(UTC)
    with state().database.write(Operator()) as store:
        attempt = count_attempt(store, login, now=now)
    if not proves(attempt, password) or attempt.account_id is None:
        return render_template("sign_in/show.html", login=login, failed=True, next=asked), 422
    with state().database.write(Operator()) as store:
        token = open_sign_in(store, attempt.account_id, now=now)
    session.clear()
    answer = make_response(go_to(_destination(asked)))
    keep_cookie(answer, token)
    return answer


@bp.post("/sign-out")
@signed_in
def leave() -> ResponseReturnValue:
    """End this sign-in: its row goes, and with it what its cookie opened."""
    with state().database.write(Operator()) as store:
        sign_out(store, current_account().token_sha256)
    session.clear()
    answer = make_response(go_to(url_for("sign_in.show")))
    answer.delete_cookie(COOKIE)
    return answer


def _destination(asked: str | None) -> str:
    return local_path(asked) or url_for("overview.show")
