"""Data centres: their indicators, what their meters told, what is stated of them and what they buy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.facility import (
    Looked,
    add_contract,
    add_site,
    declare_pue,
    look_at,
    note_import,
    record_measure,
    site_called,
    store_file,
)
from console.actions.volume_files import forget_file, keep_file, kept_file
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.facility import CATEGORIES, NO_POINT, Contract, ContractKind, DeclaredPue, Quantity
from console.domain.facility_files import (
    LARGEST_FILE,
    WHOLE_SITE,
    Defaults,
    meter_name,
    read_amount,
    unit_size,
)
from console.domain.hours import day_bounds
from console.domain.site_indicators import Found, Indicator
from console.domain.site_measures import Measure, Quality, Verdict
from console.store.queries.sites import SiteFacts, SitePage, site_page, summaries
from console.store.queries.sites import sites as known_sites
from console.store.session import Operator
from console.web import inputs
from console.web.access import allowed, current_account, requires
from console.web.deeds import carry_out
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import ZONE, current_language, energy, today
from console.web.site_words import CONTRACT_KINDS, INDICATORS, QUALITIES, QUANTITIES
from console.web.state import state
from reports.document import Chart, Series
from reports.quantities import Kind

LISTED = 200  # rows of each kind of a preview
AROUND_A_FILE = 64 * 1024  # bytes of a form beside its file
ML_PER_M3 = 1_000_000
UNITS = ("MWh", "kWh", "GWh", "MJ", "GJ", "m3", "L")
PPM_OF_HUNDREDTHS = 100  # of a percent
MG_OF_HUNDREDTHS = 10  # of a gram

bp = Blueprint("sites", __name__)


@bp.url_value_preprocessor
def allow_a_long_file(endpoint: str | None, _values: object) -> None:
    """Before anything reads the form: only from someone who may send one."""
    if endpoint == "sites.preview" and allowed(Permission.MANAGE_FLEET):
        request.max_content_length = LARGEST_FILE + AROUND_A_FILE


@bp.get("/sites")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """Every data centre with its indicators over the last twelve whole months."""
    with state().database.read(Operator()) as session:
        found = summaries(session, today())
    return render_template("sites/index.html", summaries=found, **_words())


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
        add_site(session, *told)

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
    return render_template("sites/show.html", page=page, chart=_chart(page), **_words())


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


@bp.get("/sites/<code>/contracts/new")
@requires(Permission.MANAGE_FLEET)
def contract(code: str) -> ResponseReturnValue:
    """The form of a contract of electricity."""
    return _form("sites/contract.html", code, {})


@bp.post("/sites/<code>/contracts")
@requires(Permission.MANAGE_FLEET)
def sign(code: str) -> ResponseReturnValue:
    """Write a contract of electricity down."""

    def deed(session: Session) -> None:
        add_contract(session, code, _asked_contract(), now=datetime.now(UTC), by=current_account().login)

    return carry_out(
        deed,
        lambda errors: _form("sites/contract.html", code, errors),
        said=_("Le contrat est enregistré."),
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
    facts, content, now = _facts(code), _sent(), datetime.now(UTC)
    try:
        with state().database.read(Operator()) as session:
            found = look_at(session, site_called(session, code), content, _asked_defaults(), now=now)
    except Invalid as error:
        return _form("sites/upload.html", code, {error.field: message_of(error)}), 422
    file_id = None
    if found.to_store:
        account = current_account()
        with state().database.write(Operator(), by=account.login) as session:
            file_id = keep_file(session, content, account_id=account.account_id, now=now)
    return _preview(facts, found, file_id)


@bp.post("/sites/<code>/import")
@requires(Permission.MANAGE_FLEET)
def store(code: str) -> ResponseReturnValue:
    """Store the file that the preview showed; what changed since is judged again."""
    account, file_id, now = current_account(), inputs.optional_count("file"), datetime.now(UTC)
    with state().database.read(Operator()) as session:
        content = kept_file(session, file_id, account_id=account.account_id)
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


def _preview(facts: SiteFacts, found: Looked, file_id: int | None) -> str:
    by_verdict = {
        verdict.value: [one for one in found.judged if one.verdict is verdict]
        for verdict in (Verdict.NEW, Verdict.CHANGED, Verdict.UNCHANGED)
    }
    sent = request.files.get("file")
    return render_template(
        "sites/preview.html",
        facts=facts,
        found=found,
        by_verdict=by_verdict,
        counts=found.counts(),
        refused=found.refused(),
        listed=LISTED,
        file_id=file_id,
        file_name=(sent.filename or "") if sent else "",
        defaults=_asked_defaults(),
        message_of=message_of,
        **_words(),
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
        **_words(),
    )


def _facts(code: str) -> SiteFacts:
    """The data centre of an address; raises `NotFound`."""
    with state().database.read(Operator()) as session:
        found = next((one for one in known_sites(session) if one.code == code), None)
        return found or site_page(session, code, today()).summary.facts


def _sent() -> bytes:
    """The file of the form; a long one lies on the disk and is closed at once."""
    sent = request.files.get("file")
    if sent is None:
        return b""
    with sent.stream as stream:
        return stream.read()


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


def _asked_contract() -> Contract:
    share, renewable = inputs.optional_hundredths("share"), inputs.optional_hundredths("renewable")
    intensity = inputs.optional_hundredths("intensity")
    for field, value in (("share", share), ("renewable", renewable), ("intensity", intensity)):
        if value is not None and value < 0:
            raise Invalid(field, "Un nombre positif est attendu.")
    return Contract(
        kind=inputs.choice("kind", ContractKind),
        supplier=inputs.text("supplier"),
        valid_from=inputs.day("first_day"),
        valid_to=inputs.day("last_day") + timedelta(days=1),
        share_ppm=(share or 0) * PPM_OF_HUNDREDTHS,
        intensity_mg_per_kwh=None if intensity is None else intensity * MG_OF_HUNDREDTHS,
        renewable_ppm=None if renewable is None else renewable * PPM_OF_HUNDREDTHS,
        evidence=inputs.text("evidence"),
    )


def _words() -> dict[str, object]:
    """What the templates call things, and how they write amounts."""
    return {
        "quantities": QUANTITIES,
        "qualities": QUALITIES,
        "contract_kinds": CONTRACT_KINDS,
        "indicator_name": _indicator_name,
        "indicator_value": _indicator_value,
        "amount_text": _amount_text,
        "ppm": _ppm,
        "pue_text": _pue_text,
        "first_day": _first_day,
        "last_day": _last_day,
        "day_before": _day_before,
    }


def _first_day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def _last_day(end: datetime, zone: str) -> date:
    """The last local day of a period, whose end is excluded."""
    return (end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def _day_before(day: date) -> date:
    return day - timedelta(days=1)


def _indicator_name(found: Found) -> str:
    """`PUE2`, or `iPUE2` over less than a year; the category is part of the name in ISO/IEC 30134-2."""
    name = INDICATORS[found.indicator.value]
    if found.indicator is not Indicator.PUE:
        return name
    return f"{'i' if found.value is not None and found.is_interim else ''}{name}{found.category}"


def _indicator_value(found: Found) -> str | None:
    if found.value is None:
        return None
    if found.indicator in (Indicator.REF, Indicator.ERF):
        return current_language().percent(found.value)
    unit = " L/kWh" if found.indicator is Indicator.WUE else ""
    return current_language().number(found.value, 2) + unit


def _amount_text(quantity: Quantity, amount: int | None) -> str:
    """An amount in the unit that suits it; water in cubic metres."""
    if amount is None or not quantity.is_water:
        return energy(amount)
    return current_language().number(Fraction(amount, ML_PER_M3), 1) + " m³"


def _ppm(value: int | None) -> str | None:
    return None if value is None else current_language().percent(Fraction(value, 1_000_000))


def _pue_text(pue_ppm: int) -> str:
    return current_language().number(Fraction(pue_ppm, 1_000_000), 2)


def _chart(page: SitePage) -> Chart | None:
    """The energy of each month: of the IT, of the rest, or of the whole where the IT is unknown."""
    total = page.by_month.get((Quantity.TOTAL, NO_POINT), {})
    of_it = _it_of(page)
    if not any(amount is not None for amount in (*total.values(), *of_it.values())):
        return None
    rows = [(total.get(month), of_it.get(month)) for month in page.months]
    rest = tuple(_rest(whole, part) for whole, part in rows)
    alone = tuple(whole if part is None else None if whole is None else 0 for whole, part in rows)
    series = [
        Series(_("IT"), tuple(part for _whole, part in rows)),
        Series(_("Refroidissement, pertes"), rest),
    ]
    if any(alone):
        series.append(Series(_("Énergie totale, IT inconnue"), alone))
    return Chart(
        title=_("Énergie par mois"),
        description=_("Chaque barre est un mois, à son premier jour ; hachuré : inconnu."),
        kind=Kind.ENERGY_MJ,
        moment_title=_("Mois"),
        moments=tuple(page.months),
        series=tuple(series),
    )


def _rest(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else whole - part


def _it_of(page: SitePage) -> Mapping[date, int | None]:
    """The IT energy at the category that the most months are known of."""
    by_category = {
        category: amounts
        for (quantity, category), amounts in page.by_month.items()
        if quantity is Quantity.IT
    }
    known = {
        category: sum(amount is not None for amount in amounts.values())
        for category, amounts in by_category.items()
    }
    return by_category[max(known, key=lambda one: (known[one], one))] if known else {}
