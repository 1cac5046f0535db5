"""What is learnt of incidents: the review of one, and the actions of all that are still to be done."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.reviews import plan_action, settle_action, write_review
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.revisions import Stale
from console.store.queries.incident_file import open_actions
from console.web import incident_view, inputs
from console.web.access import current_account, requires, scope
from console.web.fragments import go_to
from console.web.languages import today
from console.web.state import state

bp = Blueprint("reviews", __name__)


@bp.get("/incidents/actions")
@requires(Permission.SEE_INTERNAL)
def index() -> ResponseReturnValue:
    """The actions that are still to be done, of every incident in scope."""
    with state().database.read(scope()) as session:
        found = open_actions(session, page=inputs.asked_page())
    return render_template("reviews/index.html", found=found, today=today())


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/review")
@requires(Permission.HANDLE_INCIDENTS)
def write(tenant_id: int, number: int) -> ResponseReturnValue:
    """Write the cause of an incident and what was done."""
    by = current_account().login
    try:
        inputs.refuse_patient_numbers("cause", "done")
        with state().database.write(scope(), by=by) as session:
            write_review(
                session,
                tenant_id,
                number,
                cause=inputs.text("cause"),
                done=inputs.text("done"),
                seen_version=inputs.optional_count("version"),
                now=datetime.now(UTC),
                by=by,
            )
    except Invalid as error:
        return incident_view.page(tenant_id, number, error, "review"), 422
    except Stale as error:
        return incident_view.page(tenant_id, number, error, "review"), 409
    flash(_("La revue de l'incident est enregistrée."))
    return _back(tenant_id, number)


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/actions")
@requires(Permission.HANDLE_INCIDENTS)
def plan(tenant_id: int, number: int) -> ResponseReturnValue:
    """Decide that somebody does something until a day."""
    by = current_account().login
    try:
        inputs.refuse_patient_numbers("action")
        with state().database.write(scope(), by=by) as session:
            plan_action(
                session,
                tenant_id,
                number,
                title=inputs.text("action"),
                in_charge=inputs.text("in_charge"),
                due_on=inputs.day("due_on"),
                now=datetime.now(UTC),
                by=by,
            )
    except Invalid as error:
        named = Invalid("action", error.message) if error.field == "title" else error
        return incident_view.page(tenant_id, number, named, "action"), 422
    flash(_("L'action est ajoutée."))
    return _back(tenant_id, number)


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/actions/<int:action>")
@requires(Permission.HANDLE_INCIDENTS)
def settle(tenant_id: int, number: int, action: int) -> ResponseReturnValue:
    """Say that an action was done, or is dropped."""
    by, done = current_account().login, inputs.text("deed") == "done"
    with state().database.write(scope(), by=by) as session:
        settle_action(session, tenant_id, number, action, done=done, now=datetime.now(UTC), by=by)
    flash(_("L'action est faite.") if done else _("L'action est abandonnée."))
    return _back(tenant_id, number)


def _back(tenant_id: int, number: int) -> ResponseReturnValue:
    return go_to(url_for("incidents.show", tenant_id=tenant_id, number=number, _anchor="review"))
