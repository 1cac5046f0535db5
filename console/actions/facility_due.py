"""Which months are to be reckoned again once what a data centre measures, states or buys is another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.reckoning_due import Step, make_due, make_months_due
from console.actions.sharing_due import meters_changed
from console.actions.site_terms import months_touched
from console.domain.month_lines import OPEN_REVISION
from console.domain.site_measures import Measure
from console.store.models import carbon as b
from console.store.queries.stays import ever_at

ONE_DAY = timedelta(days=1)


def site_came(session: Session, site: str, *, now: datetime) -> None:
    """A data centre is known now that its hosts named before: their lines were of no site."""
    line = b.MonthLine
    held = session.execute(
        select(line.tenant_id, line.month)
        .where(line.host_id.in_(ever_at(site)), line.site.is_(None), line.revision == OPEN_REVISION)
        .distinct()
    ).all()
    make_months_due(session, [(tenant_id, month) for tenant_id, month in held], now=now)


def measures_changed(session: Session, site: str, measures: Iterable[Measure], *, now: datetime) -> None:
    """Meters of a site told of these periods, or tell something else of them."""
    spans = {(one.started_at, one.ended_at) for one in measures}
    months = {month for start, end in spans for month in months_touched(session, site, start, end)}
    make_due(session, Step.SITE, [(site, month) for month in months], now=now)


def pue_changed(session: Session, site: str, first_day: date, *, now: datetime) -> None:
    """Another PUE is declared from a day on: every settled month that it holds in is settled again."""
    row = b.SiteMonth
    months = session.scalars(select(row.month).where(row.site == site, row.month >= first_day.replace(day=1)))
    make_due(session, Step.SITE, [(site, month) for month in months], now=now)


def contracts_changed(session: Session, site: str, first_day: date, *, now: datetime) -> None:
    """What a site buys is another from a day on: its lines are cut into other stretches, at other prices.

    The month of an adherent may begin some hours after that of the site, so the day before counts as well.
    """
    line, first_month = b.MonthLine, (first_day - ONE_DAY).replace(day=1)
    held = session.execute(
        select(line.tenant_id, line.month)
        .where(line.site == site, line.month >= first_month, line.revision == OPEN_REVISION)
        .distinct()
    ).all()
    make_months_due(session, [(tenant_id, month) for tenant_id, month in held], now=now)
    months = {month for _, month in held}
    make_due(session, Step.REST, [(site, month) for month in months], now=now)
    meters_changed(session, site, months, now=now)
