"""Energy and carbon by workload and hour, for one local day: of one adherent, or of the whole fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from console.domain.carbon import carbon_within
from console.domain.claims import OPERATOR_TENANT
from console.domain.factors import Basis
from console.domain.hours import day_bounds, hours_between, month_bounds
from console.domain.month_lines import NO_HOST, OPEN_REVISION
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import tenant as t

LISTED = 200  # workloads on the page; what is past them shows as one line
DRAWN = 6  # workloads told apart on the chart

LineKey = tuple[int, int, int, int]  # tenant, host, workload, claim


@dataclass(frozen=True, slots=True)
class WorkloadDay:
    """A line of the day. `kind` is how the workload was named, or `idle_kept` or `unattributed`.

    `service_fr` and `service_en` name the shared service that it serves, if it serves one.
    Bounds are None where a source states none; carbon is None until the month is reckoned.
    """

    tenant_id: int
    adherent: str
    host: str
    workload: str
    kind: str
    energy_mj: int
    low_mj: int | None
    high_mj: int | None
    measured_mj: int
    modelled_mj: int
    declared_mj: int
    carbon_ug: int | None
    by_hour: Mapping[datetime, int] | None  # for the lines drawn on the chart
    service_fr: str | None = None
    service_en: str | None = None


@dataclass(frozen=True, slots=True)
class EnergyDay:
    """A local day of 23, 24 or 25 hours. `by_hour` holds None where nothing was measured.

    `factor` and `provisional` tell what carbon was reckoned with, None before it was.
    """

    day: date
    zone: str
    hours: Sequence[datetime]
    by_hour: Mapping[datetime, int | None]
    lines: Sequence[WorkloadDay]
    unlisted: int
    energy_mj: int
    measured_mj: int
    modelled_mj: int
    declared_mj: int
    carbon_ug: int | None
    factor: str | None
    provisional: bool | None
    covered_ms: int

    @property
    def modelled(self) -> bool:
        return self.modelled_mj > 0


def energy_day(session: Session, day: date, zone: str, tenant_id: int | None = None) -> EnergyDay:
    """The day of one adherent, or of every adherent in the scope of the session."""
    start, end = day_bounds(day, ZoneInfo(zone))
    of_day = _of(tenant_id, start, end)
    rows = _totals(session, of_day)
    month = _Month(session, tenant_id, day, zone, start)
    names = _names(session, rows)
    drawn = _drawn_hours(session, of_day, rows[:DRAWN])
    lines = [_line(row, names, month, drawn) for row in rows]
    sums = {
        name: sum(getattr(line, name) for line in lines)
        for name in ("energy_mj", "measured_mj", "modelled_mj", "declared_mj")
    }
    carbons = [line.carbon_ug for line in lines]
    return EnergyDay(
        day=day,
        zone=zone,
        hours=tuple(hours_between(start, end)),
        by_hour=_by_hour(session, tenant_id, start, end),
        lines=lines[:LISTED],
        unlisted=len(lines[LISTED:]),
        carbon_ug=None if not carbons or None in carbons else sum(ug for ug in carbons if ug is not None),
        factor=month.factor,
        provisional=month.provisional,
        covered_ms=_covered_ms(session, tenant_id, start, end),
        **sums,
    )


def _of(tenant_id: int | None, start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    owner = () if tenant_id is None else (t.EnergyLine.tenant_id == tenant_id,)
    return (*owner, t.EnergyLine.hour >= start, t.EnergyLine.hour < end)


def _of_quality(quality: str) -> ColumnElement[int]:
    return func.sum(case((c.EnergySource.quality == quality, t.EnergyLine.energy_mj), else_=0))


def _totals(session: Session, of_day: tuple[ColumnElement[bool], ...]) -> Sequence[Any]:
    line = t.EnergyLine
    keys = (line.tenant_id, line.host_id, line.workload_id, line.claim_id)
    energy = func.sum(line.energy_mj)
    return session.execute(
        select(
            *keys,
            energy.label("energy_mj"),
            _of_quality("measured").label("measured_mj"),
            _of_quality("modelled").label("modelled_mj"),
            _of_quality("declared").label("declared_mj"),
            func.sum(line.low_mj).label("low_mj"),
            func.sum(line.high_mj).label("high_mj"),
            func.count(line.low_mj).label("lows"),
            func.count(line.high_mj).label("highs"),
            func.count().label("rows"),
        )
        .join(c.EnergySource, c.EnergySource.source_id == line.source_id)
        .where(*of_day)
        .group_by(*keys)
        .order_by(energy.desc(), *keys)
    ).all()


def _drawn_hours(
    session: Session, of_day: tuple[ColumnElement[bool], ...], rows: Sequence[Any]
) -> dict[LineKey, dict[datetime, int]]:
    line = t.EnergyLine
    drawn: dict[LineKey, dict[datetime, int]] = {_key(row): {} for row in rows}
    for row in session.execute(
        select(
            line.tenant_id, line.host_id, line.workload_id, line.claim_id, line.hour, func.sum(line.energy_mj)
        )
        .where(*of_day, line.workload_id.in_({row.workload_id for row in rows}))
        .group_by(line.tenant_id, line.host_id, line.workload_id, line.claim_id, line.hour)
    ):
        if _key(row) in drawn:
            drawn[_key(row)][row.hour] = int(row[-1])
    return drawn


def _key(row: Any) -> LineKey:
    return row.tenant_id, row.host_id, row.workload_id, row.claim_id


def _by_hour(
    session: Session, tenant_id: int | None, start: datetime, end: datetime
) -> dict[datetime, int | None]:
    line, told = t.EnergyLine, t.CoverageHour
    sums = session.execute(
        select(line.hour, func.sum(line.energy_mj)).where(*_of(tenant_id, start, end)).group_by(line.hour)
    )
    energy = {hour: int(energy_mj) for hour, energy_mj in sums}
    owner = () if tenant_id is None else (told.tenant_id == tenant_id,)
    covered = set(
        session.scalars(
            select(told.hour)
            .where(*owner, told.hour >= start, told.hour < end, told.covered_ms > 0)
            .distinct()
        )
    )
    return {hour: energy.get(hour, 0 if hour in covered else None) for hour in hours_between(start, end)}


def _covered_ms(session: Session, tenant_id: int | None, start: datetime, end: datetime) -> int:
    told = t.CoverageHour
    owner = told.tenant_id == (OPERATOR_TENANT if tenant_id is None else tenant_id)
    return int(
        session.scalar(select(func.sum(told.covered_ms)).where(owner, told.hour >= start, told.hour < end))
        or 0
    )


class _Month:
    """The month lines that the day's carbon is a share of, and the energy before the day."""

    def __init__(
        self, session: Session, tenant_id: int | None, day: date, zone: str, day_start: datetime
    ) -> None:
        line, carbon = t.EnergyLine, b.CarbonLine
        owner = () if tenant_id is None else (carbon.tenant_id == tenant_id,)
        month = day.replace(day=1)
        rows = session.scalars(
            select(carbon).where(
                *owner,
                carbon.month == month,
                carbon.basis == Basis.YEARLY_AVERAGE,
                carbon.revision == OPEN_REVISION,
                carbon.host_id != NO_HOST,
            )
        ).all()
        self.energy_mj: Counter[LineKey] = Counter()
        self.carbon: dict[LineKey, int | None] = {}
        for row in rows:
            self.energy_mj[_key(row)] += row.energy_mj
            so_far, more = self.carbon.get(_key(row), 0), row.carbon_ug
            self.carbon[_key(row)] = None if so_far is None or more is None else so_far + more
        self.factor = rows[0].factor_id if rows else None
        self.provisional = any(row.provisional for row in rows) if rows else None
        month_start, _ = month_bounds(month, ZoneInfo(zone))
        keys = (line.tenant_id, line.host_id, line.workload_id, line.claim_id)
        self.before = {
            (row[0], row[1], row[2], row[3]): int(row[4])
            for row in session.execute(
                select(*keys, func.sum(line.energy_mj))
                .where(*_of(tenant_id, month_start, day_start))
                .group_by(*keys)
            )
        }

    def carbon_ug(self, row: Any) -> int | None:
        """None before the first reckoning; energy that came since waits for the next one."""
        key = _key(row)
        month_ug, month_mj = self.carbon.get(key), self.energy_mj[key]
        if month_ug is None:
            return None
        before_mj = min(self.before.get(key, 0), month_mj)
        return carbon_within(month_ug, month_mj, before_mj, min(int(row.energy_mj), month_mj - before_mj))


