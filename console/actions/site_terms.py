"""The months of data centres: what each took besides its IT, settled from its meters and its declared PUE."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from console.actions.making import making_of_site
from console.actions.reckoning_due import Step, make_due, make_months_due, take
from console.actions.sharing_due import meters_changed
from console.domain.carbon import KnownHours
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict
from console.domain.facility import Basis as GridBasis
from console.domain.grid import State
from console.domain.hours import HOUR, month_bounds, month_of, months_between
from console.domain.month_lines import OPEN_REVISION, Facility
from console.domain.site_measures import Measure
from console.domain.site_months import SiteMonth, site_month
from console.store.models import carbon as b
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.sites import declared_of, measure_of
from console.store.queries.stays import ever_at, site_then, stayed
from console.store.upsert import upsert


def settle_month(session: Session, site: str, month: date, *, now: datetime) -> bool:
    """Settle a month of a site that is due; False where another process took it first."""
    if not take(session, Step.SITE, site, month):
        return False
    before = facility_in(session, site, month), technical_in(session, site, month)
    after = settle(session, site, month, now=now), technical_in(session, site, month)
    if before != after:
        make_months_due(session, _adherents_there(session, site, month), now=now)
    meters_changed(session, site, [month], now=now)
    make_due(session, Step.REST, [(site, month)], now=now)
    return True


def facility_of(session: Session, site: str, month: date, *, now: datetime) -> Facility | None:
    """The terms under which lines of a site are reckoned in a month; settled where that was never done."""
    if session.get(b.SiteMonth, (site, month)) is None:
        make_due(session, Step.REST, [(site, month)], now=now)
        return settle(session, site, month, now=now)
    return facility_in(session, site, month)


def facility_in(session: Session, site: str, month: date) -> Facility | None:
    """The terms as they are stored; None: unknown."""
    row = session.get(b.SiteMonth, (site, month))
    return None if row is None else Facility.of_terms(row.terms)


def technical_in(session: Session, site: str, month: date) -> dict[str, Any] | None:
    """What is booked of the technical equipment over the IT energy that it serves; None: not known."""
    row = session.get(b.SiteMonth, (site, month))
    return None if row is None else row.terms.get("technical")


def _technical(session: Session, site: str, month: date, it_mj: int | None) -> dict[str, Any]:
    """Where no meter tells the IT energy it is shared by nothing, and stays with the operator."""
    made = making_of_site(session, site, month, technical=True) if it_mj else None
    return {"technical": made.amounts | {"it_mj": it_mj}} if made else {}


def settle(session: Session, site: str, month: date, *, now: datetime) -> Facility | None:
    """Write down what is known of a month of a site.

    Meters that contradict each other make the month unknown, with the reason under `refused`.
    """
    place = session.get_one(s.Site, site)
    zone = ZoneInfo(place.zone)
    start, end = month_bounds(month, zone)
    hosts_mj = hosts_energy(session, site, start, end)
    measures = _measures(session, site, start, end)
    declared = [declared_of(row) for row in session.scalars(select(s.SitePue).where(s.SitePue.site == site))]
    refused: dict[str, Any] = {}
    try:
        found = site_month(measures, declared, hosts_mj, month, zone)
    except Conflict as reason:
        refused = {"refused": reason.message, "values": dict(reason.values)}
        found = SiteMonth(hosts_mj, None, 0, None, None, None)
    facility = found.facility
    row = {
        "site": site,
        "month": month,
        "hosts_mj": hosts_mj,
        "it_mj": found.it_mj,
        "category": found.category,
        "total_mj": found.total_mj,
        "losses_mj": found.losses_mj,
        "overhead_mj": facility.overhead_mj if facility else None,
        "pue_it_mj": facility.it_mj if facility else None,
        "origin": facility.origin if facility else None,
        "provisional": facility.provisional if facility else True,
        "water_ml": facility.water_ml if facility else None,
        "terms": refused
        | ({"facility": facility.to_terms()} if facility else {})
        | _technical(session, site, month, found.it_mj),
        "reckoned_at": now,
    }
    upsert(session, b.SiteMonth, [row], update=[name for name in row if name not in ("site", "month")])
    session.expire_all()
    return facility


def hosts_energy(session: Session, site: str, start: datetime, end: datetime) -> int:
    """What the hosts of a site used between two instants, in millijoules."""
    hour = m.HostHour
    total = session.scalar(
        select(func.sum(hour.energy_mj))
        .join(m.Host, m.Host.host_id == hour.host_id)
        .outerjoin(f.HostStay, stayed(hour.host_id, hour.hour))
        .where(site_then == site, hour.hour >= start, hour.hour < end)
    )
    return int(total or 0)


def months_touched(session: Session, site: str, start: datetime, end: datetime) -> Iterable[date]:
    """The local months of a site that share any time with `[start, end)`."""
    zone = ZoneInfo(session.get_one(s.Site, site).zone)
    return months_between(month_of(start, zone), month_of(end - timedelta(microseconds=1), zone))


def _measures(session: Session, site: str, start: datetime, end: datetime) -> list[Measure]:
    row = s.SiteMeasure
    rows = session.scalars(select(row).where(row.site == site, row.ended_at > start, row.started_at < end))
    return [measure_of(one) for one in rows]


def _adherents_there(session: Session, site: str, month: date) -> list[tuple[int, date]]:
    """Adherents with lines on a site in its month, with their own months; the operator has the rest.

    Lines of its hosts as well that were reckoned when it was not known, and so are of no site.
    """
    line = b.MonthLine
    start, end = month_bounds(month, ZoneInfo(session.get_one(s.Site, site).zone))
    held = session.execute(
        select(line.tenant_id, line.month)
        .where(
            (line.site == site) | (line.site.is_(None) & line.host_id.in_(ever_at(site))),
            line.revision == OPEN_REVISION,
            line.since >= start,
            line.since < end,
        )
        .distinct()
    )
    return [*((tenant_id, own) for tenant_id, own in held), (OPERATOR_TENANT, month)]


def direct_if_even(session: Session, site: str, start: datetime, end: datetime, energy_mj: int) -> KnownHours:
    """What of an energy of which no hour is told is of known hours, as if its power were even."""
    grid = s.GridHour
    zone = session.get_one(s.Site, site).grid_zone
    realtime = case((grid.state == State.REALTIME.value, 1))
    known, total, moving = session.execute(
        select(func.count(), func.sum(grid.intensity_mg_per_kwh), func.count(realtime)).where(
            grid.grid_zone == zone,
            grid.basis == GridBasis.DIRECT_PRODUCTION,
            grid.hour >= start,
            grid.hour < end,
        )
    ).one()
    hours = (end - start) // HOUR
    return KnownHours(
        energy_mj * known // hours, energy_mj * int(total or 0) // hours, energy_mj * moving // hours
    )
