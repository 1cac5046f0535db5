"""Whose the workloads are: dated claims, after each of which the ledger is posted again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.amendments import amendments_of
from console.actions.following import followers, look_elsewhere
from console.actions.host_locks import hold_hosts, hold_machines
from console.actions.posting import post
from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.claims import OPERATOR_TENANT, Claim, check_claim
from console.domain.contract import Status, terms_on
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.hours import HOUR, day_bounds, hour_of
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries.claims import claims_on


def claim_workload(
    session: Session,
    *,
    tenant_id: int,
    subscription: int,
    host_id: int,
    workload_id: int,
    first_day: date,
    last_day: date | None = None,
    now: datetime,
    by: str,
) -> int:
    """Claim a workload for a subscription, whole local days, both included, or open; the claim's number.

    Energy that was posted for these hours moves to the adherent. Needs a session of the operator's scope.
    Raises `Conflict` where another claim holds the workload on one of these days.
    """
    host, workload = _hold_workload(session, host_id, workload_id)
    zone = ZoneInfo(hold_adherent(session, tenant_id).zone)
    check_days(session, subscription_of(session, tenant_id, subscription), first_day, last_day)
    valid_from, valid_to = _free_hours(session, workload, first_day, last_day, zone)
    claim = c.WorkloadClaim(
        tenant_id=tenant_id,
        subscription=subscription,
        **_names(host, workload),
        valid_from=valid_from,
        valid_to=valid_to,
        claimed_by=by,
        claimed_at=now,
    )
    _make(session, claim, now)
    return claim.claim_id


def claim_for_service(
    session: Session,
    *,
    service_code: str,
    host_id: int,
    workload_id: int,
    first_day: date,
    last_day: date | None = None,
    now: datetime,
    by: str,
) -> int:
    """Claim a workload for a service that its subscribers share, whole days of the operator; the number.

    The operator carries its energy, under the service. Raises `Conflict` as `claim_workload` does.
    """
    host, workload = _hold_workload(session, host_id, workload_id)
    zone = ZoneInfo(hold_adherent(session, OPERATOR_TENANT).zone)
    if session.get(c.Service, service_code) is None:
        raise Invalid("service", "Ce service n'est pas au catalogue.")
    valid_from, valid_to = _free_hours(session, workload, first_day, last_day, zone)
    claim = k.ServiceClaim(
        service_code=service_code,
        **_names(host, workload),
        valid_from=valid_from,
        valid_to=valid_to,
        claimed_by=by,
        claimed_at=now,
    )
    _make(session, claim, now)
    return claim.service_claim_id


def end_claim(session: Session, tenant_id: int, claim_id: int, *, last_day: date, now: datetime) -> None:
    """Make a local day the last of a claim; the day before its first one withdraws it, without erasing it.

    What was posted after that day goes back to the operator. Claims that carry it on, where its virtual
    machine moved to, end with it.
    """
    claim = session.scalars(
        select(c.WorkloadClaim).where(
            c.WorkloadClaim.claim_id == claim_id, c.WorkloadClaim.tenant_id == tenant_id
        )
    ).one_or_none()
    _end(session, claim, tenant_id, last_day, now)


def end_service_claim(session: Session, service_claim_id: int, *, last_day: date, now: datetime) -> None:
    """Make a day the last on which a workload serves a shared service, as `end_claim` does."""
    claim = session.scalars(
        select(k.ServiceClaim).where(k.ServiceClaim.service_claim_id == service_claim_id)
    ).one_or_none()
    _end(session, claim, OPERATOR_TENANT, last_day, now)


def end_at(session: Session, claim: Claim, valid_to: datetime, *, now: datetime) -> None:
    """End a claim of either kind at an hour: that of another zone, where a holder there takes over."""
    row: c.WorkloadClaim | k.ServiceClaim | None
    if claim.service_code is None:
        row = session.get(c.WorkloadClaim, claim.claim_id)
    else:
        row = session.get(k.ServiceClaim, -claim.claim_id)
    if row is None:
        raise NotFound("Affectation introuvable.")
    _hold_claim(session, row)
    hold_adherent(session, claim.tenant_id)
    _end_at(session, row, valid_to, now)


def _end(
    session: Session,
    claim: c.WorkloadClaim | k.ServiceClaim | None,
    tenant_id: int,
    last_day: date,
    now: datetime,
) -> None:
    if claim is None:
        raise NotFound("Affectation introuvable.")
    _hold_claim(session, claim)
    zone = ZoneInfo(hold_adherent(session, tenant_id).zone)
    _end_at(session, claim, day_bounds(last_day, zone)[1], now)


def _hold_claim(session: Session, claim: c.WorkloadClaim | k.ServiceClaim) -> None:
    """Hold a claim and the hosts that it and those that carry it on are on, which come first."""
    hold_machines(session, alone=True)
    hold_hosts(session, {one.host_id for one in (claim, *followers(session, claim))})
    session.refresh(claim, with_for_update=True)


def _end_at(
    session: Session, claim: c.WorkloadClaim | k.ServiceClaim, valid_to: datetime, now: datetime
) -> None:
    if valid_to < claim.valid_from:
        raise Invalid("last_day", "Une affectation finit après son début.")
    before = claim.valid_to
    if before is not None and before <= valid_to:
        raise Conflict("Cette affectation finit déjà avant ce jour.")
    spans = [(one, *_cut(one, valid_to)) for one in (claim, *followers(session, claim))]
    session.flush()  # all claims are held before any due month is
    for one, end, before in spans:
        if before is None or end < before:
            _post_again(session, one, end, before, now)


def _cut(claim: c.WorkloadClaim | k.ServiceClaim, valid_to: datetime) -> tuple[datetime, datetime | None]:
    """End a claim at an hour unless it ends before; one that begins after it is withdrawn.

    Its end now, and the one that it had.
    """
    before, end = claim.valid_to, max(claim.valid_from, valid_to)
    if before is None or end < before:
        claim.valid_to = end
    return end, before


def _names(host: m.Host, workload: m.Workload) -> dict[str, Any]:
    """What a claim keeps of its workload."""
    return {
        "host_id": host.host_id,
        "workload_id": workload.workload_id,
        "host_name": host.name,
        "workload_name": workload.name,
    }


def _make(session: Session, claim: c.WorkloadClaim | k.ServiceClaim, now: datetime) -> None:
    """Add a claim, and move what was posted for its hours to it."""
    session.add(claim)
    session.flush()
    look_elsewhere(session, claim, now=now)  # due hours are held before due months, as in metering
    _post_again(session, claim, claim.valid_from, claim.valid_to, now)


def _hold_workload(session: Session, host_id: int, workload_id: int) -> tuple[m.Host, m.Workload]:
    """A workload and its host, which is held: claims of one host are made one after the other."""
    hold_machines(session, alone=True)
    host = hold_hosts(session, [host_id]).get(host_id)
    workload = session.get(m.Workload, (host_id, workload_id))
    if host is None or workload is None or workload_id in (m.IDLE_KEPT, m.UNATTRIBUTED):
        raise NotFound("Charge introuvable.")
    return host, workload


def _free_hours(
    session: Session, workload: m.Workload, first_day: date, last_day: date | None, zone: ZoneInfo
) -> tuple[datetime, datetime | None]:
    """The hours of whole days, on which no claim of either kind holds the workload yet."""
    valid_from = day_bounds(first_day, zone)[0]
    valid_to = None if last_day is None else day_bounds(last_day, zone)[1]
    others = claims_on(session, workload.host_id, valid_from, valid_to)
    check_claim(valid_from, valid_to, others.get(workload.workload_id, ()), zone)
    return valid_from, valid_to


def check_days(
    session: Session, subscription: t.Subscription, first_day: date, last_day: date | None
) -> None:
    """Refuse days on which the subscription did not run; it may have ended since."""
    if not _was_signed(session, subscription):
        raise Conflict("Cette souscription est un brouillon : activez-la d'abord.")
    if first_day < subscription.starts_on:
        raise Invalid(
            "first_day",
            "La souscription ne commence que le %(day)s.",
            day=f"{subscription.starts_on:%Y-%m-%d}",
        )
    if subscription.ends_on is not None and (last_day is None or last_day > subscription.ends_on):
        raise Invalid("last_day", "La souscription finit le %(day)s.", day=f"{subscription.ends_on:%Y-%m-%d}")


def _was_signed(session: Session, subscription: t.Subscription) -> bool:
    if subscription.status is not Status.ENDED or subscription.ends_on is None:
        return subscription.status is not Status.DRAFT
    past = amendments_of(session, subscription.tenant_id, subscription.number)
    terms = terms_on(past, subscription.ends_on)
    return terms is not None and terms.status is not Status.DRAFT


def _post_again(
    session: Session,
    claim: c.WorkloadClaim | k.ServiceClaim,
    start: datetime,
    end: datetime | None,
    now: datetime,
) -> None:
    metered = hour_of(now) + HOUR
    end = metered if end is None else min(end, metered)
    if start < end:
        post(session, claim.host_id, start, end, now=now, workload_id=claim.workload_id)
