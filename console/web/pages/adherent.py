"""One adherent: facts, subscriptions, claimed workloads, incidents, energy and carbon of the month."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.claims import claim_workload, end_claim
from console.actions.subscriptions import (
    end_subscription,
    resume_subscription,
    subscribe,
    suspend_subscription,
)
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.store.queries import names
from console.store.queries.adherent import FreeWorkload, adherent_page, free_workloads
from console.store.queries.incidents import list_incidents
from console.store.queries.plans import offers
from console.store.session import Operator
from console.web import inputs
from console.web.access import allowed, current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state

INCIDENTS = 8  # listed on the page
LARGEST_ID = 2**63 - 1  # of a host or a workload

bp = Blueprint("adherent", __name__)


@bp.get("/adherents/<int:tenant_id>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int) -> ResponseReturnValue:
    """The page of an adherent."""
    return _page(tenant_id)


@bp.post("/adherents/<int:tenant_id>/subscriptions")
@requires(Permission.MANAGE_ADHERENTS)
def add_subscription(tenant_id: int) -> ResponseReturnValue:
    """Subscribe the adherent to a service."""
    try:
        with state().database.write(scope()) as session:
            subscribe(
                session,
                tenant_id,
                inputs.text("service"),
                starts_on=inputs.day("starts_on"),
                ends_on=inputs.optional_day("ends_on"),
                volume=inputs.optional_count("volume"),
                contract=inputs.text("contract") or None,
            )
    except Invalid as error:
        return _refused(tenant_id, "subscriptions", error)
    flash(_("La souscription est enregistrée."))
    return go_to(url_for("adherent.show", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/subscriptions/<int:number>")
@requires(Permission.MANAGE_ADHERENTS)
def change_subscription(tenant_id: int, number: int) -> ResponseReturnValue:
    """Suspend, resume or end a subscription."""
    deed, now = inputs.text("deed"), datetime.now(UTC)
    try:
        with state().database.write(scope()) as session:
            if deed == "suspend":
                suspend_subscription(session, tenant_id, number)
            elif deed == "resume":
                resume_subscription(session, tenant_id, number)
            elif deed == "end":
                end_subscription(session, tenant_id, number, ends_on=inputs.day("ends_on"), now=now)
            else:
                raise Invalid("deed", "Un choix de la liste est attendu.")
    except Invalid as error:
        return _refused(tenant_id, "subscriptions", error, number)
    flash(_("La souscription est modifiée."))
    return go_to(url_for("adherent.show", tenant_id=tenant_id))


@bp.get("/adherents/<int:tenant_id>/workloads")
@requires(Permission.MANAGE_CLAIMS)
def workloads(tenant_id: int) -> ResponseReturnValue:
    """The workloads that may be claimed, for the form: those whose name holds every word."""
    with state().database.read(scope()) as session:
        names.adherent(session, tenant_id)
    return render_template("adherent/workloads.html", workloads=_free_workloads(), errors={})


@bp.post("/adherents/<int:tenant_id>/claims")
@requires(Permission.MANAGE_CLAIMS)
def claim(tenant_id: int) -> ResponseReturnValue:
    """Claim a workload for a subscription of the adherent."""
    try:
        host_id, workload_id = _asked_workload()
        subscription = inputs.subscription()
        with state().database.read(scope()) as session:
            names.adherent(session, tenant_id)
        with state().database.write(Operator()) as session:  # it moves energy from the operator
            claim_workload(
                session,
                tenant_id=tenant_id,
                subscription=subscription,
                host_id=host_id,
                workload_id=workload_id,
                first_day=inputs.day("first_day"),
                last_day=inputs.optional_day("last_day"),
                now=datetime.now(UTC),
                by=current_account().login,
            )
    except Invalid as error:
        return _refused(tenant_id, "claims", error)
    flash(_("La charge est affectée : son énergie est celle de l'adhérent."))
    return go_to(url_for("adherent.show", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/claims/<int:claim_id>")
@requires(Permission.MANAGE_CLAIMS)
def change_claim(tenant_id: int, claim_id: int) -> ResponseReturnValue:
    """End a claim."""
    try:
        with state().database.read(scope()) as session:
            names.adherent(session, tenant_id)
        with state().database.write(Operator()) as session:  # it moves energy to the operator
            end_claim(session, tenant_id, claim_id, last_day=inputs.day("last_day"), now=datetime.now(UTC))
    except Invalid as error:
        return _refused(tenant_id, "claims", error, claim_id)
    flash(_("L'affectation est terminée."))
    return go_to(url_for("adherent.show", tenant_id=tenant_id))


def _asked_workload() -> tuple[int, int]:
    host_id, _colon, workload_id = inputs.text("workload").partition(":")
    if not all(_is_stable_id(part) for part in (host_id, workload_id)):
        raise Invalid("workload", "Une charge est attendue.")
    return int(host_id), int(workload_id)


def _is_stable_id(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= LARGEST_ID


def _free_workloads() -> list[FreeWorkload]:
    with state().database.read(Operator()) as session:
        return free_workloads(session, request.values.get("words", "").strip(), now=datetime.now(UTC))


def _refused(tenant_id: int, part: str, error: Invalid, row: int | None = None) -> ResponseReturnValue:
    """The form again, with what is wrong; `row` is the line of the table that it belongs to."""
    template = f"adherent/{part}.html" if wants_fragment() else "adherent/show.html"
    return _page(tenant_id, template, {error.field: message_of(error)}, part, row), 422


def _page(
    tenant_id: int,
    template: str = "adherent/show.html",
    errors: dict[str, str] | None = None,
    part: str = "",
    row: int | None = None,
) -> str:
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        adherent = adherent_page(session, tenant_id, now=now)
        return render_template(
            template,
            adherent=adherent,
            incidents=list_incidents(session, now=now, tenant_id=tenant_id, size=INCIDENTS),
            offers=offers(session),
            workloads=_free_workloads() if allowed(Permission.MANAGE_CLAIMS) else [],
            today=today(adherent.zone),
            errors=errors or {},
            part=part,
            row=row,
        )
