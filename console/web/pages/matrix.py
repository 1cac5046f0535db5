"""The priority matrix: the one that holds, its form, and the versions before."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.matrix import change_matrix
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.priority import LEVELS
from console.store.queries.matrix import matrix_versions
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.deeds import carry_out
from console.web.state import state

bp = Blueprint("matrix", __name__)


@bp.get("/catalogue/matrix")
@requires(Permission.SEE_CATALOGUE)
def show() -> ResponseReturnValue:
    """The matrix that holds, with its past."""
    return _page({})


@bp.post("/catalogue/matrix")
@requires(Permission.MANAGE_CATALOGUE)
def save() -> ResponseReturnValue:
    """Make a version of the matrix, which holds for the incidents declared from now on."""
    return carry_out(
        lambda session: change_matrix(
            session,
            [[_cell(impact, urgency) for urgency in LEVELS] for impact in LEVELS],
            inputs.text("reason"),
            version=inputs.optional_count("version") or 0,
            now=datetime.now(UTC),
            by=current_account().login,
        ),
        _page,
        said=_("La matrice est enregistrée ; elle vaut pour les incidents déclarés à partir de maintenant."),
        address=url_for("matrix.show"),
    )


def _cell(impact: int, urgency: int) -> int:
    field = f"cell-{impact}-{urgency}"
    level = inputs.optional_count(field)
    if level is None:
        raise Invalid(field, "Une priorité de 1 à 5 est attendue.")
    return level


def _page(errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        versions = matrix_versions(session)
    return render_template(
        "matrix/show.html", versions=versions, levels=LEVELS, typed=request.form, errors=errors
    )
