"""The figures of an adherent's month, as the ledger holds them now: what an INR statement is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal, null, or_, select
from sqlalchemy.orm import Session

from console.domain.alerts import standing
from console.domain.errors import NotFound
from console.domain.factors import Basis
from console.domain.hours import day_bounds, month_bounds
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries.alerts import clock_of
from console.store.queries.coverage import coverage_of
from console.store.queries.generation import is_before_ledger
from reports import figures


def month_figures(
    session: Session, tenant_id: int, month: date, *, now: datetime, by: str
) -> figures.InrStatement:
    """The figures of a local month as the ledger holds them now."""
    adherent = session.get(c.Adherent, tenant_id)
    if adherent is None:
        raise NotFound("Adhérent introuvable.")
    zone = ZoneInfo(adherent.zone)
    start, end = month_bounds(month, zone)
    month_lines = _carbon_lines(session, tenant_id, month)
    rows = (
        _sums(session, tenant_id, month)
        if is_before_ledger(session, start)
        else _hours(session, tenant_id, start, end)
    )
    return figures.InrStatement(
        adherent=figures.Adherent(name=adherent.name, finess_ej=adherent.finess_ej, zone=adherent.zone),
        period=figures.Period.of_month(month, adherent.zone),
        lines=tuple(_lines(session, tenant_id, rows, month_lines)),
        days=tuple(_days(session, tenant_id, month, zone)),
        coverage=coverage_of(session, tenant_id, start, min(end, now)),
        factors=tuple(_factors(session, month_lines)),
        basis=figures.Basis.YEARLY_AVERAGE,
        attribution=_attribution(session, tenant_id, start, end),
        sources=tuple(_sources(session, tenant_id, start, end)),
        incidents=tuple(_incidents(session, adherent, start, end, now)),
        generated_at=now,
        generated_by=by,
    ).judged()


def _carbon_lines(session: Session, tenant_id: int, month: date) -> Sequence[b.CarbonLine]:
    return session.scalars(
        select(b.CarbonLine)
        .where(
            b.CarbonLine.tenant_id == tenant_id,
            b.CarbonLine.month == month,
            b.CarbonLine.basis == Basis.YEARLY_AVERAGE,
        )
        .order_by(b.CarbonLine.energy_mj.desc(), b.CarbonLine.host_id, b.CarbonLine.workload_id)
    ).all()


def _of_quality(quality: figures.Quality) -> Any:
    return func.sum(case((c.EnergySource.quality == quality, t.EnergyLine.energy_mj), else_=0))


def _hours(session: Session, tenant_id: int, start: datetime, end: datetime) -> Sequence[Any]:
    """The energy of each line of a month, added up from its hours."""
    line = t.EnergyLine
    keys = (line.host_id, line.workload_id, line.claim_id, line.subscription)
    energy = func.sum(line.energy_mj)
    return session.execute(
        select(
            *keys,
            energy.label("energy_mj"),
            _of_quality(figures.Quality.MEASURED).label("measured_mj"),
            _of_quality(figures.Quality.MODELLED).label("modelled_mj"),
            _of_quality(figures.Quality.DECLARED).label("declared_mj"),
            case((func.count() == func.count(line.low_mj), func.sum(line.low_mj))).label("low_mj"),
            case((func.count() == func.count(line.high_mj), func.sum(line.high_mj))).label("high_mj"),
        )
        .join(c.EnergySource, c.EnergySource.source_id == line.source_id)
        .where(line.tenant_id == tenant_id, line.hour >= start, line.hour < end)
        .group_by(*keys)
        .order_by(energy.desc(), *keys)
    ).all()


def _sums(session: Session, tenant_id: int, month: date) -> Sequence[Any]:
    """The energy of each line of a month before the ledger: declared, as no hour shows how it was come by."""
    line = b.CarbonLine
    keys = (line.host_id, line.workload_id, line.claim_id, line.subscription)
    return session.execute(
        select(
            *keys,
            line.energy_mj,
            literal(0).label("measured_mj"),
            literal(0).label("modelled_mj"),
            line.energy_mj.label("declared_mj"),
            null().label("low_mj"),
            null().label("high_mj"),
        )
        .where(
            line.tenant_id == tenant_id, line.month == month, line.basis == Basis.YEARLY_AVERAGE, line.counts
        )
        .order_by(line.energy_mj.desc(), *keys)
    ).all()


def _lines(
    session: Session, tenant_id: int, rows: Sequence[Any], month_lines: Iterable[b.CarbonLine]
) -> Iterable[figures.Line]:
    carbon = {(row.host_id, row.workload_id, row.claim_id): row for row in month_lines}
    services, shared = _services(session, tenant_id), _shared_services(session, rows)
    names = _workload_names(session, rows)
    for row in rows:
        reckoned = carbon.get((row.host_id, row.workload_id, row.claim_id))
        yield figures.Line(
            subscription=f"{row.subscription}" if row.subscription else "-",
            service=services.get(row.subscription, shared.get(row.claim_id, "-")),
            workload=names[row.host_id, row.workload_id],
            energy_mj=int(row.energy_mj),
            measured_mj=int(row.measured_mj),
            modelled_mj=int(row.modelled_mj),
            declared_mj=int(row.declared_mj),
            energy_min_mj=None if row.low_mj is None else int(row.low_mj),
            energy_max_mj=None if row.high_mj is None else int(row.high_mj),
            carbon_ug=reckoned.carbon_ug if reckoned else None,
            carbon_min_ug=reckoned.low_ug if reckoned else None,
            carbon_max_ug=reckoned.high_ug if reckoned else None,
            factor_id=reckoned.factor_id if reckoned else None,
        )


def _services(session: Session, tenant_id: int) -> dict[int | None, str]:
    named = (
        select(t.Subscription.number, c.Service.name_fr)
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(t.Subscription.tenant_id == tenant_id)
    )
    return {row.number: row.name_fr for row in session.execute(named)}


def _shared_services(session: Session, rows: Sequence[Any]) -> dict[int, str]:
    """The names of the services that the operator carries for their subscribers, by claim."""
    claim = k.ServiceClaim
    named = (
        select(claim.service_claim_id, c.Service.name_fr)
        .join(c.Service, c.Service.code == claim.service_code)
        .where(claim.service_claim_id.in_({-row.claim_id for row in rows if row.claim_id < 0}))
    )
    return {-row.service_claim_id: f"{row.name_fr} (partagé)" for row in session.execute(named)}


def _workload_names(session: Session, rows: Sequence[Any]) -> dict[tuple[int, int], str]:
    """Named by the claim, which the adherent may read; what no claim backs is the operator's to name."""
    claims = select(c.WorkloadClaim).where(c.WorkloadClaim.claim_id.in_({row.claim_id for row in rows}))
    names = {
        (claim.host_id, claim.workload_id): f"{claim.host_name} / {claim.workload_name}"
        for claim in session.scalars(claims)
    }
    unnamed = {row.host_id for row in rows if (row.host_id, row.workload_id) not in names}
    if unnamed:
        on_hosts = (
            select(m.Workload.host_id, m.Workload.workload_id, m.Host.name, m.Workload.name)
            .join(m.Host, m.Host.host_id == m.Workload.host_id)
            .where(m.Workload.host_id.in_(unnamed))
        )
        names = {(row[0], row[1]): f"{row[2]} / {row[3]}" for row in session.execute(on_hosts)} | names
    return names


