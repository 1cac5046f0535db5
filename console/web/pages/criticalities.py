"""Calendars of the days on which services matter most, and the forms that change them."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.criticality import add_criticality, edit_criticality
from console.domain.access import Permission
from console.domain.criticality import read_windows, write_windows
from console.store.queries import catalogue
from console.web import inputs
from console.web.access import requires, scope
from console.web.deeds import carry_out
from console.web.languages import today
from console.web.state import state

bp = Blueprint("criticalities", __name__)


@bp.get("/catalogue/criticalities")
@requires(Permission.MANAGE_CATALOGUE)
def index() -> ResponseReturnValue:
    """The calendars of critical days, and the form that adds one."""
    return _form(None, {})


@bp.post("/catalogue/criticalities")
@requires(Permission.MANAGE_CATALOGUE)
def add() -> ResponseReturnValue:
    """Add a calendar of critical days."""
    code = inputs.text("code")
    return carry_out(
        lambda session: add_criticality(
            session,
            code,
            inputs.text("name_fr"),
            inputs.text("name_en"),
            read_windows(inputs.text("windows")),
        ),
        lambda errors: _form(None, errors),
        said=_("Le calendrier est enregistré."),
        address=url_for("criticalities.index"),
    )


@bp.get("/catalogue/criticalities/<code>")
@requires(Permission.MANAGE_CATALOGUE)
def show(code: str) -> ResponseReturnValue:
    """The form of a calendar."""
    return _form(code, {})


@bp.post("/catalogue/criticalities/<code>")
@requires(Permission.MANAGE_CATALOGUE)
def save(code: str) -> ResponseReturnValue:
    """Change the names and the days of a calendar."""
    return carry_out(
        lambda session: edit_criticality(
            session,
            code,
            inputs.text("name_fr"),
            inputs.text("name_en"),
            read_windows(inputs.text("windows")),
        ),
        lambda errors: _form(code, errors),
        said=_("Le calendrier est enregistré."),
        address=url_for("criticalities.index"),
    )


def _form(code: str | None, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        calendars = catalogue.criticalities(session)
        chosen = None if code is None else catalogue.criticality(session, code)
    return render_template(
        "catalogue/criticalities.html",
        calendars=calendars,
        chosen=chosen,
        write_windows=write_windows,
        today=today(),
        errors=errors,
    )
