"""The tokens that agents show: made once, kept as hashes."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.errors import Conflict
from console.store.models import coordination as k

TOKEN_BYTES = 32


def issue_token(session: Session, name: str, *, now: datetime) -> str:
    """A new token for a group of hosts; its text is not kept and cannot be shown again."""
    if session.scalar(select(k.CollectorToken).where(k.CollectorToken.name == name)):
        raise Conflict("Un jeton nommé %(name)s existe déjà.", name=name)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(k.CollectorToken(token_sha256=_hash(token), name=name, created_at=now))
    return token


def renew_token(session: Session, name: str, *, now: datetime) -> str:
    """Replace the token of a group; the old one no longer opens anything."""
    old = session.scalars(select(k.CollectorToken).where(k.CollectorToken.name == name)).one_or_none()
    if old is not None:
        session.delete(old)
        session.flush()
    return issue_token(session, name, now=now)


def opens(session: Session, token: str) -> bool:
    """Whether a token may send readings."""
    row = session.get(k.CollectorToken, _hash(token))
    return row is not None and row.revoked_at is None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
