"""One subscription: its terms on a day, its amendments, and the forms that amend it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.amendments import amend, revise_price, set_end
from console.actions.subscriptions import cancel_draft, change_status, end_subscription, subscribe
from console.domain.access import Permission
from console.domain.contract import Status
from console.domain.errors import Invalid
from console.domain.free_text import several_lines
from console.domain.patient_data import patient_numbers
from console.store.queries import names
from console.store.queries.plans import offers
from console.store.queries.subscription import SubscriptionPage, subscription_page
from console.web import inputs, money
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state
from console.web.terms import Withdrawable, asked_plan, asked_revision, asked_terms, asked_withdrawals
from reports.document import Chart, Series
from reports.quantities import Kind

bp = Blueprint("subscription", __name__)
money.install(bp)


class Subject(StrEnum):
    """What an amendment is about: each has its own form."""

    TERMS = "terms"
    PRICE = "price"
    STATUS = "status"
    END = "end"
    CANCEL = "cancel"


@bp.get("/adherents/<int:tenant_id>/subscriptions/new")
@requires(Permission.MANAGE_ADHERENTS)
def new(tenant_id: int) -> ResponseReturnValue:
    """The form that subscribes an adherent to a service."""
    return _form(tenant_id, {})


@bp.post("/adherents/<int:tenant_id>/subscriptions")
@requires(Permission.MANAGE_ADHERENTS)
def add(tenant_id: int) -> ResponseReturnValue:
    """Subscribe the adherent to a service."""
    by = current_account().login
    try:
        with state().database.write(scope(), by=by) as session:
            number = subscribe(
                session,
                tenant_id,
                inputs.text("service"),
                starts_on=inputs.day("starts_on"),
                with_plan=inputs.text("plan") != "none",
                status=Status.DRAFT if inputs.text("draft") else Status.ACTIVE,
                ends_on=inputs.optional_day("ends_on"),
                now=datetime.now(UTC),
                by=by,
                **asked_terms(),
            )
    except Invalid as error:
        return _form(tenant_id, {error.field: message_of(error)}), 422
    flash(_("La souscription est enregistrée."))
    return go_to(url_for("subscription.show", tenant_id=tenant_id, number=number))


@bp.get("/adherents/<int:tenant_id>/subscriptions/<int:number>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """The page of a subscription; `on` asks for the state of another day."""
    with state().database.read(scope()) as session:
        page = subscription_page(
            session, tenant_id, number, now=datetime.now(UTC), asked=inputs.asked_day("on")
        )
    return render_template("subscription/show.html", page=page, chart=_chart(page))


@bp.get("/adherents/<int:tenant_id>/subscriptions/<int:number>/amend")
@requires(Permission.MANAGE_ADHERENTS)
def amend_form(tenant_id: int, number: int) -> ResponseReturnValue:
    """The form of an amendment about a `subject`."""
    asked = request.args.get("subject", "")
    return _amend_form(tenant_id, number, Subject(asked) if asked in list(Subject) else Subject.TERMS, {})


@bp.post("/adherents/<int:tenant_id>/subscriptions/<int:number>/amendments")
@requires(Permission.MANAGE_ADHERENTS)
def add_amendment(tenant_id: int, number: int) -> ResponseReturnValue:
    """Write down an amendment; a note that seems to name a patient must be confirmed first."""
    subject, by = inputs.choice("subject", Subject), current_account().login
    try:
        note = several_lines(inputs.text("note"), "note")
        suspect = patient_numbers(note)
        if suspect and not inputs.text("confirmed"):
            return _amend_form(tenant_id, number, subject, {}, suspect), 422
        with state().database.write(scope(), by=by) as session:
            DEEDS[subject](session, tenant_id, number, note=note, now=datetime.now(UTC), by=by)
    except Invalid as error:
        return _amend_form(tenant_id, number, subject, {error.field: message_of(error)}), 422
    flash(_("L'avenant est enregistré."))
    return go_to(url_for("subscription.show", tenant_id=tenant_id, number=number))


def _chart(page: SubscriptionPage) -> Chart | None:
    """The volumes of the last months; None where none is known."""
    known = {one.month: one.volume for one in page.volumes}
    if not any(volume is not None for volume in known.values()):
        return None
    return Chart(
        title=_("Volumes par mois"),
        description=_("Chaque barre est un mois, à son premier jour ; hachuré : inconnu."),
        kind=Kind.COUNT,
        moment_title=_("Mois"),
        moments=tuple(page.months),
        series=(Series(_("Volume"), tuple(known.get(month) for month in page.months)),),
    )


def _amend_terms(session: Session, tenant_id: int, number: int, **written: Any) -> None:
    told, withdrawn = asked_terms() | asked_plan(), asked_withdrawals()
    if not told and not withdrawn:
        raise Invalid("effective_on", "Rien n'est rempli : un champ vide laisse sa condition comme elle est.")
    if told.keys() & withdrawn:
        raise Invalid("withdrawn", "Une condition se remplit ou se retire, pas les deux à la fois.")
    amend(
        session,
        tenant_id,
        number,
        effective_on=inputs.day("effective_on"),
        changes=told | withdrawn,
        **written,
    )


def _revise_price(session: Session, tenant_id: int, number: int, **written: Any) -> None:
    revise_price(
        session,
        tenant_id,
        number,
        effective_on=inputs.day("effective_on"),
        revision=asked_revision(),
        **written,
    )


def _change_status(session: Session, tenant_id: int, number: int, **written: Any) -> None:
    status = inputs.choice("status", Status)
    change_status(session, tenant_id, number, status, on=inputs.day("effective_on"), **written)


def _end(session: Session, tenant_id: int, number: int, **written: Any) -> None:
    ends_on = inputs.optional_day("ends_on")
    if ends_on is None:
        set_end(session, tenant_id, number, ends_on=None, **written)
    else:
        end_subscription(session, tenant_id, number, ends_on=ends_on, **written)


DEEDS: dict[Subject, Callable[..., None]] = {
    Subject.TERMS: _amend_terms,
    Subject.PRICE: _revise_price,
    Subject.STATUS: _change_status,
    Subject.END: _end,
    Subject.CANCEL: cancel_draft,
}


def _form(tenant_id: int, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        day = today(adherent.zone)
        offered = offers(session, day)
    return render_template(
        "subscription/form.html" if wants_fragment() else "subscription/new.html",
        adherent=adherent,
        offers=offered,
        today=day,
        errors=errors,
    )


def _amend_form(
    tenant_id: int,
    number: int,
    subject: Subject,
    errors: dict[str, str],
    suspect: list[str] | None = None,
) -> str:
    with state().database.read(scope()) as session:
        page = subscription_page(session, tenant_id, number, now=datetime.now(UTC))
    return render_template(
        "subscription/amendment.html" if wants_fragment() else "subscription/amend.html",
        page=page,
        subject=subject.value,
        withdrawable=[term.value for term in Withdrawable],
        errors=errors,
        suspect=suspect or [],
    )
