"""The contracts of electricity of a data centre: written down, put right, ended before their time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.facility import add_contract, correct_contract, end_contract
from console.domain.access import Permission
from console.domain.errors import Invalid, NotFound
from console.domain.facility import Contract, ContractKind
from console.store.queries.sites import SitePage, site_page
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.languages import today
from console.web.site_figures import words
from console.web.state import state

PPM_OF_HUNDREDTHS = 100  # of a percent
MG_OF_HUNDREDTHS = 10  # of a gram

bp = Blueprint("site_contracts", __name__)


@bp.get("/sites/<code>/contracts/new")
@requires(Permission.MANAGE_FLEET)
def new(code: str) -> ResponseReturnValue:
    """The form of a contract of electricity."""
    return _form(code, None, {})


@bp.post("/sites/<code>/contracts")
@requires(Permission.MANAGE_FLEET)
def sign(code: str) -> ResponseReturnValue:
    """Write a contract of electricity down."""

    def deed(session: Session) -> None:
        add_contract(session, code, _asked(), now=datetime.now(UTC), by=current_account().login)

    return carry_out(
        deed,
        lambda errors: _form(code, None, errors),
        said=_("Le contrat est enregistré."),
        address=url_for("sites.show", code=code),
    )


@bp.get("/sites/<code>/contracts/<int:number>")
@requires(Permission.MANAGE_FLEET)
def edit(code: str, number: int) -> ResponseReturnValue:
    """The forms that put a contract right, and that end it."""
    return _form(code, number, {})


@bp.post("/sites/<code>/contracts/<int:number>")
@requires(Permission.MANAGE_FLEET)
def correct(code: str, number: int) -> ResponseReturnValue:
    """Put right what a contract says; the audit log keeps what it said before."""

    def deed(session: Session) -> None:
        by = current_account().login
        correct_contract(session, code, number, _asked(), now=datetime.now(UTC), by=by)

    return carry_out(
        deed,
        lambda errors: _form(code, number, errors),
        said=_("Le contrat est corrigé : les mois qu'il touche sont recalculés."),
        address=url_for("sites.show", code=code),
    )


@bp.post("/sites/<code>/contracts/<int:number>/end")
@requires(Permission.MANAGE_FLEET)
def end(code: str, number: int) -> ResponseReturnValue:
    """End a contract before the day that was agreed."""

    def deed(session: Session) -> None:
        day, by = inputs.day("end_day"), current_account().login
        end_contract(session, code, number, day, now=datetime.now(UTC), by=by)

    return carry_out(
        deed,
        lambda errors: _form(code, number, {"end_day": " ".join(errors.values())}),
        said=_("Le contrat finit plus tôt : les mois qui suivent sont recalculés."),
        address=url_for("sites.show", code=code),
    )


def _form(code: str, number: int | None, errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        page = site_page(session, code, today())
    ends = request.endpoint == "site_contracts.end"
    return render_template(
        "site_contracts/form.html",
        facts=page.summary.facts,
        number=number,
        held=None if number is None else _held(page, number),
        typed={} if ends else request.form,
        errors=errors,
        **words(),
    )


def _held(page: SitePage, number: int) -> Contract:
    for one, contract in page.contracts:
        if one == number:
            return contract
    raise NotFound("Contrat introuvable.")


def _asked() -> Contract:
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
