"""Emission factors: the registry, one of them and where it is used, and what is written down of them."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from console.domain.access import Permission
from console.store.queries.factors import Asked, registry
from console.web.access import requires, scope
from console.web.factor_words import PERIMETERS
from console.web.state import state

bp = Blueprint("factors", __name__)


@bp.get("/carbon/factors")
@requires(Permission.SEE_CATALOGUE)
def index() -> ResponseReturnValue:
    """The registry, narrowed by what the address asks for."""
    asked = Asked(
        **{name: request.args.get(name, "") for name in ("perimeter", "geography", "standing", "confirmed")}
    )
    with state().database.read(scope()) as session:
        known = registry(session)
    return render_template(
        "factors/index.html",
        asked=asked,
        found=[one for one in known if asked.fits(one)],
        geographies=sorted({one.factor.geography for one in known}),
        perimeters=PERIMETERS,
    )
