"""One adherent: facts, subscriptions, claimed workloads, incidents, energy and carbon of the month."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.domain.access import Permission
from console.store.queries.adherent import adherent_page
from console.store.queries.incidents import list_incidents
from console.web.access import requires, scope
from console.web.state import state

INCIDENTS = 8  # listed on the page

bp = Blueprint("adherent", __name__)


@bp.get("/adherents/<int:tenant_id>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int) -> ResponseReturnValue:
    """The page of an adherent."""
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        return render_template(
            "adherent/show.html",
            adherent=adherent_page(session, tenant_id, now=now),
            incidents=list_incidents(session, now=now, tenant_id=tenant_id, size=INCIDENTS),
        )
