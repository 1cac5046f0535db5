"""Service calendars: the list, one with a year of it, the form with what it would make, and its copy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.calendars import add_calendar, edit_calendar, read_calendar
from console.domain.access import Permission
from console.domain.calendar import Closure
from console.domain.calendar_year import year_of
from console.domain.errors import Invalid
from console.domain.revisions import Stale
from console.domain.service_hours import (
    DAYS,
    DatedOpening,
    ServiceHours,
    read_segments,
    write_segments,
)
from console.store.queries import calendars
from console.store.queries.calendars import ServiceCalendar
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import today
from console.web.rows import Rows
from console.web.state import state

FIRST_YEAR, LAST_YEAR = 2000, 2100
CLOSURES = Rows("closure", ("first", "last", "yearly", "name"), needed=("first", "last", "name"))
OPENINGS = Rows("opening", ("on", "segments", "name"), needed=("on", "segments", "name"))
ALWAYS, WEEKLY = "always", "weekly"

bp = Blueprint("calendars", __name__)


@bp.get("/catalogue/calendars")
@requires(Permission.SEE_CATALOGUE)
def index() -> ResponseReturnValue:
    """Every calendar and the plans that use it."""
    with state().database.read(scope()) as session:
        listed = calendars.service_calendars(session)
    return render_template("calendars/index.html", calendars=listed)


@bp.get("/catalogue/calendars/<code>")
@requires(Permission.SEE_CATALOGUE)
def show(code: str) -> ResponseReturnValue:
    """A calendar, and a year of it: this one where none is asked for."""
    with state().database.read(scope()) as session:
        found = calendars.service_calendar(session, code)
    year = year_of(found.calendar, _asked_year(found.hours.zone))
    return render_template("calendars/show.html", found=found, year=year, first=FIRST_YEAR, last=LAST_YEAR)


@bp.get("/catalogue/calendars/new")
@requires(Permission.MANAGE_CATALOGUE)
def new() -> ResponseReturnValue:
    """The form of a calendar, which begins as the one it copies."""
    return _form(None, {})


@bp.post("/catalogue/calendars")
@requires(Permission.MANAGE_CATALOGUE)
def add() -> ResponseReturnValue:
    """Add a calendar."""
    code = inputs.text("code")
    try:
        with state().database.write(Operator(), by=current_account().login) as session:
            add_calendar(session, code, inputs.text("name"), _hours(), now=datetime.now(UTC))
    except Invalid as error:
        return _form(None, {error.field: message_of(error)}), 422
    flash(_("Le calendrier est enregistré ; un plan peut le prendre dans sa prochaine version."))
    return go_to(url_for("calendars.show", code=code))


@bp.get("/catalogue/calendars/<code>/edit")
@requires(Permission.MANAGE_CATALOGUE)
def edit(code: str) -> ResponseReturnValue:
    """The form of a calendar that is there."""
    return _form(code, {})


@bp.post("/catalogue/calendars/<code>")
@requires(Permission.MANAGE_CATALOGUE)
def save(code: str) -> ResponseReturnValue:
    """Change a calendar; the clocks under it are read again by the jobs process."""
    try:
        hours = _hours()
        with state().database.write(Operator(), by=current_account().login) as session:
            due = edit_calendar(
                session,
                code,
                inputs.text("name"),
                hours,
                seen_version=inputs.text("version"),
                today=today(hours.zone),
                now=datetime.now(UTC),
            )
    except Invalid as error:
        return _form(code, {error.field: message_of(error)}), 422
    except Stale as error:
        return _form(code, {}, message_of(error)), 409
    flash(_("Le calendrier est enregistré."))
    if due:
        flash(
            _("Les échéances des incidents en cours de %(count)s souscriptions sont recalculées.", count=due)
        )
    return go_to(url_for("calendars.show", code=code))


@bp.post("/catalogue/calendars/check")
@requires(Permission.MANAGE_CATALOGUE)
def check() -> ResponseReturnValue:
    """What the form would make, while it is written: what is wrong, or the open time of a year."""
    try:
        calendar = read_calendar(inputs.text("name") or "-", _hours(), now=datetime.now(UTC))
    except Invalid as error:
        return render_template("calendars/check.html", error=message_of(error), year=None)
    return render_template("calendars/check.html", error=None, year=year_of(calendar, today().year + 1))


def _asked_year(zone: str) -> int:
    asked = request.args.get("year", "")
    if asked.isascii() and asked.isdigit() and len(asked) == 4 and FIRST_YEAR <= int(asked) <= LAST_YEAR:
        return int(asked)
    return today(zone).year


def _form(code: str | None, errors: dict[str, str], stale: str = "") -> str:
    copied = request.args.get("copy")
    with state().database.read(Operator()) as session:
        shown = code or copied
        found = calendars.service_calendar(session, shown) if shown else None
        is_held = code is not None and calendars.is_held(session, code)
    typed = request.form if request.method == "POST" else _values(found, is_copy=code is None)
    return render_template(
        "calendars/form.html",
        code=code,
        found=found,
        is_held=is_held,
        stale=stale,
        version=request.form.get("version", "") if errors else found.version if found else "",
        typed=typed,
        closures=CLOSURES.shown(typed),
        openings=OPENINGS.shown(typed),
        errors=errors,
    )


def _hours() -> ServiceHours:
    """The hours that the form tells; around the clock, what else it tells is left out."""
    if inputs.text("kind") == ALWAYS:
        return ServiceHours(inputs.text("zone"), always=True)
    return ServiceHours(
        zone=inputs.text("zone"),
        territory=inputs.text("territory") or None,
        week=tuple(read_segments(inputs.text(f"day-{weekday}"), f"day-{weekday}") for weekday in DAYS),
        closures=tuple(_closures()),
        openings=tuple(_openings()),
    )


def _closures() -> Iterator[Closure]:
    for row in CLOSURES.filled(request.form):
        try:
            first = _day("closures", row["first"])
            yield Closure(
                first, _day("closures", row["last"] or row["first"]), row["yearly"] == "yes", row["name"]
            )
        except Invalid as error:
            raise Invalid("closures", error.message, **error.values) from None


def _openings() -> Iterator[DatedOpening]:
    for row in OPENINGS.filled(request.form):
        on, segments = _day("openings", row["on"]), read_segments(row["segments"], "openings")
        if not segments:
            raise Invalid("openings", "Les heures du %(day)s sont attendues.", day=on)
        yield DatedOpening(on, segments, row["name"])


def _day(field: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Invalid(field, "« %(text)s » n'est pas une date ; par exemple 2027-08-02.", text=text) from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Invalid(field, "%(text)s n'est pas une date de ce siècle.", text=text)
    return found


def _values(found: ServiceCalendar | None, *, is_copy: bool) -> dict[str, object]:
    """What the form begins with."""
    hours = found.hours if found else ServiceHours("Europe/Paris", territory="FR")
    values: dict[str, object] = {
        "name": found.name if found and not is_copy else "",
        "kind": ALWAYS if hours.always else WEEKLY,
        "zone": hours.zone,
        "territory": hours.territory or "",
    }
    values |= {f"day-{weekday}": write_segments(hours.week[weekday]) for weekday in DAYS}
    for number, closure in enumerate(hours.closures):
        told = (
            closure.first.isoformat(),
            closure.last.isoformat(),
            "yes" if closure.yearly else "",
            closure.name,
        )
        values |= CLOSURES.values(number, *told)
    for number, opening in enumerate(hours.openings):
        said = (opening.on.isoformat(), write_segments(opening.segments), opening.name)
        values |= OPENINGS.values(number, *said)
    return values
