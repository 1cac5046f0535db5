"""One adherent: facts, sites, subscriptions, claimed workloads, energy and carbon of the month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.domain.factors import Basis
from console.domain.hours import month_bounds, month_of
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import tenant as t
from console.store.queries.claims import Claimed, claimed

LISTED_SITES = 20
RUNNING = (t.SubscriptionStatus.ACTIVE, t.SubscriptionStatus.SUSPENDED, t.SubscriptionStatus.DRAFT)


@dataclass(frozen=True, slots=True)
class Place:
    """A site of the adherent's legal entity, from the directory."""

    finess_et: str
    name: str
    town: str
    department: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription; `claims` counts the workloads claimed for it that still run."""

    number: int
    service_fr: str
    service_en: str
    unit_fr: str
    unit_en: str
    plan: str | None
    plan_version: int | None
    status: str
    starts_on: date
    ends_on: date | None
    volume: int | None
    contract: str | None
    claims: int


@dataclass(frozen=True, slots=True)
class MonthSoFar:
    """A month from its hours; energy is None where nothing was posted, carbon until it is reckoned."""

    month: date
    energy_mj: int | None
    measured_mj: int
    modelled_mj: int
    declared_mj: int
    carbon_ug: int | None
    factor: str | None
    provisional: bool | None


@dataclass(frozen=True, slots=True)
class AdherentPage:
    """What the page of an adherent shows."""

    tenant_id: int
    name: str
    kind: str
    sector: str | None
    finess_ej: str | None
    siren: str | None
    zone: str
    agency: str | None
    convention: str | None
    since: date
    until: date | None
    sites: Sequence[Place]
    unlisted_sites: int
    subscriptions: Sequence[Subscribed]
    claims: Sequence[Claimed]
    month: MonthSoFar

    @property
    def running(self) -> list[Subscribed]:
        """The subscriptions that are active, suspended or to come, in this order."""
        lines = [line for line in self.subscriptions if line.status in RUNNING]
        return sorted(lines, key=lambda line: RUNNING.index(line.status))

    @property
    def ended(self) -> list[Subscribed]:
        """The subscriptions that are over, by their number."""
        return [line for line in self.subscriptions if line.status not in RUNNING]


def adherent_page(session: Session, tenant_id: int, *, now: datetime) -> AdherentPage:
    """One adherent; raises `NotFound`, also for one out of scope."""
    adherent = session.scalars(select(c.Adherent).where(c.Adherent.tenant_id == tenant_id)).one_or_none()
    if adherent is None:
        raise NotFound("Adhérent introuvable.")
    zone = ZoneInfo(adherent.zone)
    sites = _sites(session, adherent.finess_ej)
    return AdherentPage(
        tenant_id=tenant_id,
        name=adherent.name,
        kind=adherent.kind.value,
        sector=adherent.sector and adherent.sector.value,
        finess_ej=adherent.finess_ej,
        siren=adherent.siren,
        zone=adherent.zone,
        agency=adherent.agency,
        convention=adherent.convention,
        since=adherent.since,
        until=adherent.until,
        sites=sites[:LISTED_SITES],
        unlisted_sites=len(sites[LISTED_SITES:]),
        subscriptions=_subscriptions(session, tenant_id, now),
        claims=claimed(session, tenant_id, zone),
        month=_month(session, tenant_id, now, zone),
    )


def _sites(session: Session, finess_ej: str | None) -> list[Place]:
    if finess_ej is None:
        return []
    rows = session.scalars(
        select(d.DirectorySite)
        .where(d.DirectorySite.finess_ej == finess_ej)
        .order_by(d.DirectorySite.folded_name)
    )
    return [Place(row.finess_et, row.name, row.town, row.department) for row in rows]


def _subscriptions(session: Session, tenant_id: int, now: datetime) -> list[Subscribed]:
    subscription, claim = t.Subscription, c.WorkloadClaim
    held = (
        select(claim.subscription, func.count().label("number"))
        .where(claim.tenant_id == tenant_id, or_(claim.valid_to.is_(None), claim.valid_to > now))
        .group_by(claim.subscription)
    )
    claims = {row.subscription: row.number for row in session.execute(held)}
    rows = session.execute(
        select(subscription, c.Service, c.SlaPlan.name)
        .join(c.Service, c.Service.code == subscription.service_code)
        .outerjoin(
            c.SlaPlan,
            (c.SlaPlan.code == subscription.plan_code) & (c.SlaPlan.version == subscription.plan_version),
        )
        .where(subscription.tenant_id == tenant_id)
        .order_by(subscription.number)
    )
    return [
        Subscribed(
            number=row.number,
            service_fr=service.name_fr,
            service_en=service.name_en,
            unit_fr=service.unit_fr,
            unit_en=service.unit_en,
            plan=plan,
            plan_version=row.plan_version,
            status=row.status.value,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            volume=row.volume,
            contract=row.contract,
            claims=claims.get(row.number, 0),
        )
        for row, service, plan in rows
    ]


def _month(session: Session, tenant_id: int, now: datetime, zone: ZoneInfo) -> MonthSoFar:
    month = month_of(now, zone)
    start, end = month_bounds(month, zone)
    line = t.EnergyLine
    energy = session.execute(
        select(
            func.sum(line.energy_mj).label("energy_mj"),
            _of_quality("measured").label("measured_mj"),
            _of_quality("modelled").label("modelled_mj"),
            _of_quality("declared").label("declared_mj"),
        )
        .join(c.EnergySource, c.EnergySource.source_id == line.source_id)
        .where(line.tenant_id == tenant_id, line.hour >= start, line.hour < end)
    ).one()
    carbon = session.execute(
        select(
            func.sum(b.CarbonLine.carbon_ug).label("carbon_ug"),
            func.max(b.CarbonLine.factor_id).label("factor_id"),
            func.max(case((b.CarbonLine.provisional, 1), else_=0)).label("provisional"),
        ).where(
            b.CarbonLine.tenant_id == tenant_id,
            b.CarbonLine.month == month,
            b.CarbonLine.basis == Basis.YEARLY_AVERAGE,
            b.CarbonLine.counts,
        )
    ).one()
    return MonthSoFar(
        month=month,
        energy_mj=None if energy.energy_mj is None else int(energy.energy_mj),
        measured_mj=int(energy.measured_mj or 0),
        modelled_mj=int(energy.modelled_mj or 0),
        declared_mj=int(energy.declared_mj or 0),
        carbon_ug=None if carbon.carbon_ug is None else int(carbon.carbon_ug),
        factor=_factor(session, carbon.factor_id),
        provisional=None if carbon.provisional is None else bool(carbon.provisional),
    )


def _of_quality(quality: str) -> Any:
    return func.sum(case((c.EnergySource.quality == quality, t.EnergyLine.energy_mj), else_=0))


def _factor(session: Session, factor_id: str | None) -> str | None:
    factor = session.get(b.EmissionFactor, factor_id) if factor_id else None
    return None if factor is None else f"{factor.publisher} {factor.vintage}"
