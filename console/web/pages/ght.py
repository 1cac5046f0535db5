"""Hospital groups: the list, and one with its members, added and ended by hand."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.memberships import add_membership, end_membership
from console.domain.access import Permission
from console.domain.directory import GroupRole
from console.domain.errors import Invalid
from console.store.queries.ght import group_page, list_groups
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state

bp = Blueprint("ght", __name__)


@bp.get("/ght")
@requires(Permission.SEE_PORTFOLIO)
def index() -> ResponseReturnValue:
    """The groups, searched by name or code."""
    words = request.args.get("words", "").strip()
    with state().database.read(scope()) as session:
        found = list_groups(session, today(), words, inputs.asked_page())
    template = "ght/list.html" if wants_fragment() else "ght/index.html"
    return render_template(template, found=found, words=words)


@bp.get("/ght/<code>")
@requires(Permission.SEE_PORTFOLIO)
def show(code: str) -> ResponseReturnValue:
    """A group with its members."""
    return _page(code, {})


@bp.post("/ght/<code>/members")
@requires(Permission.MANAGE_DIRECTORY)
def add(code: str) -> ResponseReturnValue:
    """Put a legal entity into the group from a day on."""
    try:
        with state().database.write(Operator(), by=current_account().login) as session:
            add_membership(
                session,
                code,
                inputs.text("finess_ej"),
                inputs.choice("role", GroupRole),
                first_day=inputs.day("first_day"),
                today=today(),
                by=current_account().login,
            )
    except Invalid as error:
        return _page(code, {error.field: message_of(error)}), 422
    flash(_("L'appartenance est enregistrée."))
    return go_to(url_for("ght.show", code=code))


@bp.post("/ght/<code>/members/<int:membership_id>")
@requires(Permission.MANAGE_DIRECTORY)
def end(code: str, membership_id: int) -> ResponseReturnValue:
    """Make a day the last of a membership."""
    try:
        with state().database.write(Operator(), by=current_account().login) as session:
            last_day = inputs.day("last_day")
            end_membership(session, code, membership_id, last_day=last_day, today=today())
    except Invalid as error:
        return _page(code, {error.field: message_of(error)}, membership_id), 422
    flash(_("L'appartenance est terminée."))
    return go_to(url_for("ght.show", code=code))


def _page(code: str, errors: Mapping[str, str], row: int | None = None) -> str:
    with state().database.read(scope()) as session:
        group = group_page(session, code, today())
    return render_template("ght/show.html", group=group, errors=errors, row=row, today=today())
