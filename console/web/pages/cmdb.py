"""Whose the virtual machines are, from an export of a CMDB: looked at before it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.cmdb import Fate, Planned, Tally, look_at, note_import, take
from console.actions.cmdb_known import Known, known_of
from console.actions.imports import open_table
from console.actions.kept_files import forget_file
from console.domain.access import Permission
from console.domain.cmdb_files import LARGEST_FILE, CmdbFile, MachineRow, read_cmdb
from console.domain.errors import Conflict, Invalid
from console.store.again import write_again
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import today
from console.web.long_files import allow_long_file
from console.web.sent_files import keep, kept, sent_file
from console.web.state import state

LISTED = 200  # rows of each kind on the page
MOST_TAKEN = 500  # machines of one request: each is a transaction; the command takes longer files

bp = Blueprint("cmdb", __name__)
allow_long_file(bp, "preview", Permission.MANAGE_CLAIMS, LARGEST_FILE)


@bp.get("/cmdb")
@requires(Permission.MANAGE_CLAIMS)
def index() -> ResponseReturnValue:
    """The form that takes a file."""
    return _form({})


@bp.post("/cmdb/preview")
@requires(Permission.MANAGE_CLAIMS)
def preview() -> ResponseReturnValue:
    """What a file would claim, change and end, and what of it is not known; it is kept until it is taken."""
    content, name = sent_file()
    try:
        file = _read(content)
    except Invalid as error:
        return _form({error.field: message_of(error)}), 422
    with state().database.read(Operator()) as session:
        planned = look_at(session, known_of(session), file)
    to_store = Tally().count(planned).to_store
    file_id = keep(content, now=datetime.now(UTC)) if 0 < to_store <= MOST_TAKEN else None
    return _preview(file, planned, to_store, file_id, name)


@bp.post("/cmdb")
@requires(Permission.MANAGE_CLAIMS)
def store() -> ResponseReturnValue:
    """Take the file that the preview showed, machine by machine; what changed since is judged again."""
    content, file_id = kept()
    file, account = _read(content), current_account()
    with state().database.read(Operator()) as session:
        known = known_of(session)
        to_store = Tally().count(look_at(session, known, file)).to_store
    if to_store > MOST_TAKEN:
        raise Invalid("file", "Plus de %(most)s machines : prenez la commande.", most=MOST_TAKEN)
    done = []
    for row in file.machines:
        done.append(_take(known, row, account.login))
    tally = Tally().count(done)
    with state().database.write(Operator(), by=account.login) as session:
        note_import(session, inputs.text("name") or str(file_id), tally)
        forget_file(session, file_id)
    flash(
        _(
            "Machines : %(claimed)s affectées, %(changed)s changées de titulaire, %(ended)s terminées, "
            "%(refused)s refusées.",
            claimed=tally.fates[Fate.CLAIMED],
            changed=tally.fates[Fate.CHANGED],
            ended=tally.fates[Fate.ENDED],
            refused=tally.fates[Fate.REFUSED] + len(file.refusals),
        )
    )
    return go_to(url_for("cmdb.index"))


def _take(known: Known, row: MachineRow, by: str) -> Planned:
    def work(session: Session) -> Planned:
        return take(session, known, row, now=datetime.now(UTC), by=by)

    try:
        return write_again(state().database, Operator(), work, by)
    except Conflict as refusal:  # those before it are stored
        return Planned(row, Fate.REFUSED, refusal=refusal)


def _read(content: bytes) -> CmdbFile:
    return read_cmdb(open_table(content), inputs.day("first_day"))


def _form(errors: dict[str, str]) -> str:
    return render_template("cmdb/index.html", errors=errors, today=today())


def _preview(
    file: CmdbFile, planned: Sequence[Planned], to_store: int, file_id: int | None, name: str
) -> str:
    return render_template(
        "cmdb/preview.html",
        file=file,
        by_fate={fate.value: [one for one in planned if one.fate is fate] for fate in Fate},
        to_store=to_store,
        most_taken=MOST_TAKEN,
        listed=LISTED,
        file_id=file_id,
        file_name=name,
        first_day=inputs.day("first_day"),
        message_of=message_of,
    )
