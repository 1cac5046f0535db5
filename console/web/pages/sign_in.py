"""Signing in and out: a password, then the code of the second factor where there is one."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from console.actions.second_factor import accepts
from console.actions.sign_in import (
    LONGEST_WAIT,
    await_second_factor,
    count_attempt,
    hash_of,
    open_sign_in,
    proves,
    sign_out,
)
from console.domain.errors import Conflict
from console.store.queries.sign_in import Waiting, waiting
from console.store.session import Operator
from console.web import cookies
from console.web.access import (
    COOKIE,
    current_account,
    keep_cookie,
    known_account,
    local_path,
    public,
    signed_in,
    this_device,
)
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.rate_limit import limited
from console.web.state import state

WAITING = "sign_in_code"  # the cookie of who still owes a code

bp = Blueprint("sign_in", __name__)


@bp.get("/sign-in")
@public
def show() -> ResponseReturnValue:
    """The form; who is signed in already goes on."""
    if known_account() is not None:
        return go_to(_destination(request.args.get("next")))
    return _form(request.args.get("next"))


@bp.post("/sign-in")
@public
@limited
def enter() -> ResponseReturnValue:
    """Check the password; the browser gets a new token, and a new secret for its forms."""
    login, password = request.form.get("login", ""), request.form.get("password", "")
    asked = request.form.get("next")
    now = datetime.now(UTC)
    with state().database.write(Operator()) as store:
        attempt = count_attempt(store, login, now=now)
    if not proves(attempt, password) or attempt.account_id is None:
        return _form(asked, login, failed=True), 422
    if attempt.second_factor:
        return _ask_for_code(attempt.account_id, asked, now)
    with state().database.write(Operator()) as store:
        token = open_sign_in(store, attempt.account_id, now=now, device=this_device())
    return _enter(token, asked)


@bp.get("/sign-in/code")
@public
def ask_code() -> ResponseReturnValue:
    """The form of the second factor, for who gave the right password a moment ago."""
    if _waiting() is None:
        return go_to(url_for("sign_in.show", next=local_path(request.args.get("next"))))
    return render_template("sign_in/code.html", error="", next=request.args.get("next"))


@bp.post("/sign-in/code")
@public
@limited
def check_code() -> ResponseReturnValue:
    """Check the code: the browser gets a new token, and the one that waited opens nothing any more."""
    asked, now, found = request.form.get("next"), datetime.now(UTC), _waiting()
    if found is None:
        return go_to(url_for("sign_in.show", next=local_path(asked)))
    error, token = "refused", None
    try:
        with state().database.write(Operator()) as store:
            if accepts(store, found.account_id, request.form.get("code", ""), seal=state().seal, now=now):
                sign_out(store, found.token_sha256)
                token = open_sign_in(store, found.account_id, now=now, device=this_device())
    except Conflict as refusal:
        error = message_of(refusal)
    if token is None:
        return render_template("sign_in/code.html", error=error, next=asked), 422
    answer = _enter(token, asked)
    cookies.drop(answer, WAITING)
    return answer


@bp.post("/sign-out")
@signed_in
def leave() -> ResponseReturnValue:
    """End this sign-in: its row goes, and with it what its cookie opened."""
    with state().database.write(Operator()) as store:
        sign_out(store, current_account().token_sha256)
    session.clear()
    answer = make_response(go_to(url_for("sign_in.show")))
    cookies.drop(answer, COOKIE)
    return answer


def _form(asked: str | None, login: str = "", failed: bool = False) -> str:
    provider = state().provider
    return render_template(
        "sign_in/show.html", login=login, failed=failed, next=asked, provider=provider and provider.label
    )


def _waiting() -> Waiting | None:
    token = request.cookies.get(cookies.named(WAITING))
    if not token:
        return None
    with state().database.read(Operator()) as store:
        return waiting(store, hash_of(token), now=datetime.now(UTC))


def _ask_for_code(account_id: int, asked: str | None, now: datetime) -> ResponseReturnValue:
    with state().database.write(Operator()) as store:
        token = await_second_factor(store, account_id, now=now, device=this_device())
    answer = make_response(go_to(url_for("sign_in.ask_code", next=local_path(asked))))
    cookies.keep(answer, WAITING, token, int(LONGEST_WAIT.total_seconds()))
    return answer


def _enter(token: str, asked: str | None) -> Response:
    session.clear()
    answer = make_response(go_to(_destination(asked)))
    keep_cookie(answer, token)
    return answer


def _destination(asked: str | None) -> str:
    return local_path(asked) or url_for("overview.show")
