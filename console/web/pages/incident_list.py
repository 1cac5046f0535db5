"""Incidents: all in scope, and those of one adherent."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from console.actions.incidents import Priority
from console.domain.access import Permission
from console.store.queries import names
from console.store.queries.incident_list import STATES, list_incidents
from console.web import inputs
from console.web.access import requires, scope
from console.web.fragments import wants_fragment
from console.web.state import state

PRIORITIES = tuple(priority.value for priority in Priority)

bp = Blueprint("incident_list", __name__)


@bp.get("/incidents")
@requires(Permission.SEE_ADHERENTS)
def index() -> ResponseReturnValue:
    """Every incident in scope."""
    return _list(None)


@bp.get("/adherents/<int:tenant_id>/incidents")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The incidents of one adherent."""
    return _list(tenant_id)


def _list(tenant_id: int | None) -> str:
    asked, priority = request.args.get("state", ""), request.args.get("priority", "")
    with state().database.read(scope()) as session:
        adherent = None if tenant_id is None else names.adherent(session, tenant_id)
        found = list_incidents(
            session,
            now=datetime.now(UTC),
            state=asked if asked in STATES else "",
            priority=priority if priority in PRIORITIES else "",
            tenant_id=tenant_id,
            page=inputs.asked_page(),
        )
    template = "incident_list/list.html" if wants_fragment() else "incident_list/index.html"
    return render_template(
        template,
        adherent=adherent,
        found=found,
        asked=asked,
        priority=priority,
        states=STATES,
        priorities=PRIORITIES,
    )
