"""Subscriptions of an adherent to services; one is ended, never deleted."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.errors import Conflict, Invalid
from console.domain.hours import day_bounds
from console.store.models import catalogue as c
from console.store.models import tenant as t

LONGEST_CONTRACT = 200


def subscribe(
    session: Session,
    tenant_id: int,
    service_code: str,
    *,
    starts_on: date,
    ends_on: date | None = None,
    volume: int | None = None,
    contract: str | None = None,
) -> int:
    """Subscribe to a service under the latest version of its plan, both days included; the number.

    Raises `Conflict` where the same one is not ended: a form that was sent twice.
    """
    hold_adherent(session, tenant_id)
    service = session.get(c.Service, service_code)
    if service is None:
        raise Invalid("service", "Ce service n'est pas au catalogue.")
    if ends_on is not None and ends_on < starts_on:
        raise Invalid("ends_on", "Une souscription finit après son début.")
    if volume is not None and volume < 0:
        raise Invalid("volume", "Un volume ne peut pas être négatif.")
    if contract and (len(contract) > LONGEST_CONTRACT or not contract.isprintable()):
        raise Invalid("contract", "La référence du contrat tient en une ligne de 200 caractères.")
    if twin := _running_twin(session, tenant_id, service_code, starts_on, contract or None):
        raise Conflict(
            "La souscription n° %(number)s prend déjà ce service, à la même date et sous le même contrat.",
            number=twin,
        )
    last = session.scalar(
        select(func.max(t.Subscription.number)).where(t.Subscription.tenant_id == tenant_id)
    )
    subscription = t.Subscription(
        tenant_id=tenant_id,
        number=(last or 0) + 1,
        service_code=service.code,
        plan_code=service.plan_code,
        plan_version=_latest_version(session, service.plan_code),
        status=t.SubscriptionStatus.ACTIVE,
        starts_on=starts_on,
        ends_on=ends_on,
        volume=volume,
        contract=contract or None,
    )
    session.add(subscription)
    session.flush()
    return subscription.number


def suspend_subscription(session: Session, tenant_id: int, number: int) -> None:
    """Suspend an active subscription."""
    _change(session, tenant_id, number, t.SubscriptionStatus.ACTIVE, t.SubscriptionStatus.SUSPENDED)


def resume_subscription(session: Session, tenant_id: int, number: int) -> None:
    """Make a suspended subscription active again."""
    _change(session, tenant_id, number, t.SubscriptionStatus.SUSPENDED, t.SubscriptionStatus.ACTIVE)


def end_subscription(session: Session, tenant_id: int, number: int, *, ends_on: date, now: datetime) -> None:
    """Set the last day of a subscription; once that day has passed, it is ended.

    Raises `Conflict` while workloads stay claimed for it after that day.
    """
    adherent = hold_adherent(session, tenant_id)
    subscription = subscription_of(session, tenant_id, number)
    if subscription.status is t.SubscriptionStatus.ENDED:
        raise Conflict("Cette souscription est déjà terminée.")
    if ends_on < subscription.starts_on:
        raise Invalid("ends_on", "Une souscription finit après son début.")
    zone = ZoneInfo(adherent.zone)
    if _claimed_after(session, tenant_id, number, day_bounds(ends_on, zone)[1]):
        raise Conflict(
            "Des charges restent affectées à cette souscription : terminez d'abord leurs affectations."
        )
    subscription.ends_on = ends_on
    if ends_on < now.astimezone(zone).date():
        subscription.status = t.SubscriptionStatus.ENDED


def end_past_subscriptions(session: Session, *, now: datetime) -> None:
    """End the subscriptions whose last day has passed in their adherent's zone."""
    ending = (
        select(t.Subscription, t.Subscription.ends_on, c.Adherent.zone)
        .join(c.Adherent, c.Adherent.tenant_id == t.Subscription.tenant_id)
        .where(t.Subscription.ends_on.is_not(None), t.Subscription.status != t.SubscriptionStatus.ENDED)
    )
    for subscription, last_day, zone in session.execute(ending):
        if last_day is not None and last_day < now.astimezone(ZoneInfo(zone)).date():
            subscription.status = t.SubscriptionStatus.ENDED


def _running_twin(
    session: Session, tenant_id: int, service_code: str, starts_on: date, contract: str | None
) -> int | None:
    return session.scalars(
        select(t.Subscription.number)
        .where(
            t.Subscription.tenant_id == tenant_id,
            t.Subscription.service_code == service_code,
            t.Subscription.starts_on == starts_on,
            t.Subscription.contract.is_not_distinct_from(contract),
            t.Subscription.status != t.SubscriptionStatus.ENDED,
        )
        .limit(1)
    ).one_or_none()


def _latest_version(session: Session, plan_code: str) -> int:
    version = session.scalar(select(func.max(c.SlaPlan.version)).where(c.SlaPlan.code == plan_code))
    if version is None:
        raise Conflict("Le plan %(plan)s de ce service n'existe pas.", plan=plan_code)
    return version


def _change(
    session: Session,
    tenant_id: int,
    number: int,
    before: t.SubscriptionStatus,
    after: t.SubscriptionStatus,
) -> None:
    hold_adherent(session, tenant_id)
    subscription = subscription_of(session, tenant_id, number)
    if subscription.status is not before:
        raise Conflict("L'état de cette souscription a changé entre-temps.")
    subscription.status = after


def _claimed_after(session: Session, tenant_id: int, number: int, end: datetime) -> bool:
    claim = c.WorkloadClaim
    held = select(claim.claim_id).where(
        claim.tenant_id == tenant_id,
        claim.subscription == number,
        or_(claim.valid_to.is_(None), claim.valid_to > end),
    )
    return session.scalar(held.limit(1)) is not None
