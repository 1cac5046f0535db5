"""Energy and carbon by workload and hour, for a local day: of the fleet, or of one adherent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.access import Permission
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Invalid
from console.store.queries import names
from console.store.queries.energy import EnergyDay, WorkloadDay, energy_day
from console.store.queries.names import Named
from console.web.access import requires, scope
from console.web.languages import ZONE, current_language, today
from console.web.state import state
from reports.document import Chart, Column, Document, Section, Series, Table
from reports.formats import csv
from reports.quantities import Kind

DRAWN = 5  # workloads told apart on the chart; a drawing holds six series, the last for all others

bp = Blueprint("energy", __name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """A day of energy with the names of those who carry it; `adherent` is None for the whole fleet."""

    day: EnergyDay
    adherent: Named | None
    owners: Mapping[int, Named]
    factor: str | None
    today: date

    @property
    def hours(self) -> list[datetime]:
        """The hours that have begun."""
        now = datetime.now(UTC)
        return [hour for hour in self.day.hours if hour <= now]

    @property
    def known_hours(self) -> int:
        return sum(self.day.by_hour[hour] is not None for hour in self.hours)

    def owner(self, line: WorkloadDay) -> Named | None:
        """Who carries a line; None where no one claims it, and so the operator does."""
        return None if line.tenant_id == OPERATOR_TENANT else self.owners.get(line.tenant_id)

    def share(self, energy_mj: int) -> Fraction | None:
        return Fraction(energy_mj, self.day.energy_mj) if self.day.energy_mj else None


@bp.get("/energy")
@requires(Permission.SEE_FLEET)
def fleet() -> ResponseReturnValue:
    """Every workload of every host."""
    return _page(_seen(None))


@bp.get("/energy.csv")
@requires(Permission.SEE_FLEET)
def fleet_csv() -> ResponseReturnValue:
    """The same, to recompute from."""
    return _csv(_seen(None))


@bp.get("/adherents/<int:tenant_id>/energy")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The workloads of one adherent."""
    return _page(_seen(tenant_id))


@bp.get("/adherents/<int:tenant_id>/energy.csv")
@requires(Permission.SEE_ADHERENTS)
def of_adherent_csv(tenant_id: int) -> ResponseReturnValue:
    """The same, to recompute from."""
    return _csv(_seen(tenant_id))


def _seen(tenant_id: int | None) -> Seen:
    with state().database.read(scope()) as session:
        adherent = None if tenant_id is None else names.adherent(session, tenant_id)
        zone = adherent.zone if adherent else ZONE
        day = energy_day(session, _asked_day(zone), zone, tenant_id)
        owners = names.adherents(session, (line.tenant_id for line in day.lines))
        factor = names.factor(session, day.factor)
    return Seen(day, adherent, owners, factor, today(zone))


def _asked_day(zone: str) -> date:
    text = request.args.get("day", "")
    if not text:
        return today(zone)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid("day", "%(day)s n'est pas une date ; par exemple 2026-11-25.", day=text) from None
    if not 2000 <= day.year < 2200:
        raise Invalid("day", "%(day)s n'est pas une date de ce siècle.", day=text)
    return day


def _page(seen: Seen) -> str:
    return render_template(
        "energy/day.html",
        seen=seen,
        chart=_chart(seen) if seen.known_hours else None,
        line_name=_line_name,
        previous=seen.day.day - timedelta(days=1),
        next=seen.day.day + timedelta(days=1),
    )


def _csv(seen: Seen) -> Response:
    document = _document(seen)
    answer = Response(csv.render(document, current_language()), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{document.name}.csv")
    return answer


def _document(seen: Seen) -> Document:
    whose = seen.adherent.name if seen.adherent else _("tout le parc")
    number = f"-{seen.adherent.tenant_id}" if seen.adherent else ""
    return Document(
        name=f"energie{number}-{seen.day.day.isoformat()}",
        title=_("Énergie du %(day)s", day=current_language().day(seen.day.day)),
        subtitle=whose,
        marks=(),
        author="",
        footer="",
        sections=(Section("", (_table(seen), _chart(seen))),),
    )


def _table(seen: Seen) -> Table:
    """The lines of the page, with their energy split by quality and its bounds."""
    energies = (_("Énergie"), _("Minimum"), _("Maximum"), _("Mesurée"), _("Modélisée"), _("Déclarée"))
    return Table(
        caption=_("Charges de travail"),
        columns=(
            Column(_("Hôte")),
            Column(_("Charge")),
            Column(_("Adhérent")),
            *(Column(title, Kind.ENERGY_MJ) for title in energies),
            Column(_("Carbone"), Kind.CARBON_UG),
        ),
        rows=tuple(_row(seen, line) for line in seen.day.lines),
        empty=_("Aucune énergie n'est connue ce jour-là."),
    )


def _row(seen: Seen, line: WorkloadDay) -> tuple[str | int | None, ...]:
    energies = (line.energy_mj, line.low_mj, line.high_mj)
    qualities = (line.measured_mj, line.modelled_mj, line.declared_mj)
    return (line.host, _line_name(line), _carrier(seen, line), *energies, *qualities, line.carbon_ug)


def _carrier(seen: Seen, line: WorkloadDay) -> str:
    """The adherent of a line, or the service whose subscribers share it; empty where nobody claims it."""
    owner = seen.owner(line)
    if owner is not None:
        return owner.name
    service = line.service_fr if current_language().code == "fr" else line.service_en
    return _("partagé : %(service)s", service=service) if service else ""


def _line_name(line: WorkloadDay) -> str:
    """The name of a workload, or of the two lines of each host that are none."""
    named: dict[str, str] = {
        "idle_kept": _("veille gardée par l'opérateur"),
        "unattributed": _("non attribué : noyau et processus sans nom"),
    }
    return named.get(line.kind, line.workload)


def _chart(seen: Seen) -> Chart:
    zone = ZoneInfo(seen.day.zone)
    return Chart(
        title=_("Énergie par heure"),
        description=_("Énergie de chaque heure, empilée par charge ; hachuré : rien n'est connu."),
        kind=Kind.ENERGY_MJ,
        moment_title=_("Heure"),
        moments=tuple(hour.astimezone(zone) for hour in seen.hours),
        series=tuple(_series(seen)),
    )


def _series(seen: Seen) -> Iterator[Series]:
    """The largest lines hour by hour, then all others together."""
    drawn = [line for line in seen.day.lines if line.by_hour is not None][:DRAWN]
    for line in drawn:
        label = f"{_line_name(line)} ({line.host})"
        yield Series(label, tuple(_amount(seen, hour, line) for hour in seen.hours))
    if len(seen.day.lines) > len(drawn) or not drawn:
        rest = tuple(_rest(seen, hour, drawn) for hour in seen.hours)
        yield Series(_("Toutes les autres") if drawn else _("Énergie"), rest)


def _amount(seen: Seen, hour: datetime, line: WorkloadDay) -> int | None:
    known = seen.day.by_hour[hour] is not None and line.by_hour is not None
    return line.by_hour.get(hour, 0) if known and line.by_hour is not None else None


def _rest(seen: Seen, hour: datetime, drawn: list[WorkloadDay]) -> int | None:
    total = seen.day.by_hour[hour]
    return None if total is None else total - sum(_amount(seen, hour, line) or 0 for line in drawn)
