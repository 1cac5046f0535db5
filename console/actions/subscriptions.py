"""Subscriptions of an adherent to services; one is ended, never deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.actions.amendments import ONE_DAY, amend, open_timeline, set_end
from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.adherents import check_still_there
from console.domain.contract import Status, Terms
from console.domain.errors import Conflict, Invalid
from console.domain.hours import day_bounds
from console.domain.offer import Life
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.session import MACHINE


def subscribe(
    session: Session,
    tenant_id: int,
    service_code: str,
    *,
    starts_on: date,
    now: datetime,
    by: str = MACHINE,
    with_plan: bool = True,
    **terms: Any,
) -> int:
    """Take a service from a day on, under the latest version of its plan; the number of the subscription.

    `terms` are those of `Terms`: active, unless told otherwise. Raises `Invalid` where the service is not
    sold on that day or the adherent has left, `Conflict` where the same one is not ended: a form that was
    sent twice.
    """
    adherent = hold_adherent(session, tenant_id)
    service = session.get(c.Service, service_code)
    if service is None:
        raise Invalid("service", "Ce service n'est pas au catalogue.")
    _check_sold(service, starts_on)
    check_still_there(starts_on, adherent.until, "starts_on")
    agreed = Terms(**{"status": Status.ACTIVE} | terms)
    agreed = replace(agreed, contract=agreed.contract or None)
    if agreed.ends_on is not None and agreed.ends_on < starts_on:
        raise Invalid("ends_on", "Une souscription finit après son début.")
    check_still_there(agreed.ends_on or date.max, adherent.until, "ends_on")
    if with_plan:
        version = _latest_version(session, service.plan_code)
        agreed = replace(agreed, plan_code=service.plan_code, plan_version=version)
    if twin := _twin(session, tenant_id, service_code, starts_on, agreed):
        raise Conflict(
            "La souscription n° %(number)s prend déjà ce service, à la même date et sous le même contrat.",
            number=twin,
        )
    last = session.scalar(
        select(func.max(t.Subscription.number)).where(t.Subscription.tenant_id == tenant_id)
    )
    subscription = t.Subscription(
        tenant_id=tenant_id, number=(last or 0) + 1, service_code=service.code, starts_on=starts_on
    )
    today = now.astimezone(ZoneInfo(adherent.zone)).date()
    open_timeline(session, subscription, agreed, today=today, now=now, by=by)
    return subscription.number


def change_status(
    session: Session,
    tenant_id: int,
    number: int,
    status: Status,
    *,
    on: date,
    note: str = "",
    now: datetime,
    by: str = MACHINE,
) -> int:
    """Activate a draft, suspend, or resume from a day on; the number of the amendment."""
    return amend(
        session,
        tenant_id,
        number,
        effective_on=on,
        changes={"status": status},
        note=note,
        now=now,
        by=by,
    )


def end_subscription(
    session: Session,
    tenant_id: int,
    number: int,
    *,
    ends_on: date,
    note: str = "",
    now: datetime,
    by: str = MACHINE,
) -> None:
    """Set the last day of a subscription; once that day has passed, it is ended.

    One that has passed may be moved, with a note. Raises `Conflict` while workloads stay claimed for it after
    that day.
    """
    adherent = hold_adherent(session, tenant_id)
    subscription = subscription_of(session, tenant_id, number)
    if ends_on < subscription.starts_on:
        raise Invalid("ends_on", "Une souscription finit après son début.")
    zone = ZoneInfo(adherent.zone)
    if _claimed_after(session, tenant_id, number, day_bounds(ends_on, zone)[1]):
        raise Conflict(
            "Des charges restent affectées à cette souscription : terminez d'abord leurs affectations."
        )
    set_end(session, tenant_id, number, ends_on=ends_on, note=note, now=now, by=by)


def cancel_draft(
    session: Session, tenant_id: int, number: int, *, note: str = "", now: datetime, by: str = MACHINE
) -> None:
    """Say that a draft will not be signed: it ends the day before its first one, so it never runs.

    Raises `Conflict` where it is signed already.
    """
    hold_adherent(session, tenant_id)
    subscription = subscription_of(session, tenant_id, number)
    if subscription.status is not Status.DRAFT:
        raise Conflict("Seul un brouillon s'annule : ce qui est signé se termine.")
    ends_on = subscription.starts_on - ONE_DAY
    set_end(session, tenant_id, number, ends_on=ends_on, note=note, now=now, by=by)


def _check_sold(service: c.Service, starts_on: date) -> None:
    if not Life(service.sales_end_on, service.support_ends_on, service.retired_on).sold_on(starts_on):
        raise Invalid("starts_on", "Ce service n'est plus vendu le %(day)s.", day=f"{starts_on:%Y-%m-%d}")


def _twin(session: Session, tenant_id: int, service_code: str, starts_on: date, agreed: Terms) -> int | None:
    """The same one, not ended, or ended on the same day."""
    row = t.Subscription
    return session.scalars(
        select(row.number)
        .where(
            row.tenant_id == tenant_id,
            row.service_code == service_code,
            row.starts_on == starts_on,
            row.contract.is_not_distinct_from(agreed.contract),
            or_(row.status != Status.ENDED, row.ends_on == agreed.ends_on),
        )
        .limit(1)
    ).one_or_none()


def _latest_version(session: Session, plan_code: str) -> int:
    version = session.scalar(select(func.max(c.SlaPlan.version)).where(c.SlaPlan.code == plan_code))
    if version is None:
        raise Conflict("Le plan %(plan)s de ce service n'existe pas.", plan=plan_code)
    return version


def _claimed_after(session: Session, tenant_id: int, number: int, end: datetime) -> bool:
    claim = c.WorkloadClaim
    held = select(claim.claim_id).where(
        claim.tenant_id == tenant_id,
        claim.subscription == number,
        or_(claim.valid_to.is_(None), claim.valid_to > end),
    )
    return session.scalar(held.limit(1)) is not None
