"""Which shared services the storage, the backup and the network that a site meters are of."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.sharing_keys import assign_meter
from console.domain.access import Permission
from console.domain.errors import NotFound
from console.domain.facility import POOLED, Quantity
from console.domain.volumes import read_month
from console.store.queries.sharing import assigned_meters, services_to_share
from console.store.queries.sites import sites
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.languages import today
from console.web.site_words import QUANTITIES
from console.web.state import state

bp = Blueprint("site_pools", __name__)


@bp.get("/sites/<code>/pools")
@requires(Permission.SEE_FLEET)
def show(code: str) -> ResponseReturnValue:
    """What was said of each meter, and the form that says it from a month on."""
    return _show(code, {})


@bp.post("/sites/<code>/pools")
@requires(Permission.MANAGE_CARBON)
def assign(code: str) -> ResponseReturnValue:
    """Say of which service a meter is from a month on; an empty one says of none."""

    def deed(session: Session) -> None:
        quantity, month = inputs.choice("quantity", Quantity), read_month(inputs.text("month"))
        service, by = inputs.text("service") or None, current_account().login
        assign_meter(session, code, quantity, service, valid_from=month, now=datetime.now(UTC), by=by)

    return carry_out(
        deed,
        lambda errors: _show(code, errors),
        said=_("L'affectation est enregistrée ; les mois concernés sont repartagés."),
        address=url_for("site_pools.show", code=code),
    )


def _show(code: str, errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        facts = next((one for one in sites(session) if one.code == code), None)
        if facts is None:
            raise NotFound("Site introuvable.")
        told, services = assigned_meters(session, code), services_to_share(session)
    return render_template(
        "site_pools/show.html",
        facts=facts,
        told=told,
        services=services,
        pooled=POOLED,
        quantities=QUANTITIES,
        errors=errors,
        this_month=today(),
    )
