"""What the first page shows: energy today and this month, hosts, open incidents and alerts, first steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from console.domain.alerts import standing
from console.domain.carbon import carbon_within
from console.domain.claims import OPERATOR_TENANT
from console.domain.factors import Basis
from console.domain.hours import day_bounds, month_bounds
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as a
from console.store.models import coordination as k
from console.store.models import directory as d
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import names
from console.store.queries.alerts import clock_of

LISTED = 8


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy and carbon of a day so far; carbon is None until its month is reckoned."""

    energy_mj: int | None
    measured_mj: int
    modelled_mj: int
    declared_mj: int
    carbon_ug: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """The month as it was last reckoned; None before the first time."""

    month: date
    energy_mj: int | None
    carbon_ug: int | None
    factor: str | None
    provisional: bool


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
class TopWorkload:
    """One of the workloads that used most today, and who claims it now, None where nobody does.

    `service_fr` and `service_en` name the shared service that it serves now, if it serves one.
    """

    host: str
    workload: str
    energy_mj: int
    tenant_id: int | None
    adherent: str | None
    service_fr: str | None
    service_en: str | None


@dataclass(frozen=True, slots=True)
class Steps:
    """What a new installation has behind it; `adherent` is the number of the first one."""

    collector: bool
    directory: bool
    adherent: int | None
    subscription: bool
    claim: bool
    incident: bool
    statement: bool

    @property
    def done(self) -> int:
        return sum(bool(getattr(self, name)) for name in self.__slots__)

    @property
    def all(self) -> int:
        return len(self.__slots__)


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
    month = _month(session, day)
    return Fleet(
        today=_today(session, day, zone, month, of_fleet=True),
        month=month,
        hosts=hosts,
        silent=silent,
        listed_hosts=_hosts(session, heard_since),
        incidents=_count(session, _open_incidents()),
        listed_incidents=_incidents(session, now),
        alerts=_count(session, select(k.AlertEpisode).where(k.AlertEpisode.ended_at.is_(None))),
        listed_alerts=_alerts(session),
        workloads=_top_workloads(session, *day_bounds(day, ZoneInfo(zone)), now),
    )


def portfolio(session: Session, day: date, zone: str, *, now: datetime) -> Portfolio:
    """Everything of the adherents in the scope of the session."""
    month = _month(session, day)
    return Portfolio(
        today=_today(session, day, zone, month, of_fleet=False),
        month=month,
        adherents=_followed(session, day.replace(day=1)),
        incidents=_count(session, _open_incidents()),
        listed_incidents=_incidents(session, now),
    )


def modelled_since(session: Session, since: datetime, *, of_fleet: bool) -> bool:
    """Whether energy, of the fleet or of the adherents in scope, came from a model since an instant."""
    source, ledger = c.EnergySource, _ledger(of_fleet)
    models = session.scalars(select(source.source_id).where(source.quality == "modelled")).all()
    found = select(ledger.hour).where(ledger.hour >= since, ledger.source_id.in_(models)).limit(1)
    return bool(models) and session.scalar(found) is not None


def steps(session: Session) -> Steps:
    """What there is at least one of."""
    return Steps(
        collector=_any(session, select(m.Host.host_id)),
        directory=_any(session, select(d.DirectorySite.finess_et)),
        adherent=session.scalar(
            select(func.min(c.Adherent.tenant_id)).where(c.Adherent.tenant_id != OPERATOR_TENANT)
        ),
        subscription=_any(session, select(t.Subscription.number)),
        claim=_any(session, select(c.WorkloadClaim.claim_id)),
        incident=_any(session, select(t.Incident.number)),
        statement=_any(session, select(t.Statement.number)),
    )


def _any(session: Session, statement: Select[Any]) -> bool:
    return session.scalar(statement.limit(1)) is not None


def _count(session: Session, statement: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(statement.subquery())) or 0


def _month(session: Session, day: date) -> Month:
    line = b.CarbonLine
    of_month = (line.month == day.replace(day=1), line.basis == Basis.YEARLY_AVERAGE, line.counts)
    lines, energy_mj, carbon_ug, factor = session.execute(
        select(func.count(), func.sum(line.energy_mj), func.sum(line.carbon_ug), func.max(line.factor_id))
        .select_from(line)
        .where(*of_month)
    ).one()
    provisional = _any(session, select(line.tenant_id).where(*of_month, line.provisional))
    if not lines:
        return Month(day.replace(day=1), None, None, None, provisional)
    return Month(
        day.replace(day=1),
        int(energy_mj),
        None if carbon_ug is None else int(carbon_ug),
        names.factor(session, factor),
        provisional,
    )


