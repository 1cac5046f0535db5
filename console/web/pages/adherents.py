"""The list of adherents, and the directory from which one is chosen."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.adherents import add_adherent
from console.domain.access import SEES_EVERY_ADHERENT, Permission
from console.store.queries.adherents import list_adherents
from console.store.queries.directory import departments, search_sites
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state

bp = Blueprint("adherents", __name__)


@bp.get("/adherents")
@requires(Permission.SEE_ADHERENTS)
def index() -> ResponseReturnValue:
    """The adherents in scope, searched by name, FINESS or SIREN."""
    words = request.args.get("words", "").strip()
    month = today().replace(day=1)
    with state().database.read(scope()) as session:
        found = list_adherents(session, month, words, inputs.asked_page())
    template = "adherents/list.html" if wants_fragment() else "adherents/index.html"
    return render_template(template, found=found, words=words, month=month)


@bp.get("/adherents/directory")
@requires(Permission.MANAGE_ADHERENTS)
def directory() -> ResponseReturnValue:
    """Sites of the national directory, to choose an adherent from."""
    words, department = request.args.get("words", "").strip(), request.args.get("department", "").strip()
    with state().database.read(scope()) as session:
        found = search_sites(session, words, department, inputs.asked_page())
        known_departments = departments(session)
    template = "adherents/sites.html" if wants_fragment() else "adherents/directory.html"
    return render_template(
        template, found=found, words=words, department=department, departments=known_departments
    )


@bp.post("/adherents")
@requires(Permission.MANAGE_ADHERENTS)
def add() -> ResponseReturnValue:
    """Make the legal entity of a site an adherent; it joins the portfolio of who chose it."""
    account = current_account()
    entrust_to = None if account.role in SEES_EVERY_ADHERENT else account.account_id
    with state().database.write(Operator()) as session:  # it is in nobody's scope yet
        tenant_id = add_adherent(
            session, inputs.text("finess_et"), now=datetime.now(UTC), entrust_to=entrust_to
        )
    flash(_("L'adhérent est ajouté : abonnez-le à ses services."))
    return go_to(url_for("adherent.show", tenant_id=tenant_id))
