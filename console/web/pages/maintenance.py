"""Planned work: the calendar by month, the record of one with what it falls on, its announcement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.maintenance import (
    Plan,
    announce,
    cancel_occurrence,
    cancel_work,
    change_draft,
    draft_work,
    foresee,
    move_occurrence,
)
from console.domain.access import Permission
from console.domain.errors import Conflict, DomainError, Invalid
from console.domain.hosting import DataCentre
from console.domain.maintenance import MaintenanceState
from console.domain.outages import Effect
from console.store.queries import names
from console.store.queries.maintenance import (
    Record,
    list_work,
    record_of,
    service_names,
    work_between,
    work_of,
)
from console.store.queries.service_names import ServiceName
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.audit_choices import EFFECTS, WORK_STATES
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import ZONE
from console.web.maintenance_words import REPEATS, TONES, called, clash_text
from console.web.month_grid import asked_month, bounds, grid
from console.web.state import state

SHOWN = 60  # occurrences on the page of one record
DEED = Callable[[Session, datetime, str], object]  # with now and who does it

bp = Blueprint("maintenance", __name__)


@bp.get("/maintenance")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """A month of the planned work of every adherent, and the records that are not over."""
    month, now = asked_month(ZONE), datetime.now(UTC)
    with state().database.read(Operator()) as session:
        work = work_between(session, *bounds(month, ZONE))
        records = list_work(session, now=now)
    return render_template(
        "maintenance/index.html", grid=grid(month, ZONE, work), records=records, **_words()
    )


@bp.get("/adherents/<int:tenant_id>/maintenance")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """A month of the planned work that was announced to one adherent."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        month = asked_month(adherent.zone)
        work = work_of(session, tenant_id, *bounds(month, adherent.zone))
    return render_template(
        "maintenance/of_adherent.html", adherent=adherent, grid=grid(month, adherent.zone, work), **_words()
    )


@bp.get("/maintenance/new")
@requires(Permission.PLAN_MAINTENANCE)
def new() -> ResponseReturnValue:
    """The form of planned work."""
    return _form(None)


@bp.post("/maintenance")
@requires(Permission.PLAN_MAINTENANCE)
def add() -> ResponseReturnValue:
    """Write planned work down as a draft."""
    by, now = current_account().login, datetime.now(UTC)
    try:
        plan = _typed()
        with state().database.write(Operator(), by=by) as session:
            maintenance_id = draft_work(session, plan, now=now, by=by)
    except Invalid as error:
        return _form(None, error), 422
    flash(_("Le brouillon est enregistré : voyez ses dates, puis annoncez-le."))
    return go_to(url_for("maintenance.show", maintenance_id=maintenance_id))


@bp.get("/maintenance/<int:maintenance_id>")
@requires(Permission.SEE_FLEET)
def show(maintenance_id: int) -> ResponseReturnValue:
    """One record: when, on what, whom it touches, what each date falls on."""
    return _page(maintenance_id)


@bp.get("/maintenance/<int:maintenance_id>/facts")
@requires(Permission.PLAN_MAINTENANCE)
def edit(maintenance_id: int) -> ResponseReturnValue:
    """The form of a draft."""
    return _form(maintenance_id)


@bp.post("/maintenance/<int:maintenance_id>/facts")
@requires(Permission.PLAN_MAINTENANCE)
def change(maintenance_id: int) -> ResponseReturnValue:
    """Change a draft."""
    try:
        plan = _typed()
        with state().database.write(Operator(), by=current_account().login) as session:
            change_draft(session, maintenance_id, plan, now=datetime.now(UTC))
    except Invalid as error:
        return _form(maintenance_id, error), 422
    flash(_("Le brouillon est modifié."))
    return go_to(url_for("maintenance.show", maintenance_id=maintenance_id))


@bp.post("/maintenance/<int:maintenance_id>/announce")
@requires(Permission.PLAN_MAINTENANCE)
def tell(maintenance_id: int) -> ResponseReturnValue:
    """Announce it to the adherents that it touches."""
    return _do(
        maintenance_id,
        lambda session, now, by: announce(session, maintenance_id, now=now, by=by),
        _("Les travaux sont annoncés aux adhérents qu'ils touchent."),
    )


@bp.post("/maintenance/<int:maintenance_id>/cancel")
@requires(Permission.PLAN_MAINTENANCE)
def cancel(maintenance_id: int) -> ResponseReturnValue:
    """Cancel every date to come."""
    return _do(
        maintenance_id,
        lambda session, now, by: cancel_work(session, maintenance_id, now=now, by=by),
        _("Les travaux sont annulés."),
    )


@bp.post("/maintenance/<int:maintenance_id>/occurrences/move")
@requires(Permission.PLAN_MAINTENANCE)
def move(maintenance_id: int) -> ResponseReturnValue:
    """Hold one occurrence at another time."""
    return _do(
        maintenance_id,
        lambda session, now, by: move_occurrence(
            session,
            maintenance_id,
            _occurrence(),
            inputs.wall("starts_at"),
            inputs.optional_count("duration_min"),
            now=now,
            by=by,
        ),
        _("La date est déplacée, et annoncée de nouveau."),
    )


