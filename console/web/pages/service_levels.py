"""Service levels: what was promised and kept of each service, closing its months and correcting them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from flask import Blueprint, Response, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.service_months import close_month, correct_month
from console.domain.access import Permission
from console.domain.availability import Months
from console.domain.errors import Conflict, Invalid
from console.domain.service_months import moved_between, reckon_month
from console.store.queries import names
from console.store.queries.ght import group_page
from console.store.queries.service_levels import Level, ServiceYear, group_levels, month_levels, year_of
from console.store.queries.service_months import adherents_to_close, revisions_of, service_names
from console.web import exports, inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import current_language, today
from console.web.months import FIRST_YEAR, month_in_path, month_typed
from console.web.state import state
from reports.language import NO_BREAK

PPM_IN_PERCENT = 10_000
DECIMALS = 4
HUNDRED = 100
CLOSED_AT_ONCE = 25  # adherents that one request closes a month of: some seconds

bp = Blueprint("service_levels", __name__)


@bp.app_template_filter("availability")
def availability(ppm: int | None) -> str:
    """Parts per million in percent, with all their decimals."""
    if ppm is None:
        unknown: str = _("inconnue")
        return unknown
    return f"{current_language().number(Fraction(ppm, PPM_IN_PERCENT), DECIMALS)}{NO_BREAK}%"


@bp.app_template_filter("rate")
def rate(value: Fraction) -> str:
    """How many times, with two decimals."""
    return current_language().number(value, 2)


@bp.app_template_filter("seconds")
def seconds(count: int) -> str:
    """A number of seconds as a duration; below 0 with its sign."""
    shown = current_language().duration(timedelta(seconds=abs(count)))
    return f"−{shown}" if count < 0 else shown


@bp.get("/adherents/<int:tenant_id>/service-levels")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """A year of an adherent's services, month by month."""
    return _year(tenant_id, "")


@bp.get("/service-levels/close")
@requires(Permission.CLOSE_MONTHS)
def closing() -> ResponseReturnValue:
    """How many adherents have a month to close, and the form that closes the next of them."""
    return _closing(request.args.get("month", ""), request.args.get("after", 0, int), "")


@bp.post("/service-levels/close")
@requires(Permission.CLOSE_MONTHS)
def close_next() -> ResponseReturnValue:
    """Close a month of the next adherents, each in its own transaction; what was closed stays closed."""
    by, typed, after = current_account().login, inputs.text("month"), request.form.get("after", 0, int)
    try:
        month = month_typed(typed)
    except Invalid as error:
        return _closing("", after, message_of(error)), 422
    with state().database.read(scope()) as session:
        batch = adherents_to_close(session, month, after)[:CLOSED_AT_ONCE]
    closed, running, refusal = 0, 0, ""
    for tenant_id in batch:
        try:
            with state().database.write(scope(), by) as session:
                closed += len(close_month(session, tenant_id, month, now=datetime.now(UTC), by=by))
        except Invalid as error:
            running, refusal = running + 1, message_of(error)
    if batch and running == len(batch):
        return _closing(typed, after, refusal), 422
    done = len(batch) - running
    flash(_("Services clos : %(count)s, adhérents : %(adherents)s.", count=closed, adherents=done))
    if running:
        flash(_("Adhérents dont le mois n'est pas fini, dans leur fuseau : %(count)s.", count=running))
    return go_to(url_for("service_levels.closing", month=typed, after=batch[-1] if batch else after))


@bp.post("/adherents/<int:tenant_id>/service-levels")
@requires(Permission.CLOSE_MONTHS)
def close(tenant_id: int) -> ResponseReturnValue:
    """Close a month of every service of an adherent."""
    by = current_account().login
    try:
        with state().database.write(scope(), by) as session:
            month = month_typed(request.form.get("month", ""))
            closed = close_month(session, tenant_id, month, now=datetime.now(UTC), by=by)
    except Invalid as error:
        return _year(tenant_id, message_of(error)), 422
    flash(
        _("%(count)s services clos pour ce mois.", count=len(closed))
        if closed
        else _("Ce mois était déjà clos.")
    )
    return go_to(url_for("service_levels.of_adherent", tenant_id=tenant_id, year=month.year))


