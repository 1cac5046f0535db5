"""What the first page shows: energy today and this month, hosts, adherents, open incidents and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from console.domain.alerts import standing
from console.domain.claims import OPERATOR_TENANT
from console.domain.factors import Basis
from console.domain.hours import day_bounds
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries.alerts import clock_of
from console.store.queries.energy_so_far import Energy, Month, energy_of_day, month_of_day
from console.store.queries.top_workloads import TopWorkload, top_workloads

LISTED = 8


@dataclass(frozen=True, slots=True)
class SeenHost:
    """A host; `gaps` are its sources of energy that give nothing, each with why."""

    host_id: int
    name: str
    last_seen_at: datetime
    silent: bool
    gaps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is not resolved; `state` is where it stands now against its time to restore."""

    tenant_id: int
    adherent: str
    number: int
    title: str
    priority: str
    due_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """A state that someone was warned of, and that lasts."""

    kind: str
    facts: dict[str, Any]
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Fleet:
    """The first page of those who see every host."""

    today: Energy
    month: Month
    hosts: int
    silent: int
    listed_hosts: Sequence[SeenHost]
    incidents: int
    listed_incidents: Sequence[OpenIncident]
    alerts: int
    listed_alerts: Sequence[OpenAlert]
    workloads: Sequence[TopWorkload]


@dataclass(frozen=True, slots=True)
class Followed:
    """An adherent of the reader, with the month's energy and carbon, None where they are unknown."""

    tenant_id: int
    name: str
    subscriptions: int
    incidents: int
    energy_mj: int | None
    carbon_ug: int | None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The first page of those who see some adherents only."""

    today: Energy
    month: Month
    adherents: Sequence[Followed]
    incidents: int
    listed_incidents: Sequence[OpenIncident]


def fleet(session: Session, day: date, zone: str, *, now: datetime, silent_after: timedelta) -> Fleet:
    """Everything of the whole fleet for a local day; asks for a session of the operator."""
    heard_since = now - silent_after
    hosts, silent = _host_counts(session, heard_since)
    month = month_of_day(session, day)
    return Fleet(
        today=energy_of_day(session, day, zone, month, of_fleet=True),
        month=month,
        hosts=hosts,
        silent=silent,
        listed_hosts=_hosts(session, heard_since),
        incidents=_count(session, _open_incidents()),
        listed_incidents=_incidents(session, now),
        alerts=_count(session, select(k.AlertEpisode).where(k.AlertEpisode.ended_at.is_(None))),
        listed_alerts=_alerts(session),
        workloads=top_workloads(session, *day_bounds(day, ZoneInfo(zone)), now, LISTED),
    )


def portfolio(session: Session, day: date, zone: str, *, now: datetime) -> Portfolio:
    """Everything of the adherents in the scope of the session."""
    month = month_of_day(session, day)
    return Portfolio(
        today=energy_of_day(session, day, zone, month, of_fleet=False),
        month=month,
        adherents=_followed(session, day.replace(day=1)),
        incidents=_count(session, _open_incidents()),
        listed_incidents=_incidents(session, now),
    )


def _count(session: Session, statement: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(statement.subquery())) or 0


def _host_counts(session: Session, heard_since: datetime) -> tuple[int, int]:
    """How many hosts there are, without those that were retired, and how many of them are silent."""
    hosts = select(func.count()).select_from(m.Host).where(m.Host.retired_at.is_(None))
    silent = hosts.where(m.Host.last_seen_at < heard_since)
    return session.scalar(hosts) or 0, session.scalar(silent) or 0


def _hosts(session: Session, heard_since: datetime) -> list[SeenHost]:
    """The hosts that have been silent for longest come first."""
    in_service = select(m.Host).where(m.Host.retired_at.is_(None))
    rows = session.scalars(in_service.order_by(m.Host.last_seen_at).limit(LISTED))
    return [
        SeenHost(
            host_id=row.host_id,
            name=row.name,
            last_seen_at=row.last_seen_at,
            silent=row.last_seen_at < heard_since,
            gaps=tuple((gap["source"], gap["reason"]) for gap in row.gaps),
        )
        for row in rows
    ]


def _open_incidents() -> Select[Any]:
    return select(t.Incident.tenant_id).where(t.Incident.resolved_at.is_(None))


def _incidents(session: Session, now: datetime) -> list[OpenIncident]:
    rows = session.execute(
        select(t.Incident, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == t.Incident.tenant_id)
        .where(t.Incident.resolved_at.is_(None))
        .order_by(t.Incident.due_at.is_(None), t.Incident.due_at, t.Incident.tenant_id, t.Incident.number)
        .limit(LISTED)
    )
    return [
        OpenIncident(
            tenant_id=row.tenant_id,
            adherent=adherent,
            number=row.number,
            title=row.title,
            priority=row.priority.value,
            due_at=row.due_at,
            state=standing(clock_of(row, adherent, ""), now).value,
        )
        for row, adherent in rows
    ]


def _alerts(session: Session) -> list[OpenAlert]:
    rows = session.scalars(
        select(k.AlertEpisode)
        .where(k.AlertEpisode.ended_at.is_(None))
        .order_by(k.AlertEpisode.started_at.desc())
        .limit(LISTED)
    )
    return [OpenAlert(row.kind, row.facts, row.started_at) for row in rows]


def _followed(session: Session, month: date) -> list[Followed]:
    carbon = {
        tenant_id: (int(energy_mj), None if carbon_ug is None else int(carbon_ug))
        for tenant_id, energy_mj, carbon_ug in session.execute(
            select(b.CarbonLine.tenant_id, func.sum(b.CarbonLine.energy_mj), func.sum(b.CarbonLine.carbon_ug))
            .where(
                b.CarbonLine.month == month, b.CarbonLine.basis == Basis.YEARLY_AVERAGE, b.CarbonLine.counts
            )
            .group_by(b.CarbonLine.tenant_id)
        )
    }
    active = _by_tenant(session, t.Subscription, t.Subscription.status == t.SubscriptionStatus.ACTIVE)
    incidents = _by_tenant(session, t.Incident, t.Incident.resolved_at.is_(None))
    adherents = (
        select(c.Adherent).where(c.Adherent.tenant_id != OPERATOR_TENANT).order_by(c.Adherent.folded_name)
    )
    return [
        Followed(
            tenant_id=row.tenant_id,
            name=row.name,
            subscriptions=active.get(row.tenant_id, 0),
            incidents=incidents.get(row.tenant_id, 0),
            energy_mj=carbon.get(row.tenant_id, (None, None))[0],
            carbon_ug=carbon.get(row.tenant_id, (None, None))[1],
        )
        for row in session.scalars(adherents)
    ]


def _by_tenant(session: Session, model: Any, condition: ColumnElement[bool]) -> dict[int, int]:
    rows = session.execute(select(model.tenant_id, func.count()).where(condition).group_by(model.tenant_id))
    return {row[0]: row[1] for row in rows}
