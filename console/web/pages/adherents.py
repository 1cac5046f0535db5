"""The list of adherents and its files, the directory from which one is chosen, and one typed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.adherents import AdherentKind, add_adherent
from console.domain.access import SEES_EVERY_ADHERENT, Permission
from console.domain.adherents import AGENCIES, Sector
from console.domain.claims import OPERATOR_TENANT
from console.store.queries.adherents import Adherents, groups, list_adherents
from console.store.queries.adherents_sought import Asked, Only, Sort
from console.store.queries.directory import departments, search_sites
from console.store.queries.managers import managers
from console.store.session import Operator
from console.web import exports, inputs
from console.web.access import current_account, own_adherent, requires, scope
from console.web.adherent_words import kind_name, sector_name
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state

MJ_PER_KWH = 3_600_000_000
UG_PER_KG = 1_000_000_000
DECIMALS = 6

bp = Blueprint("adherents", __name__)


@bp.get("/adherents")
@requires(Permission.SEE_ADHERENTS)
def index() -> ResponseReturnValue:
    """The adherents in scope, filtered and sorted; who is of one adherent is sent to its page."""
    if (own := own_adherent()) is not None:
        return go_to(url_for("adherent.show", tenant_id=own))
    asked = _asked()
    found = _found(asked, inputs.asked_page())
    if wants_fragment():
        return render_template("adherents/list.html", **_list(asked, found))
    with state().database.read(scope()) as session:
        known_groups = groups(session, today())
    return render_template(
        "adherents/index.html",
        **_list(asked, found),
        groups=known_groups,
        managers=_managers(),
        kinds=[kind for kind in AdherentKind if kind is not AdherentKind.OPERATOR],
        sectors=list(Sector),
        agencies=AGENCIES,
        operator=OPERATOR_TENANT,
    )


@bp.get("/adherents.csv")
@requires(Permission.SEE_ADHERENTS)
def as_csv() -> Response:
    """The whole list that the address asks for, as CSV."""
    return _file("csv")


@bp.get("/adherents.xlsx")
@requires(Permission.SEE_ADHERENTS)
def as_xlsx() -> Response:
    """The whole list that the address asks for, as a spreadsheet."""
    return _file("xlsx")


@bp.get("/adherents/directory")
@requires(Permission.MANAGE_ADHERENTS)
def directory() -> ResponseReturnValue:
    """Sites of the national directory, to choose an adherent from."""
    words, department = request.args.get("words", "").strip(), request.args.get("department", "").strip()
    with state().database.read(scope()) as session:
        found = search_sites(session, words, department, inputs.asked_page())
        known_departments = departments(session)
    template = "adherents/sites.html" if wants_fragment() else "adherents/directory.html"
    return render_template(
        template, found=found, words=words, department=department, departments=known_departments
    )


@bp.post("/adherents")
@requires(Permission.MANAGE_ADHERENTS)
def add() -> ResponseReturnValue:
    """Make the legal entity of a site an adherent; it joins the portfolio of who chose it."""
    account = current_account()
    entrust_to = None if account.role in SEES_EVERY_ADHERENT else account.account_id
    with state().database.write(Operator(), by=account.login) as session:  # it is in nobody's scope yet
        tenant_id = add_adherent(
            session, inputs.text("finess_et"), now=datetime.now(UTC), entrust_to=entrust_to
        )
    flash(_("L'adhérent est ajouté : abonnez-le à ses services."))
    return go_to(url_for("adherent.show", tenant_id=tenant_id))


def _asked() -> Asked:
    return Asked(
        words=request.args.get("words", "").strip(),
        kind=_one_of(AdherentKind, "kind"),
        sector=_one_of(Sector, "sector"),
        agency=request.args.get("agency", "") if request.args.get("agency") in AGENCIES else "",
        ght=request.args.get("ght", ""),
        manager=request.args.get("manager", type=_number),
        only=Only(_one_of(Only, "only")),
        sort=Sort(_one_of(Sort, "sort") or Sort.NAME),
        descending=request.args.get("order") == "descending",
    )


def _one_of(choices: type[StrEnum], name: str) -> str:
    """A value of an enumeration; nothing where the address asks for another."""
    value = request.args.get(name, "")
    return value if value in list(choices) else ""


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError(text)
    return int(text)


def _found(asked: Asked, page: int | None) -> Adherents:
    with state().database.read(scope()) as session:
        return list_adherents(session, asked, month=today().replace(day=1), today=today(), page=page)


def _list(asked: Asked, found: Adherents) -> dict[str, object]:
    return {
        "asked": asked,
        "found": found,
        "filters": _parameters(asked),
        "sees_managers": _sees_managers(),
        "month": today().replace(day=1),
    }


def _parameters(asked: Asked) -> dict[str, str | int]:
    """What an address says to ask for the same again, but for the page."""
    said: dict[str, str | int | None] = {
        "words": asked.words,
        "kind": asked.kind,
        "sector": asked.sector,
        "agency": asked.agency,
        "ght": asked.ght,
        "manager": asked.manager,
        "only": asked.only.value,
        "sort": asked.sort.value if asked.sort is not Sort.NAME else "",
        "order": "descending" if asked.descending else "",
    }
    return {name: value for name, value in said.items() if value}


def _sees_managers() -> bool:
    return current_account().role in SEES_EVERY_ADHERENT


def _managers() -> list[object]:
    if not _sees_managers():
        return []
    with state().database.read(scope()) as session:
        return [*managers(session)]


def _file(kind: exports.Kind) -> Response:
    """The columns of the screen; amounts in whole units with their decimals, so that sums are right."""
    headings = [
        _("Adhérent"),
        _("Nature"),
        _("Secteur"),
        _("FINESS juridique"),
        "SIREN",
        _("Agence"),
        *([_("Responsable")] if _sees_managers() else []),
        _("Souscriptions"),
        _("Incidents ouverts"),
        _("Énergie du mois (kWh)"),
        _("Carbone du mois (kg CO2e)"),
    ]
    return exports.send("adherents", headings, _rows(_found(_asked(), None)), kind)


def _rows(found: Adherents) -> Iterator[list[exports.Cell]]:
    for line in found.rows:
        yield [
            line.name,
            kind_name(line.kind),
            sector_name(line.sector) if line.sector else None,
            line.finess_ej,
            line.siren,
            line.agency,
            *([", ".join(line.managers) or None] if _sees_managers() else []),
            line.subscriptions,
            line.incidents,
            None if line.energy_mj is None else round(line.energy_mj / MJ_PER_KWH, DECIMALS),
            None if line.carbon_ug is None else round(line.carbon_ug / UG_PER_KG, DECIMALS),
        ]
