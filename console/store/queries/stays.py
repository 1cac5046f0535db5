"""Where hosts stood at an hour: in statements, or of a few hosts at once.

select(...).join(Host, ...).outerjoin(HostStay, stayed(row.host_id, row.hour)).where(site_then == "tls")
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from console.domain.claims import OPERATOR_ZONE
from console.domain.stays import Stay, Whereabouts
from console.store.models import equipment as q
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import site as s

site_then: ColumnElement[str | None] = func.coalesce(f.HostStay.site, m.Host.site)
"""The site of a host at the hour it is joined by; None: nobody says."""


def stayed(host_id: InstrumentedAttribute[int], hour: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
    """By what stays are joined, outside, to hours of hosts: at most one holds."""
    return and_(f.HostStay.host_id == host_id, f.HostStay.since <= hour, f.HostStay.until > hour)


def whereabouts(session: Session, host_ids: Collection[int] | Select[int]) -> dict[int, Whereabouts]:
    """Where each of these hosts stood and stands."""
    row = f.HostStay
    stays: dict[int, list[Stay]] = {}
    for one in session.scalars(select(row).where(row.host_id.in_(host_ids)).order_by(row.since)):
        stays.setdefault(one.host_id, []).append(Stay(one.since, one.until, one.site))
    now = session.execute(select(m.Host.host_id, m.Host.site).where(m.Host.host_id.in_(host_ids)))
    return {host_id: Whereabouts(tuple(stays.get(host_id, ())), site) for host_id, site in now}


def ever_at(site: str) -> Select[int]:
    """The hosts that stand on a site, or stood there once."""
    stays = select(f.HostStay.host_id).where(f.HostStay.site == site)
    return select(m.Host.host_id).where((m.Host.site == site) | m.Host.host_id.in_(stays))


def stays_in(
    session: Session, month: date, host_ids: Collection[int] | Select[int]
) -> dict[int, tuple[Stay, ...]]:
    """Where each of these hosts stood in a month, by the calendar of each site, so that no hour is in two
    months; none for those of which nobody says."""
    zones = {code: ZoneInfo(name) for code, name in session.execute(select(s.Site.code, s.Site.zone))}
    return {
        host_id: known.in_month(month, lambda code: zones.get(code, OPERATOR_ZONE))
        for host_id, known in whereabouts(session, host_ids).items()
    }


def homes(session: Session, month: date) -> dict[str, str]:
    """By host, its name in small letters, the site where it stood last in a month; not those of which nobody
    says."""
    stood = stays_in(session, month, select(m.Host.host_id))
    hosts = session.execute(select(m.Host.host_id, m.Host.name))
    return {name.lower(): stood[host_id][-1].site for host_id, name in hosts if stood[host_id]}


def inventory_sites(session: Session, host_ids: Collection[int] | Select[int]) -> dict[int, str]:
    """Where the inventory says that hosts stand, of those of which it says so."""
    thing = q.Equipment
    rows = session.execute(
        select(m.Host.host_id, thing.site)
        .join(thing, func.lower(thing.host_name) == func.lower(m.Host.name))
        .where(m.Host.host_id.in_(host_ids), thing.site.is_not(None))
        .order_by(thing.name.desc())
    )
    return {host_id: site for host_id, site in rows if site is not None}


def zones_of(session: Session, known: Whereabouts) -> set[ZoneInfo]:
    """The zones of the sites of a host."""
    names = session.scalars(select(s.Site.zone).where(s.Site.code.in_(known.sites)))
    return {ZoneInfo(name) for name in names}
