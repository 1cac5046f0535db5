"""Contracts that ask for something, each list with its file: what is to be done, and by when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.access import Permission
from console.domain.price import Indexation
from console.domain.renewal import Step
from console.store.queries import contracts
from console.store.queries.contracts import Contract, OnEndingService, PriceRevision, Renewal
from console.store.queries.paging import PageOf
from console.store.session import Operator
from console.web import exports, inputs
from console.web.access import allowed, requires, scope
from console.web.languages import current_language, today
from console.web.state import state

HORIZONS = (3, 6, 12)  # months
HUNDRED = 100  # cents in a euro, hundredths in a percent

bp = Blueprint("contracts", __name__)


@bp.get("/contracts")
@requires(Permission.SEE_PORTFOLIO)
def renewals() -> ResponseReturnValue:
    """Terms and notices of the next months."""
    months = _asked_months()
    with state().database.read(scope()) as session:
        found = contracts.renewals(session, today(), months, inputs.asked_page())
        return _page(session, "renewals", found, months=months)


@bp.get("/contracts/renewals.csv", defaults={"kind": "csv"})
@bp.get("/contracts/renewals.xlsx", defaults={"kind": "xlsx"})
@requires(Permission.SEE_PORTFOLIO)
def renewals_file(kind: exports.Kind) -> Response:
    """The same, whole, as a file."""
    with state().database.read(scope()) as session:
        rows = contracts.renewals(session, today(), _asked_months()).rows
    titles = (_("Fin de la période"), _("Préavis au plus tard"), _("À faire"), _("Avant le"))
    return _send(_("renouvellements"), titles, ((row.contract, _of_renewal(row)) for row in rows), kind)


@bp.get("/contracts/revisions")
@requires(Permission.SEE_PORTFOLIO)
def revisions() -> ResponseReturnValue:
    """Prices to be revised, those that are late and those of the next months."""
    months = _asked_months()
    with state().database.read(scope()) as session:
        found = contracts.revisions(session, today(), months, inputs.asked_page())
        return _page(session, "revisions", found, months=months)


@bp.get("/contracts/revisions.csv", defaults={"kind": "csv"})
@bp.get("/contracts/revisions.xlsx", defaults={"kind": "xlsx"})
@requires(Permission.SEE_PORTFOLIO)
def revisions_file(kind: exports.Kind) -> Response:
    """The same, whole, as a file."""
    with state().database.read(scope()) as session:
        rows = contracts.revisions(session, today(), _asked_months()).rows
    titles = (_("Révision le"), _("Indexation"), _("Taux annuel en pour cent"))
    return _send(_("revisions-de-prix"), titles, ((row.contract, _of_revision(row)) for row in rows), kind)


@bp.get("/contracts/without-plan")
@requires(Permission.SEE_PORTFOLIO)
def without_plan() -> ResponseReturnValue:
    """Contracts that promise nothing yet."""
    with state().database.read(scope()) as session:
        return _page(session, "without_plan", contracts.without_plan(session, inputs.asked_page()))


@bp.get("/contracts/without-plan.csv", defaults={"kind": "csv"})
@bp.get("/contracts/without-plan.xlsx", defaults={"kind": "xlsx"})
@requires(Permission.SEE_PORTFOLIO)
def without_plan_file(kind: exports.Kind) -> Response:
    """The same, whole, as a file."""
    with state().database.read(scope()) as session:
        rows = contracts.without_plan(session).rows
    return _send(_("sans-plan"), (), ((row, []) for row in rows), kind)


@bp.get("/contracts/ending-services")
@requires(Permission.SEE_PORTFOLIO)
def ending_services() -> ResponseReturnValue:
    """Contracts on an offer that ends."""
    with state().database.read(scope()) as session:
        return _page(session, "ending_services", contracts.ending_services(session, inputs.asked_page()))


@bp.get("/contracts/ending-services.csv", defaults={"kind": "csv"})
@bp.get("/contracts/ending-services.xlsx", defaults={"kind": "xlsx"})
@requires(Permission.SEE_PORTFOLIO)
def ending_services_file(kind: exports.Kind) -> Response:
    """The same, whole, as a file."""
    with state().database.read(scope()) as session:
        rows = contracts.ending_services(session).rows
    titles = (_("Fin du support"), _("Successeur"))
    return _send(_("offres-qui-finissent"), titles, ((row.contract, _of_ending(row)) for row in rows), kind)


@bp.get("/contracts/unclaimed")
@requires(Permission.SEE_FLEET)
def unclaimed() -> ResponseReturnValue:
    """Workloads that nobody claims: the operator carries their energy."""
    with state().database.read(Operator()) as session:
        found = contracts.unclaimed_workloads(session, now=datetime.now(UTC), page=inputs.asked_page())
        return _page(session, "unclaimed", found)


@bp.get("/contracts/unclaimed.csv", defaults={"kind": "csv"})
@bp.get("/contracts/unclaimed.xlsx", defaults={"kind": "xlsx"})
@requires(Permission.SEE_FLEET)
def unclaimed_file(kind: exports.Kind) -> Response:
    """The same, whole, as a file."""
    with state().database.read(Operator()) as session:
        rows = contracts.unclaimed_workloads(session, now=datetime.now(UTC)).rows
    headings = (_("Hôte"), _("Charge"), _("Genre"), _("Dernier envoi"))
    cells = ((row.host, row.workload, row.kind, row.last_seen_at) for row in rows)
    return exports.send(_("charges-non-affectees"), headings, cells, kind)


def _asked_months() -> int:
    asked = request.args.get("months", "")
    return next((months for months in HORIZONS if str(months) == asked), HORIZONS[0])


def _page(session: Any, view: str, found: PageOf[Any], months: int = HORIZONS[0]) -> str:
    counts = contracts.counts(session, today(), months) if allowed(Permission.SEE_PORTFOLIO) else None
    return render_template(
        f"contracts/{view}.html",
        view=view,
        found=found,
        months=months,
        horizons=HORIZONS,
        counts=counts,
        today=today(),
    )


def _send(
    name: str,
    titles: Iterable[str],
    rows: Iterable[tuple[Contract, list[exports.Cell]]],
    kind: exports.Kind,
) -> Response:
    """The columns of the contracts, then those of the list."""
    headings = (
        *(_("N° d'adhérent"), _("Adhérent"), _("Souscription"), _("Service"), _("Référence du contrat")),
        *(_("Début"), _("Fin"), _("Prix en euros"), _("Prix compté")),
        *titles,
    )
    return exports.send(name, headings, _cells(rows), kind)


def _cells(rows: Iterable[tuple[Contract, list[exports.Cell]]]) -> Iterator[list[exports.Cell]]:
    per = {"month": _("par mois"), "unit": _("par unité"), None: None}
    for row, others in rows:
        yield [
            *(row.tenant_id, row.adherent, row.number, _named(row.service_fr, row.service_en), row.contract),
            *(row.starts_on, row.ends_on),
            None if row.price_cents is None else row.price_cents / HUNDRED,
            per[row.price_per],
            *others,
        ]


def _of_renewal(row: Renewal) -> list[exports.Cell]:
    steps = {
        Step.GIVE_NOTICE: _("dénoncer ou laisser reconduire"),
        Step.RENEWS: _("reconduction tacite, préavis passé"),
        Step.RENEW: _("à renouveler"),
        Step.LAPSED: _("échue : à renouveler ou à terminer"),
        Step.CLARIFY: _("reconduction à préciser"),
    }
    return [row.term_ends_on, row.notice_by, steps[row.deadline.step], row.deadline.by]


def _of_revision(row: PriceRevision) -> list[exports.Cell]:
    follows = {
        None: None,
        Indexation.NONE: _("aucune"),
        Indexation.SYNTEC: _("indice Syntec"),
        Indexation.ICHT_REV_TS: _("indice ICHT-rev-TS"),
        Indexation.FIXED: _("taux fixe"),
    }
    rate = None if row.indexation_rate is None else row.indexation_rate / HUNDRED
    return [row.revise_on, follows[row.indexation], rate]


def _of_ending(row: OnEndingService) -> list[exports.Cell]:
    return [row.support_ends_on, _named(row.successor_fr, row.successor_en)]


def _named(french: str | None, english: str | None) -> str | None:
    return french if current_language().code == "fr" else english
