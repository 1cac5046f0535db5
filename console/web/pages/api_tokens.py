"""The tokens of programs: made, rotated and revoked; their text is on a page once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.api_tokens import issue_token, revoke_token, rotate_token
from console.domain.access import SEES_EVERY_ADHERENT, Permission
from console.domain.errors import Invalid
from console.domain.tokens import OF_ADHERENTS, OLD_TEXT_LASTS, Maker, Terms, TokenScope
from console.store.queries.tokens import token, tokens
from console.store.session import Operator
from console.web import choosing, inputs
from console.web.access import current_account, requires
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import ZONE
from console.web.state import state

bp = Blueprint("api_tokens", __name__)


@bp.get("/tokens")
@requires(Permission.MANAGE_TOKENS)
def index() -> ResponseReturnValue:
    """Every token, and when it was last shown."""
    with state().database.read(Operator()) as session:
        listed = tokens(session, now=datetime.now(UTC))
    rotatable = {one.token_id for one in listed if all(map(_maker().may_give, one.scopes))}
    return render_template("tokens/index.html", tokens=listed, rotatable=rotatable)


@bp.get("/tokens/new")
@requires(Permission.MANAGE_TOKENS)
def new() -> ResponseReturnValue:
    """The form of a new token."""
    return _form({})


@bp.post("/tokens")
@requires(Permission.MANAGE_TOKENS)
def add() -> ResponseReturnValue:
    """Make a token and show its text, this once."""
    if choosing.searching():
        return _form({})
    maker = _maker()
    try:
        with state().database.write(Operator(), by=maker.login) as session:
            text = issue_token(session, inputs.text("name"), _terms(), now=datetime.now(UTC), maker=maker)
    except Invalid as error:
        return _form({error.field: message_of(error)}), 422
    return _shown(inputs.text("name"), text, None)


@bp.post("/tokens/<int:token_id>/rotate")
@requires(Permission.MANAGE_TOKENS)
def rotate(token_id: int) -> ResponseReturnValue:
    """A new text; the one before opens for a day more, or ends at once."""
    now, maker = datetime.now(UTC), _maker()
    lasts = timedelta() if inputs.text("deed") == "at_once" else OLD_TEXT_LASTS
    with state().database.write(Operator(), by=maker.login) as session:
        text = rotate_token(session, token_id, now=now, old_lasts=lasts, maker=maker)
        rotated = token(session, token_id, now=now)
    return _shown(rotated.name, text, rotated.rotating_until)


@bp.post("/tokens/<int:token_id>/revoke")
@requires(Permission.MANAGE_TOKENS)
def revoke(token_id: int) -> ResponseReturnValue:
    """The token opens nothing any more."""
    with state().database.write(Operator(), by=current_account().login) as session:
        revoke_token(session, token_id, now=datetime.now(UTC))
    flash(_("Le jeton est révoqué."))
    return go_to(url_for("api_tokens.index"))


def _maker() -> Maker:
    account = current_account()
    tenants = None if account.role in SEES_EVERY_ADHERENT else account.tenants
    return Maker(account.login, account.role, tenants)


def _terms() -> Terms:
    scopes = frozenset(inputs.choices("scopes", TokenScope))
    last_day = inputs.optional_day("expires_on")
    every = request.form.get("every_adherent") == "yes" or not scopes & OF_ADHERENTS
    return Terms(
        scopes=scopes,
        tenants=None if every else frozenset(choosing.numbers()),
        hosts=tuple(inputs.text("hosts").replace(",", " ").split()),
        expires_at=None if last_day is None else _end_of(last_day),
    )


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(ZONE)).astimezone(UTC)


def _shown(name: str, text: str, old_until: datetime | None) -> str:
    return render_template("tokens/shown.html", name=name, text=text, old_until=old_until)


def _form(errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        chosen = choosing.choice(session)
    scopes = [scope for scope in TokenScope if _maker().may_give(scope)]
    return render_template("tokens/new.html", errors=errors, choice=chosen, scopes=scopes)
