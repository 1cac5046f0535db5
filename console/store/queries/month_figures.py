"""The figures of an adherent's month, as the ledger holds them now: what an INR statement is made from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.domain.alerts import standing
from console.domain.carbon_months import CarbonHeld, Inputs, LineHeld
from console.domain.errors import NotFound
from console.domain.factors import Basis
from console.domain.hours import day_bounds, month_bounds
from console.domain.month_lines import LineKind
from console.domain.renewal import add_months
from console.domain.sci import Missing, Terms
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.alerts import clock_of
from console.store.queries.carbon_months import MonthSeen, month_seen
from console.store.queries.coverage import coverage_of
from console.store.queries.energy_by_day import own_by_day, shared_by_day
from console.store.queries.sci import of_adherent
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
    seen = month_seen(session, tenant_id, month, now)
    inputs = seen.inputs
    named = _Names(session, tenant_id)
    lines = tuple(_lines(inputs, named))
    usual, others = _used(lines)
    return figures.InrStatement(
        adherent=figures.Adherent(name=adherent.name, finess_ej=adherent.finess_ej, zone=adherent.zone),
        period=figures.Period.of_month(month, adherent.zone),
        lines=lines,
        days=tuple(_days(session, tenant_id, inputs, zone, now)),
        coverage=_coverage(session, tenant_id, seen, start, min(end, now)),
        factors=tuple(_factors(session, usual, month.year)),
        basis=figures.Basis.YEARLY_AVERAGE,
        attribution=_attribution(inputs),
        sources=tuple(_sources(session, tenant_id, start, end)),
        incidents=tuple(_incidents(session, adherent, start, end, now)),
        generated_at=now,
        generated_by=by,
        other_factors=tuple(_factors(session, others, month.year)),
        handed_on=tuple(_handed_on(session, tenant_id, seen, named)),
        services=tuple(_services(session, tenant_id, month)),
        revision=seen.revision,
        missing_volumes=inputs.missing_volumes,
    ).judged()


def _lines(inputs: Inputs, names: _Names) -> Iterable[figures.Line]:
    for line in sorted(inputs.lines, key=lambda one: (-one.energy_mj, one.key)):
        usual = line.on(Basis.YEARLY_AVERAGE)
        yield figures.Line(
            subscription=f"{line.subscription}" if line.subscription else "-",
            service=names.service(line),
            workload=names.workload(line),
            energy_mj=line.energy_mj,
            measured_mj=line.measured_mj,
            modelled_mj=line.modelled_mj,
            declared_mj=line.declared_mj,
            energy_min_mj=line.low_mj,
            energy_max_mj=line.high_mj,
            carbon_ug=usual.carbon_ug if usual else None,
            carbon_min_ug=usual.low_ug if usual else None,
            carbon_max_ug=usual.high_ug if usual else None,
            factor_id=usual.factor_id if usual else None,
            kind=figures.LineKind(line.kind),
            site=line.site or "",
            since=line.since,
            overhead_mj=line.overhead_mj,
            facility=_facility(line),
            share=_share(line),
            water_ml=line.water_ml,
            embodied_ug=line.embodied_ug,
            embodied_min_ug=line.embodied_low_ug,
            embodied_max_ug=line.embodied_high_ug,
            adpe_ug=line.adpe_ug,
            primary_mj=line.primary_mj,
            bases=tuple(_on_basis(one) for one in line.carbon),
            service_en=names.service_en(line),
            embodied_unknown=line.embodied_unknown,
        )


def _facility(line: LineHeld) -> figures.Facility | None:
    told = line.facility
    if told is None:
        return None
    return figures.Facility(
        origin=told.origin,
        category=told.category,
        overhead_mj=told.overhead_mj,
        it_mj=told.it_mj,
        provisional=told.provisional,
        declared_from=told.declared_from,
        water_ml=told.water_ml,
    )


def _share(line: LineHeld) -> figures.Share | None:
    told = line.share
    if told is None:
        return None
    return figures.Share(
        key=told.key.value,
        key_from=told.key_from,
        key_version=told.key_version,
        weight=told.weight,
        weights=told.weights,
        missing=told.missing,
    )


def _on_basis(held: CarbonHeld) -> figures.OnBasis:
    return figures.OnBasis(
        basis=figures.Basis(held.basis),
        covered_mj=held.covered_mj,
        carbon_ug=held.carbon_ug,
        factor_id=held.factor_id,
        intensity_mg_per_kwh=held.intensity_mg_per_kwh,
        known_mj=held.known_mj,
        mg_mj=held.mg_mj,
        parts=tuple(
            figures.Part(
                share_ppm=part.share_ppm,
                intensity_mg_per_kwh=part.intensity_mg_per_kwh,
                contract=part.contract,
                factor_id=part.factor_id,
            )
            for part in held.parts
        ),
        provisional=held.provisional,
        realtime_mj=held.realtime_mj,
    )


def _handed_on(
    session: Session, tenant_id: int, seen: MonthSeen, names: _Names
) -> Iterable[figures.HandedOn]:
    """The shared services of the operator, which its subscribers carry; of no one else."""
    line = b.MonthLine
    pools = session.execute(
        select(line.service_code, func.sum(line.energy_mj))
        .where(
            line.tenant_id == tenant_id,
            line.month == seen.month,
            line.kind == LineKind.POOL,
            line.revision == seen.revision,
        )
        .group_by(line.service_code)
        .order_by(line.service_code)
    )
    for code, energy_mj in pools:
        held = seen.inputs.lines
        left = [one for one in held if one.kind is LineKind.UNALLOCATED and one.service_code == code]
        yield figures.HandedOn(
            service=names.of_code(code),
            energy_mj=int(energy_mj),
            unallocated_mj=sum(one.energy_mj for one in left),
            service_en=names.of_code(code, 1),
        )


class _Names:
    """What services and workloads are called to the reader of a statement, in French and in English."""

    def __init__(self, session: Session, tenant_id: int) -> None:
        held = t.Subscription
        self.codes: dict[int | None, str] = {
            row.number: row.service_code
            for row in session.execute(
                select(held.number, held.service_code).where(held.tenant_id == tenant_id)
            )
        }
        named = session.execute(select(c.Service.code, c.Service.name_fr, c.Service.name_en))
        self.names: dict[str | None, tuple[str, str]] = {row[0]: (row[1], row[2]) for row in named}

    def service(self, line: LineHeld) -> str:
        """That of the subscription; a shared service as such is the operator's."""
        if line.subscription in self.codes:
            return self.of_code(self.codes[line.subscription])
        return f"{self.of_code(line.service_code)} (partagé)" if line.service_code in self.names else "-"

    def service_en(self, line: LineHeld) -> str:
        if line.subscription in self.codes:
            return self.of_code(self.codes[line.subscription], 1)
        return f"{self.of_code(line.service_code, 1)} (shared)" if line.service_code in self.names else "-"

    def of_code(self, code: str | None, place: int = 0) -> str:
        return self.names[code][place] if code in self.names else code or "-"

    def workload(self, line: LineHeld) -> str:
        return "-" if line.workload is None else f"{line.host} / {line.workload}"


