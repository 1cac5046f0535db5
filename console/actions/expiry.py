"""What has had its time: expired sign-ins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from console.store.models import people as p


def forget_sign_ins(session: Session, *, now: datetime) -> None:
    """Remove the sign-ins that no longer open anything."""
    session.execute(delete(p.SignIn).where(p.SignIn.expires_at <= now))
