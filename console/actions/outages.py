"""Outages that incidents tell of: written again from the log whenever it changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.domain.clock import Event
from console.domain.outages import Source, suffered_in
from console.store.models import tenant as t
from console.store.queries.incident_log import changes_of


def write_outages(session: Session, incident: t.Incident, log: Sequence[Event], now: datetime) -> None:
    """Write what an incident makes its subscription, and those it touches besides, suffer.

    The same log gives the same rows: it may be done again.
    """
    row = t.Outage
    session.flush()
    session.execute(
        delete(row).where(
            row.tenant_id == incident.tenant_id,
            row.source == Source.INCIDENT,
            row.reference == incident.number,
        )
    )
    changes = changes_of(session, incident.tenant_id, incident.number)
    for suffered in suffered_in(log, changes, incident.effect, now):
        for subscription in _touched(session, incident):
            session.add(
                row(
                    tenant_id=incident.tenant_id,
                    subscription=subscription,
                    source=Source.INCIDENT,
                    reference=incident.number,
                    began_at=suffered.began_at,
                    ended_at=suffered.ended_at,
                    effect=suffered.effect,
                )
            )
    session.flush()


def _touched(session: Session, incident: t.Incident) -> list[int]:
    touched = t.TouchedService
    others = session.scalars(
        select(touched.subscription)
        .where(touched.tenant_id == incident.tenant_id, touched.incident == incident.number)
        .order_by(touched.subscription)
    )
    return list(dict.fromkeys([incident.subscription, *others]))
