"""Hosts that move from one data centre to another: their hours stay where they were spent.

What readings tell of the site of their host, or a person puts right, makes the months of its hours due: those
of the adherents that it served, its own, and those of every site where it stood or stands.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from collectors.reading import Reading
from console.actions.host_locks import hold_hosts
from console.actions.reckoning_due import Step, make_due, make_months_due
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Invalid, NotFound
from console.domain.hours import HOUR, hour_of, month_of, months_between
from console.domain.spans import Span
from console.domain.stays import FIRST, Stay, Whereabouts, stand
from console.store.audit import record
from console.store.bulk import Row, add_rows
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.queries.stays import inventory_sites, whereabouts

log = logging.getLogger(__name__)


def stand_where_told(
    session: Session, host: m.Host, site: str, readings: Sequence[Reading], *, now: datetime
) -> None:
    """Readings that were taken in tell where their host stands from their first hour on.

    Older readings, of a file that is imported late, speak of their own hours alone.
    """
    first = hour_of(min(one.started_at for one in readings))
    last = max(one.ended_at for one in readings)
    row = m.Reading
    newest = session.scalar(
        select(row.ended_at).where(row.host_id == host.host_id).order_by(row.started_at.desc()).limit(1)
    )
    until = hour_of(last) + HOUR if newest is not None and newest > last else None
    if host.site is not None:
        log.warning("host %s tells that it stands on %s, from %s on", host.name, site, first)
    _stand(session, host, site, first, until, now=now)


def put(
    session: Session, host_id: int, site: str, since: datetime, until: datetime | None, *, now: datetime
) -> None:
    """Say where a host stood from a whole hour to another, or stands since.

    It stands now where its readings tell, which no person contradicts: another site needs an end.
    """
    host = hold_hosts(session, [host_id]).get(host_id)
    if host is None:
        raise NotFound("Hôte introuvable.")
    _check(session, host, site, since, until, now)
    record(
        session,
        OPERATOR_TENANT,
        "host.placed",
        f"host/{host.name}",
        {"site": site, "since": since, "until": until},
    )
    _stand(session, host, site, since, until, now=now)


def _check(
    session: Session, host: m.Host, site: str, since: datetime, until: datetime | None, now: datetime
) -> None:
    if session.get(s.Site, site) is None:
        raise Invalid("site", "Site introuvable.")
    for field, hour in (("since", since), ("until", until)):
        if hour is not None and hour_of(hour) != hour:
            raise Invalid(field, "Une heure ronde est attendue.")
        if hour is not None and not FIRST < hour <= now:
            raise Invalid(field, "Une heure passée est attendue.")
    if until is not None and until <= since:
        raise Invalid("until", "La fin suit le début.")
    if until is None and host.site not in (None, site):
        raise Invalid(
            "until",
            "L'agent de l'hôte le dit à « %(told)s » : donnez une fin, ou changez d'abord son réglage.",
            told=host.site,
        )
    if until is not None and host.site is None:
        raise Invalid("until", "Rien n'est connu d'ensuite : dites d'abord, sans fin, où l'hôte se trouve.")


def _stand(
    session: Session, host: m.Host, site: str, since: datetime, until: datetime | None, *, now: datetime
) -> None:
    known = whereabouts(session, [host.host_id])[host.host_id]
    after = stand(known, site, since, until)
    if after == known:
        return
    _write(session, host, known, after)
    changed_from = since if known.now is not None else FIRST
    _make_due(session, host.host_id, (known, after), changed_from, until, now)


def _write(session: Session, host: m.Host, before: Whereabouts, after: Whereabouts) -> None:
    row = f.HostStay
    host.site = after.now
    gone = [one.since for one in before.stays if one not in after.stays]
    session.execute(delete(row).where(row.host_id == host.host_id, row.since.in_(gone)))
    come = [one for one in after.stays if one not in before.stays]
    add_rows(session, row, [_row(host.host_id, one) for one in come])
    session.flush()


def _row(host_id: int, stay: Stay) -> Row:
    return {"host_id": host_id, "since": stay.since, "until": stay.until, "site": stay.site}


def _make_due(
    session: Session,
    host_id: int,
    known: Iterable[Whereabouts],
    since: datetime,
    until: datetime | None,
    now: datetime,
) -> None:
    line = t.EnergyLine
    hours = [line.host_id == host_id, line.hour >= since]
    if until is not None:
        hours.append(line.hour < until)
    served = session.execute(
        select(line.tenant_id, c.Adherent.zone, func.min(line.hour), func.max(line.hour))
        .join(c.Adherent, c.Adherent.tenant_id == line.tenant_id)
        .where(*hours)
        .group_by(line.tenant_id, c.Adherent.zone)
    ).all()
    months = {
        (tenant_id, month)
        for tenant_id, zone, begins, ends in served
        for month in _months(begins, ends, ZoneInfo(zone))
    }
    make_months_due(session, months, now=now)
    edges = [hour for *_, begins, ends in served for hour in (begins, ends)]
    hours_told = (min(edges), max(edges)) if edges else None
    _make_sites_due(session, host_id, known, (since, until or now), hours_told, now)


def _make_sites_due(
    session: Session,
    host_id: int,
    known: Iterable[Whereabouts],
    span: Span,
    hours_told: Span | None,
    now: datetime,
) -> None:
    """The months of the host and of all sites where it was or is thought to be; those of none are settled.

    Those months of a site that are settled as well in which the host told nothing: its making goes with it.
    """
    codes = {code for one in known for code in one.sites}
    codes.update(inventory_sites(session, [host_id]).values())  # where that was booked while nobody said
    settled = b.SiteMonth
    for site in session.scalars(select(s.Site).where(s.Site.code.in_(codes))).all():
        zone = ZoneInfo(site.zone)
        months = set(_months(*span, zone))
        months &= set(session.scalars(select(settled.month).where(settled.site == site.code)))
        months |= set(_months(*hours_told, zone)) if hours_told else set()
        make_due(session, Step.SITE, [(site.code, month) for month in months], now=now)
        make_due(session, Step.HOST, [(str(host_id), month) for month in months], now=now)


def _months(first: datetime, last: datetime, zone: ZoneInfo) -> list[date]:
    """The local months from that of an hour to that of another."""
    return list(months_between(month_of(first, zone), month_of(last, zone)))
