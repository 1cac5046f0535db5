"""Why a due date of an incident is what it is: a drawer on its page, or a page of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.domain.access import Permission
from console.domain.escalation import Promise
from console.store.queries.explanations import explained_incident
from console.web.access import requires, scope
from console.web.fragments import wants_fragment
from console.web.languages import current_language
from console.web.state import state
from reports import due_date

bp = Blueprint("explanations", __name__)


@bp.get("/adherents/<int:tenant_id>/incidents/<int:number>/due-dates/<any(tto, ttr):clock>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int, clock: str) -> ResponseReturnValue:
    """The steps to the due date of one clock, and the levels that are told around it."""
    with state().database.read(scope()) as session:
        incident = explained_incident(session, tenant_id, number, now=datetime.now(UTC))
    explained, language = incident.clocks[Promise(clock)], current_language()
    return render_template(
        "explanations/clock.html" if wants_fragment() else "explanations/show.html",
        incident=incident,
        clock=clock,
        name=due_date.clock_words(clock, language),
        target=due_date.target_words(explained.explanation.target, language),
        lines=due_date.lines(explained.explanation.steps, incident.zone, language),
        explained=explained,
    )