def _services(session: Session, tenant_id: int, month: date) -> Iterable[figures.ServiceCarbon]:
    """The carbon of each service per unit, beside that of the month before."""
    before = add_months(month, -1)
    for one in of_adherent(session, tenant_id, [before, month]):
        if one.subscription is None or (terms := one.months.get(month)) is None:
            continue
        earlier = one.months.get(before)
        yield figures.ServiceCarbon(
            subscription=f"{one.subscription}",
            service=one.name_fr,
            service_en=one.name_en,
            unit=one.unit_fr,
            unit_en=one.unit_en,
            energy_mj=terms.energy_mj,
            covered_mj=terms.covered_mj,
            now=_per_unit(terms),
            before=_per_unit(earlier) if earlier else figures.PerUnit(),
            missing=tuple(figures.Missing(reason) for reason in terms.missing),
        )


def _per_unit(terms: Terms) -> figures.PerUnit:
    lacks = set(terms.missing)
    return figures.PerUnit(
        use_ug=None if lacks & {Missing.FACILITY, Missing.CARBON} else terms.carbon_ug,
        embodied_ug=None if Missing.EMBODIED in lacks else terms.embodied_ug,
        volume=terms.volume,
    )


def _days(
    session: Session, tenant_id: int, inputs: Inputs, zone: ZoneInfo, now: datetime
) -> Iterable[figures.DayEnergy]:
    start, end = month_bounds(inputs.month, zone)
    own, shared = own_by_day(session, tenant_id, inputs), shared_by_day(session, inputs, now)
    told = t.CoverageHour
    covered = {
        hour.astimezone(zone).date()
        for hour in session.scalars(
            select(told.hour).where(
                told.tenant_id == tenant_id, told.hour >= start, told.hour < end, told.covered_ms > 0
            )
        )
    }
    day = inputs.month
    while day_bounds(day, zone)[0] < end:
        yield figures.DayEnergy(
            day=day, energy_mj=own.get(day, 0) if day in covered else None, shared_mj=shared.get(day)
        )
        day += timedelta(days=1)


def _factors(session: Session, used: set[str], year: int) -> Iterable[figures.Factor]:
    row = b.EmissionFactor
    for one in session.scalars(select(row).where(row.factor_id.in_(used)).order_by(row.factor_id)):
        yield figures.Factor(
            factor_id=one.factor_id,
            publisher=one.publisher,
            title=one.title,
            vintage=one.vintage,
            perimeter=figures.Perimeter(one.perimeter),
            geography=one.geography,
            intensity_mg_per_kwh=one.intensity_mg_per_kwh,
            low_mg_per_kwh=one.low_mg_per_kwh,
            high_mg_per_kwh=one.high_mg_per_kwh,
            licence=one.licence,
            source=one.source,
            retrieved_on=one.retrieved_on,
            confirmed=one.confirmed,
            provisional=one.vintage < year,
        )


def _used(lines: Iterable[figures.Line]) -> tuple[set[str], set[str]]:
    """The factors of the lines' own basis, and those of the others."""
    rows = list(lines)
    usual = {one.factor_id for one in rows if one.factor_id}
    others = {
        factor_id
        for one in rows
        for held in one.bases
        for factor_id in (held.factor_id, *(part.factor_id for part in held.parts))
        if factor_id
    }
    return usual, others - usual


def _coverage(
    session: Session, tenant_id: int, seen: MonthSeen, start: datetime, end: datetime
) -> figures.Coverage:
    """Of a closed month as it was when it was closed."""
    if seen.closed:
        told = seen.inputs
        return figures.Coverage(covered_hours=told.covered_hours, elapsed_hours=told.hours)
    return coverage_of(session, tenant_id, start, end)


def _attribution(inputs: Inputs) -> figures.Attribution:
    names = [policy.partition("/")[0] for policy in inputs.policies]
    versions = sorted({policy.partition("/")[2] for policy in inputs.policies})
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
