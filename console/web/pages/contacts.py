"""Whom to call at an adherent, and its places that the directory does not hold."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.contacts import (
    ContactFacts,
    SiteFacts,
    add_contact,
    add_site,
    change_contact,
    end_site,
)
from console.domain.access import Permission
from console.domain.contacts import ContactRole
from console.domain.errors import DomainError, Invalid
from console.domain.revisions import Stale
from console.store.queries import contacts, names
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import today
from console.web.state import state

bp = Blueprint("contacts", __name__)


@bp.get("/adherents/<int:tenant_id>/contacts")
@requires(Permission.SEE_ADHERENTS)
def index(tenant_id: int) -> ResponseReturnValue:
    """The contacts of an adherent and its own places."""
    return _page(tenant_id)


@bp.post("/adherents/<int:tenant_id>/contacts")
@requires(Permission.MANAGE_ADHERENTS)
def add(tenant_id: int) -> ResponseReturnValue:
    """Add somebody to call."""
    try:
        facts = _typed()
        with state().database.write(scope(), by=current_account().login) as session:
            add_contact(session, tenant_id, facts)
    except Invalid as error:
        return _page(tenant_id, error, "contact"), 422
    flash(_("Le contact est ajouté."))
    return go_to(url_for("contacts.index", tenant_id=tenant_id))


@bp.get("/adherents/<int:tenant_id>/contacts/<int:number>")
@requires(Permission.MANAGE_ADHERENTS)
def edit(tenant_id: int, number: int) -> ResponseReturnValue:
    """The form that changes or ends a contact."""
    return _edit(tenant_id, number)


@bp.post("/adherents/<int:tenant_id>/contacts/<int:number>")
@requires(Permission.MANAGE_ADHERENTS)
def change(tenant_id: int, number: int) -> ResponseReturnValue:
    """Change a contact; its last day ends it."""
    try:
        facts, seen_version = _typed(), inputs.optional_count("version")
        with state().database.write(scope(), by=current_account().login) as session:
            change_contact(session, tenant_id, number, facts, seen_version=seen_version)
    except Invalid as error:
        return _edit(tenant_id, number, error), 422
    except Stale as error:
        return _edit(tenant_id, number, error), 409
    flash(_("Le contact est modifié."))
    return go_to(url_for("contacts.index", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/sites")
@requires(Permission.MANAGE_ADHERENTS)
def add_place(tenant_id: int) -> ResponseReturnValue:
    """Add a place that the directory does not hold."""
    facts = SiteFacts(
        name=inputs.text("site_name"),
        town=inputs.text("town"),
        department=inputs.text("department") or None,
        siret=inputs.text("siret") or None,
    )
    try:
        with state().database.write(scope(), by=current_account().login) as session:
            add_site(session, tenant_id, facts)
    except Invalid as error:
        return _page(tenant_id, error, "site"), 422
    flash(_("Le site est ajouté."))
    return go_to(url_for("contacts.index", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/sites/<int:number>")
@requires(Permission.MANAGE_ADHERENTS)
def end_place(tenant_id: int, number: int) -> ResponseReturnValue:
    """A place is no longer the adherent's."""
    with state().database.write(scope(), by=current_account().login) as session:
        zone = names.adherent(session, tenant_id).zone
        end_site(session, tenant_id, number, today=today(zone))
    flash(_("Le site est terminé."))
    return go_to(url_for("contacts.index", tenant_id=tenant_id))


def _typed() -> ContactFacts:
    return ContactFacts(
        role=inputs.choice("role", ContactRole),
        name=inputs.text("name"),
        phone=inputs.text("phone") or None,
        mail=inputs.text("mail") or None,
        is_primary=bool(inputs.text("primary")),
        starts_on=inputs.day("starts_on"),
        ends_on=inputs.optional_day("ends_on"),
    )


def _page(tenant_id: int, error: Invalid | None = None, part: str = "") -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        day = today(adherent.zone)
        return render_template(
            "contacts/index.html",
            adherent=adherent,
            contacts=contacts.contacts_of(session, tenant_id, day),
            own_sites=contacts.own_sites(session, tenant_id),
            roles=[role.value for role in ContactRole],
            typed=request.form if error else {"starts_on": day.isoformat()},
            errors={error.field: message_of(error)} if error else {},
            part=part,
        )


def _edit(tenant_id: int, number: int, error: DomainError | None = None) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        contact = contacts.contact(session, tenant_id, number)
    return render_template(
        "contacts/edit.html",
        adherent=adherent,
        contact=contact,
        roles=[role.value for role in ContactRole],
        typed=request.form if error else contact.as_typed(),
        errors={error.field: message_of(error)} if isinstance(error, Invalid) else {},
        stale=message_of(error) if isinstance(error, Stale) else "",
    )
