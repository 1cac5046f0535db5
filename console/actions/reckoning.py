"""The monthly carbon lines: the one place where carbon is reckoned, each line stored with its factor."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from console.domain.carbon import carbon_ug
from console.domain.factors import Basis, Choice, Factor, choose
from console.domain.hours import month_bounds
from console.store.conditional import rows_touched
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import tenant as t
from console.store.queries.generation import is_before_ledger

GEOGRAPHY = "FRA"  # both data centres stand in mainland France
OPEN_REVISION = 0  # a month that is not closed is reckoned in place


def months_due(session: Session, *, now: datetime, limit: int = 500) -> list[tuple[int, date]]:
    """Adherents and months whose energy changed, the longest waiting first."""
    due = (
        select(k.MonthDue.tenant_id, k.MonthDue.month)
        .where(k.MonthDue.due_at <= now)
        .order_by(k.MonthDue.due_at)
        .limit(limit)
    )
    return [(tenant_id, month) for tenant_id, month in session.execute(due)]


def postpone_month(session: Session, tenant_id: int, month: date, until: datetime) -> None:
    """Let the months behind one that fails go first."""
    of_month = (k.MonthDue.tenant_id == tenant_id, k.MonthDue.month == month)
    session.execute(update(k.MonthDue).where(*of_month).values(due_at=until))


def reckon_month(session: Session, tenant_id: int, month: date, *, now: datetime) -> bool:
    """Reckon the carbon of an adherent's month from its energy lines, on the yearly average basis.

    False where another process took the month first. Raises `NotFound` where no factor holds.
    """
    of_month = (k.MonthDue.tenant_id == tenant_id, k.MonthDue.month == month)
    if not rows_touched(session, delete(k.MonthDue).where(*of_month)):
        return False
    reckon(session, tenant_id, month, now=now)
    return True


def reckon(session: Session, tenant_id: int, month: date, *, now: datetime) -> None:
    """Reckon the month whether it is due or not; one that is before the ledger stays as it is."""
    start, end = _bounds(session, tenant_id, month)
    if is_before_ledger(session, start):
        return
    session.execute(
        delete(t.CarbonLine).where(
            t.CarbonLine.tenant_id == tenant_id,
            t.CarbonLine.month == month,
            t.CarbonLine.basis == Basis.YEARLY_AVERAGE,
            t.CarbonLine.revision == OPEN_REVISION,
        )
    )
    used = list(_energy(session, tenant_id, start, end))
    if used:
        choice = choose(factors(session), GEOGRAPHY, month.year)
        lines = [_line(row, tenant_id, month, choice, now) for row in used]
        session.execute(insert(t.CarbonLine), lines)


def factors(session: Session) -> list[Factor]:
    """The registry in the terms of the domain."""
    return [
        Factor(
            factor_id=row.factor_id,
            publisher=row.publisher,
            title=row.title,
            vintage=row.vintage,
            perimeter=row.perimeter,
            geography=row.geography,
            intensity_mg_per_kwh=row.intensity_mg_per_kwh,
            low_mg_per_kwh=row.low_mg_per_kwh,
            high_mg_per_kwh=row.high_mg_per_kwh,
            licence=row.licence,
            source=row.source,
            retrieved_on=row.retrieved_on,
            confirmed=row.confirmed,
        )
        for row in session.scalars(select(c.EmissionFactor))
    ]


def _bounds(session: Session, tenant_id: int, month: date) -> tuple[datetime, datetime]:
    zone = session.scalars(select(c.Adherent.zone).where(c.Adherent.tenant_id == tenant_id)).one()
    return month_bounds(month, ZoneInfo(zone))


def _energy(session: Session, tenant_id: int, start: datetime, end: datetime) -> Iterable[Any]:
    line = t.EnergyLine
    keys = (line.host_id, line.workload_id, line.claim_id, line.subscription)
    return session.execute(
        select(
            *keys,
            func.sum(line.energy_mj).label("energy_mj"),
            func.sum(line.low_mj).label("low_mj"),
            func.sum(line.high_mj).label("high_mj"),
            (func.count() - func.count(line.low_mj)).label("without_low"),
            (func.count() - func.count(line.high_mj)).label("without_high"),
        )
        .where(line.tenant_id == tenant_id, line.hour >= start, line.hour < end)
        .group_by(*keys)
    )


def _line(row: Any, tenant_id: int, month: date, choice: Choice, now: datetime) -> dict[str, Any]:
    energy_mj = int(row.energy_mj)  # PostgreSQL sums whole numbers as decimals
    factor = choice.factor
    low = factor.low_mg_per_kwh or factor.intensity_mg_per_kwh
    high = factor.high_mg_per_kwh or factor.intensity_mg_per_kwh
    return {
        "tenant_id": tenant_id,
        "month": month,
        "host_id": row.host_id,
        "workload_id": row.workload_id,
        "claim_id": row.claim_id,
        "basis": Basis.YEARLY_AVERAGE,
        "revision": OPEN_REVISION,
        "subscription": row.subscription,
        "energy_mj": energy_mj,
        "carbon_ug": carbon_ug([(energy_mj, factor.intensity_mg_per_kwh)]),
        "low_ug": None if row.without_low else carbon_ug([(int(row.low_mj), low)]),
        "high_ug": None if row.without_high else carbon_ug([(int(row.high_mj), high)]),
        "factor_id": factor.factor_id,
        "intensity_mg_per_kwh": factor.intensity_mg_per_kwh,
        "provisional": choice.provisional,
        "reckoned_at": now,
    }
