"""The door of programs that tell monthly volumes: `POST /api/v1/volumes`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from console.actions.volumes import Judged, Verdict, VolumeSource, record
from console.domain.errors import Invalid
from console.domain.tokens import TokenScope
from console.domain.volumes import LARGEST_LIST, MOST_ROWS, Told
from console.store.session import Operator, Scope, Tenants
from console.web.access import public
from console.web.bearer import asking
from console.web.errors import message_of
from console.web.state import state

OUTCOMES = {
    Verdict.NEW: "stored",
    Verdict.CHANGED: "stored",
    Verdict.UNCHANGED: "unchanged",
    Verdict.REFUSED: "refused",
}

bp = Blueprint("volumes_api", __name__, url_prefix="/api/v1")


@bp.post("/volumes")
@public  # the bearer token is the credential
def receive_volumes() -> Response:
    """Take a list of volumes in: 200 with one outcome an item, 401, 403, 413, or 422 where it is no list.

    An item: `adherent` (FINESS or number), `subscription` (number, or code of the service), `month`
    (2026-10), `volume`. What is stored already is unchanged, so a list may be sent again.
    """
    bearer = asking(TokenScope.VOLUMES_WRITE)
    request.max_content_length = LARGEST_LIST
    told = [_told(place, item) for place, item in enumerate(_items(), start=1)]
    scope: Scope = Operator() if bearer.tenants is None else Tenants(bearer.tenants)
    with state().database.write(scope, by=bearer.signature) as session:
        judged = record(session, told, source=VolumeSource.API, now=datetime.now(UTC), by=bearer.signature)
    return jsonify(volumes=[_outcome(one) for one in judged])


def _items() -> Sequence[Any]:
    try:
        items = json.loads(request.get_data())
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or len(items) > MOST_ROWS:
        raise Invalid("volumes", "Une liste JSON de %(most)s volumes au plus est attendue.", most=MOST_ROWS)
    return items


def _told(place: int, item: Any) -> Told:
    """What is no plain text and no whole number is read as nothing, and refused as missing."""
    facts = item if isinstance(item, dict) else {}
    names = ("adherent", "subscription", "month", "volume")
    return Told(place, *(_text(facts.get(name)) for name in names))


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str | float):
        return ""
    text = str(value).strip()
    return text if text.isprintable() else ""  # half of a surrogate pair, say: no database keeps it


def _outcome(judged: Judged) -> dict[str, Any]:
    outcome: dict[str, Any] = {"item": judged.told.line, "outcome": OUTCOMES[judged.verdict]}
    if judged.refusal is not None:
        outcome |= {"field": judged.refusal.field, "reason": message_of(judged.refusal)}
    return outcome
