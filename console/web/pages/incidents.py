"""One incident with its log, and the form that opens one."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.incidents import Particulars, Priority, open_incident, record_event
from console.domain.access import Permission
from console.domain.clock import EventKind
from console.domain.errors import Invalid
from console.domain.patient_data import patient_numbers
from console.store.queries import names
from console.store.queries.adherent import adherent_page
from console.store.queries.incidents import incident_page
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.state import state

PRIORITIES = tuple(priority.value for priority in Priority)

bp = Blueprint("incidents", __name__)


@bp.get("/adherents/<int:tenant_id>/incidents/new")
@requires(Permission.HANDLE_INCIDENTS)
def new(tenant_id: int) -> ResponseReturnValue:
    """The form that opens an incident."""
    return _form(tenant_id, {})


@bp.post("/adherents/<int:tenant_id>/incidents")
@requires(Permission.HANDLE_INCIDENTS)
def add(tenant_id: int) -> ResponseReturnValue:
    """Open an incident; a title that seems to name a patient must be confirmed first."""
    title, now = inputs.text("title"), datetime.now(UTC)
    suspect = patient_numbers(title)
    if suspect and not inputs.text("confirmed"):
        return _form(tenant_id, {}, suspect), 422
    try:
        subscription = inputs.subscription()
        with state().database.write(scope(), by=current_account().login) as session:
            zone = names.adherent(session, tenant_id).zone
            number = open_incident(
                session,
                tenant_id=tenant_id,
                subscription=subscription,
                title=title,
                told=Particulars(priority=inputs.choice("priority", Priority)),
                at=inputs.past_instant("at", zone, now=now),
                now=now,
                by=current_account().login,
            )
    except Invalid as error:
        return _form(tenant_id, {error.field: message_of(error)}), 422
    flash(_("L'incident est ouvert."))
    return go_to(url_for("incidents.show", tenant_id=tenant_id, number=number))


@bp.get("/adherents/<int:tenant_id>/incidents/<int:number>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """One incident with its log and what may happen next."""
    return _page(tenant_id, number, {})


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/events")
@requires(Permission.HANDLE_INCIDENTS)
def record(tenant_id: int, number: int) -> ResponseReturnValue:
    """Record what happened to an incident."""
    now = datetime.now(UTC)
    try:
        with state().database.write(scope(), by=current_account().login) as session:
            zone = names.adherent(session, tenant_id).zone
            record_event(
                session,
                tenant_id=tenant_id,
                number=number,
                kind=inputs.choice("kind", EventKind),
                at=inputs.past_instant("at", zone, now=now),
                now=now,
                by=current_account().login,
            )
    except Invalid as error:
        return _page(tenant_id, number, {error.field: message_of(error)}), 422
    if wants_fragment():
        return _page(tenant_id, number, {})
    return go_to(url_for("incidents.show", tenant_id=tenant_id, number=number))


def _form(tenant_id: int, errors: dict[str, str], suspect: list[str] | None = None) -> str:
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        adherent = adherent_page(session, tenant_id, now=now)
    return render_template(
        "incidents/form.html" if wants_fragment() else "incidents/new.html",
        adherent=adherent,
        subscriptions=[line for line in adherent.subscriptions if line.status != "ended"],
        priorities=PRIORITIES,
        errors=errors,
        suspect=suspect or [],
    )


def _page(tenant_id: int, number: int, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        incident = incident_page(session, tenant_id, number, now=datetime.now(UTC))
    template = "incidents/incident.html" if wants_fragment() else "incidents/show.html"
    return render_template(template, incident=incident, errors=errors)
