"""The form of what is stated of the hosting of a service."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.hosting import state_facts
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.hosting import (
    Activity,
    DataCentre,
    HostingFacts,
    Transfers,
    read_subcontractors,
    write_subcontractors,
)
from console.store.queries import catalogue
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.deeds import carry_out
from console.web.languages import today
from console.web.state import state

KNOWN = "known"  # what the form says of a list that is stated, though it may be empty

bp = Blueprint("hosting", __name__)


@bp.get("/catalogue/services/<code>/hosting")
@requires(Permission.MANAGE_CATALOGUE)
def show(code: str) -> ResponseReturnValue:
    """The form of the hosting facts, filled with those that hold."""
    return _hosting_form(code, {})


@bp.post("/catalogue/services/<code>/hosting")
@requires(Permission.MANAGE_CATALOGUE)
def save(code: str) -> ResponseReturnValue:
    """State facts from a day on."""

    def deed(session: Session) -> None:
        inputs.refuse_patient_numbers("subcontractors", "transfer_details", "legal_basis", "reversibility")
        state_facts(session, code, _asked_facts(), now=datetime.now(UTC), by=current_account().login)

    return carry_out(
        deed,
        lambda errors: _hosting_form(code, errors),
        said=_("Les faits d'hébergement sont enregistrés."),
        address=url_for("catalogue.show", code=code),
    )


def _asked_facts() -> HostingFacts:
    subcontractors = read_subcontractors(inputs.text("subcontractors"))
    said = inputs.text("subcontractors_known") == KNOWN or bool(subcontractors)
    return HostingFacts(
        since=inputs.day("since"),
        data_centres=inputs.choices("data_centres", DataCentre) or None,
        country=inputs.text("country").upper() or None,
        activities=_asked_activities(),
        subcontractors=subcontractors if said else None,
        transfers=inputs.choice("transfers", Transfers) if inputs.text("transfers") else None,
        transfer_details=inputs.text("transfer_details"),
        legal_basis=inputs.text("legal_basis"),
        reversibility=inputs.text("reversibility"),
        reversibility_days=inputs.optional_count("reversibility_days"),
    )


def _asked_activities() -> list[Activity] | None:
    """The activities that were ticked; none ticked and said to be known: the service is outside HDS."""
    numbers = {str(activity.value): activity for activity in Activity}
    ticked = request.form.getlist("activities")
    if any(number not in numbers for number in ticked):
        raise Invalid("activities", "Un choix de la liste est attendu.")
    if not ticked and inputs.text("activities_known") != KNOWN:
        return None
    return sorted(numbers[number] for number in set(ticked))


def _hosting_form(code: str, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        service = catalogue.service_page(session, code, today())
    facts = service.hosting.facts if service.hosting else HostingFacts(today())
    return render_template(
        "catalogue/hosting.html",
        service=service,
        facts=facts,
        subcontractors=write_subcontractors(facts.subcontractors or ()),
        activities=list(Activity),
        data_centres=list(DataCentre),
        transfers=list(Transfers),
        today=today(),
        errors=errors,
    )
