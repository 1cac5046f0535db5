"""An incident as a report to read or to take away, with both its due dates explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from console.domain.access import Permission
from console.domain.escalation import Promise
from console.store.audit import record
from console.store.queries.explanations import ExplainedIncident, explained_incident
from console.web import generated
from console.web.access import current_account, requires, scope
from console.web.languages import current_language
from console.web.state import state
from reports import incident as report
from reports.document import Document
from reports.figures import SlaState
from reports.formats import html, pdf

bp = Blueprint("incident_report", __name__)


@bp.get("/adherents/<int:tenant_id>/incidents/<int:number>/report")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """The report as a page."""
    incident, document = _report(tenant_id, number)
    return render_template(
        "incident_report/show.html", incident=incident, report=html.fragment(document, current_language())
    )


@bp.get("/adherents/<int:tenant_id>/incidents/<int:number>/report.pdf")
@requires(Permission.SEE_ADHERENTS)
def as_pdf(tenant_id: int, number: int) -> ResponseReturnValue:
    """The report as an accessible PDF; the audit log says who took it."""
    _incident, document = _report(tenant_id, number)
    with state().database.write(scope(), by=current_account().login) as session:
        record(session, tenant_id, "incident.downloaded", f"incident/{number}", {"format": "pdf"})
    answer = Response(pdf.render(document, current_language()), content_type="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{document.name}.pdf")
    return answer


def _report(tenant_id: int, number: int) -> tuple[ExplainedIncident, Document]:
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        incident = explained_incident(session, tenant_id, number, now=now)
    document = report.document(_figures(incident, now), current_language())
    return incident, replace(document, marks=(*generated.marks(), *document.marks))


def _figures(incident: ExplainedIncident, now: datetime) -> report.IncidentFigures:
    return report.IncidentFigures(
        adherent=incident.adherent,
        zone=incident.zone,
        number=incident.number,
        title=incident.title,
        service=incident.service_fr if current_language().code == "fr" else incident.service_en,
        priority=incident.priority,
        plan=incident.plan,
        plan_version=incident.plan_version,
        calendar=incident.calendar,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        log=[(event.kind.value, event.at) for event in incident.log],
        clocks=[_clock(incident, promise) for promise in Promise],
        as_of=now,
        generated_by=current_account().name,
    )


def _clock(incident: ExplainedIncident, promise: Promise) -> report.ClockFigures:
    explained = incident.clocks[promise]
    deadline, explanation = explained.deadline, explained.explanation
    return report.ClockFigures(
        clock=promise.value,
        target=explanation.target,
        state=SlaState.WAITING if deadline.due_at is None else SlaState(deadline.state),
        due_at=deadline.due_at,
        stopped_at=incident.owned_at if promise is Promise.TTO else incident.resolved_at,
        consumed_s=deadline.consumed_s,
        remaining_s=deadline.remaining_s,
        steps=explanation.steps,
    )
