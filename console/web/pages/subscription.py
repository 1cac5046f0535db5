"""One subscription: its terms on a day, its amendments, and the forms that amend it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.subscriptions import (
    end_subscription,
    resume_subscription,
    subscribe,
    suspend_subscription,
)
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.store.queries import names
from console.store.queries.adherent import adherent_page
from console.store.queries.plans import offers
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state

bp = Blueprint("subscription", __name__)


@bp.get("/adherents/<int:tenant_id>/subscriptions/new")
@requires(Permission.MANAGE_ADHERENTS)
def new(tenant_id: int) -> ResponseReturnValue:
    """The form that subscribes an adherent to a service."""
    return _form(tenant_id, {})


@bp.post("/adherents/<int:tenant_id>/subscriptions")
@requires(Permission.MANAGE_ADHERENTS)
def add(tenant_id: int) -> ResponseReturnValue:
    """Subscribe the adherent to a service."""
    try:
        with state().database.write(scope(), by=current_account().login) as session:
            number = subscribe(
                session,
                tenant_id,
                inputs.text("service"),
                starts_on=inputs.day("starts_on"),
                ends_on=inputs.optional_day("ends_on"),
                volume=inputs.optional_count("volume"),
                contract=inputs.text("contract") or None,
            )
    except Invalid as error:
        return _form(tenant_id, {error.field: message_of(error)}), 422
    flash(_("La souscription est enregistrée."))
    return go_to(url_for("subscription.show", tenant_id=tenant_id, number=number))


@bp.get("/adherents/<int:tenant_id>/subscriptions/<int:number>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """The page of a subscription."""
    return _page(tenant_id, number, {})


@bp.post("/adherents/<int:tenant_id>/subscriptions/<int:number>")
@requires(Permission.MANAGE_ADHERENTS)
def change(tenant_id: int, number: int) -> ResponseReturnValue:
    """Suspend, resume or end a subscription."""
    deed, now = inputs.text("deed"), datetime.now(UTC)
    try:
        with state().database.write(scope(), by=current_account().login) as session:
            if deed == "suspend":
                suspend_subscription(session, tenant_id, number)
            elif deed == "resume":
                resume_subscription(session, tenant_id, number)
            elif deed == "end":
                end_subscription(session, tenant_id, number, ends_on=inputs.day("ends_on"), now=now)
            else:
                raise Invalid("deed", "Un choix de la liste est attendu.")
    except Invalid as error:
        return _page(tenant_id, number, {error.field: message_of(error)}), 422
    flash(_("La souscription est modifiée."))
    return go_to(url_for("subscription.show", tenant_id=tenant_id, number=number))


def _form(tenant_id: int, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        offered = offers(session)
    return render_template(
        "subscription/form.html" if wants_fragment() else "subscription/new.html",
        adherent=adherent,
        offers=offered,
        today=today(adherent.zone),
        errors=errors,
    )


def _page(tenant_id: int, number: int, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        adherent = adherent_page(session, tenant_id, now=datetime.now(UTC))
    return render_template("subscription/show.html", adherent=adherent, number=number, errors=errors)
