"""The workloads of the fleet: who holds them, those that nobody holds, and many of them claimed at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from console.actions.bulk_claims import MOST_AT_ONCE, Fate, Holder, Outcome, claim_one
from console.domain.access import Permission
from console.domain.errors import Conflict, Invalid
from console.store.again import write_again
from console.store.queries.plans import offers
from console.store.queries.subscriptions_sought import find_subscriptions
from console.store.queries.workload_list import Asked, Facet, Workloads, list_workloads, workloads_named
from console.store.session import Operator
from console.web import addresses, exports, inputs
from console.web.access import current_account, requires
from console.web.errors import message_of
from console.web.fleet_words import HELD, KINDS
from console.web.fragments import wants_fragment
from console.web.languages import current_language, today
from console.web.state import state

LONGEST = 200  # characters of what is asked for
FIELD = "workloads"
SEARCH = "search"  # the button that looks for subscriptions without sending the form
Keys = list[tuple[int, int]]
UNANSWERED = Conflict("La base de données n'a pas répondu : rien n'a été enregistré de cette charge.")

bp = Blueprint("workloads", __name__)


@bp.get("/fleet/workloads")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """Every workload, those that nobody holds first."""
    asked = _asked(request.args)
    with state().database.read(Operator()) as session:
        found = list_workloads(session, asked, now=datetime.now(UTC), page=inputs.asked_page())
    return render_template(
        "fleet/workloads_list.html" if wants_fragment() else "fleet/workloads.html",
        found=found,
        asked=asked,
        filters=_parameters(asked),
        query=urlencode(_parameters(asked)),
        most=MOST_AT_ONCE,
        held=HELD,
        kinds=KINDS,
    )


@bp.get("/fleet/workloads.<any(csv, xlsx):kind>")
@requires(Permission.SEE_FLEET)
def as_file(kind: exports.Kind) -> Response:
    """The whole list that the address asks for, as a file."""
    with state().database.read(Operator()) as session:
        found = list_workloads(session, _asked(request.args), now=datetime.now(UTC), size=None)
    headings = [
        _("Charge"),
        _("Genre"),
        _("Hôte"),
        _("Site"),
        _("Grappe"),
        _("Adhérent"),
        _("Souscription"),
        _("Service partagé"),
        _("Énergie sur 7 jours (Wh)"),
        _("vCPU réservés"),
        _("Mémoire réservée (Mo)"),
        _("Dernière heure active"),
    ]
    return exports.send("charges", headings, _rows(found), kind)


@bp.post("/fleet/workloads/holder")
@requires(Permission.MANAGE_CLAIMS)
def choose() -> ResponseReturnValue:
    """The form that asks whose the ticked workloads are, with a search for the subscription."""
    try:
        keys = _every_found() if request.form.get("every") else _ticked()
    except Invalid as error:
        return render_template("fleet/claimed.html", refusal=message_of(error), back=_back()), 422
    return _form(keys, {})


@bp.post("/fleet/workloads/claims")
@requires(Permission.MANAGE_CLAIMS)
def claim() -> ResponseReturnValue:
    """Claim the ticked workloads, each by itself, and tell what became of each."""
    try:
        keys = _ticked()
    except Invalid as error:
        return render_template("fleet/claimed.html", refusal=message_of(error), back=_back()), 422
    if request.form.get("deed") == SEARCH:
        return _form(keys, {})
    try:
        holder, first_day, last_day = _holder(), inputs.day("first_day"), inputs.optional_day("last_day")
    except Invalid as error:
        return _form(keys, {error.field: message_of(error)}), 422
    outcomes = [_claim(key, holder, first_day, last_day) for key in keys]
    with state().database.read(Operator()) as session:
        named = workloads_named(session, keys)
    return render_template(
        "fleet/claimed.html",
        refusal="",
        back=_back(),
        named=named,
        claimed=[one for one in outcomes if one.fate is Fate.CLAIMED],
        held=[one for one in outcomes if one.fate is Fate.HELD],
        refused=[(one, message_of(one.refusal)) for one in outcomes if one.refusal is not None],
    )


def _claim(key: tuple[int, int], holder: Holder, first_day: date, last_day: date | None) -> Outcome:
    by = current_account().login

    def work(session: Session) -> Outcome:
        return claim_one(
            session, *key, holder, first_day=first_day, last_day=last_day, now=datetime.now(UTC), by=by
        )

    try:
        return write_again(state().database, Operator(), work, by)
    except (Conflict, OperationalError, InterfaceError) as error:  # those before it are stored
        return Outcome(*key, Fate.REFUSED, error if isinstance(error, Conflict) else UNANSWERED)


def _form(keys: Keys, errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        return render_template(
            "fleet/claim.html",
            keys=keys,
            named=workloads_named(session, keys),
            found=find_subscriptions(session, inputs.words()),
            offers=offers(session),
            words=inputs.words(),
            typed=request.form,
            today=today(),
            errors=errors,
            query=inputs.text("query"),
            back=_back(),
        )


def _holder() -> Holder:
    """Whom the form names: `12:3` is a subscription of an adherent, anything else a service."""
    chosen, service = inputs.text("subscription"), inputs.text("service")
    if bool(chosen) is bool(service):
        raise Invalid("subscription", "Choisissez une souscription, ou un service partagé.")
    if service:
        return Holder(service_code=service)
    numbers = [
        int(part) for part in chosen.split(":") if part.isascii() and part.isdigit() and len(part) <= 10
    ]
    if len(numbers) != 2 or max(numbers) > addresses.LARGEST:
        raise Invalid("subscription", "Une souscription est attendue.")
    return Holder(tenant_id=numbers[0], subscription=numbers[1])


def _ticked() -> Keys:
    """The workloads that were ticked, each once."""
    keys = [inputs.workload_of(value, FIELD) for value in dict.fromkeys(request.form.getlist(FIELD))]
    if not keys:
        raise Invalid(FIELD, "Choisissez au moins une charge.")
    return _not_too_many(keys)


def _every_found() -> Keys:
    """All that the filters of the list find."""
    asked = _asked(dict(parse_qsl(inputs.text("query"))))
    with state().database.read(Operator()) as session:
        found = list_workloads(session, asked, now=datetime.now(UTC), size=None)
    return _not_too_many([(row.host_id, row.workload_id) for row in found.rows])


def _not_too_many(keys: Keys) -> Keys:
    if len(keys) > MOST_AT_ONCE:
        raise Invalid(FIELD, "Au plus %(most)s charges à la fois.", most=MOST_AT_ONCE)
    return keys


def _back() -> dict[str, str]:
    """The list as it was asked for."""
    return _parameters(_asked(dict(parse_qsl(inputs.text("query")))))


def _asked(query: Mapping[str, str]) -> Asked:
    """What an address asks for."""
    values = {facet: value for facet in Facet if (value := query.get(facet, "").strip()[:LONGEST])}
    return Asked(
        words=query.get("words", "").strip()[:LONGEST],
        host=query.get("host", "").strip()[:LONGEST],
        values=values,
    )


def _parameters(asked: Asked) -> dict[str, str]:
    """What an address says to ask for the same again, but for the page."""
    said = {
        "words": asked.words,
        "host": asked.host,
        **{name.value: told for name, told in asked.values.items()},
    }
    return {name: value for name, value in said.items() if value}


def _rows(found: Workloads) -> Iterator[list[exports.Cell]]:
    french = current_language().code == "fr"
    for row in found.rows:
        holder = row.holder
        yield [
            row.name,
            str(KINDS.get(row.kind, row.kind)),
            row.host,
            found.sites.get(row.site or "", row.site),
            row.cluster,
            holder.adherent if holder else None,
            holder.subscription if holder else None,
            (holder.service_fr if french else holder.service_en) if holder else None,
            None if row.energy_mj is None else round(row.energy_mj / 3_600_000, 3),
            None if row.reserved_mcpu is None else row.reserved_mcpu / 1000,
            row.reserved_mb,
            row.last_hour,
        ]
