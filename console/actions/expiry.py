"""What has had its time: expired sign-ins, and the links of invitations that expired unread."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from console.store.models import coordination as k
from console.store.models import people as p
from console.store.models.coordination import DeliveryState


def forget_sign_ins(session: Session, *, now: datetime) -> None:
    """Remove the sign-ins that no longer open anything."""
    session.execute(delete(p.SignIn).where(p.SignIn.expires_at <= now))


def forget_links(session: Session, *, now: datetime) -> None:
    """Empty the mails that hold a link no longer of use, such as those that could not leave."""
    expired = select(p.Invitation.delivery_id).where(
        p.Invitation.expires_at <= now, p.Invitation.delivery_id.is_not(None)
    )
    letters = k.Delivery.delivery_id.in_(expired)
    waiting = k.Delivery.state.in_((DeliveryState.PENDING, DeliveryState.UNCERTAIN))
    session.execute(update(k.Delivery).where(letters, waiting).values(state=DeliveryState.FAILED))
    session.execute(
        update(k.Delivery).where(letters, k.Delivery.state != DeliveryState.SENDING).values(body="")
    )
