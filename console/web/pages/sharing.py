"""How a shared service is split among its subscribers: its key, its months, and one of them by share."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.sharing_keys import set_key as set_key_of
from console.domain.access import Permission
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Invalid, NotFound
from console.domain.month_lines import SharingKeyKind
from console.domain.volumes import read_month
from console.store.queries.sharing import month_page, sharing_page
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.deeds import carry_out
from console.web.languages import today
from console.web.sharing_words import KEYS, ORIGINS, REASONS
from console.web.state import state

bp = Blueprint("sharing", __name__)


@bp.get("/catalogue/services/<code>/sharing")
@requires(Permission.SEE_CATALOGUE)
def show(code: str) -> ResponseReturnValue:
    """The key of a service with its history, and its months."""
    return _show(code, {})


@bp.post("/catalogue/services/<code>/sharing")
@requires(Permission.MANAGE_CARBON)
def set_key(code: str) -> ResponseReturnValue:
    """Split the service by something else from a month on."""

    def deed(session: Session) -> None:
        kind, month = inputs.choice("kind", SharingKeyKind), read_month(inputs.text("month"))
        note, by = inputs.text("note"), current_account().login
        set_key_of(session, code, kind, valid_from=month, note=note, now=datetime.now(UTC), by=by)

    return carry_out(
        deed,
        lambda errors: _show(code, errors),
        said=_("La clé est enregistrée ; les mois concernés sont repartagés."),
        address=url_for("sharing.show", code=code),
    )


@bp.get("/catalogue/services/<code>/sharing/<month>")
@requires(Permission.SEE_CATALOGUE)
def of_month(code: str, month: str) -> ResponseReturnValue:
    """A month of a service: who carries what of it, and whose volume is missing."""
    try:
        first_day = read_month(month)
    except Invalid:
        raise NotFound("Mois introuvable.") from None
    with state().database.read(scope()) as session:
        page = month_page(session, code, first_day)
    return render_template("sharing/month.html", page=page, **_words())


def _show(code: str, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        page = sharing_page(session, code, today())
    return render_template("sharing/show.html", page=page, errors=errors, this_month=today(), **_words())


def _words() -> dict[str, object]:
    return {"keys": KEYS, "origins": ORIGINS, "reasons": REASONS, "operator": OPERATOR_TENANT}
