"""The doors of service desks: tickets in, and incidents out as they change.

`PUT /api/v1/incidents/<desk>/<external_id>` brings an incident to what its ticket says;
`GET` of the same address tells it; `GET /api/v1/incidents` tells those that changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from console.actions.api_tokens import Bearer
from console.actions.service_desk import Outcome, take_ticket
from console.domain.desk_tickets import LARGEST_TICKET, LONGEST_DESK, LONGEST_ID, check_name, read_ticket
from console.domain.errors import Invalid
from console.domain.tokens import TokenScope
from console.store.queries.incident_feed import (
    Cursor,
    ToldIncident,
    incident_of_ticket,
    read_cursor,
    tell_changes,
    tell_incident,
)
from console.store.session import Operator, Scope, Tenants
from console.web.access import public
from console.web.bearer import asking
from console.web.errors import message_of
from console.web.state import state

LARGEST_ADHERENT = 2**63 - 1

bp = Blueprint("incidents_api", __name__, url_prefix="/api/v1")


@bp.get("/incidents")
@public  # the bearer token is the credential
def list_changes() -> Response:
    """The incidents of the token that changed after `after`, 100 at a time: 200, 401, 403 or 422.

    `next` is what to ask as `after`, at once while `more` is true. The changes of the last minute are told
    again: each incident comes whole, to be taken as it stands.
    """
    scope = _scope(asking(TokenScope.INCIDENTS_READ))
    asked = request.args.get("after", "")
    after = read_cursor(asked) if asked else Cursor()
    with state().database.read(scope) as session:
        feed = tell_changes(session, after, now=datetime.now(UTC))
    return jsonify(incidents=[_told(one) for one in feed.incidents], next=str(feed.next), more=feed.more)


@bp.get("/incidents/<desk>/<path:external_id>")
@public  # the bearer token is the credential
def show_ticket(desk: str, external_id: str) -> Response:
    """The incident of a ticket: 200, 401, 403, 404, or 409 where `adherent` must say whose it is."""
    scope = _scope(asking(TokenScope.INCIDENTS_READ))
    with state().database.read(scope) as session:
        key = incident_of_ticket(session, desk, external_id, _adherent())
        told = tell_incident(session, *key, now=datetime.now(UTC))
    return jsonify(incident=_told(told))


@bp.put("/incidents/<desk>/<path:external_id>")
@public  # the bearer token is the credential
def put_ticket(desk: str, external_id: str) -> tuple[Response, int]:
    """Take a ticket in, as `console.domain.desk_tickets` says it: 201 where it opened an incident, or 200.

    `outcome` is created, changed or unchanged; `suspect` names the fields that seem to hold a number of a
    patient; `refused` says what a closed incident did not take beside the comments. 401, 403, 413, 422 with
    the field, or 409 where the console knows otherwise: nothing is written.
    """
    bearer = asking(TokenScope.INCIDENTS_WRITE)
    request.max_content_length = LARGEST_TICKET
    check_name(desk, "desk", LONGEST_DESK)
    check_name(external_id, "external_id", LONGEST_ID)
    ticket = read_ticket(_body())
    now = datetime.now(UTC)
    with state().database.write(_scope(bearer), by=bearer.signature) as session:
        taken = take_ticket(session, desk, external_id, ticket, now=now, by=bearer.signature)
        told = tell_incident(session, taken.tenant_id, taken.incident, now=now)
    refused = list(dict.fromkeys(map(message_of, taken.refused)))
    body = jsonify(outcome=taken.outcome, suspect=taken.suspect, refused=refused, incident=_told(told))
    return body, 201 if taken.outcome is Outcome.CREATED else 200


def _scope(bearer: Bearer) -> Scope:
    return Operator() if bearer.tenants is None else Tenants(bearer.tenants)


def _body() -> Any:
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None


def _adherent() -> int | None:
    asked = request.args.get("adherent", "")
    if not asked:
        return None
    if not asked.isascii() or not asked.isdigit() or int(asked[:20]) > LARGEST_ADHERENT:
        raise Invalid("adherent", "Le numéro d'un adhérent est attendu.")
    return int(asked)


def _told(incident: ToldIncident) -> Any:
    return _plain(asdict(incident))


def _plain(value: Any) -> Any:
    """Instants as ISO 8601 in UTC, whatever they are in."""
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
    return value
