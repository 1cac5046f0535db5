"""Which months of shared services are to be split again, marked where their subscribers or meters change."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from console.actions.reckoning_due import Step, make_due
from console.domain.hours import months_between
from console.domain.month_lines import SharingKeyKind
from console.domain.renewal import add_months
from console.domain.sharing import LOOKS_BACK_MONTHS
from console.store.models import carbon as b
from console.store.models import contract as k
from console.store.models import site as s
from console.store.models import tenant as t


def volume_told(session: Session, tenant_id: int, service_code: str, month: date, *, now: datetime) -> None:
    """A volume weighs in its own month, and is what is expected of those after it that nobody told."""
    _note(session, tenant_id, service_code, month, LOOKS_BACK_MONTHS, now)


def subscription_changed(
    session: Session, tenant_id: int, service_code: str, first_day: date, *, now: datetime
) -> None:
    """Who shares a service, or what was agreed with them, is another from a day on."""
    _note(session, tenant_id, service_code, first_day.replace(day=1), None, now)


def _note(
    session: Session, tenant_id: int, service_code: str, month: date, months: int | None, now: datetime
) -> None:
    if is_shared(session, service_code):
        session.merge(
            b.SharingChange(
                tenant_id=tenant_id, service_code=service_code, month=month, changed_at=now, months=months
            )
        )
        session.flush()


def take_changes(session: Session, *, now: datetime) -> None:
    """Make due what adherents and their managers changed since the last time."""
    row = b.SharingChange
    taken = session.execute(delete(row).returning(row.service_code, row.month, row.months)).all()
    due = {
        (code, month)
        for code, first, months in taken
        for month in months_between(first, _last(first, months, _this_month(now)))
    }
    make_due(session, Step.SERVICE, due, now=now)


def _last(first: date, months: int | None, this_month: date) -> date:
    return this_month if months is None else min(add_months(first, months), this_month)


def key_changed(session: Session, service_code: str, first_month: date, *, now: datetime) -> None:
    """From a month on a service is split by something else, or holds other meters."""
    months = [(service_code, one) for one in months_between(first_month, _this_month(now))]
    make_due(session, Step.SERVICE, months, now=now)


def own_energy_changed(session: Session, tenant_id: int, month: date, *, now: datetime) -> None:
    """What its own lines used weighs in the services that are split by that."""
    key, taken = b.SharingKey, t.Subscription
    codes = session.scalars(
        select(key.service_code)
        .join(taken, taken.service_code == key.service_code)
        .where(key.kind == SharingKeyKind.IT_ENERGY, taken.tenant_id == tenant_id)
        .distinct()
    )
    make_due(session, Step.SERVICE, [(code, month) for code in codes], now=now)


def meters_changed(session: Session, site: str, months: Collection[date], *, now: datetime) -> None:
    """The services to which the storage, backup or network of a site is assigned hold what these tell, with
    what was embodied in them."""
    pool = s.SitePool
    since = session.execute(
        select(pool.service_code, func.min(pool.valid_from))
        .where(pool.site == site, pool.service_code.is_not(None))
        .group_by(pool.service_code)
    )
    due = [(code, month) for code, first in since if code for month in months if first <= month]
    make_due(session, Step.SERVICE, due, now=now)


def is_shared(session: Session, service_code: str) -> bool:
    """Whether anything was ever said to be of the service as a whole: workloads, meters of a site."""
    claim, pool = k.ServiceClaim, s.SitePool
    found = select(claim.service_code).where(claim.service_code == service_code).limit(1)
    metered = select(pool.service_code).where(pool.service_code == service_code).limit(1)
    return session.scalar(found) is not None or session.scalar(metered) is not None


def _this_month(now: datetime) -> date:
    return now.date().replace(day=1)
