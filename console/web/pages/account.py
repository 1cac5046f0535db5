"""One's own account: password, language, and where one is signed in."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.accounts import set_locale, set_password
from console.actions.sign_in import (
    count_attempt,
    end_other_sign_ins,
    end_sign_in,
    hash_of,
    open_sign_in,
    proves,
)
from console.domain.credentials import LONGEST, check_password, shortest_password
from console.domain.delegations import GIVES_AND_TAKES
from console.domain.errors import Invalid
from console.store.queries import people
from console.store.session import Operator
from console.web import cookies, inputs
from console.web.access import (
    current_account,
    keep_cookie,
    known_account,
    local_path,
    needs_second_factor,
    public,
    signed_in,
    this_device,
)
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import COOKIE as LANGUAGE_COOKIE
from console.web.state import state
from reports.language import LANGUAGES

YEAR_S = 365 * 86_400

bp = Blueprint("account", __name__)


@bp.get("/account")
@signed_in
def show() -> ResponseReturnValue:
    """Who I am for the console."""
    account = current_account()
    with state().database.read(Operator()) as store:
        person = people.person(store, account.account_id, now=datetime.now(UTC))
    return render_template(
        "account/show.html",
        account=account,
        own=person,
        may_delegate=account.role is GIVES_AND_TAKES,
        must_have_second_factor=needs_second_factor(account),
    )


@bp.post("/account/sign-ins")
@signed_in
def end_others() -> ResponseReturnValue:
    """Sign out everywhere but here."""
    account = current_account()
    with state().database.write(Operator(), by=account.login) as store:
        end_other_sign_ins(store, account.account_id, account.token_sha256)
    flash(_("Les autres connexions sont terminées."))
    return go_to(url_for("account.show"))


@bp.post("/account/sign-ins/end")
@signed_in
def end_one() -> ResponseReturnValue:
    """Sign out at one place."""
    with state().database.write(Operator(), by=current_account().login) as store:
        end_sign_in(store, current_account().account_id, inputs.text("key"))
    flash(_("Cette connexion est terminée."))
    return go_to(url_for("account.show"))


@bp.route("/account/password", methods=["GET", "POST"])
@signed_in
def change_password() -> ResponseReturnValue:
    """Choose a password; the only page an account with a one-time password reaches."""
    if request.method == "GET":
        return _password_form({})
    try:
        account_id = _check_passwords()
    except Invalid as error:
        return _password_form({error.field: message_of(error)}), 422
    now = datetime.now(UTC)
    with state().database.write(Operator(), by=current_account().login) as store:
        set_password(store, account_id, request.form["password"])
        token = open_sign_in(store, account_id, now=now, device=this_device())
        end_other_sign_ins(store, account_id, hash_of(token))
    session.clear()
    flash(_("Votre mot de passe est changé ; les autres connexions sont terminées."))
    answer = make_response(go_to(url_for("overview.show")))
    keep_cookie(answer, token)
    return answer


@bp.post("/language")
@public
def speak() -> ResponseReturnValue:
    """Change the language of the pages, for this browser and this account."""
    code = request.form.get("language", "")
    answer = make_response(go_to(local_path(request.form.get("next")) or url_for("overview.show")))
    if code not in LANGUAGES:
        return answer
    account = known_account()
    if account is not None:
        with state().database.write(Operator(), by=account.login) as store:
            set_locale(store, account.account_id, code)
    cookies.keep(answer, LANGUAGE_COOKIE, code, YEAR_S)
    return answer


def _check_passwords() -> int:
    """The account whose present password was given beside an acceptable new one, typed twice."""
    account, form = current_account(), request.form
    check_password(form.get("password", ""), account.login, account.role, account.name)
    if form.get("password") != form.get("again"):
        raise Invalid("again", "Les deux saisies du nouveau mot de passe diffèrent.")
    if form.get("password") == form.get("present"):
        raise Invalid("password", "Le nouveau mot de passe est le même que l'ancien.")
    with state().database.write(Operator()) as store:
        attempt = count_attempt(store, account.login, now=datetime.now(UTC))
    if not proves(attempt, form.get("present", "")):
        raise Invalid("present", "Ce n'est pas votre mot de passe actuel, ou trop d'essais ont échoué.")
    return account.account_id


def _password_form(errors: dict[str, str]) -> str:
    account = current_account()
    return render_template(
        "account/password.html",
        account=account,
        errors=errors,
        shortest=shortest_password(account.role),
        longest=LONGEST,
    )
