"""Certificates: the list with the days that are left, their files, and the form that keeps another."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.certificates import Wording, add_certificate, withdraw_certificate
from console.domain.access import Permission
from console.domain.certificates import LARGEST_FILE, Framework, Validity
from console.domain.errors import Invalid
from console.store.queries import certificates
from console.store.queries.catalogue import choices
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import today
from console.web.long_files import allow_long_file
from console.web.state import state

bp = Blueprint("certificates", __name__)
allow_long_file(bp, "add", Permission.MANAGE_CATALOGUE, LARGEST_FILE)


@bp.get("/catalogue/certificates")
@requires(Permission.SEE_CATALOGUE)
def index() -> ResponseReturnValue:
    """Every certificate, the last to end first."""
    return _list({}), 200


@bp.get("/catalogue/certificates/new")
@requires(Permission.MANAGE_CATALOGUE)
def new() -> ResponseReturnValue:
    """The form that keeps a certificate."""
    return _form({})


@bp.post("/catalogue/certificates")
@requires(Permission.MANAGE_CATALOGUE)
def add() -> ResponseReturnValue:
    """Keep a certificate with its file."""
    file = request.files.get("file")
    try:
        inputs.refuse_patient_numbers("name", "body", "scope")
        with state().database.write(Operator(), by=current_account().login) as session:
            add_certificate(
                session,
                _asked_wording(),
                request.form.getlist("services"),
                file.read() if file else b"",
                replaces=inputs.optional_count("replaces"),
                now=datetime.now(UTC),
                by=current_account().login,
            )
    except Invalid as error:
        return _form({error.field: message_of(error)}), 422
    flash(_("Le certificat est gardé, avec son fichier et son empreinte."))
    return go_to(url_for("certificates.index"))


@bp.get("/catalogue/certificates/<int:certificate_id>/file")
@requires(Permission.SEE_CATALOGUE)
def download(certificate_id: int) -> ResponseReturnValue:
    """The file of a certificate, to keep and not to open in the page."""
    with state().database.read(scope()) as session:
        file = certificates.certificate_file(session, certificate_id)
    answer = Response(file.content, content_type=file.media_type.value)
    name = f"certificat-{file.framework.value}-{certificate_id}.{file.media_type.extension}"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@bp.post("/catalogue/certificates/<int:certificate_id>/withdrawal")
@requires(Permission.MANAGE_CATALOGUE)
def withdraw(certificate_id: int) -> ResponseReturnValue:
    """Say that a certificate attests nothing from a day on."""
    try:
        with state().database.write(Operator(), by=current_account().login) as session:
            withdraw_certificate(session, certificate_id, withdrawn_on=inputs.day("withdrawn_on"))
    except Invalid as error:
        return _list({certificate_id: message_of(error)}), 422
    flash(_("Le certificat est retiré ; son fichier reste."))
    return go_to(url_for("certificates.index"))


def _asked_wording() -> Wording:
    return Wording(
        framework=inputs.choice("framework", Framework),
        name=inputs.text("name"),
        body=inputs.text("body"),
        number=inputs.text("number"),
        scope=inputs.text("scope"),
        validity=Validity(inputs.day("valid_from"), inputs.day("valid_to")),
    )


def _list(errors: dict[int, str]) -> str:
    with state().database.read(scope()) as session:
        found = certificates.certificates(session)
    return render_template(
        "certificates/index.html", certificates=found, frameworks=Framework, today=today(), errors=errors
    )


def _form(errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        services = choices(session).services
        replaceable = [one for one in certificates.certificates(session) if one.replaced_by is None]
    return render_template(
        "certificates/new.html",
        services=services,
        replaceable=replaceable,
        frameworks=list(Framework),
        errors=errors,
    )
