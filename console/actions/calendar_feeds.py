"""Private links to a calendar of planned work: made by an account, told once, revoked by it."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.sign_in import hash_of
from console.domain.errors import Conflict, NotFound
from console.store.models import maintenance as h

TOKEN_BYTES = 32
MOST = 20


def make_feed(session: Session, account_id: int, tenant_id: int | None, locale: str, *, now: datetime) -> str:
    """Make a link of an account, whose right to see the adherent the caller has checked; its token."""
    open_ones = (h.CalendarFeed.account_id == account_id, h.CalendarFeed.revoked_at.is_(None))
    if (session.scalar(select(func.count()).select_from(h.CalendarFeed).where(*open_ones)) or 0) >= MOST:
        raise Conflict("Un compte a %(most)s liens au plus : révoquez-en un d'abord.", most=MOST)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        h.CalendarFeed(
            token_sha256=hash_of(token),
            account_id=account_id,
            tenant_id=tenant_id,
            locale=locale,
            made_at=now,
        )
    )
    return token


def revoke_feed(session: Session, account_id: int, feed_id: int, *, now: datetime) -> None:
    """Have a link of this account open nothing any more; raises `NotFound` for that of another."""
    feed = session.get(h.CalendarFeed, feed_id)
    if feed is None or feed.account_id != account_id or feed.revoked_at is not None:
        raise NotFound("Ce lien n'existe pas.")
    feed.revoked_at = now
