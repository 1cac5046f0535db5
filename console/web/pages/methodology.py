"""The methodology page: how energy and carbon are reckoned, from what is in force on the day it is read."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.domain.carbon_months import LEAST_COVERED_PERCENT
from console.domain.intervals import RETENTION
from console.domain.sharing import LOOKS_BACK_MONTHS
from console.store.queries.methodology import methodology
from console.store.session import Operator
from console.web.access import signed_in
from console.web.carbon_words import KEYS, ORIGINS, QUALITIES
from console.web.equipment_words import COMPONENT_RULES, KINDS, SOURCES
from console.web.factor_words import PERIMETERS
from console.web.fleet_words import BOUNDARIES, POLICIES
from console.web.languages import ZONE, today
from console.web.site_words import QUANTITIES
from console.web.state import state

bp = Blueprint("methodology", __name__)


@bp.get("/methodology")
@signed_in
def show() -> ResponseReturnValue:
    """For everybody who is signed in: it names no adherent."""
    with state().database.read(Operator()) as session:
        method = methodology(session, today())
    return render_template(
        "methodology/show.html",
        method=method,
        last_hours=[(zone, hour.astimezone(ZoneInfo(ZONE))) for zone, hour in method.grid],
        perimeters=PERIMETERS,
        key_kinds=KEYS,
        origins=ORIGINS,
        qualities=QUALITIES,
        boundaries=BOUNDARIES,
        policy_names=POLICIES,
        equipment_kinds=KINDS,
        components=COMPONENT_RULES,
        quantities=QUANTITIES,
        impact_sources=SOURCES,
        least_covered=LEAST_COVERED_PERCENT,
        retention_days=RETENTION.days,
        looks_back=LOOKS_BACK_MONTHS,
    )
