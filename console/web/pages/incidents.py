"""One incident: the form that declares it, its page, what happens to it and what is told of it anew."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from console.actions.incidents import (
    Category,
    Origin,
    Particulars,
    Priority,
    Revision,
    open_incident,
    record_event,
    redact_incident,
    set_particulars,
)
from console.actions.touched import Site
from console.domain.access import Permission
from console.domain.clock import EventKind
from console.domain.errors import Invalid
from console.domain.outages import Effect
from console.domain.revisions import Stale
from console.store.queries import names
from console.store.queries.adherent import adherent_page
from console.store.queries.incident_file import places_of
from console.web import incident_view, inputs, operator_mail
from console.web.access import allowed, current_account, requires, scope
from console.web.errors import message_of
from console.web.filled_forms import SEEN
from console.web.fragments import go_to, wants_fragment
from console.web.state import state
from reports.incident_mail import Deed

LOWEST = 5  # of an impact and an urgency
USUAL = {"impact": "3", "urgency": "3"}
OWN = "own-"  # before the number of a place that the directory does not hold

bp = Blueprint("incidents", __name__)


@bp.get("/adherents/<int:tenant_id>/incidents/new")
@requires(Permission.DECLARE_INCIDENTS)
def new(tenant_id: int) -> ResponseReturnValue:
    """The form that declares an incident: in full for the operator, in a few words for an adherent."""
    return _form(tenant_id, {})


@bp.post("/adherents/<int:tenant_id>/incidents")
@requires(Permission.DECLARE_INCIDENTS)
def add(tenant_id: int) -> ResponseReturnValue:
    """Declare an incident; a text that seems to name a patient must be confirmed first."""
    now, by = datetime.now(UTC), current_account().login
    try:
        inputs.refuse_patient_numbers("title", "description")
        subscription, told = inputs.subscription(), _told()
        with state().database.write(scope(), by=by) as session:
            zone = names.adherent(session, tenant_id).zone
            number = open_incident(
                session,
                tenant_id=tenant_id,
                subscription=subscription,
                title=inputs.text("title"),
                told=told,
                at=inputs.past_instant("at", zone, now=now),
                now=now,
                by=by,
            )
    except Invalid as error:
        return _form(tenant_id, {error.field: message_of(error)}), 422
    if told.origin is Origin.ADHERENT:
        operator_mail.tell(tenant_id, number, Deed.DECLARED)
    flash(_("L'incident est ouvert."))
    return go_to(url_for("incidents.show", tenant_id=tenant_id, number=number))


@bp.get("/adherents/<int:tenant_id>/incidents/<int:number>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """One incident: its clocks, what may happen next, all that happened."""
    return incident_view.page(tenant_id, number)


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/events")
@requires(Permission.HANDLE_INCIDENTS)
def record(tenant_id: int, number: int) -> ResponseReturnValue:
    """Record what happened to an incident."""
    now, by = datetime.now(UTC), current_account().login
    try:
        with state().database.write(scope(), by=by) as session:
            zone = names.adherent(session, tenant_id).zone
            record_event(
                session,
                tenant_id=tenant_id,
                number=number,
                kind=inputs.choice("kind", EventKind),
                at=inputs.past_instant("at", zone, now=now),
                now=now,
                by=by,
            )
    except Invalid as error:
        return incident_view.page(tenant_id, number, error, "event"), 422
    if wants_fragment():
        return incident_view.page(tenant_id, number)
    return go_to(url_for("incidents.show", tenant_id=tenant_id, number=number))


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/particulars")
@requires(Permission.HANDLE_INCIDENTS)
def change(tenant_id: int, number: int) -> ResponseReturnValue:
    """Tell anew what an incident is: its priority, its effect, what it touches."""
    now, by = datetime.now(UTC), current_account().login
    try:
        revision, seen = _revision(), _revision(SEEN)
        with state().database.write(scope(), by=by) as session:
            zone = names.adherent(session, tenant_id).zone
            changed = set_particulars(
                session,
                tenant_id=tenant_id,
                number=number,
                revision=revision,
                seen=seen,
                at=inputs.past_instant("since", zone, now=now),
                now=now,
                by=by,
            )
    except Invalid as error:
        named = Invalid("since", error.message) if error.field == "at" else error
        return incident_view.page(tenant_id, number, named, "particulars"), 422
    except Stale as error:
        return incident_view.page(tenant_id, number, error, "particulars"), 409
    flash(_("L'incident est modifié ; ses échéances sont recalculées.") if changed else _("Rien n'a changé."))
    return go_to(url_for("incidents.show", tenant_id=tenant_id, number=number))


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/redact")
@requires(Permission.REDACT)
def redact(tenant_id: int, number: int) -> ResponseReturnValue:
    """Take the title and the description of an incident away for good."""
    with state().database.write(scope(), by=current_account().login) as session:
        redact_incident(session, tenant_id=tenant_id, number=number)
    flash(_("Le titre et la description de l'incident sont caviardés."))
    return go_to(url_for("incidents.show", tenant_id=tenant_id, number=number))


def _told() -> Particulars:
    """What the form says; an adherent tells what it lives, and the matrix makes the priority of it."""
    impact, urgency, description = _level("impact"), _level("urgency"), inputs.text("description")
    if not allowed(Permission.HANDLE_INCIDENTS):
        for field, level in (("impact", impact), ("urgency", urgency)):
            if level is None:
                raise Invalid(field, "Un choix de la liste est attendu.")
        effect = inputs.optional_choice("effect", Effect)
        return Particulars(
            impact=impact, urgency=urgency, description=description, effect=effect, origin=Origin.ADHERENT
        )
    return Particulars(
        impact=impact,
        urgency=urgency,
        description=description,
        priority=inputs.optional_choice("priority", Priority),
        category=inputs.optional_choice("category", Category),
        is_security=inputs.text("security") == "yes",
        effect=inputs.optional_choice("effect", Effect),
        touches=_touches(),
        sites=_sites(),
    )


def _revision(before: str = "") -> Revision:
    """What the form says in the fields with these letters before their names."""
    return Revision(
        priority=inputs.optional_choice(f"{before}priority", Priority),
        impact=_level(f"{before}impact"),
        urgency=_level(f"{before}urgency"),
        category=inputs.optional_choice(f"{before}category", Category),
        is_security=inputs.text(f"{before}security") == "yes",
        effect=inputs.optional_choice(f"{before}effect", Effect),
        touches=_touches(before),
        sites=_sites(before),
    )


def _level(field: str) -> int | None:
    level = inputs.optional_count(field)
    if level is not None and not 1 <= level <= LOWEST:
        raise Invalid(field, "Un choix de la liste est attendu.")
    return level


def _touches(before: str = "") -> list[int]:
    values = request.form.getlist(f"{before}touches")
    if not all(value.isascii() and value.isdigit() and len(value) < 10 for value in values):
        raise Invalid("touches", "Un choix de la liste est attendu.")
    return [int(value) for value in values]


def _sites(before: str = "") -> list[Site]:
    return [_site(value) for value in request.form.getlist(f"{before}sites")]


def _site(value: str) -> Site:
    if not value.startswith(OWN):
        return Site(finess_et=value)
    number = value.removeprefix(OWN)
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Invalid("sites", "Choisissez parmi les sites de l'adhérent.")
    return Site(own_site=int(number))


def _untouched() -> MultiDict[str, str]:
    """What staff usually tells; an adherent is asked to choose."""
    return MultiDict(USUAL if allowed(Permission.HANDLE_INCIDENTS) else {})


def _form(tenant_id: int, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        adherent = adherent_page(session, tenant_id, now=datetime.now(UTC))
        places = places_of(session, tenant_id)
    return render_template(
        "incidents/form.html" if wants_fragment() else "incidents/new.html",
        adherent=adherent,
        subscriptions=adherent.running,
        places=places,
        typed=request.form if errors else _untouched(),
        errors=errors,
    )