def _days(session: Session, tenant_id: int, month: date, zone: ZoneInfo) -> Iterable[figures.DayEnergy]:
    line, told = t.EnergyLine, t.CoverageHour
    start, end = month_bounds(month, zone)
    energy: Counter[date] = Counter()
    for hour, energy_mj in session.execute(
        select(line.hour, func.sum(line.energy_mj))
        .where(line.tenant_id == tenant_id, line.hour >= start, line.hour < end)
        .group_by(line.hour)
    ):
        energy[hour.astimezone(zone).date()] += int(energy_mj)
    covered = {
        hour.astimezone(zone).date()
        for hour in session.scalars(
            select(told.hour).where(
                told.tenant_id == tenant_id, told.hour >= start, told.hour < end, told.covered_ms > 0
            )
        )
    }
    day = month
    while day_bounds(day, zone)[0] < end:
        yield figures.DayEnergy(day=day, energy_mj=energy[day] if day in covered else None)
        day += timedelta(days=1)


def _factors(session: Session, month_lines: Iterable[b.CarbonLine]) -> Iterable[figures.Factor]:
    provisional = {line.factor_id: line.provisional for line in month_lines}
    rows = session.scalars(
        select(b.EmissionFactor)
        .where(b.EmissionFactor.factor_id.in_(provisional))
        .order_by(b.EmissionFactor.factor_id)
    )
    for row in rows:
        yield figures.Factor(
            factor_id=row.factor_id,
            publisher=row.publisher,
            title=row.title,
            vintage=row.vintage,
            perimeter=figures.Perimeter(row.perimeter),
            geography=row.geography,
            intensity_mg_per_kwh=row.intensity_mg_per_kwh,
            low_mg_per_kwh=row.low_mg_per_kwh,
            high_mg_per_kwh=row.high_mg_per_kwh,
            licence=row.licence,
            source=row.source,
            retrieved_on=row.retrieved_on,
            confirmed=row.confirmed,
            provisional=provisional[row.factor_id],
        )


