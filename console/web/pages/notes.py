"""What the operator writes for itself about an adherent."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.notes import edit_note, end_note, redact_note, write_note
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.store.queries import names
from console.store.queries.notes import notes_of
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.state import state

bp = Blueprint("notes", __name__)


@bp.get("/adherents/<int:tenant_id>/notes")
@requires(Permission.SEE_PORTFOLIO)
def index(tenant_id: int) -> ResponseReturnValue:
    """The notes about an adherent."""
    return _page(tenant_id)


@bp.post("/adherents/<int:tenant_id>/notes")
@requires(Permission.MANAGE_ADHERENTS)
def add(tenant_id: int) -> ResponseReturnValue:
    """Write a note."""
    by = current_account().login
    try:
        inputs.refuse_patient_numbers("text")
        with state().database.write(scope(), by=by) as session:
            write_note(session, tenant_id, inputs.text("text"), now=datetime.now(UTC), by=by)
    except Invalid as error:
        return _page(tenant_id, error), 422
    flash(_("La note est écrite."))
    return go_to(url_for("notes.index", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/notes/<int:number>")
@requires(Permission.MANAGE_ADHERENTS)
def change(tenant_id: int, number: int) -> ResponseReturnValue:
    """Edit one's own note."""
    by = current_account().login
    try:
        inputs.refuse_patient_numbers("text")
        with state().database.write(scope(), by=by) as session:
            edit_note(session, tenant_id, number, inputs.text("text"), now=datetime.now(UTC), by=by)
    except Invalid as error:
        return _page(tenant_id, error, number), 422
    flash(_("La note est modifiée."))
    return go_to(url_for("notes.index", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/notes/<int:number>/end")
@requires(Permission.MANAGE_ADHERENTS)
def end(tenant_id: int, number: int) -> ResponseReturnValue:
    """A note no longer holds."""
    by = current_account().login
    with state().database.write(scope(), by=by) as session:
        end_note(session, tenant_id, number, now=datetime.now(UTC), by=by)
    flash(_("La note est terminée."))
    return go_to(url_for("notes.index", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/notes/<int:number>/redact")
@requires(Permission.REDACT)
def redact(tenant_id: int, number: int) -> ResponseReturnValue:
    """Take the text of a note away for good."""
    by = current_account().login
    with state().database.write(scope(), by=by) as session:
        redact_note(session, tenant_id, number, now=datetime.now(UTC), by=by)
    flash(_("La note est caviardée : son texte n'est plus nulle part."))
    return go_to(url_for("notes.index", tenant_id=tenant_id))


def _page(tenant_id: int, error: Invalid | None = None, number: int | None = None) -> str:
    with state().database.read(scope()) as session:
        return render_template(
            "notes/index.html",
            adherent=names.adherent(session, tenant_id),
            notes=notes_of(session, tenant_id),
            me=current_account().login,
            typed=request.form.get("text", ""),
            errors={error.field: message_of(error)} if error else {},
            row=number,
        )
