"""The workloads claimed for one adherent: what it holds, and the forms that claim and end."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.claims import claim_workload, end_claim
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.store.queries import names
from console.store.queries.adherent import adherent_page
from console.store.queries.claims import FreeWorkload, free_workloads
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state

bp = Blueprint("claims", __name__)


@bp.get("/adherents/<int:tenant_id>/claims")
@requires(Permission.MANAGE_CLAIMS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The claims of an adherent, with their forms."""
    return _page(tenant_id, {})


@bp.get("/adherents/<int:tenant_id>/workloads")
@requires(Permission.MANAGE_CLAIMS)
def workloads(tenant_id: int) -> ResponseReturnValue:
    """The workloads that may be claimed, for the form: those whose name holds every word."""
    with state().database.read(scope()) as session:
        names.adherent(session, tenant_id)
    return render_template("claims/workloads.html", workloads=_free_workloads(), errors={})


@bp.post("/adherents/<int:tenant_id>/claims")
@requires(Permission.MANAGE_CLAIMS)
def claim(tenant_id: int) -> ResponseReturnValue:
    """Claim a workload for a subscription of the adherent."""
    by = current_account().login
    try:
        host_id, workload_id = inputs.workload()
        subscription = inputs.subscription()
        with state().database.read(scope()) as session:
            names.adherent(session, tenant_id)
        with state().database.write(Operator(), by=by) as session:  # it moves energy from the operator
            claim_workload(
                session,
                tenant_id=tenant_id,
                subscription=subscription,
                host_id=host_id,
                workload_id=workload_id,
                first_day=inputs.day("first_day"),
                last_day=inputs.optional_day("last_day"),
                now=datetime.now(UTC),
                by=by,
            )
    except Invalid as error:
        return _page(tenant_id, {error.field: message_of(error)}), 422
    flash(_("La charge est affectée : son énergie est celle de l'adhérent."))
    return go_to(url_for("claims.of_adherent", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/claims/<int:claim_id>")
@requires(Permission.MANAGE_CLAIMS)
def change(tenant_id: int, claim_id: int) -> ResponseReturnValue:
    """End a claim."""
    by = current_account().login
    try:
        with state().database.read(scope()) as session:
            names.adherent(session, tenant_id)
        with state().database.write(Operator(), by=by) as session:  # it moves energy to the operator
            end_claim(session, tenant_id, claim_id, last_day=inputs.day("last_day"), now=datetime.now(UTC))
    except Invalid as error:
        return _page(tenant_id, {error.field: message_of(error)}, claim_id), 422
    flash(_("L'affectation est terminée."))
    return go_to(url_for("claims.of_adherent", tenant_id=tenant_id))


def _free_workloads() -> list[FreeWorkload]:
    with state().database.read(Operator()) as session:
        return free_workloads(session, inputs.words(), now=datetime.now(UTC))


def _page(tenant_id: int, errors: dict[str, str], row: int | None = None) -> str:
    """The page, or the part that a form replaces; `row` is the claim whose form was refused."""
    with state().database.read(scope()) as session:
        adherent = adherent_page(session, tenant_id, now=datetime.now(UTC))
    return render_template(
        "claims/forms.html" if wants_fragment() else "claims/of_adherent.html",
        adherent=adherent,
        workloads=_free_workloads(),
        today=today(adherent.zone),
        errors=errors,
        row=row,
    )
