"""Carbon per unit of service: of an adherent's services, and of shared services as wholes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from console.domain.access import Permission
from console.domain.claims import OPERATOR_TENANT
from console.domain.renewal import add_months
from console.domain.sci import Effect
from console.store.queries import names
from console.store.queries.sci import ServiceSci, of_shared, of_subscription
from console.store.queries.sci import of_adherent as services_of
from console.store.session import Operator
from console.web import exports
from console.web.access import requires, scope
from console.web.languages import carbon, current_language, share, today
from console.web.state import state
from reports.document import Chart, Series
from reports.quantities import Kind

MONTHS = 24
EFFECTS = {
    Effect.ENERGY: lazy_gettext("énergie"),
    Effect.INTENSITY: lazy_gettext("intensité"),
    Effect.EMBODIED: lazy_gettext("fabrication"),
    Effect.VOLUME: lazy_gettext("volume"),
}
MISSING = {
    "volume": lazy_gettext("volume du mois inconnu"),
    "no_unit": lazy_gettext("le volume est nul"),
    "facility": lazy_gettext("la surconsommation du site est inconnue, en tout ou en partie"),
    "carbon": lazy_gettext("une partie de l'énergie est sans facteur"),
    "embodied": lazy_gettext("la fabrication est inconnue, en tout ou en partie"),
}

bp = Blueprint("sci", __name__)


@bp.app_template_filter("round_ug")
def round_ug(value: Fraction) -> int:
    """Micrograms rounded to whole ones, half to even."""
    return round(value)


@bp.app_template_filter("signed_ug")
def signed_ug(value: Fraction) -> str:
    """A difference of micrograms, with its sign."""
    whole = round(value)
    return f"{'−' if whole < 0 else '+' if whole else ''}{carbon(abs(whole))}"


@bp.app_template_filter("signed_share")
def signed_share(value: Fraction) -> str:
    """A relative difference in percent, with its sign."""
    return f"{'−' if value < 0 else '+' if value else ''}{share(abs(value))}"


@bp.get("/adherents/<int:tenant_id>/sci")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The services of an adherent, each with its last month and its year."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        services = services_of(session, tenant_id, _months(today(adherent.zone)))
    return render_template("sci/list.html", adherent=adherent, services=services, **_words())


@bp.get("/adherents/<int:tenant_id>/sci/<int:number>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """One service: its months, its trend, and what its last change is made of."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        service = of_subscription(session, tenant_id, number, _months(today(adherent.zone)))
    return render_template(
        "sci/show.html", adherent=adherent, service=service, chart=_chart(service), **_words()
    )


@bp.get("/adherents/<int:tenant_id>/sci/<int:number>/sci.csv")
@requires(Permission.SEE_ADHERENTS)
def as_csv(tenant_id: int, number: int) -> Response:
    """The terms of each month in whole numbers."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        service = of_subscription(session, tenant_id, number, _months(today(adherent.zone)))
    headings = (
        *(_("Mois"), _("Énergie avec le site, mJ"), _("Énergie couverte, mJ"), _("Carbone d'usage, µg CO2e")),
        *(_("Fabrication, µg CO2e"), _("Volume"), _("SCI, µg CO2e par unité, arrondi")),
    )
    rows = (
        [
            *(f"{month:%Y-%m}", one.energy_mj, one.covered_mj, one.carbon_ug, one.embodied_ug, one.volume),
            None if one.sci is None else round(one.sci),
        ]
        for month, one in service.months.items()
    )
    return exports.send(f"sci-{tenant_id}-{number}", headings, rows, "csv")


@bp.get("/carbon/sci")
@requires(Permission.SEE_FLEET)
def shared() -> ResponseReturnValue:
    """Shared services as wholes."""
    with state().database.read(Operator()) as session:
        services = of_shared(session, _months(today()))
    charts = {one.code: chart for one in services if (chart := _chart(one, _name(one))) is not None}
    return render_template(
        "sci/shared.html", services=services, charts=charts, operator=OPERATOR_TENANT, **_words()
    )


def _months(day: date) -> list[date]:
    """The two years that end with the running month, oldest first."""
    first = day.replace(day=1)
    return [add_months(first, -back) for back in reversed(range(MONTHS))]


def _name(service: ServiceSci) -> str:
    return service.name_fr if current_language().code == "fr" else service.name_en


def _chart(service: ServiceSci, name: str = "") -> Chart | None:
    """Use and making for each unit, month by month; a month without an SCI is unknown.

    `name` is that of the service, where charts of several are on the page.
    """
    if not any(one.use is not None for one in service.months.values()):
        return None
    moments: Sequence[date] = list(service.months)
    known = list(service.months.values())
    use = tuple(None if one.use is None else round(one.use) for one in known)
    making = tuple(None if one.sci is None or one.use is None else round(one.sci - one.use) for one in known)
    drawn = [Series(_("Usage"), use)]
    if any(one is not None for one in making):
        drawn.append(Series(_("Fabrication"), making))
    unit = service.unit_fr if current_language().code == "fr" else service.unit_en
    of_unit = _("Carbone par unité : %(unit)s", unit=unit)
    return Chart(
        title=_("Carbone par unité, %(service)s", service=name) if name else of_unit,
        description=_("Chaque barre est un mois ; hachures grises : inconnu."),
        kind=Kind.CARBON_UG,
        moment_title=_("Mois"),
        moments=tuple(moments),
        series=tuple(drawn),
    )


def _words() -> dict[str, object]:
    return {"effect_names": EFFECTS, "missing_names": MISSING}
