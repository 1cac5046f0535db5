"""Texts from which what adherents read of incidents is written."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.message_templates import add_template, change_template, retire_template
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.messages import Word
from console.domain.revisions import Stale
from console.store.queries.message_templates import template, templates
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.state import state

FIELDS = ("name", "text_fr", "text_en")

bp = Blueprint("message_templates", __name__)


@bp.get("/incidents/templates")
@requires(Permission.SEE_INTERNAL)
def index() -> ResponseReturnValue:
    """The templates that are offered."""
    with state().database.read(scope()) as session:
        found = templates(session)
    return render_template("message_templates/index.html", templates=found)


@bp.get("/incidents/templates/new")
@requires(Permission.MANAGE_CATALOGUE)
def new() -> ResponseReturnValue:
    """The form that keeps a template."""
    return _form(None)


@bp.post("/incidents/templates/new")
@requires(Permission.MANAGE_CATALOGUE)
def add() -> ResponseReturnValue:
    """Keep a template."""
    try:
        inputs.refuse_patient_numbers(*FIELDS)
        with state().database.write(Operator(), by=current_account().login) as session:
            add_template(session, **_typed())
    except Invalid as error:
        return _form(None, error), 422
    flash(_("Le modèle est gardé."))
    return go_to(url_for("message_templates.index"))


@bp.get("/incidents/templates/<int:template_id>")
@requires(Permission.MANAGE_CATALOGUE)
def edit(template_id: int) -> ResponseReturnValue:
    """The form that changes a template."""
    return _form(template_id)


@bp.post("/incidents/templates/<int:template_id>")
@requires(Permission.MANAGE_CATALOGUE)
def change(template_id: int) -> ResponseReturnValue:
    """Change a template."""
    try:
        inputs.refuse_patient_numbers(*FIELDS)
        with state().database.write(Operator(), by=current_account().login) as session:
            change_template(session, template_id, **_typed(), seen_version=inputs.text("version"))
    except Invalid as error:
        return _form(template_id, error), 422
    except Stale as error:
        return _form(template_id, error), 409
    flash(_("Le modèle est modifié."))
    return go_to(url_for("message_templates.index"))


@bp.post("/incidents/templates/<int:template_id>/retire")
@requires(Permission.MANAGE_CATALOGUE)
def retire(template_id: int) -> ResponseReturnValue:
    """Offer a template no more."""
    with state().database.write(Operator(), by=current_account().login) as session:
        retire_template(session, template_id, now=datetime.now(UTC))
    flash(_("Le modèle n'est plus proposé."))
    return go_to(url_for("message_templates.index"))


def _typed() -> dict[str, str]:
    return {field: inputs.text(field) for field in FIELDS}


def _form(template_id: int | None, error: Invalid | Stale | None = None) -> str:
    with state().database.read(scope()) as session:
        kept = None if template_id is None else template(session, template_id)
    untouched = {field: getattr(kept, field) if kept else "" for field in FIELDS}
    wrong = {error.field: message_of(error)} if isinstance(error, Invalid) else {}
    return render_template(
        "message_templates/form.html",
        template=kept,
        typed=request.form if error else untouched,
        words=[word.value for word in Word],
        version=request.form.get("version", "") if wrong else kept.version if kept else "",
        errors=wrong,
        stale=message_of(error) if isinstance(error, Stale) else "",
    )