def _attribution(session: Session, tenant_id: int, start: datetime, end: datetime) -> figures.Attribution:
    told = t.CoverageHour
    policies = session.scalars(
        select(told.policy)
        .where(told.tenant_id == tenant_id, told.hour >= start, told.hour < end, told.policy != "")
        .distinct()
    )
    used = sorted({policy for joined in policies for policy in joined.split("+")})
    names = [policy.partition("/")[0] for policy in used]
    versions = sorted({policy.partition("/")[2] for policy in used})
    return figures.Attribution(policy="+".join(names), version="+".join(versions))


def _sources(session: Session, tenant_id: int, start: datetime, end: datetime) -> Iterable[figures.Source]:
    line, source = t.EnergyLine, c.EnergySource
    rows = session.execute(
        select(source.name, source.boundary, source.quality, func.sum(line.energy_mj))
        .join(source, source.source_id == line.source_id)
        .where(line.tenant_id == tenant_id, line.hour >= start, line.hour < end)
        .group_by(source.name, source.boundary, source.quality)
        .order_by(source.name, source.boundary, source.quality)
    )
    for name, boundary, quality, energy_mj in rows:
        yield figures.Source(
            name=name,
            boundary=figures.Boundary(boundary),
            quality=figures.Quality(quality),
            energy_mj=int(energy_mj),
        )


def _incidents(
    session: Session, adherent: c.Adherent, start: datetime, end: datetime, now: datetime
) -> Iterable[figures.Incident]:
    """Incidents that were open in the period, each as it stands now."""
    incident = t.Incident
    rows = session.scalars(
        select(incident)
        .where(
            incident.tenant_id == adherent.tenant_id,
            incident.opened_at < end,
            or_(incident.resolved_at.is_(None), incident.resolved_at >= start),
        )
        .order_by(incident.opened_at, incident.number)
    )
    for row in rows:
        yield figures.Incident(
            number=f"{row.tenant_id}-{row.number}",
            title=row.title,
            priority=row.priority,
            opened_at=row.opened_at,
            due_at=row.due_at,
            state=figures.SlaState(standing(clock_of(row, adherent.name, adherent.zone), now)),
        )
