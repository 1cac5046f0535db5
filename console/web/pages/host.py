"""One host: what measures it, what runs on it, what is declared of it, and whom its loss would touch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.calibrating import Outcome, calibrate
from console.actions.hosts import Terms, bring_back, retire, set_terms
from console.actions.stays import put
from console.domain.access import Permission
from console.domain.attribution import IdlePolicy
from console.domain.host_states import HostState, Limits
from console.store.queries.host import HostPage, host_page
from console.store.queries.hosts import Instrument
from console.store.queries.impact import Impact, impact_of
from console.store.session import Operator
from console.web import exports, inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.fleet_words import POLICIES, QUALITIES, UNFIT
from console.web.fragments import go_to
from console.web.languages import ZONE, current_language, share, today
from console.web.state import state
from reports.document import Chart, Series
from reports.quantities import Kind

HUNDREDTH_W = 10  # milliwatts

bp = Blueprint("host", __name__)


@bp.get("/fleet/<key:host_id>")
@requires(Permission.SEE_FLEET)
def show(host_id: int) -> ResponseReturnValue:
    """The host with its last day."""
    return _page(host_id, {})


@bp.get("/fleet/<key:host_id>/impact")
@requires(Permission.SEE_FLEET)
def impact(host_id: int) -> ResponseReturnValue:
    """Whom its loss would touch, to read on paper too."""
    return render_template("fleet/impact.html", impact=_impact(host_id), now=datetime.now(UTC))


@bp.get("/fleet/<key:host_id>/impact.<any(csv, xlsx):kind>")
@requires(Permission.SEE_FLEET)
def impact_file(host_id: int, kind: exports.Kind) -> Response:
    """The same, as a file."""
    found = _impact(host_id)
    headings = [
        _("Adhérent"),
        _("Numéro"),
        _("Souscription"),
        _("Service"),
        _("Partagé"),
        _("Charges"),
        _("Autres hôtes"),
        _("Jour critique"),
        _("Incidents en cours"),
    ]
    return exports.send(f"impact-{found.host}", headings, _rows(found), kind)


@bp.post("/fleet/<key:host_id>/terms")
@requires(Permission.MANAGE_FLEET)
def declare(host_id: int) -> ResponseReturnValue:
    """Declare what holds of the host from an hour on."""
    now, by = datetime.now(UTC), current_account().login
    return carry_out(
        lambda session: set_terms(session, host_id, _terms(), valid_from=_hour("valid_from"), now=now, by=by),
        lambda errors: _page(host_id, errors),
        said=_("C'est enregistré : les heures depuis cette date sont recalculées."),
        address=url_for("host.show", host_id=host_id),
    )


@bp.post("/fleet/<key:host_id>/place")
@requires(Permission.MANAGE_FLEET)
def place(host_id: int) -> ResponseReturnValue:
    """Say in which data centre the host stood, and when."""
    now = datetime.now(UTC)
    return carry_out(
        lambda session: put(
            session, host_id, inputs.text("site"), _hour("since"), _optional_hour("until"), now=now
        ),
        lambda errors: _page(host_id, errors),
        said=_("C'est enregistré : les mois touchés sont recalculés ; ceux qui sont clos restent."),
        address=url_for("host.show", host_id=host_id),
    )


@bp.post("/fleet/<key:host_id>/calibration")
@requires(Permission.MANAGE_FLEET)
def fit(host_id: int) -> ResponseReturnValue:
    """Calibrate its weaker instruments on a stronger one, and tell what came of it."""
    with state().database.write(Operator(), by=current_account().login) as session:
        outcomes = calibrate(session, host_id, now=datetime.now(UTC))
    for one in outcomes:
        flash(_fitted(one), "message" if one.line else "warning")
    if not outcomes:
        flash(
            _("Rien à calibrer : aucune paire de sources n'a mesuré le même temps cette semaine."), "warning"
        )
    return go_to(url_for("host.show", host_id=host_id))


def _fitted(one: Outcome) -> str:
    pair = {"source": one.source, "reference": one.reference}
    if one.line is not None:
        error = share(Fraction(one.line.error_ppm, 1_000_000))
        return str(_("%(source)s sur %(reference)s : calibré, à ± %(error)s.", error=error, **pair))
    why = UNFIT[one.unfit.reason] if one.unfit else ""
    value = one.unfit.value if one.unfit else 0
    return str(_("%(source)s sur %(reference)s : %(why)s (%(value)s).", why=why, value=value, **pair))


@bp.post("/fleet/<key:host_id>/retirement")
@requires(Permission.MANAGE_FLEET)
def leave(host_id: int) -> ResponseReturnValue:
    """Take the host out of the fleet: it is not missed any more, its past stays."""
    with state().database.write(Operator(), by=current_account().login) as session:
        retire(session, host_id, now=datetime.now(UTC))
    flash(_("L'hôte est retiré du parc ; son passé reste."))
    return go_to(url_for("host.show", host_id=host_id))


@bp.post("/fleet/<key:host_id>/return")
@requires(Permission.MANAGE_FLEET)
def come_back(host_id: int) -> ResponseReturnValue:
    """Put the host back into the fleet."""
    with state().database.write(Operator(), by=current_account().login) as session:
        bring_back(session, host_id)
    flash(_("L'hôte est de nouveau dans le parc."))
    return go_to(url_for("host.show", host_id=host_id))


def _page(host_id: int, errors: dict[str, str]) -> str:
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        host = host_page(session, host_id, Limits(state().silent_after), now=now)
    return render_template(
        "fleet/host.html",
        host=host,
        chart=_chart(host),
        states=list(HostState),
        policies=POLICIES,
        errors=errors,
        typed=request.form if errors else {},
        this_hour=f"{now.astimezone(ZoneInfo(ZONE)):%Y-%m-%dT%H:00}",
        now=now,
    )


def _chart(host: HostPage) -> Chart | None:
    """The mean power of each hour, one colour an instrument: where it changes, another one counts."""
    if all(hour.power_mw is None for hour in host.hours):
        return None
    zone = ZoneInfo(ZONE)
    named = list(dict.fromkeys(one for hour in host.hours for one in hour.by_source))
    return Chart(
        title=_("Puissance moyenne par heure"),
        description=_(
            "Une couleur par source : là où elle change, une autre fait foi ; hachuré : rien n'est connu."
        ),
        kind=Kind.POWER_MW,
        moment_title=_("Heure"),
        moments=tuple(hour.hour.astimezone(zone) for hour in host.hours),
        series=tuple(Series(_label(one), tuple(_amounts(host, one))) for one in named),
    )


def _amounts(host: HostPage, one: Instrument) -> Iterator[int | None]:
    for hour in host.hours:
        yield None if hour.power_mw is None else hour.by_source.get(one, 0)


def _label(one: Instrument) -> str:
    return f"{one.name} ({QUALITIES.get(one.quality, one.quality)})"


def _terms() -> Terms:
    power = inputs.optional_hundredths("idle_power_w")
    return Terms(
        idle_power_mw=None if power is None else power * HUNDREDTH_W,
        idle_policy=inputs.optional_choice("idle_policy", IdlePolicy),
        source=inputs.text("source") or None,
    )


def _hour(field: str) -> datetime:
    return inputs.wall(field).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def _optional_hour(field: str) -> datetime | None:
    return _hour(field) if inputs.text(field) else None


def _impact(host_id: int) -> Impact:
    with state().database.read(Operator()) as session:
        return impact_of(session, host_id, today(), now=datetime.now(UTC))


def _rows(found: Impact) -> Iterator[list[exports.Cell]]:
    french = current_language().code == "fr"
    for line in found.lines:
        critical = _("inconnu") if line.critical is None else _("oui") if line.critical else _("non")
        yield [
            line.adherent,
            line.tenant_id,
            line.subscription,
            line.service_fr if french else line.service_en,
            _("oui") if line.shared else _("non"),
            ", ".join(line.workloads),
            line.elsewhere,
            critical,
            ", ".join(f"{one.number} ({one.priority}) {one.title}" for one in line.incidents),
        ]
