"""The forms by which a service changes: its terms, its end, its versions and what it depends on."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.dependencies import add_dependency, end_dependency
from console.actions.services import (
    Terms,
    Trade,
    add_service,
    change_version,
    edit_service,
    plan_end,
    release_version,
)
from console.domain.access import Permission
from console.domain.errors import NotFound
from console.domain.offer import Life
from console.store.queries import catalogue
from console.web import inputs
from console.web.access import requires, scope
from console.web.deeds import carry_out
from console.web.languages import today
from console.web.state import state

bp = Blueprint("offering", __name__)


@bp.get("/catalogue/new")
@requires(Permission.MANAGE_CATALOGUE)
def new() -> ResponseReturnValue:
    """The form of a service that is not at the catalogue yet."""
    return _service_form(None, {})


@bp.post("/catalogue/services")
@requires(Permission.MANAGE_CATALOGUE)
def add() -> ResponseReturnValue:
    """Put a service at the catalogue."""
    code = inputs.text("code")
    return carry_out(
        lambda session: add_service(session, code, _asked_terms()),
        lambda errors: _service_form(None, errors),
        said=_("Le service est au catalogue."),
        address=url_for("catalogue.show", code=code),
    )


@bp.get("/catalogue/services/<code>/edit")
@requires(Permission.MANAGE_CATALOGUE)
def edit(code: str) -> ResponseReturnValue:
    """The form of what is said of a service."""
    return _service_form(code, {})


@bp.post("/catalogue/services/<code>/edit")
@requires(Permission.MANAGE_CATALOGUE)
def save(code: str) -> ResponseReturnValue:
    """Change what is said of a service."""
    return carry_out(
        lambda session: edit_service(session, code, _asked_terms()),
        lambda errors: _service_form(code, errors),
        said=_("Le service est modifié."),
        address=url_for("catalogue.show", code=code),
    )


@bp.get("/catalogue/services/<code>/end")
@requires(Permission.MANAGE_CATALOGUE)
def end(code: str) -> ResponseReturnValue:
    """The form of the ends of a service and of what follows it."""
    return _form("catalogue/end.html", code, {})


@bp.post("/catalogue/services/<code>/end")
@requires(Permission.MANAGE_CATALOGUE)
def save_end(code: str) -> ResponseReturnValue:
    """Set or clear the ends of a service and its successor."""

    def deed(session: Session) -> None:
        life = Life(
            inputs.optional_day("sales_end_on"),
            inputs.optional_day("support_ends_on"),
            inputs.optional_day("retired_on"),
        )
        plan_end(session, code, life, inputs.text("successor") or None)

    return carry_out(
        deed,
        lambda errors: _form("catalogue/end.html", code, errors),
        said=_("La fin du service est enregistrée."),
        address=url_for("catalogue.show", code=code),
    )


@bp.get("/catalogue/services/<code>/release")
@requires(Permission.MANAGE_CATALOGUE)
def release(code: str) -> ResponseReturnValue:
    """The form of a new version."""
    return _form("catalogue/release.html", code, {})


@bp.post("/catalogue/services/<code>/release")
@requires(Permission.MANAGE_CATALOGUE)
def save_release(code: str) -> ResponseReturnValue:
    """Add a version to a service."""

    def deed(session: Session) -> None:
        inputs.refuse_patient_numbers("notes")
        release_version(
            session,
            code,
            inputs.text("version"),
            released_on=inputs.day("released_on"),
            support_ends_on=inputs.optional_day("support_ends_on"),
            notes=inputs.text("notes"),
        )

    return carry_out(
        deed,
        lambda errors: _form("catalogue/release.html", code, errors),
        said=_("La version est au catalogue."),
        address=url_for("catalogue.show", code=code),
    )


@bp.get("/catalogue/services/<code>/versions/<version>")
@requires(Permission.MANAGE_CATALOGUE)
def version(code: str, version: str) -> ResponseReturnValue:
    """The form of a version: the end of its support and its notes."""
    return _version_form(code, version, {})


@bp.post("/catalogue/services/<code>/versions/<version>")
@requires(Permission.MANAGE_CATALOGUE)
def save_version(code: str, version: str) -> ResponseReturnValue:
    """Change the end of support and the notes of a version."""

    def deed(session: Session) -> None:
        inputs.refuse_patient_numbers("notes")
        change_version(
            session,
            code,
            version,
            support_ends_on=inputs.optional_day("support_ends_on"),
            notes=inputs.text("notes"),
        )

    return carry_out(
        deed,
        lambda errors: _version_form(code, version, errors),
        said=_("La version est modifiée."),
        address=url_for("catalogue.show", code=code),
    )


@bp.get("/catalogue/services/<code>/dependencies")
@requires(Permission.MANAGE_CATALOGUE)
def dependencies(code: str) -> ResponseReturnValue:
    """What a service depends on, with the forms that add one and end one."""
    return _dependencies_form(code, {})


@bp.post("/catalogue/services/<code>/dependencies")
@requires(Permission.MANAGE_CATALOGUE)
def add_need(code: str) -> ResponseReturnValue:
    """Say that a service needs another."""

    def deed(session: Session) -> None:
        add_dependency(
            session,
            code,
            inputs.text("needs"),
            since=inputs.day("since"),
            until=inputs.optional_day("until"),
        )

    return carry_out(
        deed,
        lambda errors: _dependencies_form(code, errors),
        said=_("La dépendance est enregistrée."),
        address=url_for("catalogue.show", code=code),
    )


@bp.post("/catalogue/services/<code>/dependencies/<int:dependency_id>")
@requires(Permission.MANAGE_CATALOGUE)
def end_need(code: str, dependency_id: int) -> ResponseReturnValue:
    """Make a day the last of a dependency."""
    return carry_out(
        lambda session: end_dependency(session, code, dependency_id, until=inputs.day("until")),
        lambda errors: _dependencies_form(code, errors, dependency_id),
        said=_("La dépendance est terminée."),
        address=url_for("catalogue.show", code=code),
    )


def _asked_terms() -> Terms:
    inputs.refuse_patient_numbers("description_fr", "description_en")
    return Terms(
        trade=inputs.choice("trade", Trade),
        name_fr=inputs.text("name_fr"),
        name_en=inputs.text("name_en"),
        unit_fr=inputs.text("unit_fr"),
        unit_en=inputs.text("unit_en"),
        plan_code=inputs.text("plan_code"),
        description_fr=inputs.text("description_fr"),
        description_en=inputs.text("description_en"),
        criticality_code=inputs.text("criticality_code") or None,
    )


def _service_form(code: str | None, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        service = None if code is None else catalogue.service_page(session, code, today())
        offered = catalogue.choices(session)
    return render_template(
        "catalogue/service.html",
        service=service,
        choices=offered,
        trades=[trade.value for trade in Trade],
        errors=errors,
    )


def _form(template: str, code: str, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        service = catalogue.service_page(session, code, today())
        offered = catalogue.choices(session)
    return render_template(template, service=service, choices=offered, today=today(), errors=errors)


def _version_form(code: str, version: str, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        service = catalogue.service_page(session, code, today())
    found = next((one for one in service.versions if one.version == version), None)
    if found is None:
        raise NotFound("Version introuvable.")
    return render_template("catalogue/version.html", service=service, version=found, errors=errors)


def _dependencies_form(code: str, errors: dict[str, str], row: int | None = None) -> str:
    with state().database.read(scope()) as session:
        service = catalogue.service_page(session, code, today())
        offered = catalogue.choices(session)
        told = catalogue.dependencies_of(session, code)
    return render_template(
        "catalogue/dependencies.html",
        service=service,
        choices=offered,
        dependencies=told,
        today=today(),
        errors=errors,
        row=row,
    )