@dataclass(frozen=True, slots=True)
class _Name:
    host: str
    workload: str
    kind: str
    adherent: str = ""
    service_fr: str | None = None
    service_en: str | None = None


def _names(session: Session, rows: Sequence[Any]) -> dict[LineKey, _Name]:
    """Claimed lines are named by their claim: an adherent reads nothing of the measurement plane."""
    owner = c.Adherent
    named = select(owner.tenant_id, owner.name).where(owner.tenant_id.in_({row.tenant_id for row in rows}))
    adherents = {row.tenant_id: row.name for row in session.execute(named)}
    claimed = _names_by_claim(session, rows)
    unclaimed = [row for row in rows if row.claim_id not in claimed]
    on_hosts = _names_on_hosts(session, unclaimed) if unclaimed else {}
    names = {}
    for row in rows:
        of_line = claimed.get(row.claim_id) or on_hosts[row.host_id, row.workload_id]
        names[_key(row)] = replace(of_line, adherent=adherents[row.tenant_id])
    return names


def _names_by_claim(session: Session, rows: Sequence[Any]) -> dict[int, _Name]:
    """Claims copied the names of what they claim; those of shared services also have theirs."""
    claim, shared = c.WorkloadClaim, k.ServiceClaim
    claim_ids = {row.claim_id for row in rows}
    own = session.scalars(select(claim).where(claim.claim_id.in_(claim_ids)))
    names = {row.claim_id: _Name(row.host_name, row.workload_name, "claimed") for row in own}
    of_services = (
        select(shared, c.Service)
        .join(c.Service, c.Service.code == shared.service_code)
        .where(shared.service_claim_id.in_({-claim_id for claim_id in claim_ids if claim_id < 0}))
    )
    for row, service in session.execute(of_services):
        names[row.claim_id] = _Name(
            row.host_name,
            row.workload_name,
            "claimed",
            service_fr=service.name_fr,
            service_en=service.name_en,
        )
    return names


