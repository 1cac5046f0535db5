"""The inventory: what there is, what making it emitted, and how long it is kept."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.equipment import (
    Impact,
    confirm_impact,
    estimate_impact,
    extend_life,
    record_impact,
    retire,
)
from console.domain.access import Permission
from console.domain.equipment import EndOfLife, ImpactSource
from console.domain.equipment_files import disks_text
from console.domain.errors import Invalid
from console.store.queries.equipment import inventory, item_page
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.equipment_words import KINDS, ROUTES, SOURCES
from console.web.languages import today
from console.web.state import state

LISTED = 500
UG_PER_HUNDREDTH_KG = 10_000_000

bp = Blueprint("equipment", __name__)


@bp.get("/carbon/equipment")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """The inventory, narrowed by what the address asks for."""
    kind, site, standing = (request.args.get(name, "") for name in ("kind", "site", "standing"))
    with state().database.read(Operator()) as session:
        known = inventory(session)
    found = [
        one
        for one in known
        if kind in ("", one.kind.value)
        and site in ("", one.site)
        and {
            "used": one.retired_on is None,
            "retired": one.retired_on is not None,
            "unknown": one.gwp_ug is None,
            "waits": one.waits,
        }.get(standing, True)
    ]
    return render_template(
        "equipment/index.html",
        found=found[:LISTED],
        count=len(found),
        waiting=sum(one.waits for one in known),
        listed=LISTED,
        kind=kind,
        site=site,
        standing=standing,
        sites=sorted({one.site for one in known if one.site}),
        kinds=KINDS,
    )


@bp.get("/carbon/equipment/<int:equipment_id>")
@requires(Permission.SEE_FLEET)
def show(equipment_id: int) -> ResponseReturnValue:
    """One thing of the inventory."""
    return _page(equipment_id, {})


@bp.post("/carbon/equipment/<int:equipment_id>/estimate")
@requires(Permission.MANAGE_CARBON)
def estimate(equipment_id: int) -> ResponseReturnValue:
    """Estimate the making of a server from its components."""
    return _do(
        equipment_id,
        lambda session: estimate_impact(session, equipment_id, now=_now(), by=current_account().login),
        _("L'empreinte est estimée."),
    )


@bp.post("/carbon/equipment/<int:equipment_id>/impacts")
@requires(Permission.MANAGE_CARBON)
def declare(equipment_id: int) -> ResponseReturnValue:
    """Write down what a sheet or a person says of its making."""

    def deed(session: Session) -> None:
        kg = inputs.optional_hundredths("gwp")
        if kg is None or kg < 0:
            raise Invalid("gwp", "Un nombre positif est attendu.")
        source = inputs.choice("source", ImpactSource)
        told = Impact(source, inputs.text("reference"), kg * UG_PER_HUNDREDTH_KG)
        record_impact(session, equipment_id, told, now=_now(), by=current_account().login)

    return _do(equipment_id, deed, _("L'empreinte est enregistrée."))


@bp.post("/carbon/equipment/<int:equipment_id>/impacts/<int:version>/confirm")
@requires(Permission.MANAGE_CARBON)
def confirm(equipment_id: int, version: int) -> ResponseReturnValue:
    """Stand behind a match."""
    return _do(
        equipment_id,
        lambda session: confirm_impact(
            session, equipment_id, version, now=_now(), by=current_account().login
        ),
        _("L'empreinte est confirmée."),
    )


@bp.post("/carbon/equipment/<int:equipment_id>/extend")
@requires(Permission.MANAGE_CARBON)
def extend(equipment_id: int) -> ResponseReturnValue:
    """Plan a longer life from this month on."""

    def deed(session: Session) -> None:
        months = inputs.optional_count("planned_months") or 0
        month = today().replace(day=1)
        extend_life(session, equipment_id, month, months, now=_now(), by=current_account().login)

    return _do(equipment_id, deed, _("La durée de vie est prolongée."))


@bp.post("/carbon/equipment/<int:equipment_id>/retire")
@requires(Permission.MANAGE_CARBON)
def withdraw(equipment_id: int) -> ResponseReturnValue:
    """End its life here, by a route."""

    def deed(session: Session) -> None:
        day, route = inputs.day("retired_on"), inputs.choice("end_of_life", EndOfLife)
        retire(session, equipment_id, day, route, now=_now())

    return _do(equipment_id, deed, _("L'équipement est retiré."))


def _do(equipment_id: int, deed: object, said: str) -> ResponseReturnValue:
    return carry_out(
        deed,  # type: ignore[arg-type]
        lambda errors: _page(equipment_id, errors),
        said=said,
        address=url_for("equipment.show", equipment_id=equipment_id),
    )


def _page(equipment_id: int, errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        page = item_page(session, equipment_id, today())
        return render_template(
            "equipment/show.html",
            page=page,
            errors=errors,
            today=today(),
            kinds=KINDS,
            sources=SOURCES,
            routes=ROUTES,
            disks_text=disks_text,
        )


def _now() -> datetime:
    return datetime.now(UTC)
