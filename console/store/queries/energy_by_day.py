"""The energy of an adherent's month by local day: its lines are the atoms, days are apportioned from them.

lines of hours -> by their hours, as the ledger has them now
other lines    -> by the hours of the shared service that they are of, else alike over their stretch
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from console.domain.carbon_months import OF_HOURS, Inputs, LineHeld
from console.domain.claims import OPERATOR_TENANT
from console.domain.hours import hours_between, month_bounds
from console.domain.proportion import apportion
from console.store.models import tenant as t

Hours = Mapping[datetime, int]  # millijoules by UTC hour


def own_by_day(session: Session, tenant_id: int, inputs: Inputs) -> Mapping[date, int]:
    """Of the workloads that are measured hour by hour, in mJ; the days add up to their lines."""
    zone = ZoneInfo(inputs.zone)
    row = t.EnergyLine
    hours = _hours(session, inputs, zone, row.tenant_id == tenant_id, row.service_code.is_(None))
    total_mj = sum(line.energy_mj for line in inputs.lines if line.kind in OF_HOURS)
    return _by_day(total_mj, hours.get(None, {}), zone)


def shared_by_day(session: Session, inputs: Inputs, now: datetime) -> Mapping[date, int]:
    """Of the lines without hours of their own, in mJ; the days add up to them. Needs the operator's scope."""
    zone = ZoneInfo(inputs.zone)
    row = t.EnergyLine
    hours = _hours(session, inputs, zone, row.tenant_id == OPERATOR_TENANT, row.service_code.is_not(None))
    end = min(month_bounds(inputs.month, zone)[1], now)
    days: Counter[date] = Counter()
    for line in inputs.lines:
        if line.kind not in OF_HOURS:
            days.update(_by_day(line.energy_mj, _weights(line, inputs, hours, end), zone))
    return days


def _weights(
    line: LineHeld, inputs: Inputs, hours: Mapping[str | None, Hours], end: datetime
) -> Mapping[datetime, int]:
    """The hours of a line's stretch, each with the energy of its service; all alike where it has none."""
    later = [one.since for one in inputs.lines if one.key[1:] == line.key[1:] and one.since > line.since]
    until = min([*later, end])
    used = hours.get(line.service_code, {}) if line.service_code else {}
    within = {hour: used_mj for hour, used_mj in used.items() if line.since <= hour < until}
    return within if any(within.values()) else dict.fromkeys(hours_between(line.since, until), 1)


def _by_day(total_mj: int, hours: Mapping[datetime, int], zone: ZoneInfo) -> Mapping[date, int]:
    weights: Counter[int] = Counter()
    for hour, weight in hours.items():
        weights[hour.astimezone(zone).date().toordinal()] += weight
    if not any(weights.values()):
        return {}
    return {date.fromordinal(day): part for day, part in apportion(total_mj, weights).items()}


def _hours(
    session: Session, inputs: Inputs, zone: ZoneInfo, *whose: ColumnElement[bool]
) -> Mapping[str | None, Hours]:
    """By service, the hours of a month that used any energy."""
    start, end = month_bounds(inputs.month, zone)
    row = t.EnergyLine
    found: dict[str | None, dict[datetime, int]] = defaultdict(dict)
    for code, hour, energy_mj in session.execute(
        select(row.service_code, row.hour, func.sum(row.energy_mj))
        .where(row.hour >= start, row.hour < end, *whose)
        .group_by(row.service_code, row.hour)
    ):
        found[code][hour] = int(energy_mj)
    return found
