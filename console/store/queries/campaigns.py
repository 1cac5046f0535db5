"""Migration campaigns: services whose support ends, and who in scope is still on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.service_names import ServiceName, name_of, name_or_none

RUNNING = (t.SubscriptionStatus.ACTIVE, t.SubscriptionStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An adherent on a service, under one of its subscriptions.

    `successor_since` is the first day of its subscription to the service that follows, future ones too.
    """

    tenant_id: int
    name: str
    number: int
    version: str | None
    status: str
    since: date
    until: date | None
    volume: int | None
    successor_since: date | None


@dataclass(frozen=True, slots=True)
class Campaign:
    """A service that ends; adherents are those in scope of the one who reads."""

    service: ServiceName
    support_ends_on: date
    successor: ServiceName | None
    adherents: int
    moved: int  # of these, on the successor too

    @property
    def to_move(self) -> int:
        return self.adherents - self.moved


@dataclass(frozen=True, slots=True)
class StillOn:
    """A service with the adherents in scope that are on it."""

    service: ServiceName
    support_ends_on: date | None
    successor: ServiceName | None
    subscribers: Sequence[Subscriber]


def still_on(session: Session, code: str) -> StillOn:
    """Who is on a service, by name; raises `NotFound`."""
    service = session.get(c.Service, code)
    if service is None:
        raise NotFound("Ce service n'est pas au catalogue.")
    successor = session.get(c.Service, service.successor_code) if service.successor_code else None
    return StillOn(
        service=name_of(service),
        support_ends_on=service.support_ends_on,
        successor=name_or_none(successor),
        subscribers=_subscribers(session, code, service.successor_code),
    )


def campaigns(session: Session) -> list[Campaign]:
    """Services whose support ends or has ended, the first to end first; three statements."""
    services = {row.code: row for row in session.scalars(select(c.Service))}
    ending = [(row.support_ends_on, row) for row in services.values() if row.support_ends_on is not None]
    ending.sort(key=lambda pair: (pair[0], pair[1].code))
    concerned = {row.code for _end, row in ending} | {row.successor_code for _end, row in ending}
    on = _adherents_on(session, [code for code in concerned if code])
    return [_campaign(row, end, services.get(row.successor_code or ""), on) for end, row in ending]


def subscriber_counts(session: Session) -> dict[str, int]:
    """Adherents in scope on each service; a service that nobody takes is left out."""
    subscription = t.Subscription
    counted = session.execute(
        select(subscription.service_code, func.count(subscription.tenant_id.distinct()))
        .where(subscription.status.in_(RUNNING))
        .group_by(subscription.service_code)
    )
    return {row[0]: row[1] for row in counted}


def version_counts(session: Session, code: str) -> dict[str, int]:
    """Adherents in scope on each version of a service, as far as their subscriptions name one."""
    subscription = t.Subscription
    counted = session.execute(
        select(subscription.service_version, func.count(subscription.tenant_id.distinct()))
        .where(
            subscription.service_code == code,
            subscription.service_version.is_not(None),
            subscription.status.in_(RUNNING),
        )
        .group_by(subscription.service_version)
    )
    return {row[0]: row[1] for row in counted if row[0] is not None}


def _campaign(row: c.Service, end: date, successor: c.Service | None, on: dict[str, set[int]]) -> Campaign:
    adherents = on.get(row.code, set())
    return Campaign(
        service=name_of(row),
        support_ends_on=end,
        successor=name_or_none(successor),
        adherents=len(adherents),
        moved=len(adherents & on.get(successor.code, set())) if successor else 0,
    )


def _adherents_on(session: Session, codes: Sequence[str]) -> dict[str, set[int]]:
    subscription = t.Subscription
    rows = session.execute(
        select(subscription.service_code, subscription.tenant_id)
        .where(subscription.service_code.in_(codes), subscription.status.in_(RUNNING))
        .distinct()
    )
    on: dict[str, set[int]] = {}
    for code, tenant_id in rows:
        on.setdefault(code, set()).add(tenant_id)
    return on


def _subscribers(session: Session, code: str, successor: str | None) -> list[Subscriber]:
    subscription = t.Subscription
    rows = session.execute(
        select(subscription, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == subscription.tenant_id)
        .where(subscription.service_code == code, subscription.status.in_(RUNNING))
        .order_by(c.Adherent.folded_name, subscription.tenant_id, subscription.number)
    )
    moved = _since(session, successor) if successor else {}
    return [
        Subscriber(
            tenant_id=row.tenant_id,
            name=name,
            number=row.number,
            version=row.service_version,
            status=row.status.value,
            since=row.starts_on,
            until=row.ends_on,
            volume=row.volume,
            successor_since=moved.get(row.tenant_id),
        )
        for row, name in rows
    ]


def _since(session: Session, code: str) -> dict[int, date]:
    """The first day of each adherent on a service."""
    subscription = t.Subscription
    rows = session.execute(
        select(subscription.tenant_id, func.min(subscription.starts_on))
        .where(subscription.service_code == code, subscription.status.in_(RUNNING))
        .group_by(subscription.tenant_id)
    )
    return {row[0]: row[1] for row in rows}
