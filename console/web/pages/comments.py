"""What people write on an incident, and the files they join to it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.attachments import attach, redact_attachment
from console.actions.comments import redact_comment, write_comment
from console.domain.access import Permission
from console.domain.attachments import LARGEST_FILE, text_of
from console.domain.errors import Invalid
from console.store.queries.incident_file import file_content
from console.web import incident_view, inputs, operator_mail
from console.web.access import allowed, current_account, requires, scope
from console.web.fragments import go_to
from console.web.headers import FILE_POLICY
from console.web.long_files import allow_long_file
from console.web.state import state
from reports.incident_mail import Deed

bp = Blueprint("comments", __name__)
allow_long_file(bp, "join", Permission.DECLARE_INCIDENTS, LARGEST_FILE)


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/comments")
@requires(Permission.DECLARE_INCIDENTS)
def add(tenant_id: int, number: int) -> ResponseReturnValue:
    """Write a comment; what an adherent writes is shared, as all that it reads."""
    by = current_account().login
    try:
        inputs.refuse_patient_numbers("text")
        with state().database.write(scope(), by=by) as session:
            write_comment(
                session,
                tenant_id,
                number,
                inputs.text("text"),
                shared=_is_shared(),
                now=datetime.now(UTC),
                by=by,
            )
    except Invalid as error:
        return incident_view.page(tenant_id, number, error, "comment"), 422
    if not allowed(Permission.SEE_INTERNAL):
        operator_mail.tell(tenant_id, number, Deed.ANSWERED)
    return _back(tenant_id, number)


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/comments/<int:comment>/redact")
@requires(Permission.REDACT)
def redact(tenant_id: int, number: int, comment: int) -> ResponseReturnValue:
    """Take the text of a comment away for good."""
    by = current_account().login
    with state().database.write(scope(), by=by) as session:
        redact_comment(session, tenant_id, number, comment, now=datetime.now(UTC), by=by)
    flash(_("Le commentaire est caviardé : son texte n'est plus nulle part."))
    return _back(tenant_id, number)


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/files")
@requires(Permission.DECLARE_INCIDENTS)
def join(tenant_id: int, number: int) -> ResponseReturnValue:
    """Join a file."""
    by, file = current_account().login, request.files.get("file")
    name, content = (file.filename or "", file.read()) if file else ("", b"")
    try:
        inputs.refuse_patients_in(name.replace("_", " "), text_of(content))
        with state().database.write(scope(), by=by) as session:
            attach(
                session,
                tenant_id,
                number,
                name,
                content,
                shared=_is_shared(),
                now=datetime.now(UTC),
                by=by,
            )
    except Invalid as error:
        return incident_view.page(tenant_id, number, error, "file"), 422
    flash(_("Le fichier est joint à l'incident."))
    return _back(tenant_id, number)


@bp.get("/adherents/<int:tenant_id>/incidents/<int:number>/files/<int:file>")
@requires(Permission.SEE_ADHERENTS)
def download(tenant_id: int, number: int, file: int) -> ResponseReturnValue:
    """A file, to keep and not to open in the page: whatever it holds, it runs nothing here."""
    internal = allowed(Permission.SEE_INTERNAL)
    with state().database.read(scope()) as session:
        found = file_content(session, tenant_id, number, file, internal=internal)
    answer = Response(found.content, content_type=found.kind.media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=found.name)
    answer.headers["Content-Security-Policy"] = FILE_POLICY
    return answer


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/files/<int:file>/redact")
@requires(Permission.REDACT)
def redact_file(tenant_id: int, number: int, file: int) -> ResponseReturnValue:
    """Take the content and the name of a file away for good."""
    by = current_account().login
    with state().database.write(scope(), by=by) as session:
        redact_attachment(session, tenant_id, number, file, now=datetime.now(UTC), by=by)
    flash(_("Le fichier est caviardé : son contenu n'est plus nulle part."))
    return _back(tenant_id, number)


def _is_shared() -> bool:
    return not allowed(Permission.SEE_INTERNAL) or inputs.text("shared") == "yes"


def _back(tenant_id: int, number: int) -> ResponseReturnValue:
    return go_to(url_for("incidents.show", tenant_id=tenant_id, number=number, _anchor="timeline"))
