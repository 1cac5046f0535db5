"""The door of the agents: `POST /api/v1/readings`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, request

from collectors.reading import UnreadableBatch, decode_batch
from console.actions.ingest import ingest
from console.domain.tokens import TokenScope
from console.store.session import Operator
from console.web.access import public
from console.web.bearer import asking
from console.web.state import state

LARGEST_BATCH = 2 * 1024 * 1024  # bytes

bp = Blueprint("api", __name__, url_prefix="/api/v1")


@bp.post("/readings")
@public  # the bearer token is the credential
def receive_readings() -> tuple[Response, int]:
    """Take a batch in: 202 with one receipt a reading, 401, 403, 413, or 422 where it cannot be parsed."""
    bearer = asking(TokenScope.READINGS_WRITE)
    if (request.content_length or 0) > LARGEST_BATCH:
        return refuse(413, "batch_too_large", f"a batch is at most {LARGEST_BATCH} bytes")
    request.max_content_length = LARGEST_BATCH
    try:
        envelope = decode_batch(request.get_data())
    except UnreadableBatch as error:
        return refuse(422, "unreadable_batch", str(error))
    if not bearer.speaks_for(envelope.host):
        return refuse(403, "other_host", f"this token does not speak for the host {envelope.host}")
    with state().database.write(Operator(), by=bearer.signature) as session:
        receipts = ingest(session, envelope, now=datetime.now(UTC))
    return jsonify(readings=[asdict(receipt) for receipt in receipts]), 202


def refuse(status: int, code: str, message: str) -> tuple[Response, int]:
    """The body of every refusal of the API."""
    return jsonify(error={"code": code, "message": message}), status
