"""The month lines of adherents: the energy of their hours, what the facility takes and what was embodied.

hours of a month -> lines, one a stretch in which the terms of the site are the same
                 -> overhead and water by the site's month, embodied carbon by the host's
                 -> carbon by basis (`pricing`)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from console.actions.embodied import Embodied, embodied_of
from console.actions.pricing import Direct, LineKey, price_lines
from console.actions.reckoning_due import Step, make_due
from console.actions.sharing_due import own_energy_changed
from console.actions.site_stretches import stretches_of
from console.actions.site_terms import facility_of
from console.domain.carbon import KnownHours
from console.domain.claims import UNCLAIMED
from console.domain.facility import Basis as GridBasis
from console.domain.grid import State
from console.domain.hours import month_bounds, month_of
from console.domain.month_lines import NO_HOST, OPEN_REVISION, Facility, LineKind
from console.domain.stays import Whereabouts
from console.store.conditional import rows_touched
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.queries.generation import is_before_ledger
from console.store.queries.stays import site_then, stayed, whereabouts

FROM_HOURS = (LineKind.OWN, LineKind.POOL, LineKind.UNCLAIMED)


@dataclass(frozen=True, slots=True)
class _Place:
    """A data centre, with where in the month its terms change: each stretch runs to the next start."""

    code: str | None
    zone: ZoneInfo
    grid_zone: str | None
    starts: Sequence[datetime]


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
    """Reckon an adherent's month from its hours; False where another process took the month first."""
    of_month = (k.MonthDue.tenant_id == tenant_id, k.MonthDue.month == month)
    if not rows_touched(session, delete(k.MonthDue).where(*of_month)):
        return False
    reckon(session, tenant_id, month, now=now)
    return True


def reckon(session: Session, tenant_id: int, month: date, *, now: datetime) -> None:
    """Reckon the month whether it is due or not; one that is before the ledger stays as it is."""
    zone = session.scalars(select(c.Adherent.zone).where(c.Adherent.tenant_id == tenant_id)).one()
    start, end = month_bounds(month, ZoneInfo(zone))
    if is_before_ledger(session, start):
        return
    stood = _stood(session, tenant_id, start, end)
    places = _places(session, stood, start, end, ZoneInfo(zone))
    rows = [
        _line(session, tenant_id, month, place, _since(place, row, stood), row, now)
        for place in places
        for row in _energy(session, tenant_id, place, start, end)
    ]
    pooled = _replace(session, tenant_id, month, rows)
    price_lines(
        session, [tenant_id], month, now=now, direct=_direct(session, tenant_id, places, stood, start, end)
    )
    _pass_on(session, month, pooled, rows, {place.code: place.zone for place in places}, now)
    own_energy_changed(session, tenant_id, month, now=now)


def is_closed(session: Session, tenant_id: int, month: date) -> bool:
    """Whether what is shown of the month is a revision that was closed."""
    row = b.CarbonMonth
    found = session.scalar(
        select(func.count()).select_from(row).where(row.tenant_id == tenant_id, row.month == month)
    )
    return bool(found)


def _stood(session: Session, tenant_id: int, start: datetime, end: datetime) -> Mapping[int, Whereabouts]:
    """Where the hosts that served the adherent in the month stood and stand."""
    line = t.EnergyLine
    hosts = select(line.host_id).where(line.tenant_id == tenant_id, line.hour >= start, line.hour < end)
    return whereabouts(session, hosts)


def _places(
    session: Session, stood: Mapping[int, Whereabouts], start: datetime, end: datetime, own_zone: ZoneInfo
) -> list[_Place]:
    """The data centres where these hosts stood in the month; None for those of which nobody says."""
    codes: set[str | None] = {code for one in stood.values() for code in one.between(start, end)}
    codes |= {None for one in stood.values() if one.now is None}
    sites = session.scalars(select(s.Site).where(s.Site.code.in_(codes)).order_by(s.Site.code)).all()
    known = [
        _Place(
            one.code,
            ZoneInfo(one.zone),
            one.grid_zone,
            [since for since, _ in stretches_of(session, one, start, end)],
        )
        for one in sites
    ]
    if codes - {one.code for one in known}:
        known.append(_Place(None, own_zone, None, [start]))
    return known


def _stretch(place: _Place) -> ColumnElement[int]:
    """Which stretch of the place's month an hour is in, from 0 on."""
    whens = [(t.EnergyLine.hour >= one, literal(n)) for n, one in reversed(list(enumerate(place.starts)))]
    return case(*whens[:-1], else_=literal(0)) if len(whens) > 1 else literal(0)


def _standing_at(place: _Place) -> ColumnElement[bool]:
    if place.code is not None:
        return site_then == place.code
    return site_then.is_(None) | site_then.not_in(select(s.Site.code))


def _since(place: _Place, row: Any, stood: Mapping[int, Whereabouts]) -> datetime:
    """Where a line begins: with its stretch, or where its host came to the place within it."""
    came: datetime = stood[row.host_id].came_at if row.stay is None else row.stay
    begins: datetime = place.starts[row.stretch]
    return max(begins, came)


def _quality(quality: str) -> ColumnElement[int]:
    return func.sum(case((c.EnergySource.quality == quality, t.EnergyLine.energy_mj), else_=0))


