"""Grids: what a kWh of each emits by the hour; what is known, what is missing, the files that tell it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.grid import Tally, compare, note_import, portions, take
from console.actions.kept_files import forget_file
from console.domain.access import Permission
from console.domain.countries import grid_zone
from console.domain.errors import Invalid, NotFound
from console.domain.facility import Basis
from console.domain.grid_files import GridFile, read_grid
from console.store.queries.grids import GridPage, grid_page, grids
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.grid_words import BASES, STATES
from console.web.long_files import allow_long_file
from console.web.sent_files import keep, kept, sent_file
from console.web.state import state
from reports.document import Chart, Series
from reports.quantities import Kind

LARGEST_FILE = 16 * 1024 * 1024  # bytes: a year by quarters of an hour; the command takes longer files
LISTED = 100  # gaps, refused rows

bp = Blueprint("grids", __name__)
allow_long_file(bp, "preview", Permission.MANAGE_CARBON, LARGEST_FILE)


@bp.get("/carbon/grids")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """Every grid, with what is known of it and the data centres that draw from it."""
    with state().database.read(Operator()) as session:
        found = grids(session)
    return render_template("grids/index.html", grids=found, bases=BASES)


@bp.get("/carbon/grids/<zone>")
@requires(Permission.SEE_FLEET)
def show(zone: str) -> ResponseReturnValue:
    """A year of a grid month by month with its gaps, and the days of a month or the hours of a day."""
    day = inputs.asked_day("day")
    with state().database.read(Operator()) as session:
        page = grid_page(
            session,
            zone,
            now=datetime.now(UTC),
            basis=_asked_basis(),
            year=_asked_year(),
            month=_asked_month(),
            day=day,
        )
    return render_template(
        "grids/show.html",
        page=page,
        chart=_day_chart(page) if day else _month_chart(page),
        bases=BASES,
        states=STATES,
        listed=LISTED,
    )


@bp.get("/carbon/grids/import")
@requires(Permission.MANAGE_CARBON)
def upload() -> ResponseReturnValue:
    """The form that takes a file of intensities."""
    return _form({})


@bp.post("/carbon/grids/import/preview")
@requires(Permission.MANAGE_CARBON)
def preview() -> ResponseReturnValue:
    """What a file would change, and what of it is refused; it is kept where there is something to store."""
    content, name = sent_file()
    try:
        zone = grid_zone(inputs.text("zone"))
        found = read_grid(content, zone)
    except Invalid as error:
        return _form({error.field if error.field == "zone" else "file": message_of(error)}), 422
    tally = _tried(zone, found)
    file_id = keep(content, now=datetime.now(UTC)) if tally.to_store else None
    return render_template(
        "grids/preview.html",
        zone=zone,
        found=found,
        tally=tally,
        file_id=file_id,
        file_name=name,
        listed=LISTED,
        message_of=message_of,
    )


@bp.post("/carbon/grids/import")
@requires(Permission.MANAGE_CARBON)
def store() -> ResponseReturnValue:
    """Store the file that the preview showed, some days at a time; begun again it goes on."""
    account, zone = current_account(), grid_zone(inputs.text("zone"))
    content, file_id = kept()
    tally = Tally()
    for portion in portions(read_grid(content, zone).intensities):
        with state().database.write(Operator(), by=account.login) as session:
            tally.count(take(session, zone, portion, now=datetime.now(UTC)))
    with state().database.write(Operator(), by=account.login) as session:
        note_import(session, zone, inputs.text("name") or str(file_id), tally)
        forget_file(session, file_id)
    told = _("Intensités de %(zone)s : %(added)s ajoutées, %(replaced)s remplacées.", zone=zone,
             added=tally.added, replaced=tally.replaced)  # fmt: skip
    flash(told)
    return go_to(url_for("grids.show", zone=zone))


def _tried(zone: str, found: GridFile) -> Tally:
    tally = Tally()
    with state().database.read(Operator()) as session:
        for portion in portions(found.intensities):
            tally.count(compare(session, zone, portion))
    return tally


def _form(errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        zones = [one.zone for one in grids(session)]
    return render_template("grids/upload.html", errors=errors, zones=zones)


def _asked_basis() -> Basis | None:
    asked = request.args.get("basis", "")
    if asked and asked not in set(Basis):
        raise NotFound("Il n'y a pas de telle base.")
    return Basis(asked) if asked else None


def _asked_year() -> int | None:
    asked = request.args.get("year", "")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdigit() and 2000 <= int(asked[:5]) < 2200):
        raise NotFound("Il n'y a pas de telle année.")
    return int(asked)


def _asked_month() -> date | None:
    asked = request.args.get("month", "")
    if not asked:
        return None
    try:
        found = date.fromisoformat(f"{asked}-01")
    except ValueError:
        raise NotFound("Il n'y a pas de tel mois.") from None
    if not 2000 <= found.year < 2200:
        raise NotFound("Il n'y a pas de tel mois.")
    return found


def _month_chart(page: GridPage) -> Chart | None:
    """The mean of each day of which every hour is known."""
    if not any(day.known for day in page.days):
        return None
    return Chart(
        title=_("Intensité par jour"),
        description=_(
            "Chaque barre est la moyenne d'un jour ; hachuré : une heure au moins en est inconnue."
        ),
        kind=Kind.INTENSITY_MG_PER_KWH,
        moment_title=_("Jour"),
        moments=tuple(day.day for day in page.days),
        series=(Series(_("Intensité"), tuple(day.mean_mg_per_kwh for day in page.days)),),
    )


def _day_chart(page: GridPage) -> Chart | None:
    """The hours of a day, on its clock."""
    if not any(value is not None for _hour, value in page.hours):
        return None
    clock = ZoneInfo(page.clock)
    return Chart(
        title=_("Intensité par heure"),
        description=_("Chaque barre est une heure ; hachuré : inconnue."),
        kind=Kind.INTENSITY_MG_PER_KWH,
        moment_title=_("Heure"),
        moments=tuple(hour.astimezone(clock) for hour, _value in page.hours),
        series=(Series(_("Intensité"), tuple(value for _hour, value in page.hours)),),
    )
