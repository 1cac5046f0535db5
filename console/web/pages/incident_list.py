"""Incidents: all in scope and those of one adherent, narrowed by facets, as pages and as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from console.actions.incidents import Priority, Revision, record_event, set_particulars
from console.actions.saved_views import forget_view, keep_view
from console.domain.access import SEES_EVERY_ADHERENT, Permission
from console.domain.clock import EventKind
from console.domain.errors import DomainError, Invalid
from console.store.queries import names
from console.store.queries.incident_list import Asked, Facet, Incidents, Which, list_incidents
from console.store.queries.paging import PAGE
from console.store.queries.saved_views import views_of
from console.store.session import Operator
from console.web import exports, inputs
from console.web.access import current_account, local_path, own_adherent, requires, scope
from console.web.audit_choices import Words
from console.web.errors import message_of
from console.web.facet_words import FACETS, STATES, VALUES
from console.web.fragments import go_to, wants_fragment
from console.web.languages import current_language
from console.web.state import state

SHOWN = ("state", "priority", "awaited")  # the other facets are folded away

# What is done to several incidents at once: it asks for nothing more to be said of each.
DEEDS: Words = {
    EventKind.ACKNOWLEDGED.value: lazy_gettext("Prendre en charge"),
    EventKind.WAITING.value: lazy_gettext("Mettre en attente de l'adhérent"),
    EventKind.RESUMED.value: lazy_gettext("Reprendre"),
    EventKind.RESOLVED.value: lazy_gettext("Résoudre"),
    EventKind.CLOSED.value: lazy_gettext("Clore"),
    "P1": lazy_gettext("Passer en priorité P1"),
    "P2": lazy_gettext("Passer en priorité P2"),
    "P3": lazy_gettext("Passer en priorité P3"),
    "P4": lazy_gettext("Passer en priorité P4"),
    "P5": lazy_gettext("Passer en priorité P5"),
}

bp = Blueprint("incident_list", __name__)


@bp.get("/incidents")
@requires(Permission.SEE_ADHERENTS)
def index() -> ResponseReturnValue:
    """Every incident in scope."""
    return _list(None)


@bp.get("/adherents/<int:tenant_id>/incidents")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The incidents of one adherent."""
    return _list(tenant_id)


@bp.get("/incidents.<any(csv, xlsx):kind>")
@requires(Permission.SEE_ADHERENTS)
def as_file(kind: exports.Kind) -> Response:
    """The whole list that the address asks for, as a file."""
    return _file(None, kind)


@bp.get("/adherents/<int:tenant_id>/incidents.<any(csv, xlsx):kind>")
@requires(Permission.SEE_ADHERENTS)
def of_adherent_as_file(tenant_id: int, kind: exports.Kind) -> Response:
    """The incidents of one adherent, as a file."""
    return _file(tenant_id, kind)


@bp.post("/incidents/deeds")
@requires(Permission.HANDLE_INCIDENTS)
def act() -> ResponseReturnValue:
    """Do the same to several incidents, each by itself, and tell which ones refused and why."""
    back = local_path(inputs.text("back")) or url_for("incident_list.index")
    try:
        deed, chosen = _deed(), _chosen()
    except Invalid as error:
        return render_template("incident_list/done.html", back=back, refusal=message_of(error)), 422
    refused = [(key, why) for key in chosen if (why := _refusal(deed, *key))]
    return render_template(
        "incident_list/done.html",
        back=back,
        refusal="",
        deed=DEEDS[deed],
        done=len(chosen) - len(refused),
        refused=refused,
    )


@bp.post("/incidents/views")
@requires(Permission.SEE_ADHERENTS)
def keep() -> ResponseReturnValue:
    """Keep what the list is asked for under a name, for this account alone."""
    asked = _asked_by(dict(parse_qsl(inputs.text("query"))), None)
    query = urlencode(_parameters(asked))
    account = current_account()
    try:
        with state().database.write(Operator(), by=account.login) as session:
            keep_view(session, account.account_id, inputs.text("name"), query)
    except Invalid as error:
        return _list(None, {error.field: message_of(error)}, asked), 422
    flash(_("La vue est gardée."))
    return go_to(url_for("incident_list.index") + (f"?{query}" if query else ""))


@bp.post("/incidents/views/<int:view_id>/forget")
@requires(Permission.SEE_ADHERENTS)
def forget(view_id: int) -> ResponseReturnValue:
    """Forget a view of this account."""
    account = current_account()
    with state().database.write(Operator(), by=account.login) as session:
        forget_view(session, account.account_id, view_id)
    flash(_("La vue est oubliée."))
    return go_to(url_for("incident_list.index"))


