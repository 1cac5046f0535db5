"""Data centres: their indicators, what their meters told, what is stated of them and what they buy."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.facility import (
    Looked,
    add_site,
    declare_pue,
    look_at,
    note_import,
    record_measure,
    site_called,
    store_file,
)
from console.actions.kept_files import forget_file
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.facility import CATEGORIES, NO_POINT, WHOLE_SITE, DeclaredPue, Quantity
from console.domain.facility_files import (
    LARGEST_FILE,
    Defaults,
    meter_name,
    read_amount,
    unit_size,
)
from console.domain.hours import day_bounds
from console.domain.site_judging import Verdict
from console.domain.site_measures import Measure, Quality
from console.store.queries.sites import SiteFacts, site_page, summaries
from console.store.queries.sites import sites as known_sites
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import ZONE, today
from console.web.long_files import allow_long_file
from console.web.sent_files import keep, kept, sent_file
from console.web.site_figures import energy_chart, pue_chart, words
from console.web.state import state

LISTED = 200  # rows of each kind of a preview
ML_PER_M3 = 1_000_000
UNITS = ("MWh", "kWh", "GWh", "MJ", "GJ", "m3", "L")
PPM_OF_HUNDREDTHS = 100  # of a percent
MG_OF_HUNDREDTHS = 10  # of a gram

bp = Blueprint("sites", __name__)
allow_long_file(bp, "preview", Permission.MANAGE_FLEET, LARGEST_FILE)


@bp.get("/sites")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """Every data centre with its indicators over the last twelve whole months."""
    with state().database.read(Operator()) as session:
        found = summaries(session, today())
    return render_template("sites/index.html", summaries=found, **words())


@bp.get("/sites/new")
@requires(Permission.MANAGE_FLEET)
def new() -> ResponseReturnValue:
    """The form of another data centre."""
    return render_template("sites/new.html", errors={}, zone=ZONE)


@bp.post("/sites")
@requires(Permission.MANAGE_FLEET)
def add() -> ResponseReturnValue:
    """Write a data centre down."""

    def deed(session: Session) -> None:
        told = (inputs.text(field) for field in ("code", "name", "zone", "country", "grid_zone"))
        add_site(session, *told, now=datetime.now(UTC))

    return carry_out(
        deed,
        lambda errors: render_template("sites/new.html", errors=errors, zone=ZONE),
        said=_("Le centre de données est ajouté."),
        address=url_for("sites.index"),
    )


@bp.get("/sites/<code>")
@requires(Permission.SEE_FLEET)
def show(code: str) -> ResponseReturnValue:
    """The page of a data centre."""
    with state().database.read(Operator()) as session:
        page = site_page(session, code, today())
    return render_template(
        "sites/show.html", page=page, chart=energy_chart(page), pue_chart=pue_chart(page), **words()
    )


@bp.get("/sites/<code>/measures/new")
@requires(Permission.MANAGE_FLEET)
def measure(code: str) -> ResponseReturnValue:
    """The form of one measure."""
    return _form("sites/measure.html", code, {})


@bp.post("/sites/<code>/measures")
@requires(Permission.MANAGE_FLEET)
def record(code: str) -> ResponseReturnValue:
    """Store one measure, or correct it."""
    facts = _facts(code)

    def deed(session: Session) -> None:
        told = _asked_measure(ZoneInfo(facts.zone))
        record_measure(session, code, told, now=datetime.now(UTC), by=current_account().login)

    return carry_out(
        deed,
        lambda errors: _form("sites/measure.html", code, errors),
        said=_("La mesure est enregistrée."),
        address=url_for("sites.show", code=code),
    )


@bp.get("/sites/<code>/pue/new")
@requires(Permission.MANAGE_FLEET)
def pue(code: str) -> ResponseReturnValue:
    """The form of a PUE that is declared."""
    return _form("sites/pue.html", code, {})


@bp.post("/sites/<code>/pue")
@requires(Permission.MANAGE_FLEET)
def declare(code: str) -> ResponseReturnValue:
    """State a PUE from a day on."""

    def deed(session: Session) -> None:
        hundredths = inputs.optional_hundredths("pue")
        if hundredths is None:
            raise Invalid("pue", "Un PUE est attendu ; par exemple 1,42.")
        declared = DeclaredPue(
            valid_from=inputs.day("valid_from"),
            pue_ppm=hundredths * 10_000,
            category=inputs.optional_count("category") or NO_POINT,
            window_from=inputs.day("window_from"),
            window_to=inputs.day("window_to"),
            is_provisional=bool(inputs.text("provisional")),
            note=inputs.text("note"),
        )
        declare_pue(session, code, declared, now=datetime.now(UTC), by=current_account().login)

    return carry_out(
        deed,
        lambda errors: _form("sites/pue.html", code, errors),
        said=_("Le PUE est déclaré."),
        address=url_for("sites.show", code=code),
    )


@bp.get("/sites/<code>/import")
@requires(Permission.MANAGE_FLEET)
def upload(code: str) -> ResponseReturnValue:
    """The form that takes a file of meters."""
    return _form("sites/upload.html", code, {})


@bp.post("/sites/<code>/import/preview")
@requires(Permission.MANAGE_FLEET)
def preview(code: str) -> ResponseReturnValue:
    """What a file would change, and what of it is refused; it is kept where there is something to store."""
    facts, now = _facts(code), datetime.now(UTC)
    content, name = sent_file()
    try:
        with state().database.read(Operator()) as session:
            found = look_at(session, site_called(session, code), content, _asked_defaults(), now=now)
    except Invalid as error:
        return _form("sites/upload.html", code, {error.field: message_of(error)}), 422
    file_id = keep(content, now=now) if found.to_store else None
    return _preview(facts, found, file_id, name)


@bp.post("/sites/<code>/import")
@requires(Permission.MANAGE_FLEET)
def store(code: str) -> ResponseReturnValue:
    """Store the file that the preview showed; what changed since is judged again."""
    account, now = current_account(), datetime.now(UTC)
    content, file_id = kept()
    with state().database.write(Operator(), by=account.login) as session:
        site = site_called(session, code)
        found = store_file(session, site, content, _asked_defaults(), now=now, by=account.login)
        note_import(session, site, inputs.text("name") or str(file_id), found)
        forget_file(session, file_id)
    flash(_told(found))
    return go_to(url_for("sites.show", code=code))


def _told(found: Looked) -> str:
    counts = found.counts()
    return str(
        _(
            "Mesures : %(new)s nouvelles, %(changed)s corrigées, %(unchanged)s inchangées, %(refused)s "
            "refusées.",
            new=counts[Verdict.NEW],
            changed=counts[Verdict.CHANGED],
            unchanged=counts[Verdict.UNCHANGED],
            refused=counts[Verdict.REFUSED],
        )
    )


def _preview(facts: SiteFacts, found: Looked, file_id: int | None, name: str) -> str:
    by_verdict = {
        verdict.value: [one for one in found.judged if one.verdict is verdict]
        for verdict in (Verdict.NEW, Verdict.CHANGED, Verdict.UNCHANGED)
    }
    return render_template(
        "sites/preview.html",
        facts=facts,
        found=found,
        by_verdict=by_verdict,
        counts=found.counts(),
        refused=found.refused(),
        listed=LISTED,
        file_id=file_id,
        file_name=name,
        defaults=_asked_defaults(),
        message_of=message_of,
        **words(),
    )


def _form(template: str, code: str, errors: dict[str, str]) -> str:
    return render_template(
        template,
        facts=_facts(code),
        errors=errors,
        today=today(),
        categories=CATEGORIES,
        units=UNITS,
        whole_site=WHOLE_SITE,
        **words(),
    )


def _facts(code: str) -> SiteFacts:
    """The data centre of an address; raises `NotFound`."""
    with state().database.read(Operator()) as session:
        found = next((one for one in known_sites(session) if one.code == code), None)
        return found or site_page(session, code, today()).summary.facts


def _asked_defaults() -> Defaults:
    category = inputs.optional_count("category") or NO_POINT
    if category not in (NO_POINT, *CATEGORIES):
        raise Invalid("category", "Un choix de la liste est attendu.")
    return Defaults(category, meter_name(inputs.text("meter") or WHOLE_SITE))


def _asked_measure(zone: ZoneInfo) -> Measure:
    quantity, unit = inputs.choice("quantity", Quantity), inputs.text("unit")
    first, last = inputs.day("first_day"), inputs.day("last_day")
    if last < first:
        raise Invalid("last_day", "Une période finit après son début.")
    return Measure(
        started_at=day_bounds(first, zone)[0],
        ended_at=day_bounds(last, zone)[1],
        quantity=quantity,
        category=inputs.optional_count("category") or NO_POINT,
        meter=meter_name(inputs.text("meter") or WHOLE_SITE),
        amount=read_amount(inputs.text("amount"), unit_size(quantity, unit, "unit"), "amount"),
        quality=inputs.choice("quality", Quality),
    )
