"""Inventories from files: any table by its columns, the physical file of G4IT; looked at, then stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.equipment_files import Fate, Looked, look_at, note_import, store_file
from console.actions.imports import open_table
from console.actions.kept_files import forget_file
from console.domain.access import Permission
from console.domain.equipment import EndOfLife, EquipmentKind
from console.domain.equipment_files import (
    COLUMNS,
    LARGEST_FILE,
    disks_text,
    likely_mapping,
    mapping_of,
    read_equipment,
)
from console.domain.errors import Invalid
from console.domain.tables import Table
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.equipment_words import FACTS, KINDS, ROUTES
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import current_language
from console.web.long_files import allow_long_file
from console.web.sent_files import first_rows, keep, kept, sent_file
from console.web.state import state

LISTED = 500

bp = Blueprint("equipment_files", __name__)
allow_long_file(bp, "receive", Permission.MANAGE_CARBON, LARGEST_FILE)


@bp.get("/carbon/equipment/import")
@requires(Permission.MANAGE_CARBON)
def upload() -> ResponseReturnValue:
    """The form that takes an inventory."""
    return _upload({})


@bp.post("/carbon/equipment/import/columns")
@requires(Permission.MANAGE_CARBON)
def receive() -> ResponseReturnValue:
    """Keep an inventory; show what it would change by its usual headings, or ask what they are."""
    content, name = sent_file()
    try:
        open_table(content)
        inputs.optional_count("planned_months")
    except Invalid as error:
        return _upload({error.field: message_of(error)}), 422
    return _look(content, keep(content, now=datetime.now(UTC)), name, None)


@bp.post("/carbon/equipment/import/preview")
@requires(Permission.MANAGE_CARBON)
def preview() -> ResponseReturnValue:
    """What an inventory would change by the columns that were chosen."""
    content, file_id = kept()
    return _look(content, file_id, inputs.text("name"), _chosen(open_table(content)))


@bp.post("/carbon/equipment/import")
@requires(Permission.MANAGE_CARBON)
def store() -> ResponseReturnValue:
    """Store the inventory that the preview showed; what changed since is judged again."""
    content, file_id = kept()
    account, table = current_account(), open_table(content)
    chosen = _chosen(table)
    file = read_equipment(table, mapping_of(list(chosen.items())) if chosen else None)
    months = inputs.optional_count("planned_months")
    with state().database.write(Operator(), by=account.login) as session:
        now = datetime.now(UTC)
        found = store_file(session, file, planned_months=months, now=now, by=account.login)
        note_import(session, inputs.text("name") or str(file_id), found)
        forget_file(session, file_id)
    flash(_told(found))
    return go_to(url_for("equipment.index"))


def _look(
    content: bytes, file_id: int | None, name: str, chosen: Mapping[str, str] | None
) -> ResponseReturnValue:
    """The preview by the facts that were chosen, or by the usual headings; or what is wrong with them."""
    table = open_table(content)
    if chosen is None:
        chosen = {heading: fact for fact, heading in likely_mapping(table.headings).items()}
    try:
        file = read_equipment(table, mapping_of(list(chosen.items())))
        months = inputs.optional_count("planned_months")
        with state().database.read(Operator()) as session:
            found = look_at(session, file, planned_months=months, now=datetime.now(UTC))
    except Invalid as error:
        return _page(content, file_id, name, chosen, error=error), 422
    return _page(content, file_id, name, chosen, found)


def _page(
    content: bytes,
    file_id: int | None,
    name: str,
    told: Mapping[str, str],
    found: Looked | None = None,
    *,
    error: Invalid | None = None,
) -> str:
    table = open_table(content)
    return render_template(
        "equipment/preview.html",
        found=found,
        error=error,
        by_fate={fate.value: found.of(fate) if found else [] for fate in Fate},
        listed=LISTED,
        file_id=file_id,
        file_name=name,
        headings=table.headings,
        examples=first_rows(table),
        told=told,
        planned_months=inputs.text("planned_months"),
        message_of=message_of,
        kinds=KINDS,
        facts=FACTS,
        in_words=_in_words,
    )


def _chosen(table: Table) -> dict[str, str]:
    """The fact that was chosen for each heading, by its place."""
    chosen = {
        heading: inputs.text(f"fact-{place}") for place, heading in enumerate(table.headings) if heading
    }
    return {heading: fact for heading, fact in chosen.items() if fact in COLUMNS}


def _in_words(value: object) -> str:
    """A fact of a thing as its reader says it."""
    if value is None:
        return str(_("inconnu"))
    if isinstance(value, bool):
        return str(_("oui") if value else _("non"))
    if isinstance(value, EquipmentKind):
        return str(KINDS[value.value])
    if isinstance(value, EndOfLife):
        return str(ROUTES[value.value])
    if isinstance(value, date):
        return current_language().day(value)
    if isinstance(value, tuple):
        return disks_text(value) or "—"
    return str(value)


def _told(found: Looked) -> str:
    counts = found.counts()
    return str(
        _(
            "Équipements : %(new)s nouveaux, %(changed)s changés, %(unchanged)s inchangés, %(refused)s "
            "refusés.",
            new=counts[Fate.NEW],
            changed=counts[Fate.CHANGED],
            unchanged=counts[Fate.UNCHANGED],
            refused=counts[Fate.REFUSED],
        )
    )


def _upload(errors: Mapping[str, str]) -> str:
    return render_template("equipment/upload.html", errors=errors)
