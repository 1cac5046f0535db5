"""Files of emission factors: the Base Carbone as it is, any table by its columns; looked at, then stored."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.factors import Looked, look_at, note_import, store_file
from console.actions.imports import open_table
from console.actions.kept_files import forget_file
from console.domain.access import Permission
from console.domain.base_carbone import is_base_carbone
from console.domain.errors import Invalid
from console.domain.factor_registry import UNITS, Verdict
from console.domain.factor_tables import FACTS, FIXABLE, NEEDED, FactorMapping, likely_columns
from console.domain.tables import Table
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.errors import message_of
from console.web.factor_words import FACT_NAMES, PERIMETERS, REASONS
from console.web.fragments import go_to
from console.web.languages import today
from console.web.long_files import allow_long_file
from console.web.sent_files import first_rows, keep, kept, sent_file
from console.web.state import state

LARGEST_FILE = 32 * 1024 * 1024  # bytes; the Base Carbone has about 9 million
LISTED = 200  # rows of each kind of a preview

bp = Blueprint("factor_files", __name__)
allow_long_file(bp, "receive", Permission.MANAGE_CARBON, LARGEST_FILE)


@bp.get("/carbon/factors/import")
@requires(Permission.MANAGE_CARBON)
def upload() -> ResponseReturnValue:
    """The form that takes a file."""
    return render_template("factors/upload.html", errors={})


@bp.post("/carbon/factors/import/columns")
@requires(Permission.MANAGE_CARBON)
def receive() -> ResponseReturnValue:
    """Keep a file; show what it would change, or ask for its columns where it is of no known layout."""
    content, name = sent_file()
    try:
        table = open_table(content)
    except Invalid as error:
        return render_template("factors/upload.html", errors={"file": message_of(error)}), 422
    file_id = keep(content, now=datetime.now(UTC))
    if not is_base_carbone(table.headings):
        return _columns(table, file_id, name, likely_columns(table.headings), {})
    return _preview(content, file_id, name, None)


@bp.post("/carbon/factors/import/preview")
@requires(Permission.MANAGE_CARBON)
def preview() -> ResponseReturnValue:
    """What a file would change by the columns that were chosen, and what of it is refused."""
    content, file_id = kept()
    mapping, name = _mapping(), inputs.text("name")
    try:
        return _preview(content, file_id, name, mapping)
    except Invalid as error:
        errors = {error.field: message_of(error)}
        return _columns(open_table(content), file_id, name, dict(mapping.columns), errors), 422


@bp.post("/carbon/factors/import")
@requires(Permission.MANAGE_CARBON)
def store() -> ResponseReturnValue:
    """Store the file that the preview showed; what changed since is judged again."""
    content, file_id = kept()
    account, name = current_account(), inputs.text("name")
    mapping = _mapping() if inputs.text("mapped") else None
    with state().database.write(Operator(), by=account.login) as session:
        now = datetime.now(UTC)
        found = store_file(session, content, name, mapping, now=now, today=today(), by=account.login)
        note_import(session, name, found)
        forget_file(session, file_id)
    counts = found.counts()
    told = _(
        "Facteurs : %(new)s nouveaux, %(replaced)s remplacés, %(unchanged)s inchangés, %(refused)s refusés.",
        new=counts[Verdict.NEW],
        replaced=counts[Verdict.REPLACES],
        unchanged=counts[Verdict.UNCHANGED],
        refused=counts[Verdict.REFUSED],
    )
    flash(told)
    return go_to(url_for("factors.index"))


def _preview(content: bytes, file_id: int | None, name: str, mapping: FactorMapping | None) -> str:
    with state().database.read(Operator()) as session:
        found: Looked = look_at(session, content, name, mapping, today=today())
    return render_template(
        "factors/preview.html",
        found=found,
        by_verdict={
            verdict.value: [one for one in found.judged if one.verdict is verdict]
            for verdict in (Verdict.REPLACES, Verdict.NEW, Verdict.UNCHANGED)
        },
        counts=found.counts(),
        refused=found.refused(),
        file_id=file_id,
        file_name=name,
        mapping=mapping,
        listed=LISTED,
        reasons=REASONS,
        perimeters=PERIMETERS,
        message_of=message_of,
    )


def _columns(
    table: Table, file_id: int | None, name: str, chosen: dict[str, str], errors: dict[str, str]
) -> str:
    return render_template(
        "factors/columns.html",
        headings=[heading for heading in table.headings if heading],
        all_headings=table.headings,
        rows=first_rows(table),
        file_id=file_id,
        file_name=name,
        chosen=chosen,
        errors=errors,
        facts=FACTS,
        fixable=FIXABLE,
        needed=NEEDED,
        names=FACT_NAMES,
        units=list(UNITS)[:3],
        perimeters=PERIMETERS,
    )


def _mapping() -> FactorMapping:
    return FactorMapping(
        columns={fact: text for fact in FACTS if (text := inputs.text(f"column-{fact}"))},
        fixed={fact: text for fact in FIXABLE if (text := inputs.text(f"fixed-{fact}"))},
        unit=inputs.text("unit"),
        official=bool(inputs.text("official")),
    )
