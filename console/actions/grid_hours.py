"""Hours of a grid kept beside its figures, and what is reckoned with them marked where they change.

figures stored -> their hours again -> those that changed -> months of adherents with lines there
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.actions.reckoning_due import Step, make_due, make_months_due
from console.actions.sharing_due import meters_changed
from console.domain.facility import Basis
from console.domain.grid import Intensity, State
from console.domain.grid_hours import Hour, whole_hours
from console.domain.hours import HOUR, month_bounds
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import site as s
from console.store.upsert import upsert

RECKONED: Final = Basis.DIRECT_PRODUCTION  # the basis that hourly carbon is of
ONE_DAY: Final = timedelta(days=1)
ASKED_AT_ONCE: Final = 500  # keys of one statement


def settle_hours(
    session: Session, zone: str, basis: Basis, start: datetime, end: datetime, *, now: datetime
) -> list[datetime]:
    """Make the hours from one instant to another, both whole hours, again; those that changed, in order.

    What was reckoned with hours that changed is marked to be reckoned again.
    """
    known, told = _hours(session, zone, basis, start, end), _whole(session, zone, basis, start, end)
    gone = sorted(known.keys() - told.keys())
    fresh = [one for hour, one in sorted(told.items()) if known.get(hour) != one]
    row = s.GridHour
    for place in range(0, len(gone), ASKED_AT_ONCE):
        some = gone[place : place + ASKED_AT_ONCE]
        session.execute(delete(row).where(row.grid_zone == zone, row.basis == basis, row.hour.in_(some)))
    rows = [
        {
            "grid_zone": zone,
            "basis": basis,
            "hour": one.hour,
            "intensity_mg_per_kwh": one.intensity_mg_per_kwh,
            "state": one.state.value,
        }
        for one in fresh
    ]
    upsert(session, row, rows, update=["intensity_mg_per_kwh", "state"])
    changed = sorted([*gone, *(one.hour for one in fresh if _differs(known.get(one.hour), one))])
    if basis is RECKONED:
        _make_lines_due(session, zone, changed, now)
    return changed


def _differs(before: Hour | None, now: Hour) -> bool:
    """Whether what is reckoned with an hour changes: its intensity, or whether it is of real time."""
    return before is None or (before.intensity_mg_per_kwh, before.realtime) != (
        now.intensity_mg_per_kwh,
        now.realtime,
    )


def _hours(
    session: Session, zone: str, basis: Basis, start: datetime, end: datetime
) -> Mapping[datetime, Hour]:
    row = s.GridHour
    rows = session.execute(
        select(row.hour, row.intensity_mg_per_kwh, row.state).where(
            row.grid_zone == zone, row.basis == basis, row.hour >= start, row.hour < end
        )
    )
    return {hour: Hour(hour, mg_per_kwh, State(state)) for hour, mg_per_kwh, state in rows}


def _whole(
    session: Session, zone: str, basis: Basis, start: datetime, end: datetime
) -> Mapping[datetime, Hour]:
    row = s.GridIntensity
    rows = session.execute(
        select(row.started_at, row.duration_s, row.intensity_mg_per_kwh, row.publisher, row.state).where(
            row.grid_zone == zone, row.basis == basis, row.started_at >= start - HOUR, row.started_at < end
        )
    )
    figures = (
        Intensity(basis, started_at, timedelta(seconds=duration_s), mg_per_kwh, publisher, State(state))
        for started_at, duration_s, mg_per_kwh, publisher, state in rows
    )
    return {hour: one for hour, one in whole_hours(figures).items() if start <= hour < end}


def _make_lines_due(session: Session, zone: str, hours: Sequence[datetime], now: datetime) -> None:
    """Mark the months in which adherents have lines on sites of the grid, where an hour of them changed."""
    if not hours:
        return
    line = b.MonthLine
    sites = select(s.Site.code).where(s.Site.grid_zone == zone)
    rows = session.execute(
        select(line.tenant_id, line.month, line.site, c.Adherent.zone)
        .join(c.Adherent, c.Adherent.tenant_id == line.tenant_id)
        .where(line.site.in_(sites), line.month.in_(_months_around(hours)))
        .distinct()
    ).all()
    touched = [row for row in rows if _holds(row.month, ZoneInfo(row.zone), hours)]
    make_months_due(session, {(row.tenant_id, row.month) for row in touched}, now=now)
    places = {(row.site, row.month) for row in touched}
    make_due(session, Step.REST, places, now=now)
    for site, month in sorted(places):
        meters_changed(session, site, [month], now=now)  # no adherent has lines of these pools


def _months_around(hours: Sequence[datetime]) -> set[date]:
    """The months that the hours are in, on whatever clock."""
    days = (hour + offset for hour in hours for offset in (-ONE_DAY, ONE_DAY))
    return {date(day.year, day.month, 1) for day in days}


def _holds(month: date, zone: ZoneInfo, hours: Sequence[datetime]) -> bool:
    start, end = month_bounds(month, zone)
    return bisect_left(hours, start) < bisect_left(hours, end)
