"""The hosts of the fleet: the list, narrowed by facets, as a page and as files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.access import Permission
from console.domain.host_states import HostState, Limits
from console.store.queries.hosts import Asked, Facet, Hosts, ListedHost, list_hosts
from console.store.session import Operator
from console.web import exports, inputs
from console.web.access import requires
from console.web.fleet_words import AUTHORITIES, BOUNDARIES, QUALITIES, STATES
from console.web.fragments import wants_fragment
from console.web.gap_words import gap_reason
from console.web.state import state

LONGEST = 120  # characters of a site or a cluster that is asked for
MOST_MINUTES, MOST_SECONDS = 7 * 24 * 60, 300

bp = Blueprint("hosts", __name__)


@bp.get("/fleet")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """Every host that is not retired, or those that are asked for."""
    asked, limits = _asked(), _limits()
    found = _found(asked, limits, inputs.asked_page())
    return render_template(
        "fleet/hosts_list.html" if wants_fragment() else "fleet/hosts.html",
        found=found,
        asked=asked,
        limits=limits,
        filters=_parameters(asked),
        states=[one.value for one in HostState],
        now=datetime.now(UTC),
    )


@bp.get("/fleet.<any(csv, xlsx):kind>")
@requires(Permission.SEE_FLEET)
def as_file(kind: exports.Kind) -> Response:
    """The whole list that the address asks for, as a file."""
    found = _found(_asked(), _limits(), None)
    headings = [
        _("Hôte"),
        _("Site"),
        _("Grappe"),
        _("États"),
        _("Dernier envoi"),
        _("Source qui fait foi"),
        _("Nature"),
        _("Périmètre"),
        _("Qualité"),
        _("Puissance moyenne de la dernière heure (W)"),
        _("Couverture sur 24 h (%)"),
        _("Capteurs en défaut"),
        _("Agent"),
        _("Avance de l'horloge (s)"),
        _("Retiré le"),
    ]
    return exports.send("hotes", headings, _rows(found), kind)


def _found(asked: Asked, limits: Limits, page: int | None) -> Hosts:
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        if page is None:
            return list_hosts(session, asked, limits, now=now, size=None)
        return list_hosts(session, asked, limits, now=now, page=page)


def _asked() -> Asked:
    """What the address asks for; a state that does not exist is left out."""
    told = {facet: request.args.get(facet, "").strip()[:LONGEST] for facet in Facet}
    if told[Facet.STATE] not in list(HostState):
        told[Facet.STATE] = ""
    values = {facet: value for facet, value in told.items() if value}
    return Asked(words=inputs.words(), values=values)


def _limits() -> Limits:
    """From when on a host is silent and a clock is off, as the address says, else as usual."""
    usual = Limits(state().silent_after)
    minutes = _whole("silent", MOST_MINUTES)
    seconds = _whole("clock", MOST_SECONDS)
    return Limits(
        timedelta(minutes=minutes) if minutes else usual.silent_after,
        timedelta(seconds=seconds) if seconds else usual.clock_off,
    )


def _whole(name: str, most: int) -> int | None:
    value = request.args.get(name, "").strip()
    return min(int(value), most) if value.isascii() and value.isdigit() and len(value) < 7 else None


def _parameters(asked: Asked) -> dict[str, str]:
    """What an address says to ask for the same again, but for the page."""
    said = {
        "words": asked.words,
        "silent": request.args.get("silent", ""),
        "clock": request.args.get("clock", ""),
    }
    said |= {facet.value: value for facet, value in asked.values.items()}
    return {name: value for name, value in said.items() if value}


def _rows(found: Hosts) -> Iterator[list[exports.Cell]]:
    for host in found.rows:
        yield [
            host.name,
            found.sites.get(host.site or "", host.site),
            host.cluster,
            ", ".join(str(STATES[one]) for one in HostState if one in host.states),
            host.last_seen_at,
            *_instrument(host),
            None if host.power_mw is None else host.power_mw / 1000,
            None if host.covered is None else float(round(Fraction(host.covered) * 100, 1)),
            " ; ".join(f"{gap.source} : {gap_reason(gap.reason)}" for gap in host.gaps),
            host.agent,
            None if host.clock_ahead_ms is None else host.clock_ahead_ms / 1000,
            host.retired_at,
        ]


def _instrument(host: ListedHost) -> list[exports.Cell]:
    one = host.instrument
    if one is None:
        return [None] * 4
    return [
        one.name,
        str(AUTHORITIES.get(one.authority, one.authority)),
        str(BOUNDARIES.get(one.boundary, one.boundary)),
        str(QUALITIES.get(one.quality, one.quality)),
    ]
