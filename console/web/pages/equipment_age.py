"""What grows old: ages of what is in use, what comes to the end of its plan, what was bought second hand."""

from __future__ import annotations

from fractions import Fraction

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.access import Permission
from console.domain.equipment import EquipmentKind
from console.domain.second_hand import least_share
from console.store.queries.equipment_age import OLDEST_YEARS, Aging, Pieces, aging
from console.store.session import Operator
from console.web.access import requires
from console.web.equipment_words import KINDS
from console.web.languages import current_language, today
from console.web.state import state
from reports.document import Chart, Series
from reports.quantities import Kind

bp = Blueprint("equipment_age", __name__)


@bp.get("/carbon/equipment/obsolescence")
@requires(Permission.SEE_FLEET)
def show() -> ResponseReturnValue:
    """How old what is in use is, what comes to the end of its plan, and what was bought second hand."""
    with state().database.read(Operator()) as session:
        found = aging(session, today())
    return render_template(
        "equipment/obsolescence.html",
        found=found,
        chart=_chart(found),
        kinds=KINDS,
        share=_share,
        least_share=least_share,
        percent=current_language().percent,
        reached=_reached,
    )


def _chart(found: Aging) -> Chart | None:
    """Pieces in use by their age, each kind of equipment a series; None where no age is known."""
    used = [kind for kind in EquipmentKind if any(by_kind.get(kind) for _years, by_kind in found.ages)]
    if not used:
        return None
    return Chart(
        title=_("Pièces en service, par âge révolu et par nature"),
        description=_("Âge en années révolues ; %(oldest)s+ : %(oldest)s ans et plus.", oldest=OLDEST_YEARS),
        kind=Kind.COUNT,
        moment_title=_("Âge (ans)"),
        moments=tuple(f"{years}+" if years == OLDEST_YEARS else str(years) for years, _by_kind in found.ages),
        series=tuple(
            Series(str(KINDS[kind.value]), tuple(by_kind.get(kind, 0) for _years, by_kind in found.ages))
            for kind in used
        ),
    )


def _share(pieces: Pieces) -> str:
    return current_language().percent(Fraction(pieces.second_hand, pieces.bought)) if pieces.bought else ""


def _reached(pieces: Pieces, year: int) -> bool | None:
    """Whether the share that is owed was bought second hand; None where none is, or nothing was bought."""
    owed = least_share(year)
    return None if owed is None or not pieces.bought else pieces.second_hand >= pieces.bought * owed
