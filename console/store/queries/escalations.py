"""Which incidents have a level to tell now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.escalation import Promise
from console.store.models import escalation as e

AT_ONCE = 200


def due_escalations(session: Session, *, now: datetime) -> list[tuple[int, int, Promise]]:
    """Incidents with a clock of which a level is due and was not told: (tenant_id, number, clock).

    Those that have waited for longest come first; the rest follows at the next call.
    """
    row = e.Escalation
    due = (
        select(row.tenant_id, row.incident, row.promise)
        .where(row.told_at.is_(None), row.due_at.is_not(None), row.due_at <= now)
        .order_by(row.due_at)
        .limit(AT_ONCE)
    )
    return list(
        dict.fromkeys((tenant_id, number, promise) for tenant_id, number, promise in session.execute(due))
    )
