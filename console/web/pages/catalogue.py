"""The catalogue: services by trade, one of them, who is still on it, and the migration campaigns."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.access import Permission
from console.domain.hosting import outside_eea
from console.store.queries.campaigns import StillOn, campaigns, still_on
from console.store.queries.catalogue import list_services, service_page
from console.web import exports, inputs
from console.web.access import requires, scope
from console.web.fragments import wants_fragment
from console.web.languages import current_language, today
from console.web.state import state

bp = Blueprint("catalogue", __name__)


@bp.get("/catalogue")
@requires(Permission.SEE_CATALOGUE)
def index() -> ResponseReturnValue:
    """The services by trade, searched by their texts."""
    words = request.args.get("words", "").strip()
    with state().database.read(scope()) as session:
        services = list_services(session, today(), words)
    template = "catalogue/list.html" if wants_fragment() else "catalogue/index.html"
    return render_template(template, services=services, words=words)


@bp.get("/catalogue/services/<code>")
@requires(Permission.SEE_CATALOGUE)
def show(code: str) -> ResponseReturnValue:
    """A service as it stood on a day, today where none is asked for; and how many in scope take it now."""
    day = inputs.asked_day("day") or today()
    with state().database.read(scope()) as session:
        service = service_page(session, code, day)
    facts = service.hosting.facts if service.hosting else None
    return render_template(
        "catalogue/show.html",
        service=service,
        facts=facts,
        to_look_at=outside_eea(facts) if facts else [],
        day=day,
        past=day != today(),
    )


@bp.get("/catalogue/services/<code>/subscribers")
@requires(Permission.SEE_PORTFOLIO)
def subscribers(code: str) -> ResponseReturnValue:
    """The adherents in scope that are still on a service."""
    with state().database.read(scope()) as session:
        found = still_on(session, code)
    return render_template("catalogue/subscribers.html", found=found)


@bp.get("/catalogue/services/<code>/subscribers.csv")
@requires(Permission.SEE_PORTFOLIO)
def subscribers_csv(code: str) -> ResponseReturnValue:
    """The same, for a spreadsheet."""
    return _export(code, "csv")


@bp.get("/catalogue/services/<code>/subscribers.xlsx")
@requires(Permission.SEE_PORTFOLIO)
def subscribers_xlsx(code: str) -> ResponseReturnValue:
    """The same, as a workbook."""
    return _export(code, "xlsx")


@bp.get("/catalogue/campaigns")
@requires(Permission.SEE_PORTFOLIO)
def campaign_list() -> ResponseReturnValue:
    """The services whose support ends, and how many adherents in scope have moved."""
    with state().database.read(scope()) as session:
        found = campaigns(session)
    return render_template("catalogue/campaigns.html", campaigns=found, today=today())


def _export(code: str, kind: exports.Kind) -> ResponseReturnValue:
    with state().database.read(scope()) as session:
        found = still_on(session, code)
    headings = (
        _("Adhérent"),
        _("Souscription"),
        _("Version"),
        _("État"),
        _("Depuis"),
        _("Jusqu'au"),
        _("Volume"),
        _("Successeur"),
        _("Successeur souscrit depuis"),
    )
    return exports.send(f"encore-sur-{code}", headings, _rows(found), kind)


def _rows(found: StillOn) -> Iterator[tuple[exports.Cell, ...]]:
    after = None
    if found.successor is not None:
        after = found.successor.name_fr if current_language().code == "fr" else found.successor.name_en
    states = {"active": _("active"), "suspended": _("suspendue")}
    for line in found.subscribers:
        yield (
            line.name,
            line.number,
            line.version,
            states[line.status],
            line.since,
            line.until,
            line.volume,
            after,
            line.successor_since,
        )
