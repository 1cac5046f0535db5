"""Energy and carbon of a day and of its month so far, of the fleet or of the adherents in scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.carbon import carbon_within
from console.domain.factors import Basis
from console.domain.hours import day_bounds, month_bounds
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import names


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


def month_of_day(session: Session, day: date) -> Month:
    """The month of a local day."""
    line = b.CarbonLine
    of_month = (line.month == day.replace(day=1), line.basis == Basis.YEARLY_AVERAGE, line.counts)
    lines, energy_mj, carbon_ug, factor = session.execute(
        select(func.count(), func.sum(line.energy_mj), func.sum(line.carbon_ug), func.max(line.factor_id))
        .select_from(line)
        .where(*of_month)
    ).one()
    some = select(line.tenant_id).where(*of_month, line.provisional).limit(1)
    provisional = session.scalar(some) is not None
    if not lines:
        return Month(day.replace(day=1), None, None, None, provisional)
    return Month(
        day.replace(day=1),
        int(energy_mj),
        None if carbon_ug is None else int(carbon_ug),
        names.factor(session, factor),
        provisional,
    )


def energy_of_day(session: Session, day: date, zone: str, month: Month, *, of_fleet: bool) -> Energy:
    """A local day, with its share of the carbon of its month."""
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


def modelled_since(session: Session, since: datetime, *, of_fleet: bool) -> bool:
    """Whether energy, of the fleet or of the adherents in scope, came from a model since an instant."""
    source, ledger = c.EnergySource, _ledger(of_fleet)
    models = session.scalars(select(source.source_id).where(source.quality == "modelled")).all()
    found = select(ledger.hour).where(ledger.hour >= since, ledger.source_id.in_(models)).limit(1)
    return bool(models) and session.scalar(found) is not None


def _ledger(of_fleet: bool) -> type[m.WorkloadHour] | type[t.EnergyLine]:
    """Where energy is read: time leads the keys of the fleet's lines, the adherent those of adherents."""
    return m.WorkloadHour if of_fleet else t.EnergyLine


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