def _asked(tenant_id: int | None) -> Asked:
    return _asked_by(request.args, tenant_id)


def _asked_by(query: Mapping[str, str], tenant_id: int | None) -> Asked:
    """What an address asks for; what it asks for and is not there is left out."""
    account = current_account()
    follows_some = account.role in SEES_EVERY_ADHERENT
    which = query.get("which", "")
    return Asked(
        which=Which(which) if which in list(Which) else Which.OPEN,
        tenant_id=tenant_id,
        words=query.get("words", "").strip(),
        values={facet: value for facet in Facet if (value := query.get(facet, "")) in VALUES[facet]},
        mine=account.tenants if follows_some else frozenset(),
    )


def _parameters(asked: Asked) -> dict[str, str]:
    """What an address says to ask for the same again, but for the adherent and the page."""
    said = {"which": "" if asked.which is Which.OPEN else asked.which.value, "words": asked.words}
    said |= {facet.value: value for facet, value in asked.values.items()}
    return {name: value for name, value in said.items() if value}


def _list(tenant_id: int | None, errors: Mapping[str, str] | None = None, asked: Asked | None = None) -> str:
    asked = asked or _asked(tenant_id)
    account = current_account()
    with state().database.read(scope()) as session:
        adherent = None if tenant_id is None else names.adherent(session, tenant_id)
        found = list_incidents(session, asked, now=datetime.now(UTC), page=inputs.asked_page())
    with state().database.read(Operator()) as session:
        views = views_of(session, account.account_id)
    template = "incident_list/list.html" if wants_fragment() else "incident_list/index.html"
    return render_template(
        template,
        adherent=adherent,
        place=own_adherent() if tenant_id is None else tenant_id,
        found=found,
        asked=asked,
        filters=_parameters(asked),
        query=urlencode(_parameters(asked)),
        views=views,
        errors=errors or {},
        typed_name=inputs.text("name") if errors else "",
        deeds=DEEDS,
        facets=FACETS,
        values=VALUES,
        folded=[name for name in FACETS if name not in SHOWN],
    )


def _deed() -> str:
    deed = inputs.text("deed")
    if deed not in DEEDS:
        raise Invalid("deed", "Un choix de la liste est attendu.")
    return deed


def _chosen() -> list[tuple[int, int]]:
    """The incidents that were ticked, as (adherent, number), each once."""
    keys = [value.split(":") for value in dict.fromkeys(request.form.getlist("incidents"))]
    if not keys:
        raise Invalid("incidents", "Choisissez au moins un incident.")
    if len(keys) > PAGE or any(len(key) != 2 or not all(map(_is_number, key)) for key in keys):
        raise Invalid("incidents", "Des incidents de la liste sont attendus.")
    return [(int(tenant_id), int(number)) for tenant_id, number in keys]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _refusal(deed: str, tenant_id: int, number: int) -> str:
    """Do it to one incident, in a transaction of its own; why not, or nothing where it is done."""
    now, by = datetime.now(UTC), current_account().login
    try:
        with state().database.write(scope(), by=by) as session:
            if deed in list(Priority):
                revision = Revision(priority=Priority(deed))
                set_particulars(
                    session, tenant_id=tenant_id, number=number, revision=revision, at=now, now=now, by=by
                )
            else:
                kind = EventKind(deed)
                record_event(session, tenant_id=tenant_id, number=number, kind=kind, at=now, now=now, by=by)
    except DomainError as error:
        return message_of(error)
    return ""


def _file(tenant_id: int | None, kind: exports.Kind) -> Response:
    with state().database.read(scope()) as session:
        if tenant_id is not None:
            names.adherent(session, tenant_id)
        found = list_incidents(session, _asked(tenant_id), now=datetime.now(UTC), size=None)
    headings = [
        _("Adhérent"),
        _("Numéro"),
        _("Incident"),
        _("Service"),
        _("Priorité"),
        _("État"),
        _("Ouvert le"),
        _("Échéance"),
        _("Résolu le"),
    ]
    return exports.send("incidents", headings, _rows(found), kind)


def _rows(found: Incidents) -> Iterator[list[exports.Cell]]:
    for line in found.rows:
        yield [
            line.adherent,
            line.number,
            line.title,
            line.service_fr if current_language().code == "fr" else line.service_en,
            line.priority,
            str(STATES[line.state]),
            line.opened_at,
            line.due_at,
            line.resolved_at,
        ]
