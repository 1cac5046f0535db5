"""Emission factors: the registry, one of them and where it is used, and what is written down of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions import factors as registry_actions
from console.domain.access import Permission
from console.domain.countries import alpha3
from console.domain.errors import Invalid
from console.domain.factor_registry import UNITS, Stated, read_milligrams
from console.domain.factors import Factor, Perimeter
from console.store.queries.factors import Asked, FactorPage, factor_page, registry
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.deeds import carry_out
from console.web.factor_words import BASES, PERIMETERS
from console.web.languages import today
from console.web.state import state

FIELDS = {  # of the form, by the names of what is stated
    "intensity_mg_per_kwh": "value",
    "low_mg_per_kwh": "low",
    "high_mg_per_kwh": "high",
    "combustion_mg_per_kwh": "combustion",
    "upstream_mg_per_kwh": "upstream",
    "losses_mg_per_kwh": "losses",
    "valid_to": "last_day",
}
ONE_DAY = timedelta(days=1)

bp = Blueprint("factors", __name__)


@bp.get("/carbon/factors")
@requires(Permission.SEE_CATALOGUE)
def index() -> ResponseReturnValue:
    """The registry, narrowed by what the address asks for."""
    asked = Asked(
        **{name: request.args.get(name, "") for name in ("perimeter", "geography", "standing", "confirmed")}
    )
    known_on = inputs.asked_day("known_on")
    with state().database.read(scope()) as session:
        known = registry(session, known_on)
    return render_template(
        "factors/index.html",
        asked=asked,
        known_on=known_on,
        found=[one for one in known if asked.fits(one)],
        geographies=sorted({one.factor.geography for one in known}),
        perimeters=PERIMETERS,
    )


@bp.get("/carbon/factors/<factor_id>")
@requires(Permission.SEE_CATALOGUE)
def show(factor_id: str) -> ResponseReturnValue:
    """A factor: its value, its two axes of time, its chain, and where it is used in the reader's scope."""
    return _show(factor_id, {})


@bp.get("/carbon/factors/new")
@requires(Permission.MANAGE_CARBON)
def new() -> ResponseReturnValue:
    """The form of another factor."""
    return _form(None, {})


@bp.post("/carbon/factors")
@requires(Permission.MANAGE_CARBON)
def add() -> ResponseReturnValue:
    """Write a factor down."""

    def deed(session: Session) -> None:
        registry_actions.add(
            session, _asked(), now=datetime.now(UTC), today=today(), by=current_account().login
        )

    return carry_out(
        deed,
        lambda errors: _form(None, errors),
        said=_("Le facteur est ajouté."),
        address=url_for("factors.index"),
    )


@bp.get("/carbon/factors/<factor_id>/replace")
@requires(Permission.MANAGE_CARBON)
def correct(factor_id: str) -> ResponseReturnValue:
    """The form of what corrects a factor, filled in with what it says."""
    return _form(_page(factor_id).listed.factor, {})


@bp.post("/carbon/factors/<factor_id>/replace")
@requires(Permission.MANAGE_CARBON)
def replace(factor_id: str) -> ResponseReturnValue:
    """Write down what corrects a factor, which stays as it was."""
    before = _page(factor_id).listed.factor

    def deed(session: Session) -> None:
        told = _asked()
        by = current_account().login
        registry_actions.replace(session, factor_id, told, now=datetime.now(UTC), today=today(), by=by)

    return carry_out(
        deed,
        lambda errors: _form(before, errors),
        said=_(
            "Le facteur est remplacé : les mois ouverts seront recalculés, les mois clos gardent le leur."
        ),
        address=url_for("factors.show", factor_id=factor_id),
    )


@bp.post("/carbon/factors/<factor_id>/confirm")
@requires(Permission.MANAGE_CARBON)
def confirm(factor_id: str) -> ResponseReturnValue:
    """Say that the value was read at its publisher's."""

    def deed(session: Session) -> None:
        registry_actions.confirm(
            session,
            factor_id,
            inputs.text("source"),
            inputs.day("retrieved_on"),
            now=datetime.now(UTC),
            by=current_account().login,
        )

    return carry_out(
        deed,
        lambda errors: _show(factor_id, errors),
        said=_("Le facteur est confirmé."),
        address=url_for("factors.show", factor_id=factor_id),
    )


def _page(factor_id: str) -> FactorPage:
    with state().database.read(Operator()) as session:
        return factor_page(session, factor_id, today())


def _show(factor_id: str, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        page = factor_page(session, factor_id, today())
    return render_template(
        "factors/show.html", page=page, errors=errors, today=today(), perimeters=PERIMETERS, bases=BASES
    )


def _form(before: Factor | None, errors: dict[str, str]) -> str:
    return render_template(
        "factors/form.html",
        before=before,
        errors={FIELDS.get(field, field): text for field, text in errors.items()},
        perimeters=PERIMETERS,
        units=list(UNITS)[:3],
        grams=_grams,
        today=today(),
        day_before=lambda day: day and day - ONE_DAY,
    )


def _grams(mg_per_kwh: int | None) -> str:
    """A value in g/kWh as a field of the form holds it."""
    if mg_per_kwh is None:
        return ""
    return f"{mg_per_kwh / 1000:.3f}".rstrip("0").rstrip(".")


def _asked() -> Stated:
    unit, year = inputs.text("unit"), inputs.optional_count("vintage")
    if unit not in UNITS:
        raise Invalid("unit", "Un choix de la liste est attendu.")
    if year is None:
        raise Invalid("vintage", "Une année est attendue.")
    amounts = {name: read_milligrams(inputs.text(field), UNITS[unit], field) for name, field in FIELDS.items()
               if name != "valid_to"}  # fmt: skip
    value = amounts.pop("intensity_mg_per_kwh")
    if value is None:
        raise Invalid("value", "Une valeur est attendue.")
    last_day = inputs.optional_day("last_day")
    return Stated(
        publisher=inputs.text("publisher"),
        title=inputs.text("title"),
        vintage=year,
        perimeter=inputs.choice("perimeter", Perimeter),
        geography=alpha3(inputs.text("geography"), "geography"),
        intensity_mg_per_kwh=value,
        licence=inputs.text("licence"),
        source=inputs.text("source"),
        confirmed=bool(inputs.text("confirmed")),
        retrieved_on=inputs.optional_day("retrieved_on"),
        valid_from=inputs.optional_day("valid_from"),
        valid_to=last_day and last_day + ONE_DAY,
        **amounts,
    )
