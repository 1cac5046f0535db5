"""Reconciliation: what counts beside other sources of a host, and hosts beside the meter of their site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.hours import day_bounds
from console.domain.reconciliation import Compared
from console.store.queries.reconciliation import (
    ComparedSource,
    HostReconciled,
    Reconciled,
    SiteReading,
    SiteReconciled,
    host_reconciled,
    reconciled,
    site_reconciled,
)
from console.store.session import Operator
from console.web import exports, inputs
from console.web.access import requires
from console.web.fleet_words import BOUNDARIES, QUALITIES, VERDICTS
from console.web.languages import ZONE, today
from console.web.state import state
from reports.document import Chart, Series
from reports.quantities import MJ_PER_WH, Kind

USUAL = timedelta(days=7)
OF_SITE = timedelta(days=92)
LONGEST_OF_FLEET = timedelta(days=31)
LONGEST = timedelta(days=366)
THRESHOLD_PERCENT, MOST_PERCENT = 10, 100
ENOUGH = Fraction(4, 5)  # of the time of hosts: under it, nothing follows from a difference

bp = Blueprint("reconciliation", __name__)


@dataclass(frozen=True, slots=True)
class Period:
    """Local days, both included, and from which difference on it is told as one that is far."""

    first: date
    last: date
    percent: int

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        zone = ZoneInfo(ZONE)
        return day_bounds(self.first, zone)[0], day_bounds(self.last, zone)[1]

    @property
    def threshold(self) -> Fraction:
        return Fraction(self.percent, 100)

    @property
    def parameters(self) -> dict[str, str]:
        return {"first": str(self.first), "last": str(self.last), "percent": str(self.percent)}


@bp.get("/fleet/reconciliation")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """Every host whose sources differ, and every metered site."""
    period, only_far = _period(USUAL, LONGEST_OF_FLEET), request.args.get("only") == "far"
    return render_template(
        "fleet/reconciliation.html",
        found=_found(period, only_far, inputs.asked_page()),
        period=period,
        only_far=only_far,
        enough=ENOUGH,
    )


@bp.get("/fleet/reconciliation.<any(csv, xlsx):kind>")
@requires(Permission.SEE_FLEET)
def as_file(kind: exports.Kind) -> Response:
    """The comparison of every host, as a file."""
    found = _found(_period(USUAL, LONGEST_OF_FLEET), request.args.get("only") == "far", None)
    headings = [
        _("Hôte"),
        _("Source"),
        _("Périmètre"),
        _("Qualité"),
        _("Heures"),
        _("Heures comparées"),
        _("Énergie de la source (Wh)"),
        _("Énergie qui fait foi (Wh)"),
        _("Écart (%)"),
        _("Constat"),
    ]
    return exports.send("rapprochement", headings, _rows(found.sources.rows), kind)


@bp.get("/fleet/reconciliation/hosts/<key:host_id>")
@requires(Permission.SEE_FLEET)
def of_host(host_id: int) -> ResponseReturnValue:
    """One host: each of its sources, and one of them day by day."""
    period = _period(USUAL, LONGEST)
    with state().database.read(Operator()) as session:
        found = host_reconciled(
            session, host_id, *period.bounds, period.threshold, ZoneInfo(ZONE), request.args.get("source", "")
        )
    return render_template(
        "fleet/host_reconciliation.html", found=found, period=period, chart=_host_chart(found)
    )


@bp.get("/fleet/reconciliation/sites/<code>")
@requires(Permission.SEE_FLEET)
def of_site(code: str) -> ResponseReturnValue:
    """One site: the readings of its IT meters beside its hosts."""
    period = _period(OF_SITE, LONGEST)
    with state().database.read(Operator()) as session:
        found = site_reconciled(session, code, *period.bounds)
    return render_template(
        "fleet/site_reconciliation.html",
        found=found,
        period=period,
        charts=list(_site_charts(found)),
        enough=ENOUGH,
    )


def _found(period: Period, only_far: bool, page: int | None) -> Reconciled:
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        if page is None:
            return reconciled(
                session, *period.bounds, period.threshold, now=now, only_far=only_far, size=None
            )
        return reconciled(session, *period.bounds, period.threshold, now=now, only_far=only_far, page=page)


def _period(usual: timedelta, longest: timedelta) -> Period:
    """The days that the address asks for, else the last whole ones; raises `Invalid`."""
    last = inputs.asked_day("last") or today() - timedelta(days=1)
    first = inputs.asked_day("first") or last - usual + timedelta(days=1)
    if last < first:
        raise Invalid("last", "La période finit avant de commencer.")
    if last - first >= longest:
        raise Invalid("first", "Au plus %(days)s jours à la fois.", days=longest.days)
    return Period(first, last, _percent())


def _percent() -> int:
    value = request.args.get("percent", "").strip()
    if not value:
        return THRESHOLD_PERCENT
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:4]) <= MOST_PERCENT:
        raise Invalid("percent", "Un pourcentage de 1 à %(most)s est attendu.", most=MOST_PERCENT)
    return int(value)


def _rows(sources: Sequence[ComparedSource]) -> Iterator[list[exports.Cell]]:
    for one in sources:
        energies, share = one.energies, one.energies.share
        yield [
            one.host,
            one.instrument.name,
            str(BOUNDARIES.get(one.instrument.boundary, one.instrument.boundary)),
            str(QUALITIES.get(one.instrument.quality, one.instrument.quality)),
            one.hours,
            one.compared,
            _wh(energies.energy_mj),
            _wh(energies.reference_mj),
            None if share is None else round(float(share * 100), 2),
            str(VERDICTS[one.verdict]),
        ]


def _wh(energy_mj: int | None) -> float | None:
    return None if energy_mj is None else round(energy_mj / MJ_PER_WH, 3)


def _host_chart(found: HostReconciled) -> Chart | None:
    if found.chosen is None:
        return None
    return _chart(
        _("Jour par jour : %(source)s et ce qui fait foi", source=found.chosen.instrument.name),
        found.chosen.instrument.name,
        _("ce qui fait foi"),
        [(day.day, day.energies) for day in found.days],
    )


def _site_charts(found: SiteReconciled) -> Iterator[tuple[int, Chart]]:
    """One chart a point of measurement, by the first day of its readings; a day adds up what it holds."""
    for category in sorted({reading.category for reading in found.readings}):
        of_category = [reading for reading in found.readings if reading.category == category]
        title = (
            _("Les hôtes et le compteur, catégorie %(category)s", category=category)
            if category
            else _("Les hôtes et le compteur")
        )
        yield category, _chart(title, _("les hôtes"), _("le compteur"), _by_day(of_category))


def _by_day(readings: Sequence[SiteReading]) -> list[tuple[date, Compared]]:
    days: dict[date, list[Compared]] = {}
    for reading in readings:
        days.setdefault(reading.started_at.astimezone(ZoneInfo(ZONE)).date(), []).append(reading.energies)
    return [
        (day, Compared(_sum([one.energy_mj for one in of_day]), _sum([one.reference_mj for one in of_day])))
        for day, of_day in days.items()
    ]


def _sum(amounts: Sequence[int | None]) -> int | None:
    """Unknown as soon as one of them is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _chart(title: str, one: str, other: str, days: Sequence[tuple[date, Compared]]) -> Chart:
    """Two amounts as one bar: what both tell, and above it what only the larger one does."""

    def of(part: str) -> tuple[int | None, ...]:
        return tuple(_part(compared, part) for _day, compared in days)

    return Chart(
        title=title,
        description=_(
            "En bas, ce que les deux disent ; en haut, ce qu'un seul dit en plus ; hachuré : inconnu."
        ),
        kind=Kind.ENERGY_MJ,
        moment_title=_("Jour"),
        moments=tuple(day for day, _compared in days),
        series=(
            Series(_("les deux"), of("both")),
            Series(_("en plus : %(what)s", what=one), of("one")),
            Series(_("en plus : %(what)s", what=other), of("other")),
        ),
    )


def _part(compared: Compared, part: str) -> int | None:
    if compared.energy_mj is None or compared.reference_mj is None:
        return None
    both = min(compared.energy_mj, compared.reference_mj)
    return {"both": both, "one": compared.energy_mj - both, "other": compared.reference_mj - both}[part]
