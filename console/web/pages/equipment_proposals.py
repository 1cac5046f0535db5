"""Impacts that things may have by the name of their model: a person confirms or refuses them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.orm import Session

from console.actions.equipment import confirm_impact, refuse_impact
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.store.queries.equipment_proposals import proposals
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.equipment_words import KINDS
from console.web.state import state

LISTED = 500
CHOSEN = re.compile(r"([0-9]{1,9}):([0-9]{1,4})")  # a thing and a version

bp = Blueprint("equipment_proposals", __name__)


class Decision(StrEnum):
    """What a person says of proposals."""

    CONFIRM = "confirm"
    REFUSE = "refuse"


@bp.get("/carbon/equipment/proposals")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """What waits, the surest first."""
    return _page({})


@bp.post("/carbon/equipment/proposals")
@requires(Permission.MANAGE_CARBON)
def decide() -> ResponseReturnValue:
    """Confirm or refuse those that were ticked, all or none."""
    count = len(set(request.form.getlist("chosen")))
    said = {
        "confirm": ngettext("%(num)s empreinte confirmée.", "%(num)s empreintes confirmées.", count),
        "refuse": ngettext("%(num)s empreinte refusée.", "%(num)s empreintes refusées.", count),
    }
    return carry_out(
        _deed, _page, said=said.get(inputs.text("decision"), ""), address=url_for("equipment_proposals.index")
    )


def _deed(session: Session) -> None:
    decision, now, by = inputs.choice("decision", Decision), datetime.now(UTC), current_account().login
    decided = confirm_impact if decision is Decision.CONFIRM else refuse_impact
    for equipment_id, version in _chosen():
        decided(session, equipment_id, version, now=now, by=by)


def _chosen() -> list[tuple[int, int]]:
    """The versions that were ticked, each once, in the order in which things are locked."""
    found = [CHOSEN.fullmatch(text) for text in set(request.form.getlist("chosen"))]
    if not found:
        raise Invalid("chosen", "Cochez au moins une empreinte.")
    if not all(found):
        raise Invalid("chosen", "Un choix de la liste est attendu.")
    return sorted((int(one[1]), int(one[2])) for one in found if one)


def _page(errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        found = proposals(session)
    return render_template(
        "equipment/proposals.html",
        found=found[:LISTED],
        count=len(found),
        listed=LISTED,
        ticked=set(request.form.getlist("chosen")),
        error=errors.get("chosen") or errors.get("decision"),
        kinds=KINDS,
    )