def _ledger(of_fleet: bool) -> type[m.WorkloadHour] | type[t.EnergyLine]:
    """Where energy is read: time leads the keys of the fleet's lines, the adherent those of adherents."""
    return m.WorkloadHour if of_fleet else t.EnergyLine


def _today(session: Session, day: date, zone: str, month: Month, *, of_fleet: bool) -> Energy:
    start, end = day_bounds(day, ZoneInfo(zone))
    line = _ledger(of_fleet)
    parts = {
        quality: int(energy_mj)
        for quality, energy_mj in session.execute(
            select(c.EnergySource.quality, func.sum(line.energy_mj))
            .join(c.EnergySource, c.EnergySource.source_id == line.source_id)
            .where(line.hour >= start, line.hour < end)
            .group_by(c.EnergySource.quality)
        )
    }
    energy_mj = sum(parts.values()) if parts else None
    return Energy(
        energy_mj=energy_mj,
        measured_mj=parts.get("measured", 0),
        modelled_mj=parts.get("modelled", 0),
        declared_mj=parts.get("declared", 0),
        carbon_ug=_share_of(month, energy_mj, _before(session, month, start, zone, of_fleet=of_fleet)),
    )


def _before(session: Session, month: Month, start: datetime, zone: str, *, of_fleet: bool) -> int:
    """The energy of the month before an instant, in mJ."""
    line = m.HostHour if of_fleet else t.EnergyLine
    first, _ = month_bounds(month.month, ZoneInfo(zone))
    before = session.scalar(select(func.sum(line.energy_mj)).where(line.hour >= first, line.hour < start))
    return int(before or 0)


def _share_of(month: Month, energy_mj: int | None, before_mj: int) -> int | None:
    """The day's share of the month's carbon; None while the month is behind the day."""
    if energy_mj is None or month.energy_mj is None or month.carbon_ug is None:
        return None
    if before_mj + energy_mj > month.energy_mj:
        return None
    return carbon_within(month.carbon_ug, month.energy_mj, before_mj, energy_mj)


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


def _top_workloads(session: Session, start: datetime, end: datetime, now: datetime) -> list[TopWorkload]:
    line, energy = m.WorkloadHour, func.sum(m.WorkloadHour.energy_mj).label("energy_mj")
    top = (
        select(line.host_id, line.workload_id, energy)
        .where(
            line.hour >= start,
            line.hour < end,
            line.workload_id.not_in((m.IDLE_KEPT, m.UNATTRIBUTED)),
            line.energy_mj > 0,
        )
        .group_by(line.host_id, line.workload_id)
        .order_by(energy.desc(), line.host_id, line.workload_id)
        .limit(LISTED)
        .subquery()
    )
    claim, shared = c.WorkloadClaim, a.ServiceClaim
    same = (m.Workload.host_id == top.c.host_id) & (m.Workload.workload_id == top.c.workload_id)
    rows = session.execute(
        select(
            m.Host.name.label("host"),
            m.Workload.name.label("workload"),
            top.c.energy_mj,
            c.Adherent.tenant_id,
            c.Adherent.name.label("adherent"),
            c.Service.name_fr,
            c.Service.name_en,
        )
        .join(m.Host, m.Host.host_id == top.c.host_id)
        .join(m.Workload, same)
        .outerjoin(claim, _holds(claim, top, now))
        .outerjoin(c.Adherent, c.Adherent.tenant_id == claim.tenant_id)
        .outerjoin(shared, _holds(shared, top, now))
        .outerjoin(c.Service, c.Service.code == shared.service_code)
        .order_by(top.c.energy_mj.desc(), top.c.host_id, top.c.workload_id)
    )
    return [TopWorkload(row[0], row[1], int(row[2]), *row[3:]) for row in rows]


def _holds(claim: Any, top: Any, now: datetime) -> Any:
    return (
        (claim.host_id == top.c.host_id)
        & (claim.workload_id == top.c.workload_id)
        & (claim.valid_from <= now)
        & (claim.valid_to.is_(None) | (claim.valid_to > now))
    )


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
