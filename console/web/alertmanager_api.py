"""The door of Alertmanager: `POST /api/v1/alertmanager`, the webhook's message, version 4."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from console.actions.signals import Desk, Received, take_alert
from console.domain.alert_routes import Fate
from console.domain.alertmanager import LARGEST_MESSAGE, Alert, read_message
from console.domain.errors import Invalid
from console.domain.tokens import TokenScope
from console.store.queries.alert_routes import routing
from console.store.session import Operator
from console.web.access import public
from console.web.bearer import asking
from console.web.errors import message_of
from console.web.state import state

bp = Blueprint("alertmanager_api", __name__, url_prefix="/api/v1")


@bp.post("/alertmanager")
@public  # the bearer token is the credential
def receive_alerts() -> Response:
    """Take alerts in: 200 with what became of each, 401, 403, 413, or 422 where it is no such message.

    An alert that has no route is kept and shown to those who run the services: sending it again does not
    help, so it is no failure. `unrouted` counts those.
    """
    bearer = asking(TokenScope.ALERTS_WRITE)
    request.max_content_length = LARGEST_MESSAGE
    message = read_message(_body())
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        desk = Desk(routing(session), bearer.tenants, now, bearer.signature)
    told = [_taken(one, desk) for one in message.alerts]
    unrouted = sum(one.get("outcome") == Fate.UNROUTED for one in told)
    return jsonify(alerts=told, unrouted=unrouted, left_out=message.truncated)


def _taken(alert: Alert | Invalid, desk: Desk) -> dict[str, Any]:
    """Each in a transaction of its own: Alertmanager sends them all again where one fails.

    Routes and signals are the operator's; the token says which adherents an incident may be opened for.
    """
    if isinstance(alert, Invalid):
        return {"outcome": "unreadable", "field": alert.field, "reason": message_of(alert)}
    with state().database.write(Operator(), by=desk.by) as session:
        received = take_alert(session, alert, desk)
    return {"fingerprint": alert.fingerprint, **_told(received, desk)}


def _told(received: Received, desk: Desk) -> dict[str, Any]:
    told: dict[str, Any] = {"outcome": "stale" if received.is_stale else received.fate.value}
    if received.incident is not None and desk.reaches(received.tenant_id):
        told |= {"adherent": received.tenant_id, "incident": received.incident}
    if received.refusal is not None:
        told["reason"] = message_of(received.refusal)
    return told


def _body() -> Any:
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None