@bp.get("/adherents/<int:tenant_id>/service-levels.csv")
@requires(Permission.SEE_ADHERENTS)
def as_csv(tenant_id: int) -> Response:
    """A year as a file."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        year = _asked_year(adherent.zone)
        services = year_of(session, tenant_id, year, datetime.now(UTC))
    headings = (
        *(_("Souscription"), _("Service"), _("Du"), _("Mois"), _("Disponibilité en pour cent")),
        *(_("Cible en pour cent"), _("Temps compté en secondes"), _("Temps perdu en secondes")),
        *(_("Maintenance déduite en secondes"), _("Budget du temps écoulé en secondes")),
        _("Budget de la période en secondes"),
        *(_("Incidents rétablis à temps"), _("Incidents en retard"), _("Avoir en euros"), _("Révision")),
    )
    name = _("niveaux-de-service")
    return exports.send(f"{name}-{tenant_id}-{year}", headings, _cells(services), "csv")


@bp.get("/adherents/<int:tenant_id>/service-levels/<int:number>/<month>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int, month: str) -> ResponseReturnValue:
    """A month of a service: what it was reckoned from, step by step."""
    return _show(tenant_id, number, month, "")


@bp.post("/adherents/<int:tenant_id>/service-levels/<int:number>/<month>")
@requires(Permission.CLOSE_MONTHS)
def correct(tenant_id: int, number: int, month: str) -> ResponseReturnValue:
    """Close a month anew, as a revision with its reason."""
    by = current_account().login
    day = month_in_path(month)
    try:
        with state().database.write(scope(), by) as session:
            inputs.refuse_patient_numbers("reason")
            correct_month(
                session, tenant_id, number, day, reason=inputs.text("reason"), now=datetime.now(UTC), by=by
            )
    except (Invalid, Conflict) as error:
        return _show(tenant_id, number, month, message_of(error)), 409 if isinstance(error, Conflict) else 422
    flash(_("La correction est enregistrée comme révision."))
    return go_to(url_for("service_levels.show", tenant_id=tenant_id, number=number, month=month))


@bp.get("/ght/<code>/service-levels")
@requires(Permission.SEE_PORTFOLIO)
def of_group(code: str) -> ResponseReturnValue:
    """The services of a group in a month, weighted by their use."""
    day = today()
    try:
        month = month_typed(request.args.get("month", f"{day:%Y-%m}"))
    except Invalid:
        month = day.replace(day=1)
    with state().database.read(scope()) as session:
        group = group_page(session, code, day)
        tenants = [member.tenant_id for member in group.members if member.tenant_id is not None]
        levels = group_levels(session, tenants, month, datetime.now(UTC))
        members = names.adherents(session, tenants)
    return render_template(
        "service_levels/group.html", group=group, levels=levels, members=members, month=month
    )


def _year(tenant_id: int, error: str) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        year = _asked_year(adherent.zone)
        services = year_of(session, tenant_id, year, datetime.now(UTC))
    day = today(adherent.zone)
    return render_template(
        "service_levels/year.html",
        adherent=adherent,
        year=year,
        this_year=day.year,
        services=services,
        last_month=(day.replace(day=1) - timedelta(days=1)).replace(day=1),
        error=error,
        Months=Months,
    )


def _closing(typed: str, after: int, error: str) -> str:
    day = today()
    try:
        month = month_typed(typed)
    except Invalid:
        month = (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    with state().database.read(scope()) as session:
        left = adherents_to_close(session, month, after)
        following = names.adherents(session, left[:CLOSED_AT_ONCE])
    return render_template(
        "service_levels/closing.html",
        month=month,
        after=after,
        left=len(left),
        following=[following[tenant_id] for tenant_id in left[:CLOSED_AT_ONCE]],
        error=error,
    )


def _show(tenant_id: int, number: int, month: str, error: str) -> str:
    day = month_in_path(month)
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        levels = month_levels(session, tenant_id, [day], datetime.now(UTC))
        level = next((one for one in levels if one.subscription == number), None)
        if level is None:
            abort(404)
        service = service_names(session, tenant_id)[number]
        revisions = revisions_of(session, tenant_id, number, day)
    moved = [moved_between(one.inputs, other.inputs) for one, other in pairwise(revisions)]
    return render_template(
        "service_levels/month.html",
        adherent=adherent,
        level=level,
        month_days=monthrange(day.year, day.month)[1],
        service=service[0] if current_language().code == "fr" else service[1],
        revisions=[
            (one, reckon_month(one.inputs), explained)
            for one, explained in zip(revisions, [[], *moved], strict=False)
        ],
        error=error,
    )


def _asked_year(zone: str) -> int:
    this_year = today(zone).year
    asked = request.args.get("year", "")
    return int(asked) if asked in map(str, range(FIRST_YEAR, this_year + 1)) else this_year


def _cells(services: list[ServiceYear]) -> Iterator[list[exports.Cell]]:
    for service in services:
        name = service.service_fr if current_language().code == "fr" else service.service_en
        for level in service.levels:
            yield [service.subscription, name, *_of(level)]


def _of(level: Level) -> list[exports.Cell]:
    ppm, closed = level.measured.availability_ppm, level.month.closed if level.month else None
    budget = level.budget
    return [
        *(level.first, int(level.length), None if ppm is None else ppm / PPM_IN_PERCENT),
        None if level.target_ppm is None else level.target_ppm / PPM_IN_PERCENT,
        *(level.measured.counted_s, level.measured.lost_s, level.measured.excused_s),
        *((budget.elapsed_s, budget.whole_s) if budget else (None, None)),
        *(level.kept, level.missed),
        None if level.credit_cents is None else level.credit_cents / HUNDRED,
        closed.revision if closed else None,
    ]