@bp.post("/maintenance/<int:maintenance_id>/occurrences/cancel")
@requires(Permission.PLAN_MAINTENANCE)
def cancel_one(maintenance_id: int) -> ResponseReturnValue:
    """Cancel one occurrence."""
    return _do(
        maintenance_id,
        lambda session, now, by: cancel_occurrence(session, maintenance_id, _occurrence(), now=now, by=by),
        _("Cette date est annulée."),
    )


def _do(maintenance_id: int, deed: DEED, said: str) -> ResponseReturnValue:
    """Do something to a record and go back to it, or show it with what is wrong."""
    by = current_account().login
    try:
        with state().database.write(Operator(), by=by) as session:
            deed(session, datetime.now(UTC), by)
    except Invalid as error:
        return _page(maintenance_id, error), 422
    except Conflict as error:
        return _page(maintenance_id, error), 409
    flash(said)
    return go_to(url_for("maintenance.show", maintenance_id=maintenance_id))


def _page(maintenance_id: int, error: DomainError | None = None) -> str:
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        prospect = foresee(session, maintenance_id, now=now)
        services = service_names(session)
    record = prospect.record
    return render_template(
        "maintenance/show.html",
        record=record,
        reach=prospect.reach,
        ahead=prospect.ahead[:SHOWN],
        total=len(prospect.ahead),
        scope=_scope_names(record, services),
        is_draft=record.state is MaintenanceState.DRAFT,
        is_open=record.state in (MaintenanceState.DRAFT, MaintenanceState.ANNOUNCED),
        clash_text=lambda clash: clash_text(clash, services),
        error=message_of(error) if error else "",
        wrong=request.form.get("occurrence", "") if error else "",
        typed=request.form,
        now=now,
        zone=ZoneInfo(record.timing.zone),
        **_words(),
    )


def _scope_names(record: Record, services: Mapping[str, ServiceName]) -> list[str]:
    found = []
    for value in record.scope:
        kind, _colon, code = value.partition(":")
        if kind == "data_centre":
            found.append(_("centre de données de %(town)s", town=code.title()))
        else:
            found.append(called(services[code]) if code in services else code)
    return found


def _form(maintenance_id: int | None, error: Invalid | None = None) -> str:
    with state().database.read(Operator()) as session:
        record = None if maintenance_id is None else record_of(session, maintenance_id)
        services = service_names(session)
    if record is not None and record.state is not MaintenanceState.DRAFT:
        raise Conflict("Ces travaux sont annoncés : déplacez ou annulez leurs dates.")
    return render_template(
        "maintenance/form.html",
        record=record,
        services=services.values(),
        centres=list(DataCentre),
        typed=request.form if error else _facts(record),
        ticked=request.form.getlist("scope") if error else (record.scope if record else ()),
        repeats=REPEATS,
        errors={error.field: message_of(error)} if error else {},
        **_words(),
    )


def _facts(record: Record | None) -> dict[str, str]:
    """A record as its form holds it."""
    if record is None:
        return {"zone": ZONE, "duration_min": "120", "effect": Effect.OUTAGE.value}
    timing = record.timing
    return {
        "title": record.title,
        "description": record.description or "",
        "starts_at": f"{timing.first:%Y-%m-%dT%H:%M}",
        "zone": timing.zone,
        "duration_min": str(timing.duration_min),
        "rule": timing.rule,
        "until_on": timing.until_on.isoformat() if timing.until_on else "",
        "excluded": " ".join(sorted(day.isoformat() for day in timing.excluded)),
        "adherents": ", ".join(map(str, record.adherents)),
        "effect": record.effect.value,
    }


def _typed() -> Plan:
    inputs.refuse_patient_numbers("title", "description")
    return Plan(
        title=inputs.text("title"),
        description=inputs.text("description"),
        first=inputs.wall("starts_at"),
        zone=inputs.text("zone") or ZONE,
        duration_min=inputs.optional_count("duration_min"),
        rule=inputs.text("rule"),
        until_on=inputs.optional_day("until_on"),
        excluded=inputs.text("excluded"),
        scope=request.form.getlist("scope"),
        adherents=_adherents(),
        effect=inputs.choice("effect", Effect),
    )


def _adherents() -> set[int]:
    words = inputs.text("adherents").replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
        raise Invalid("adherents", "Des numéros d'adhérents sont attendus, séparés par des virgules.")
    return {int(word) for word in words}


def _occurrence() -> datetime:
    """The occurrence that a form is about, by the instant that names it."""
    try:
        found = datetime.fromisoformat(inputs.text("occurrence"))
    except ValueError:
        raise Invalid("occurrence", "Un choix de la liste est attendu.") from None
    if found.tzinfo is None:
        raise Invalid("occurrence", "Un choix de la liste est attendu.")
    return found.astimezone(UTC)


def _words() -> dict[str, object]:
    return {"states": WORK_STATES, "tones": TONES, "effects": EFFECTS, "called": called}