def _energy(session: Session, tenant_id: int, place: _Place, start: datetime, end: datetime) -> Iterable[Any]:
    line = t.EnergyLine
    stretch = _stretch(place).label("stretch")
    owner = (line.claim_id, line.subscription, line.service_code)
    keys = (line.host_id, line.workload_id, *owner, stretch, f.HostStay.since.label("stay"))
    return session.execute(
        select(
            *keys,
            func.count(line.hour.distinct()).label("hours"),
            func.sum(line.energy_mj).label("energy_mj"),
            _quality("measured").label("measured_mj"),
            _quality("modelled").label("modelled_mj"),
            _quality("declared").label("declared_mj"),
            func.sum(line.low_mj).label("low_mj"),
            func.sum(line.high_mj).label("high_mj"),
            (func.count() - func.count(line.low_mj)).label("without_low"),
            (func.count() - func.count(line.high_mj)).label("without_high"),
        )
        .join(m.Host, m.Host.host_id == line.host_id)
        .outerjoin(f.HostStay, stayed(line.host_id, line.hour))
        .join(c.EnergySource, c.EnergySource.source_id == line.source_id)
        .where(line.tenant_id == tenant_id, line.hour >= start, line.hour < end, _standing_at(place))
        .group_by(*keys)
    ).all()


def _direct(
    session: Session,
    tenant_id: int,
    places: Iterable[_Place],
    stood: Mapping[int, Whereabouts],
    start: datetime,
    end: datetime,
) -> Direct:
    """By line the hours whose direct intensity is known."""
    line, grid = t.EnergyLine, s.GridHour
    realtime_mj = case((grid.state == State.REALTIME.value, line.energy_mj), else_=0)
    found: dict[LineKey, KnownHours] = {}
    for place in places:
        if place.grid_zone is None:
            continue
        stretch = _stretch(place).label("stretch")
        stay = f.HostStay.since.label("stay")
        keys = (line.host_id, line.workload_id, line.claim_id, stretch, stay)
        rows = session.execute(
            select(
                *keys,
                func.sum(line.energy_mj),
                func.sum(line.energy_mj * grid.intensity_mg_per_kwh),
                func.sum(realtime_mj),
            )
            .join(m.Host, m.Host.host_id == line.host_id)
            .outerjoin(f.HostStay, stayed(line.host_id, line.hour))
            .join(grid, grid.hour == line.hour)
            .where(
                line.tenant_id == tenant_id,
                line.hour >= start,
                line.hour < end,
                grid.grid_zone == place.grid_zone,
                grid.basis == GridBasis.DIRECT_PRODUCTION,
                _standing_at(place),
            )
            .group_by(*keys)
        )
        for row in rows:
            key = (_since(place, row, stood), row.host_id, row.workload_id, row.claim_id)
            found[key] = KnownHours(*map(int, row[len(keys) :]))
    return found


def _line(
    session: Session, tenant_id: int, month: date, place: _Place, since: datetime, row: Any, now: datetime
) -> dict[str, Any]:
    energy_mj = int(row.energy_mj)  # PostgreSQL sums whole numbers as decimals
    site_month = month_of(since, place.zone)
    facility = facility_of(session, place.code, site_month, now=now) if place.code else None
    held = embodied_of(session, row.host_id, row.workload_id, site_month, place.code, row.hours, energy_mj)
    return {
        "tenant_id": tenant_id,
        "month": month,
        "since": since,
        "host_id": row.host_id,
        "workload_id": row.workload_id,
        "claim_id": row.claim_id,
        "revision": OPEN_REVISION,
        "kind": _kind(row.claim_id),
        "subscription": row.subscription,
        "service_code": row.service_code,
        "site": place.code,
        "hours": row.hours,
        "energy_mj": energy_mj,
        "measured_mj": int(row.measured_mj),
        "modelled_mj": int(row.modelled_mj),
        "declared_mj": int(row.declared_mj),
        "low_mj": None if row.without_low else int(row.low_mj),
        "high_mj": None if row.without_high else int(row.high_mj),
        "overhead_mj": facility.overhead_of(energy_mj) if facility else None,
        "water_ml": facility.water_of(energy_mj) if facility else None,
        "terms": _terms(facility, held),
        "reckoned_at": now,
        **held.amounts(),
    }


def _kind(claim_id: int) -> LineKind:
    if claim_id == UNCLAIMED:
        return LineKind.UNCLAIMED
    return LineKind.OWN if claim_id > 0 else LineKind.POOL


def _terms(facility: Facility | None, held: Embodied) -> dict[str, Any]:
    told = {"facility": facility.to_terms()} if facility else {}
    return told | ({"embodied": held.terms} if held.terms else {})


def _replace(session: Session, tenant_id: int, month: date, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Put these lines in the place of those of hours; the services that were pooled before, and are now."""
    line = b.MonthLine
    shown = not is_closed(session, tenant_id, month)
    of_hours = (
        line.tenant_id == tenant_id,
        line.month == month,
        line.revision == OPEN_REVISION,
        line.kind.in_(FROM_HOURS),
        line.host_id != NO_HOST,  # meters tell those pools
    )
    pooled = set(session.scalars(select(line.service_code).where(*of_hours).distinct()))
    session.execute(delete(line).where(*of_hours))
    if rows:
        counted = [row | {"counts": shown and row["kind"] is not LineKind.POOL} for row in rows]
        session.execute(insert(line), counted)
    pooled |= {row["service_code"] for row in rows}
    return {code for code in pooled if code is not None}


def _pass_on(
    session: Session,
    month: date,
    pooled: Iterable[str],
    rows: Iterable[dict[str, Any]],
    zones: Mapping[str | None, ZoneInfo],
    now: datetime,
) -> None:
    """What hangs on these lines: the shares of the services that they pool, and the rest of their sites."""
    make_due(session, Step.SERVICE, [(code, month) for code in pooled], now=now)
    sites = {
        (row["site"], month_of(row["since"], zones[row["site"]])) for row in rows if row["site"] is not None
    }
    make_due(session, Step.REST, sites, now=now)
