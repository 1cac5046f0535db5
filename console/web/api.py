"""The door of the agents: `POST /api/v1/readings`."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from collectors.reading import UnreadableBatch, decode_batch
from console.actions.ingest import Receipt, ingest
from console.domain.tokens import TokenScope
from console.store.session import Operator
from console.web.access import public
from console.web.bearer import asking
from console.web.generated import settle_real
from console.web.intake import Busy
from console.web.state import state

LARGEST_BATCH = 2 * 1024 * 1024  # bytes, as sent and as JSON
GZIP = 16 + zlib.MAX_WBITS

bp = Blueprint("api", __name__, url_prefix="/api/v1")


class TooLarge(Exception):
    """A batch that is larger than its bound, or becomes so."""


@bp.post("/readings")
@public  # the bearer token is the credential
def receive_readings() -> Response | tuple[Response, int]:
    """Take a batch in: 202 with one receipt a reading; 401, 403, 413, 415, or 422 where it cannot be parsed.

    429 where too much is being taken in, 503 while the database is away: both say when to come back.
    """
    bearer = asking(TokenScope.READINGS_WRITE)
    if (request.content_length or 0) > LARGEST_BATCH:
        return refuse(413, "batch_too_large", f"a batch is at most {LARGEST_BATCH} bytes")
    request.max_content_length = LARGEST_BATCH
    if request.content_encoding not in (None, "", "identity", "gzip"):
        return refuse(415, "unknown_encoding", "a batch is sent as it is, or compressed by gzip")
    try:
        envelope = decode_batch(_body())
    except TooLarge:
        return refuse(413, "batch_too_large", f"a batch is at most {LARGEST_BATCH} bytes, decompressed")
    except UnreadableBatch as error:
        return refuse(422, "unreadable_batch", str(error))
    if not bearer.speaks_for(envelope.host):
        return refuse(403, "other_host", f"this token does not speak for the host {envelope.host}")
    try:
        with state().intake.place(state().database):  # noqa: SIM117 - the place is let go after the commit
            with state().database.write(Operator(), by=bearer.signature) as session:
                receipts = ingest(session, envelope, now=datetime.now(UTC))
    except Busy as busy:
        answer, _ = refuse(429, "busy", str(busy))
        answer.status_code = 429
        answer.headers["Retry-After"] = str(busy.retry_after_s)
        return answer
    if receipts:
        settle_real()
    return jsonify(readings=[_told(receipt) for receipt in receipts]), 202


def refuse(status: int, code: str, message: str) -> tuple[Response, int]:
    """The body of every refusal of the API."""
    return jsonify(error={"code": code, "message": message}), status


def _body() -> bytes:
    """The JSON text, decompressed up to its bound and not further; raises `TooLarge`, `UnreadableBatch`."""
    body = request.get_data()
    if request.content_encoding != "gzip":
        return body
    decompressor = zlib.decompressobj(wbits=GZIP)
    try:
        text = decompressor.decompress(body, LARGEST_BATCH + 1)
    except zlib.error as error:
        raise UnreadableBatch(f"the body is not gzip: {error}") from None
    if len(text) > LARGEST_BATCH:
        raise TooLarge
    if not decompressor.eof or decompressor.unused_data:
        raise UnreadableBatch("the body is not one whole gzip stream")
    return text


def _told(receipt: Receipt) -> dict[str, Any]:
    return {"sequence": receipt.sequence, "status": receipt.status, "reason": receipt.reason}
