"""One thing of the inventory by a form: added or corrected, by the rules of an import."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.equipment_files import store_thing
from console.domain.access import Permission
from console.domain.equipment_files import COLUMNS, ThingRow, disks_text, read_facts
from console.store.queries.equipment import ItemPage, item_page
from console.store.queries.sites import sites
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.equipment_words import KINDS, ROUTES
from console.web.errors import message_of
from console.web.languages import today
from console.web.state import state

bp = Blueprint("equipment_form", __name__)


@bp.get("/carbon/equipment/new")
@requires(Permission.MANAGE_CARBON)
def new() -> ResponseReturnValue:
    """The form that adds a thing."""
    return _form(None, {})


@bp.post("/carbon/equipment/new")
@requires(Permission.MANAGE_CARBON)
def add() -> ResponseReturnValue:
    """Add it; a sheet that its model is like waits to be confirmed."""
    return _store(None, _("L'équipement est ajouté."))


@bp.get("/carbon/equipment/<int:equipment_id>/edit")
@requires(Permission.MANAGE_CARBON)
def edit(equipment_id: int) -> ResponseReturnValue:
    """The form that corrects a thing."""
    return _form(equipment_id, {})


@bp.post("/carbon/equipment/<int:equipment_id>/edit")
@requires(Permission.MANAGE_CARBON)
def save(equipment_id: int) -> ResponseReturnValue:
    """Correct it; the months of its life that are open are reckoned again."""
    return _store(equipment_id, _("L'équipement est modifié."))


def _store(equipment_id: int | None, said: str) -> ResponseReturnValue:
    facts, refusals = read_facts({name: inputs.text(name) for name in COLUMNS})
    if refusals:
        return _form(equipment_id, {error.field: message_of(error) for error in refusals}), 422
    row = ThingRow(0, facts.pop("name"), facts)

    def deed(session: Session) -> None:
        now, by = datetime.now(UTC), current_account().login
        store_thing(session, row, equipment_id=equipment_id, now=now, by=by)

    page = "equipment.index" if equipment_id is None else "equipment.show"
    address = url_for(page, equipment_id=equipment_id)
    return carry_out(deed, lambda errors: _form(equipment_id, errors), said=said, address=address)


def _form(equipment_id: int | None, errors: Mapping[str, str]) -> str:
    with state().database.read(Operator()) as session:
        page = None if equipment_id is None else item_page(session, equipment_id, today())
        known: Mapping[str, Any] = {"quantity": 1} if page is None else _texts(page)
        return render_template(
            "equipment/form.html",
            page=page,
            typed=request.form if request.method == "POST" else known,
            errors=errors,
            sites=sites(session),
            kinds=KINDS,
            routes=ROUTES,
            address=url_for(
                "equipment_form.add" if page is None else "equipment_form.save", equipment_id=equipment_id
            ),
        )


def _texts(page: ItemPage) -> dict[str, Any]:
    """What is stored of a thing, as its form tells it."""
    thing = page.thing
    texts = {name: getattr(thing, name) for name in COLUMNS}
    return texts | {
        "kind": thing.kind.value,
        "disks": disks_text(page.disks),
        "is_second_hand": "oui" if thing.is_second_hand else "",
        "end_of_life": thing.end_of_life.value if thing.end_of_life else "",
    }