def _names_on_hosts(session: Session, rows: Sequence[Any]) -> dict[tuple[int, int], _Name]:
    workload, host = m.Workload, m.Host
    return {
        (row.host_id, row.workload_id): _Name(row[2], row[3], row[4])
        for row in session.execute(
            select(workload.host_id, workload.workload_id, host.name, workload.name, workload.kind)
            .join(host, host.host_id == workload.host_id)
            .where(workload.host_id.in_({row.host_id for row in rows}))
        )
    }


def _line(
    row: Any,
    names: Mapping[LineKey, _Name],
    month: _Month,
    drawn: Mapping[LineKey, Mapping[datetime, int]],
) -> WorkloadDay:
    name = names[_key(row)]
    return WorkloadDay(
        tenant_id=row.tenant_id,
        adherent=name.adherent,
        host=name.host,
        workload=name.workload,
        kind=name.kind,
        energy_mj=int(row.energy_mj),
        low_mj=int(row.low_mj) if row.lows == row.rows else None,
        high_mj=int(row.high_mj) if row.highs == row.rows else None,
        measured_mj=int(row.measured_mj),
        modelled_mj=int(row.modelled_mj),
        declared_mj=int(row.declared_mj),
        carbon_ug=month.carbon_ug(row),
        by_hour=drawn.get(_key(row)),
        service_fr=name.service_fr,
        service_en=name.service_en,
    )
