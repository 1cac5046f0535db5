"""What the law wants told of a security incident, and of a major one: until when, and whether it was."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions import duties
from console.actions.duties import Matter
from console.domain.access import Permission
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Invalid
from console.store.queries.regulatory import Duties, duties_of_incident, duties_of_major
from console.store.session import Operator, Scope
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.major_words import CAPACITIES, DUTY_STATES, RECIPIENTS
from console.web.state import state

bp = Blueprint("duties", __name__)


@bp.get("/adherents/<int:tenant_id>/incidents/<int:number>/duties")
@requires(Permission.SEE_INTERNAL)
def of_incident(tenant_id: int, number: int) -> ResponseReturnValue:
    """The duties of an incident; to htmx, the list alone."""
    return _page(Matter(tenant_id, incident=number))


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/duties")
@requires(Permission.HANDLE_INCIDENTS)
def qualify(tenant_id: int, number: int) -> ResponseReturnValue:
    """Say when the operator became aware, and which duties apply."""
    return _qualify(Matter(tenant_id, incident=number))


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/duties/<int:duty>/done")
@requires(Permission.HANDLE_INCIDENTS)
def settle(tenant_id: int, number: int, duty: int) -> ResponseReturnValue:
    """A duty is done."""
    return _settle(Matter(tenant_id, incident=number), duty)


@bp.post("/adherents/<int:tenant_id>/incidents/<int:number>/duties/<int:duty>/undone")
@requires(Permission.HANDLE_INCIDENTS)
def take_back(tenant_id: int, number: int, duty: int) -> ResponseReturnValue:
    """It was not."""
    return _take_back(Matter(tenant_id, incident=number), duty)


@bp.get("/major-incidents/<int:major_id>/duties")
@requires(Permission.SEE_FLEET)
def of_major(major_id: int) -> ResponseReturnValue:
    """What the operator owes once for a major incident."""
    return _page(_major(major_id))


@bp.post("/major-incidents/<int:major_id>/duties")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def qualify_major(major_id: int) -> ResponseReturnValue:
    """Say when the operator became aware, and which of its duties apply."""
    return _qualify(_major(major_id))


@bp.post("/major-incidents/<int:major_id>/duties/<int:duty>/done")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def settle_major(major_id: int, duty: int) -> ResponseReturnValue:
    """A duty of the operator is done."""
    return _settle(_major(major_id), duty)


@bp.post("/major-incidents/<int:major_id>/duties/<int:duty>/undone")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def take_back_major(major_id: int, duty: int) -> ResponseReturnValue:
    """It was not."""
    return _take_back(_major(major_id), duty)


def _major(major_id: int) -> Matter:
    return Matter(OPERATOR_TENANT, major=major_id)


def _scope(matter: Matter) -> Scope:
    return scope() if matter.major is None else Operator()


def _address(matter: Matter) -> str:
    if matter.major is not None:
        return url_for("duties.of_major", major_id=matter.major)
    return url_for("duties.of_incident", tenant_id=matter.tenant_id, number=matter.incident)


def _read(matter: Matter, now: datetime) -> Duties:
    with state().database.read(_scope(matter)) as session:
        if matter.major is not None:
            return duties_of_major(session, matter.major, now=now)
        return duties_of_incident(session, matter.tenant_id, matter.incident or 0, now=now)


def _qualify(matter: Matter) -> ResponseReturnValue:
    now, by = datetime.now(UTC), current_account().login
    try:
        zone = _read(matter, now).zone
        applying = {_number(value) for value in request.form.getlist("applying")}
        inputs.refuse_patient_numbers("reason")
        with state().database.write(_scope(matter), by=by) as session:
            duties.qualify(
                session,
                matter,
                aware_at=inputs.past_instant("aware_at", zone, now=now),
                applying=applying,
                reason=inputs.text("reason"),
                now=now,
                by=by,
            )
    except Invalid as error:
        return _page(matter, error), 422
    flash(_("La qualification est enregistrée ; les échéances en découlent."))
    return go_to(_address(matter))


def _settle(matter: Matter, duty: int) -> ResponseReturnValue:
    now, by = datetime.now(UTC), current_account().login
    try:
        zone = _read(matter, now).zone
        inputs.refuse_patient_numbers("reference")
        with state().database.write(_scope(matter), by=by) as session:
            duties.settle(
                session,
                matter,
                duty,
                at=inputs.past_instant("at", zone, now=now),
                reference=inputs.text("reference"),
                now=now,
                by=by,
            )
    except Invalid as error:
        return _page(matter, error, duty), 422
    flash(_("L'obligation est remplie."))
    return go_to(_address(matter))


def _take_back(matter: Matter, duty: int) -> ResponseReturnValue:
    with state().database.write(_scope(matter), by=current_account().login) as session:
        duties.take_back(session, matter, duty)
    flash(_("L'obligation est de nouveau à remplir."))
    return go_to(_address(matter))


def _number(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Invalid("applying", "Un choix de la liste est attendu.")
    return int(value)


def _page(matter: Matter, error: Invalid | None = None, duty: int = 0) -> str:
    now = datetime.now(UTC)
    found = _read(matter, now)
    return render_template(
        "duties/list.html" if wants_fragment() and error is None else "duties/show.html",
        matter=matter,
        found=found,
        aware_at=found.aware_at and f"{found.aware_at.astimezone(ZoneInfo(found.zone)):%Y-%m-%dT%H:%M:%S}",
        errors={error.field: message_of(error)} if error else {},
        tried=duty,
        typed=request.form,
        may_act=Permission.HANDLE_INCIDENTS if matter.major is None else Permission.HANDLE_MAJOR_INCIDENTS,
        capacities=CAPACITIES,
        recipients=RECIPIENTS,
        states=DUTY_STATES,
        now=now,
    )
