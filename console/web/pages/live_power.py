"""What the fleet draws now: a page whose figures ask for themselves anew while somebody looks."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from console.domain.access import Permission
from console.store.queries.live_power import live_power
from console.store.session import Operator
from console.web.access import requires, unattended
from console.web.state import state

LISTED = 30  # hosts: the page stays light; a site or a cluster shows the others

bp = Blueprint("live_power", __name__)


@bp.get("/fleet/live")
@requires(Permission.SEE_FLEET)
def show() -> ResponseReturnValue:
    """The whole page."""
    return render_template("fleet/live.html", **_now())


@bp.get("/fleet/live/now")
@requires(Permission.SEE_FLEET)
@unattended
def figures() -> ResponseReturnValue:
    """The figures alone, with the total that is read aloud."""
    return render_template("fleet/live_figures.html", is_update=True, **_now())


def _now() -> dict[str, object]:
    now = datetime.now(UTC)
    site, cluster = request.args.get("site", "").strip(), request.args.get("cluster", "").strip()
    with state().database.read(Operator()) as session:
        seen = live_power(session, now=now, site=site, cluster=cluster)
    filters = {name: value for name, value in (("site", site), ("cluster", cluster)) if value}
    return {"seen": seen, "listed": LISTED, "filters": filters, "now": now}
