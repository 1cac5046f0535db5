"""The page of an incident, to which the forms of several screens come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import render_template, request

from console.domain.access import Permission
from console.domain.clock import Phase
from console.domain.errors import DomainError, Invalid
from console.domain.incident_log import TEXTS
from console.domain.patient_data import patient_numbers
from console.store.queries import incident_file
from console.store.queries.adherent import adherent_page
from console.store.queries.incidents import IncidentPage, incident_page
from console.store.queries.message_templates import template, templates
from console.web.access import allowed, scope
from console.web.errors import message_of
from console.web.filled_forms import filled_form
from console.web.fragments import wants_fragment
from console.web.incident_words import written_from
from console.web.languages import today
from console.web.state import state

PROGRAMS = ("service_desk", "alertmanager")  # what opens incidents without anybody to confirm a text
RESOLVED = (Phase.RESOLVED, Phase.CLOSED)


def page(tenant_id: int, number: int, error: DomainError | None = None, part: str = "") -> str:
    """One incident; `error` is told in the form of one `part`, which shows what was typed again."""
    internal, may_handle = allowed(Permission.SEE_INTERNAL), allowed(Permission.HANDLE_INCIDENTS)
    now, chosen = datetime.now(UTC), _template()
    with state().database.read(scope()) as session:
        incident = incident_page(session, tenant_id, number, now=now)
        timeline = incident_file.timeline(session, tenant_id, number, internal=internal)
        shown = {
            "timeline": timeline,
            "suspect": internal and _names_a_patient(incident, timeline),
            "review": incident_file.review_of(session, tenant_id, number) if internal else None,
            "actions": incident_file.actions_of(session, tenant_id, number) if internal else [],
            "templates": templates(session) if may_handle else [],
            "places": incident_file.places_of(session, tenant_id) if may_handle else [],
            "subscriptions": adherent_page(session, tenant_id, now=now).running if may_handle else [],
            "draft": written_from(template(session, chosen), incident) if chosen else "",
        }
    wrong = {error.field: message_of(error)} if isinstance(error, Invalid) else {}
    return render_template(
        "incidents/incident.html" if wants_fragment() else "incidents/show.html",
        incident=incident,
        chosen=chosen,
        part=part if error else "",
        typed=request.form if error else {},
        told=filled_form(_particulars(incident), error if part == "particulars" else None),
        errors=wrong,
        refusal=message_of(error) if error and not wrong else "",
        is_over=incident.phase in RESOLVED,
        today=today(incident.zone),
        **shown,
    )


def _particulars(incident: IncidentPage) -> dict[str, list[str]]:
    """The fields of the form that tells an incident anew; a priority of the matrix is not told."""
    told = {
        "impact": incident.impact,
        "urgency": incident.urgency,
        "priority": None if incident.priority == incident.by_matrix else incident.priority,
        "category": incident.category,
        "effect": incident.effect,
        "security": "yes" if incident.is_security else None,
    }
    return {
        **{field: [] if value is None else [str(value)] for field, value in told.items()},
        "touches": [str(one.subscription) for one in incident.touched],
        "sites": [place.code for place in incident.sites],
    }


def _names_a_patient(incident: IncidentPage, timeline: Sequence[incident_file.Entry]) -> bool:
    """Whether a text of a program seems to; of what people typed they confirmed that it does not."""
    told = [one for one in timeline if "/" in one.by]  # no login has a slash
    texts = [one.comment.text for one in told if one.comment]
    if incident.origin in PROGRAMS or any(one.line and one.line.kind in TEXTS for one in told):
        texts += incident.title, incident.description or ""
    return any(map(patient_numbers, texts))


def _template() -> int | None:
    """The template that the address asks for, to write a comment from; staff alone write from one."""
    value = request.args.get("template", "")
    asked = value.isascii() and value.isdigit() and len(value) < 10 and allowed(Permission.HANDLE_INCIDENTS)
    return int(value) if asked else None
