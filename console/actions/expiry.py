"""What has had its time: expired sign-ins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from console.store.models import coordination as k


def forget_sign_ins(session: Session, *, now: datetime) -> None:
    """Remove the sign-ins that no longer open anything."""
    session.execute(delete(k.SignIn).where(k.SignIn.expires_at <= now))
