"""The accounts: who they are, what they are for, which adherents they see, and where they are signed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions import accounts, second_factor
from console.actions.delegations import end_delegation
from console.actions.sign_in import end_sign_ins
from console.domain.access import SEES_EVERY_ADHERENT, Permission, Role
from console.domain.errors import Invalid
from console.store.queries import people
from console.store.queries.people import State
from console.store.session import Operator
from console.web import addresses, inputs
from console.web.access import current_account, requires
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.state import state

bp = Blueprint("people", __name__)


@bp.get("/people")
@requires(Permission.MANAGE_PEOPLE)
def index() -> ResponseReturnValue:
    """The accounts by name, with filters; the invitations that wait for an answer."""
    asked = {name: request.args.get(name, "").strip() for name in ("words", "role", "state", "adherent")}
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        found = people.list_people(
            session,
            now=now,
            words=asked["words"],
            role=Role(asked["role"]) if asked["role"] in list(Role) else None,
            state=State(asked["state"]) if asked["state"] in list(State) else None,
            adherent=asked["adherent"],
            page=inputs.asked_page(),
        )
        invited = people.open_invitations(session, now=now)
    template = "people/list.html" if wants_fragment() else "people/index.html"
    return render_template(template, found=found, asked=asked, invited=invited, roles=Role, states=State)


@bp.get("/people/<int:account_id>")
@requires(Permission.MANAGE_PEOPLE)
def show(account_id: int) -> ResponseReturnValue:
    """The page of an account."""
    return _page(account_id)


@bp.post("/people/<int:account_id>/identity")
@requires(Permission.MANAGE_PEOPLE)
def rename(account_id: int) -> ResponseReturnValue:
    """Change the name and the address."""
    return _change(
        account_id,
        lambda session: accounts.change_identity(
            session, account_id, inputs.text("name"), inputs.text("email")
        ),
        _("Le compte est modifié."),
    )


@bp.post("/people/<int:account_id>/role")
@requires(Permission.MANAGE_PEOPLE)
def change_role(account_id: int) -> ResponseReturnValue:
    """Change what the account is for."""
    return _change(
        account_id,
        lambda session: accounts.change_role(session, account_id, inputs.choice("role", Role)),
        _("Le rôle est changé ; il vaut dès la prochaine page."),
    )


@bp.post("/people/<int:account_id>/state")
@requires(Permission.MANAGE_PEOPLE)
def change_state(account_id: int) -> ResponseReturnValue:
    """Disable the account, or enable it again."""
    now = datetime.now(UTC)
    if inputs.text("deed") == "disable":
        return _change(
            account_id,
            lambda session: accounts.disable(session, account_id, now=now),
            _("Le compte est désactivé et déconnecté partout."),
        )
    return _change(
        account_id,
        lambda session: accounts.enable(session, account_id),
        _("Le compte ouvre de nouveau la console."),
    )


@bp.post("/people/<int:account_id>/password")
@requires(Permission.MANAGE_PEOPLE)
def reset_password(account_id: int) -> ResponseReturnValue:
    """A new one-time password, on the page this once."""
    with state().database.write(Operator(), by=current_account().login) as session:
        password = accounts.renew_password(session, account_id)
    return _page(account_id, password=password)


@bp.post("/people/<int:account_id>/password-sign-in")
@requires(Permission.MANAGE_PEOPLE)
def allow_password(account_id: int) -> ResponseReturnValue:
    """Whether the person may use a password, or only the single sign-on."""
    allowed = inputs.text("deed") == "allow"
    return _change(
        account_id,
        lambda session: accounts.allow_password(session, account_id, allowed),
        _("Le mot de passe est admis.") if allowed else _("Seule l'authentification unique est admise."),
    )


@bp.post("/people/<int:account_id>/identity-link/forget")
@requires(Permission.MANAGE_PEOPLE)
def forget_identity(account_id: int) -> ResponseReturnValue:
    """Untie the account from the person that the provider knows."""
    return _change(
        account_id,
        lambda session: accounts.forget_identity(session, account_id),
        _("Le compte est délié ; la prochaine authentification unique le liera par son adresse."),
    )


@bp.post("/people/<int:account_id>/sign-ins/end")
@requires(Permission.MANAGE_PEOPLE)
def sign_out(account_id: int) -> ResponseReturnValue:
    """Sign the account out everywhere."""
    return _change(
        account_id, lambda session: end_sign_ins(session, account_id), _("Les connexions sont terminées.")
    )


@bp.post("/people/<int:account_id>/second-factor/reset")
@requires(Permission.MANAGE_PEOPLE)
def reset_second_factor(account_id: int) -> ResponseReturnValue:
    """For who lost their device and their recovery codes."""
    return _change(
        account_id,
        lambda session: second_factor.reset_second_factor(session, account_id),
        _("Le second facteur est réinitialisé et le compte déconnecté partout."),
    )


@bp.post("/people/<int:account_id>/portfolio")
@requires(Permission.MANAGE_PEOPLE)
def entrust(account_id: int) -> ResponseReturnValue:
    """Put an adherent in the portfolio."""
    return _change(
        account_id,
        lambda session: accounts.entrust(session, account_id, _adherent()),
        _("L'adhérent est confié."),
    )


@bp.post("/people/<int:account_id>/portfolio/take-back")
@requires(Permission.MANAGE_PEOPLE)
def take_back(account_id: int) -> ResponseReturnValue:
    """Take an adherent out of the portfolio."""
    return _change(
        account_id,
        lambda session: accounts.take_back(session, account_id, _adherent()),
        _("L'adhérent est retiré."),
    )


@bp.post("/people/<int:account_id>/delegations/<int:delegation_id>/end")
@requires(Permission.MANAGE_PEOPLE)
def end_one_delegation(account_id: int, delegation_id: int) -> ResponseReturnValue:
    """End a delegation that the account gave or took."""
    return _change(
        account_id,
        lambda session: end_delegation(session, account_id, delegation_id, now=datetime.now(UTC)),
        _("La délégation est terminée."),
    )


def _adherent() -> int:
    number = inputs.optional_count("adherent")
    if number is None or number > addresses.LARGEST:
        raise Invalid("adherent", "Un adhérent de la liste est attendu.")
    return number


def _change(account_id: int, change: Callable[[Session], None], done: str) -> ResponseReturnValue:
    """Make a change and show the page again, or the page with what is wrong."""
    try:
        with state().database.write(Operator(), by=current_account().login) as session:
            accounts.account_of(session, account_id)
            change(session)
    except Invalid as error:
        return _page(account_id, {error.field: message_of(error)}), 422
    flash(done)
    return go_to(url_for("people.show", account_id=account_id))


def _page(account_id: int, errors: dict[str, str] | None = None, password: str = "") -> str:
    words = request.args.get("words", "").strip()
    with state().database.read(Operator()) as session:
        person = people.person(session, account_id, now=datetime.now(UTC))
        held = [one.tenant_id for one in person.portfolio]
        found = people.find_adherents(session, words, held) if words else []
    fragment = wants_fragment() and request.method == "GET"
    return render_template(
        "people/portfolio.html" if fragment else "people/show.html",
        who=person,
        found=found,
        words=words,
        errors=errors or {},
        password=password,
        roles=Role,
        sees_every_adherent=person.role in SEES_EVERY_ADHERENT,
        single_sign_on=state().provider is not None,
    )
