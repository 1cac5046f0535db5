"""Inviting somebody, and the page to which their link leads."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions import invitations
from console.actions.accounts import create_account_without_password
from console.actions.delivering import Envelope
from console.actions.invitations import Fate, Opened
from console.actions.sign_in import open_sign_in
from console.domain.access import Permission, Role
from console.domain.credentials import LONGEST, shortest_password
from console.domain.errors import Conflict, Invalid
from console.store.session import Operator
from console.web import choosing, inputs
from console.web.access import current_account, keep_cookie, public, requires, this_device
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import instant
from console.web.rate_limit import limited
from console.web.state import state
from reports.mail import Message

LASTS_HOURS = int(invitations.LASTS.total_seconds()) // 3600

bp = Blueprint("invitations", __name__)


@bp.get("/people/invite")
@requires(Permission.MANAGE_PEOPLE)
def new() -> ResponseReturnValue:
    """The form: who, for what, and which adherents."""
    return _form({})


@bp.post("/people/invite")
@requires(Permission.MANAGE_PEOPLE)
def add() -> ResponseReturnValue:
    """Send a link by mail; where no mail leaves, show it this once."""
    if choosing.searching():
        return _form({})
    try:
        if inputs.text("way") == "single_sign_on" and state().provider is not None:
            return _open_without_password()
        return _invite()
    except Invalid as error:
        return _form({error.field: message_of(error)}), 422


@bp.post("/people/invitations/<int:invitation_id>/withdraw")
@requires(Permission.MANAGE_PEOPLE)
def withdraw(invitation_id: int) -> ResponseReturnValue:
    """The link opens nothing any more."""
    with state().database.write(Operator(), by=current_account().login) as store:
        invitations.withdraw(store, invitation_id, now=datetime.now(UTC))
    flash(_("L'invitation est retirée : son lien n'ouvre plus rien."))
    return go_to(url_for("people.index"))


@bp.get("/invitation/<token>")
@public
@limited
def show(token: str) -> ResponseReturnValue:
    """Choose a password, or read why the link no longer serves."""
    return _landing(token, {})


@bp.post("/invitation/<token>")
@public
@limited
def accept(token: str) -> ResponseReturnValue:
    """Make the account and sign it in."""
    now = datetime.now(UTC)
    try:
        if request.form.get("password", "") != request.form.get("again", ""):
            raise Invalid("again", "Les deux saisies du nouveau mot de passe diffèrent.")
        with state().database.write(Operator(), by=_invited(token, now).email) as store:
            account_id = invitations.accept(store, token, request.form.get("password", ""), now=now)
            opened = open_sign_in(store, account_id, now=now, device=this_device())
    except Conflict:
        return _landing(token, {})
    except Invalid as error:
        return _landing(token, {error.field: message_of(error)}, 422)
    session.clear()
    flash(_("Bienvenue : votre compte est ouvert."))
    answer = make_response(go_to(url_for("overview.show")))
    keep_cookie(answer, opened)
    return answer


def _invite() -> ResponseReturnValue:
    now, by, domain = datetime.now(UTC), current_account(), state().sender_domain
    email = inputs.text("email").lower()
    with state().database.write(Operator(), by=by.login) as store:
        invitation_id, token = invitations.invite(
            store,
            email,
            inputs.text("name"),
            inputs.choice("role", Role),
            choosing.numbers(),
            now=now,
            by=by.login,
        )
        link = state().public_url + url_for("invitations.show", token=token)
        if domain is not None:
            envelope = Envelope("mail", (email,), domain)
            message = _letter(link, inputs.text("name"), by.name, now)
            invitations.post_link(store, invitation_id, envelope, message, now=now)
    if domain is None:
        return render_template("people/invited.html", link=link, email=email, hours=LASTS_HOURS)
    flash(_("L'invitation part à %(email)s ; elle vaut %(hours)s heures.", email=email, hours=LASTS_HOURS))
    return go_to(url_for("people.index"))


def _open_without_password() -> ResponseReturnValue:
    with state().database.write(Operator(), by=current_account().login) as store:
        account_id = create_account_without_password(
            store,
            inputs.text("email"),
            inputs.text("name"),
            inputs.choice("role", Role),
            choosing.numbers(),
        )
    flash(_("Le compte est ouvert : l'authentification unique suffit pour y entrer."))
    return go_to(url_for("people.show", account_id=account_id))


def _letter(link: str, name: str, by: str, now: datetime) -> Message:
    paragraphs = (
        _("Bonjour %(name)s,", name=" ".join(name.split())),
        _("%(by)s vous ouvre un compte sur la console INR : %(url)s", by=by, url=state().public_url),
        _("Choisissez votre mot de passe à cette adresse :"),
        link,
        _(
            "Ce lien ne sert qu'une fois, jusqu'au %(until)s. Ne le transmettez à personne.",
            until=instant(now + invitations.LASTS),
        ),
        _("Si vous n'attendiez pas ce message, il n'y a rien à faire."),
        "-- \n" + _("Message automatique de la console INR."),
    )
    return Message(_("[Console INR] Votre invitation"), "\n\n".join(paragraphs) + "\n")


def _invited(token: str, now: datetime) -> Opened:
    with state().database.read(Operator()) as store:
        return invitations.open_invitation(store, token, now=now)


def _landing(token: str, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    invited = _invited(token, datetime.now(UTC))
    if invited.fate is not Fate.OPEN:
        return render_template("invitation/closed.html", fate=invited.fate.value), 410
    page = render_template(
        "invitation/show.html",
        invited=invited,
        token=token,
        errors=errors,
        shortest=shortest_password(invited.role),
        longest=LONGEST,
    )
    return page, status


def _form(errors: dict[str, str]) -> str:
    provider = state().provider
    with state().database.read(Operator()) as store:
        chosen = choosing.choice(store)
    return render_template(
        "people/invite.html",
        errors=errors,
        choice=chosen,
        roles=Role,
        hours=LASTS_HOURS,
        mail_leaves=state().sender_domain is not None,
        provider=provider and provider.label,
    )
