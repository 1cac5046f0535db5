"""Months of carbon: how far each is, closing them, and what a revision changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.carbon_months import close_month, revise_month, waits
from console.domain.access import Permission
from console.domain.carbon_months import Doubt, MonthState
from console.domain.errors import Conflict, Invalid
from console.domain.trace import key_text
from console.store.queries import names
from console.store.queries.carbon_months import (
    MonthSeen,
    adherents_with_lines,
    closed_in,
    month_seen,
    months_seen,
)
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.carbon_words import words
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import today
from console.web.months import FIRST_YEAR, month_in_path, month_typed
from console.web.state import state

CLOSED_AT_ONCE = 25  # adherents that one request closes a month of: some seconds

bp = Blueprint("carbon_months", __name__)


@bp.get("/adherents/<int:tenant_id>/carbon/months")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """A year of an adherent, month by month, with the state of each."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        day = today(adherent.zone)
        year = _asked_year(day.year)
        months = [date(year, number, 1) for number in range(1, 13) if date(year, number, 1) <= day]
        known = months_seen(session, tenant_id, months, datetime.now(UTC))
    seen = [_as_it_waits(tenant_id, one) for one in known]
    return render_template(
        "carbon_months/year.html",
        adherent=adherent,
        year=year,
        this_year=day.year,
        months=[one for one in seen if one.inputs.lines],
        **words(),
    )


@bp.get("/adherents/<int:tenant_id>/carbon/<month>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, month: str) -> ResponseReturnValue:
    """A month: its figures, its revisions, and what each changed."""
    return _show(tenant_id, month_in_path(month), "")


@bp.post("/adherents/<int:tenant_id>/carbon/<month>/close")
@requires(Permission.CLOSE_MONTHS)
def close(tenant_id: int, month: str) -> ResponseReturnValue:
    """Close a month of an adherent."""
    day, by = month_in_path(month), current_account().login
    with state().database.read(scope()) as session:
        names.adherent(session, tenant_id)  # within the scope of the account
    try:
        with state().database.write(Operator(), by) as session:  # lines are the engine's to copy
            revision = close_month(session, tenant_id, day, now=datetime.now(UTC), by=by)
    except (Invalid, Conflict) as error:
        return _show(tenant_id, day, message_of(error)), 409 if isinstance(error, Conflict) else 422
    flash(
        _("Le mois est clos : ses chiffres ne changeront plus.")
        if revision
        else _("Ce mois était déjà clos.")
    )
    return go_to(url_for("carbon_months.show", tenant_id=tenant_id, month=month))


@bp.post("/adherents/<int:tenant_id>/carbon/<month>/revise")
@requires(Permission.CLOSE_MONTHS)
def revise(tenant_id: int, month: str) -> ResponseReturnValue:
    """Close a month anew, as a revision with its reason."""
    day, by = month_in_path(month), current_account().login
    with state().database.read(scope()) as session:
        names.adherent(session, tenant_id)
    try:
        inputs.refuse_patient_numbers("reason")
        with state().database.write(Operator(), by) as session:
            reason, now = inputs.text("reason"), datetime.now(UTC)
            revise_month(session, tenant_id, day, reason=reason, now=now, by=by)
    except (Invalid, Conflict) as error:
        return _show(tenant_id, day, message_of(error)), 409 if isinstance(error, Conflict) else 422
    flash(_("La révision est enregistrée, avec ses causes."))
    return go_to(url_for("carbon_months.show", tenant_id=tenant_id, month=month))


@bp.get("/carbon/close")
@requires(Permission.CLOSE_MONTHS)
def closing() -> ResponseReturnValue:
    """The adherents of a month with the state of each, and the form that closes the next ones."""
    return _closing(request.args.get("month", ""), request.args.get("after", 0, int), "")


@bp.post("/carbon/close")
@requires(Permission.CLOSE_MONTHS)
def close_next() -> ResponseReturnValue:
    """Close a month of the next adherents whose figures are final, each in its own transaction."""
    by, typed, after = current_account().login, inputs.text("month"), request.form.get("after", 0, int)
    also_provisional = bool(inputs.text("provisional"))
    try:
        month = month_typed(typed)
    except Invalid as error:
        return _closing("", after, message_of(error)), 422
    with state().database.read(scope()) as session:
        batch = _left(adherents_with_lines(session, month), closed_in(session, month), after)
    closed = refused = 0
    for tenant_id in batch:
        try:
            with state().database.write(Operator(), by) as session:
                now = datetime.now(UTC)
                seen = month_seen(session, tenant_id, month, now)
                if seen.state is MonthState.FINAL or also_provisional:
                    closed += close_month(session, tenant_id, month, now=now, by=by) is not None
        except (Invalid, Conflict):
            refused += 1
    flash(_("Mois clos : %(count)s.", count=closed))
    if refused:
        flash(_("Adhérents dont le mois n'est pas fini, ou attend un calcul : %(count)s.", count=refused))
    return go_to(url_for("carbon_months.closing", month=typed, after=batch[-1] if batch else after))


def _show(tenant_id: int, month: date, error: str) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        known = month_seen(session, tenant_id, month, datetime.now(UTC))
    seen = _as_it_waits(tenant_id, known)
    return render_template(
        "carbon_months/month.html", adherent=adherent, seen=seen, error=error, key_text=key_text, **words()
    )


def _closing(typed: str, after: int, error: str) -> str:
    try:
        month = month_typed(typed)
    except Invalid:
        month = (today().replace(day=1) - timedelta(days=1)).replace(day=1)
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        known, closed = adherents_with_lines(session, month), closed_in(session, month)
        batch = _left(known, closed, after)
        seen: dict[int, MonthSeen] = {one: month_seen(session, one, month, now) for one in batch}
        named = names.adherents(session, batch)
    with state().database.read(Operator()) as session:  # what waits is the engine's to know
        waiting = {one for one in batch if waits(session, one, month)}
    return render_template(
        "carbon_months/closing.html",
        month=month,
        after=after,
        known=len(known),
        closed=len(closed),
        listed=[(named[one], seen[one], one in waiting) for one in batch],
        error=error,
        **words(),
    )


def _as_it_waits(tenant_id: int, seen: MonthSeen) -> MonthSeen:
    """A month that looks final is provisional while something of it waits to be reckoned."""
    if seen.state is not MonthState.FINAL:
        return seen
    with state().database.read(Operator()) as session:  # what waits is the engine's to know
        due = waits(session, tenant_id, seen.month)
    return replace(seen, state=MonthState.PROVISIONAL, doubts=[Doubt.DUE]) if due else seen


def _left(known: Sequence[int], closed: dict[int, int], after: int) -> list[int]:
    return [one for one in known if one > after and one not in closed][:CLOSED_AT_ONCE]


def _asked_year(this_year: int) -> int:
    asked = request.args.get("year", "")
    return int(asked) if asked in map(str, range(FIRST_YEAR, this_year + 1)) else this_year
