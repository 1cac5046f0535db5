"""The workloads that serve all subscribers of a service: the operator carries their energy for them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.claims import claim_for_service, end_service_claim
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.store.queries.claims import free_workloads, shared_claims
from console.store.queries.plans import offers
from console.store.session import Operator
from console.web import inputs
from console.web.access import allowed, current_account, requires
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.languages import ZONE, today
from console.web.state import state

bp = Blueprint("shared_claims", __name__)


@bp.get("/shared-services")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """Every shared service with its workloads."""
    return _page({})


@bp.get("/shared-services/workloads")
@requires(Permission.MANAGE_CLAIMS)
def workloads() -> ResponseReturnValue:
    """The workloads that may be claimed, for the form: those whose name holds every word."""
    with state().database.read(Operator()) as session:
        found = free_workloads(session, inputs.words(), now=datetime.now(UTC))
    return render_template("claims/workloads.html", workloads=found, errors={})


@bp.post("/shared-services/claims")
@requires(Permission.MANAGE_CLAIMS)
def claim() -> ResponseReturnValue:
    """Claim a workload for a service."""
    by = current_account().login
    try:
        host_id, workload_id = inputs.workload()
        with state().database.write(Operator(), by=by) as session:
            claim_for_service(
                session,
                service_code=inputs.text("service"),
                host_id=host_id,
                workload_id=workload_id,
                first_day=inputs.day("first_day"),
                last_day=inputs.optional_day("last_day"),
                now=datetime.now(UTC),
                by=by,
            )
    except Invalid as error:
        return _page({error.field: message_of(error)}), 422
    flash(_("La charge sert le service : l'opérateur porte son énergie pour ses abonnés."))
    return go_to(url_for("shared_claims.index"))


@bp.post("/shared-services/claims/<int:service_claim_id>")
@requires(Permission.MANAGE_CLAIMS)
def change(service_claim_id: int) -> ResponseReturnValue:
    """End a claim."""
    try:
        with state().database.write(Operator(), by=current_account().login) as session:
            last_day = inputs.day("last_day")
            end_service_claim(session, service_claim_id, last_day=last_day, now=datetime.now(UTC))
    except Invalid as error:
        return _page({error.field: message_of(error)}, service_claim_id), 422
    flash(_("L'affectation est terminée."))
    return go_to(url_for("shared_claims.index"))


def _page(errors: dict[str, str], row: int | None = None) -> str:
    now, may_claim = datetime.now(UTC), allowed(Permission.MANAGE_CLAIMS)
    with state().database.read(Operator()) as session:
        return render_template(
            "claims/shared_forms.html" if wants_fragment() else "claims/shared.html",
            claims=shared_claims(session, ZoneInfo(ZONE)),
            offers=offers(session) if may_claim else [],
            workloads=free_workloads(session, inputs.words(), now=now) if may_claim else [],
            may_claim=may_claim,
            today=today(),
            errors=errors,
            row=row,
            typed=request.form if errors and row is None else {},
        )
