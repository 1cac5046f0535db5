"""Files for the directory: sent, their columns chosen, previewed, stored or abandoned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions import imports, waiting_files
from console.actions.memberships import end_those_left
from console.domain.access import Permission
from console.domain.columns import NEEDED, facts_of, likely_mapping
from console.domain.directory import Kind
from console.domain.errors import DomainError, Invalid, NotFound
from console.store.queries.directory import (
    State,
    entity_page,
    holdings,
    import_page,
    latest_imports,
)
from console.store.queries.ght import groups_of
from console.store.session import Operator
from console.web import exports, inputs
from console.web.access import allowed, current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.state import state

bp = Blueprint("directory", __name__)

LARGEST_FILE = 32 * 1024 * 1024  # bytes; other forms stay at the limit of the application


@bp.url_value_preprocessor
def allow_a_large_file(endpoint: str | None, _values: object) -> None:
    """Before anything reads the form: only from someone who may send one."""
    if endpoint == "directory.receive" and allowed(Permission.MANAGE_DIRECTORY):
        request.max_content_length = LARGEST_FILE


@bp.get("/directory")
@requires(Permission.MANAGE_DIRECTORY)
def index() -> ResponseReturnValue:
    """What the directory holds, the files that were sent, the form to send one."""
    return _index({})


@bp.post("/directory/imports")
@requires(Permission.MANAGE_DIRECTORY)
def receive() -> ResponseReturnValue:
    """Keep a file with its preview."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Invalid("file", "Un fichier est attendu.")
        as_of = inputs.optional_day("as_of")
        with sent.stream as stream:
            content = stream.read()
        with state().database.write(Operator(), by=current_account().login) as session:
            import_id = waiting_files.receive(
                session,
                content,
                sent.filename,
                as_of=as_of,
                complete=bool(inputs.text("complete")),
                now=datetime.now(UTC),
                by=current_account().login,
            )
    except Invalid as error:
        return _index(_told(error, ("file", "as_of"))), 422
    return go_to(url_for("directory.show", import_id=import_id))


@bp.get("/directory/imports/<int:import_id>")
@requires(Permission.MANAGE_DIRECTORY)
def show(import_id: int) -> ResponseReturnValue:
    """The preview of a file, or what came of it."""
    with state().database.read(Operator()) as session:
        page = import_page(session, import_id)
    if page.state is State.UNMAPPED:
        return go_to(url_for("directory.columns", import_id=import_id))
    died = waiting_files.has_died(page.claimed_at, datetime.now(UTC))
    return render_template("directory/import.html", page=page, died=died, state=State, message=_message)


@bp.get("/directory/imports/<int:import_id>/columns")
@requires(Permission.MANAGE_DIRECTORY)
def columns(import_id: int) -> ResponseReturnValue:
    """The form that says which column holds which fact."""
    return _columns(import_id, _asked_kind(), {})


@bp.post("/directory/imports/<int:import_id>/columns")
@requires(Permission.MANAGE_DIRECTORY)
def choose_columns(import_id: int) -> ResponseReturnValue:
    """Read the file by the columns that were chosen, and remember them."""
    kind = inputs.choice("kind", Kind)
    chosen = {name: [inputs.text(name)] for name in facts_of(kind) if inputs.text(name)}
    try:
        with state().database.write(Operator(), by=current_account().login) as session:
            waiting_files.choose_columns(
                session,
                import_id,
                kind,
                chosen,
                as_of=inputs.optional_day("as_of"),
                complete=bool(inputs.text("complete")),
                now=datetime.now(UTC),
                by=current_account().login,
            )
    except Invalid as error:
        return _columns(import_id, kind, _told(error, ("as_of", *facts_of(kind)))), 422
    return go_to(url_for("directory.show", import_id=import_id))


