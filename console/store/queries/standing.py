"""Where an incident stands, told by the database: the same rule as `console.domain.alerts.standing`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case

from console.domain.alerts import Standing
from console.store.models import tenant as t


def standing_at(now: datetime) -> ColumnElement[str]:
    """One of `Standing`: time alone takes an incident from on time to at risk to breached."""
    incident = t.Incident
    return case(
        (incident.resolved_at.is_not(None), incident.outcome),
        (incident.due_at.is_(None), Standing.WAITING.value),
        (incident.due_at < now, Standing.BREACHED.value),
        (incident.at_risk_at <= now, Standing.AT_RISK.value),
        else_=Standing.ON_TIME.value,
    )


def of_subscription() -> ColumnElement[bool]:
    """Joins an incident to the subscription whose plan its clocks follow."""
    return and_(
        t.Subscription.tenant_id == t.Incident.tenant_id, t.Subscription.number == t.Incident.subscription
    )
