"""The token that a program shows with its request to the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import request

from console.actions import api_tokens
from console.actions.api_tokens import Bearer
from console.domain.errors import Unauthenticated
from console.domain.tokens import TokenScope
from console.store.session import Operator
from console.web.state import state

NOTED_EVERY = timedelta(minutes=1)  # so that each request does not write


def asking(scope: TokenScope) -> Bearer:
    """Who asks; raises `Unauthenticated`, or `Forbidden` where the token is not for this."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise Unauthenticated("L'en-tête Authorization: Bearer est attendu, avec un jeton.")
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        found = api_tokens.bearer(session, text.strip(), scope, now)
    if found.last_used_at is None or now - found.last_used_at > NOTED_EVERY:
        with state().database.write(Operator()) as session:
            api_tokens.note_use(session, found.token_id, now=now)
    return found
