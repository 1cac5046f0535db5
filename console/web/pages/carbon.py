"""The carbon of an adherent over twelve months: use on three bases, side by side, and what was embodied."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.access import Permission
from console.domain.claims import OPERATOR_TENANT
from console.domain.factors import Basis
from console.domain.renewal import add_months
from console.store.queries import names
from console.store.queries.carbon_month import Amounts, carbon_months
from console.web.access import requires, scope
from console.web.carbon_words import KINDS
from console.web.factor_words import BASES
from console.web.languages import today
from console.web.state import state
from reports.document import Chart, Series
from reports.quantities import Kind

MONTHS = 12

bp = Blueprint("carbon", __name__)


@bp.get("/adherents/<int:tenant_id>/carbon")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The running month of an adherent and the eleven before it."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        last = today(adherent.zone).replace(day=1)
        months = [add_months(last, -back) for back in range(MONTHS - 1, -1, -1)]
        seen = carbon_months(session, tenant_id, months)
    return render_template(
        "carbon/of_adherent.html",
        adherent=adherent,
        seen=seen,
        chart=_chart(seen.by_month) if seen.whole else None,
        bases=list(Basis),
        usual=Basis.YEARLY_AVERAGE,
        basis_names=BASES,
        kinds=KINDS,
        is_operator=tenant_id == OPERATOR_TENANT,
    )


def _chart(by_month: Mapping[date, Amounts | None]) -> Chart:
    held = list(by_month.values())
    return Chart(
        title=_("Carbone par mois"),
        description=_("Usage sur la moyenne annuelle, et fabrication au-dessus ; hachures grises : inconnu."),
        kind=Kind.CARBON_UG,
        moment_title=_("Mois"),
        moments=tuple(by_month),
        series=(
            Series(_("Usage"), tuple(one.carbon_ug(Basis.YEARLY_AVERAGE) if one else None for one in held)),
            Series(_("Fabrication"), tuple(one.embodied_ug if one else None for one in held)),
        ),
    )
