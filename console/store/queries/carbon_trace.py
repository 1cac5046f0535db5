"""From a month line back to what it was made from: hours, day by day, hosts, sources and policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.carbon_months import LineHeld
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import NotFound
from console.domain.hours import month_bounds
from console.domain.month_lines import NO_HOST, LineKey
from console.domain.trace import Formula, formulas
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.queries.carbon_months import MonthSeen, month_seen, pool_lines


@dataclass(frozen=True, slots=True)
class DayUsed:
    """A local day of a line: its hours that used anything, their energy, how much of them the host told."""

    day: date
    hours: int
    energy_mj: int
    covered_ms: int


@dataclass(frozen=True, slots=True)
class SourceUsed:
    """An instrument that told of energy of the line."""

    name: str
    boundary: str
    quality: str
    energy_mj: int


@dataclass(frozen=True, slots=True)
class SharingHeld:
    """The key by which a share was reckoned, as it was set; None: the default."""

    kind: str
    set_by: str
    set_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Trace:
    """A line with all that its figures come from.

    `is_current` is false where hours changed since the month was closed: days and sources are those of today,
    the figures those that were frozen. It is of a stretch of the month, from `since` to `until`.
    """

    seen: MonthSeen
    line: LineHeld
    formulas: Sequence[Formula]
    days: Sequence[DayUsed]
    sources: Sequence[SourceUsed]
    policies: Sequence[str]
    site: str | None
    service: tuple[str, str] | None
    key: SharingHeld | None
    first: datetime | None
    last: datetime | None
    since: datetime
    until: datetime

    @property
    def hours_mj(self) -> int:
        return sum(one.energy_mj for one in self.days)

    @property
    def is_current(self) -> bool:
        return not self.days or self.hours_mj == self.line.energy_mj


def trace_of(session: Session, tenant_id: int, month: date, key: LineKey, now: datetime) -> Trace:
    """The trace of a line of the revision that is shown; raises `NotFound`."""
    seen = month_seen(session, tenant_id, month, now)
    lines = [*seen.inputs.lines, *pool_lines(session, tenant_id, month, seen.revision)]
    line = next((one for one in lines if one.key == key), None)
    if line is None:
        raise NotFound("Cette ligne n'existe pas.")
    zone = ZoneInfo(seen.inputs.zone)
    start, end = _bounds(session, seen, lines, line)
    days, first, last = _days(session, tenant_id, line, start, end, zone)
    return Trace(
        seen=seen,
        line=line,
        formulas=formulas(line),
        days=days,
        sources=_sources(session, tenant_id, line, start, end),
        policies=_policies(session, tenant_id, line, start, end),
        site=session.scalar(select(s.Site.name).where(s.Site.code == line.site)) if line.site else None,
        service=_service(session, tenant_id, line),
        key=_key(session, line),
        first=first,
        last=last,
        since=start,
        until=end,
    )


def service_names(session: Session, codes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Services by code, in French and in English."""
    rows = session.execute(
        select(c.Service.code, c.Service.name_fr, c.Service.name_en).where(c.Service.code.in_(codes))
    )
    return {code: (name_fr, name_en) for code, name_fr, name_en in rows}


def _bounds(
    session: Session, seen: MonthSeen, lines: Sequence[LineHeld], line: LineHeld
) -> tuple[datetime, datetime]:
    """From the start of the line to that of its next stretch, or the end of the month where it is reckoned:
    that of the adherent; of what is shared or the site's, that of the site or of the operator."""
    later = [one.since for one in lines if one.key[1:] == line.key[1:] and one.since > line.since]
    zones = [seen.inputs.zone]
    if line.host_id == NO_HOST:
        site = select(s.Site.zone).where(s.Site.code == line.site)
        operator = select(c.Adherent.zone).where(c.Adherent.tenant_id == OPERATOR_TENANT)
        zones = [*session.scalars(site), *session.scalars(operator), *zones]
    ends = [month_bounds(seen.month, ZoneInfo(name))[1] for name in zones]
    return line.since, min(later, default=next(end for end in ends if end > line.since))


def _days(
    session: Session, tenant_id: int, line: LineHeld, start: datetime, end: datetime, zone: ZoneInfo
) -> tuple[list[DayUsed], datetime | None, datetime | None]:
    row, told = t.EnergyLine, t.CoverageHour
    rows = session.execute(
        select(row.hour, func.sum(row.energy_mj), func.max(told.covered_ms))
        .outerjoin(
            told,
            (told.tenant_id == row.tenant_id) & (told.host_id == row.host_id) & (told.hour == row.hour),
        )
        .where(*_of_line(tenant_id, line, start, end))
        .group_by(row.hour)
        .order_by(row.hour)
    ).all()
    by_day: dict[date, list[tuple[int, int]]] = defaultdict(list)
    for hour, energy_mj, covered_ms in rows:
        by_day[hour.astimezone(zone).date()].append((int(energy_mj), int(covered_ms or 0)))
    days = [
        DayUsed(day, len(hours), sum(mj for mj, _ in hours), sum(ms for _, ms in hours))
        for day, hours in sorted(by_day.items())
    ]
    return days, rows[0][0] if rows else None, rows[-1][0] if rows else None


def _sources(
    session: Session, tenant_id: int, line: LineHeld, start: datetime, end: datetime
) -> list[SourceUsed]:
    row, source = t.EnergyLine, c.EnergySource
    energy = func.sum(row.energy_mj)
    rows = session.execute(
        select(source.name, source.boundary, source.quality, energy)
        .join(source, source.source_id == row.source_id)
        .where(*_of_line(tenant_id, line, start, end))
        .group_by(source.name, source.boundary, source.quality)
        .order_by(energy.desc(), source.name)
    )
    return [SourceUsed(name, boundary, quality, int(mj)) for name, boundary, quality, mj in rows]


def _policies(session: Session, tenant_id: int, line: LineHeld, start: datetime, end: datetime) -> list[str]:
    told = t.CoverageHour
    joined = session.scalars(
        select(told.policy)
        .where(
            told.tenant_id == tenant_id,
            told.host_id == line.host_id,
            told.hour >= start,
            told.hour < end,
            told.policy != "",
        )
        .distinct()
    )
    return sorted({one for text in joined for one in text.split("+")})


def _of_line(tenant_id: int, line: LineHeld, start: datetime, end: datetime) -> tuple[Any, ...]:
    row = t.EnergyLine
    return (
        row.tenant_id == tenant_id,
        row.host_id == line.host_id,
        row.workload_id == line.workload_id,
        row.claim_id == line.claim_id,
        row.hour >= start,
        row.hour < end,
    )


def _service(session: Session, tenant_id: int, line: LineHeld) -> tuple[str, str] | None:
    code = line.service_code
    if code is None and line.subscription is not None:
        held = session.get(t.Subscription, (tenant_id, line.subscription))
        code = held.service_code if held else None
    return service_names(session, [code]).get(code) if code else None


def _key(session: Session, line: LineHeld) -> SharingHeld | None:
    if line.share is None:
        return None
    told = line.share
    row = session.get(b.SharingKey, (told.service_code, told.key_from, told.key_version))
    return None if row is None else SharingHeld(row.kind.value, row.set_by, row.set_at, row.note)