@bp.post("/directory/imports/<int:import_id>/store")
@requires(Permission.MANAGE_DIRECTORY)
def store(import_id: int) -> ResponseReturnValue:
    """Store what the preview showed, in short transactions; one that stopped half way may be begun again."""
    now, by = datetime.now(UTC), current_account().login
    with state().database.read(Operator()) as session:
        listing, difference = waiting_files.reread(session, import_id, now=now)
    with state().database.write(Operator(), by=by) as session:
        claim = waiting_files.begin_storing(session, import_id, now=datetime.now(UTC))
    for portion in imports.portions(listing, difference):
        with state().database.write(Operator(), by=by) as session:
            waiting_files.keep_claim(session, claim, now=datetime.now(UTC))
            imports.store(session, listing, portion)
    counts = imports.counts_of(listing, difference)
    with state().database.write(Operator(), by=by) as session:
        waiting_files.settle(session, claim, listing, counts, now=now)
        if claim.complete:
            end_those_left(session, listing)
    flash(_("Le fichier est importé."))
    return go_to(url_for("directory.show", import_id=import_id))


@bp.post("/directory/imports/<int:import_id>/abandon")
@requires(Permission.MANAGE_DIRECTORY)
def abandon(import_id: int) -> ResponseReturnValue:
    """Decide against a file."""
    with state().database.write(Operator(), by=current_account().login) as session:
        waiting_files.abandon(session, import_id)
    flash(_("L'import est abandonné : rien n'a changé."))
    return go_to(url_for("directory.index"))


@bp.get("/directory/imports/<int:import_id>/<fate>.csv")
@requires(Permission.MANAGE_DIRECTORY)
def lines(import_id: int, fate: str) -> ResponseReturnValue:
    """Every line of a part of the preview, of which the page shows the first."""
    with state().database.read(Operator()) as session:
        listing, difference = waiting_files.reread(session, import_id, now=datetime.now(UTC))
    found = imports.lines_of(listing, difference).get(fate)
    if found is None:
        raise NotFound("Cet import n'a pas de telle liste.")
    headings = [_("Ligne"), _("Clé"), _("Nom"), _("Champ"), _("Avant"), _("Après"), _("Motif")]
    rows = (
        (
            line.line,
            line.key,
            line.name,
            line.place,
            line.before,
            line.after,
            _message(line.message, line.values),
        )
        for line in found
    )
    return exports.send(f"import-{import_id}-{fate}", headings, rows, "csv")


@bp.get("/directory/entities/<finess_ej>")
@requires(Permission.SEE_PORTFOLIO)
def entity(finess_ej: str) -> ResponseReturnValue:
    """A legal entity: what is known of it, its sites, its groups."""
    with state().database.read(scope()) as session:
        page = entity_page(session, finess_ej)
        groups = groups_of(session, finess_ej)
    return render_template("directory/entity.html", entity=page, groups=groups)


def _index(errors: Mapping[str, str]) -> str:
    with state().database.read(Operator()) as session:
        return render_template(
            "directory/index.html",
            holdings=holdings(session),
            imports=latest_imports(session),
            waiting=(State.UNMAPPED, State.READY),
            errors=errors,
        )


def _columns(import_id: int, kind: Kind | None, errors: Mapping[str, str]) -> str:
    with state().database.read(Operator()) as session:
        asked = waiting_files.columns_asked(session, import_id)
    kind = kind or asked.kind or Kind.SITES
    if errors:
        chosen = {name: request.form.get(name, "") for name in facts_of(kind)}
    else:
        known = asked.columns if asked.kind is kind else likely_mapping(kind, asked.headings)
        chosen = {name: columns[0] for name, columns in known.items() if columns}
    return render_template(
        "directory/columns.html",
        import_id=import_id,
        asked=asked,
        kind=kind,
        kinds=list(Kind),
        facts=facts_of(kind),
        needed=NEEDED[kind],
        chosen=chosen,
        errors=errors,
    )


def _asked_kind() -> Kind | None:
    asked = request.args.get("kind", "")
    return Kind(asked) if asked in set(Kind) else None


def _told(error: Invalid, places: tuple[str, ...]) -> dict[str, str]:
    """Where a form shows what is wrong: at its field, or at the first where it has none of that name."""
    return {error.field if error.field in places else places[0]: message_of(error)}


def _message(message: str, values: Mapping[str, str]) -> str:
    return message_of(DomainError(message, **values)) if message else ""
