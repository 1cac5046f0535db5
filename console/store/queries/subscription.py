"""One subscription: its terms on a day, its amendments, its claims, its volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.contract import Amendment, State, Terms, from_plain, in_order, state_on
from console.domain.errors import NotFound
from console.domain.renewal import add_months
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import offer as o
from console.store.models import tenant as t
from console.store.queries.claims import Claimed, claimed
from console.store.queries.volumes import MonthVolume, volumes_of

MONTHS = 24  # of volumes on the page
PlanKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Written:
    """An amendment as it was written down; `recorded_at` is None where nobody noted when."""

    number: int
    effective_on: date
    changes: Mapping[str, Any]
    revision: Mapping[str, int | None] | None
    note: str | None
    recorded_at: datetime | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """What the page of a subscription shows; `then` is None for a day before its first.

    `months` are the last ones in which it ran.
    """

    tenant_id: int
    adherent: str
    zone: str
    number: int
    service_code: str
    service_fr: str
    service_en: str
    unit_fr: str
    unit_en: str
    starts_on: date
    today: date
    now: State
    asked: date
    then: State | None
    amendments: Sequence[Written]
    plans: Mapping[PlanKey, str]
    versions: Sequence[str]
    claims: Sequence[Claimed]
    months: Sequence[date]
    volumes: Sequence[MonthVolume]


def subscription_page(
    session: Session, tenant_id: int, number: int, *, now: datetime, asked: date | None = None
) -> SubscriptionPage:
    """One subscription, and its state on the day that is asked for; raises `NotFound`."""
    found = session.execute(
        select(t.Subscription, c.Service, c.Adherent)
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .join(c.Adherent, c.Adherent.tenant_id == t.Subscription.tenant_id)
        .where(t.Subscription.tenant_id == tenant_id, t.Subscription.number == number)
    ).one_or_none()
    if found is None:
        raise NotFound("Souscription introuvable.")
    row, service, adherent = found
    zone = ZoneInfo(adherent.zone)
    today = now.astimezone(zone).date()
    written = _written(session, tenant_id, number)
    past = [Amendment(one.number, one.effective_on, one.changes) for one in written]
    current = state_on(past, max(today, row.starts_on)) or State(today, Terms(), None, None)
    months = _months(row.starts_on, current.terms.ends_on, today)
    return SubscriptionPage(
        tenant_id=tenant_id,
        adherent=adherent.name,
        zone=adherent.zone,
        number=number,
        service_code=service.code,
        service_fr=service.name_fr,
        service_en=service.name_en,
        unit_fr=service.unit_fr,
        unit_en=service.unit_en,
        starts_on=row.starts_on,
        today=today,
        now=replace(current, day=today),
        asked=asked or today,
        then=state_on(past, asked) if asked else current,
        amendments=[written[one.number - 1] for one in reversed(in_order(past))],
        plans=plans(session),
        versions=_versions(session, service.code),
        claims=claimed(session, tenant_id, zone, number),
        months=months,
        volumes=volumes_of(session, tenant_id, number, months),
    )


def _months(starts_on: date, ends_on: date | None, today: date) -> list[date]:
    """The last months that hold a day of a subscription."""
    last = min(today, ends_on or today).replace(day=1)
    back = (add_months(last, -place) for place in reversed(range(MONTHS)))
    return [month for month in back if month >= starts_on.replace(day=1)]


def plans(session: Session) -> dict[PlanKey, str]:
    """The names of plans by code and version, the latest version of each first."""
    rows = session.scalars(select(c.SlaPlan).order_by(c.SlaPlan.name, c.SlaPlan.version.desc()))
    return {(row.code, row.version): row.name for row in rows}


def _written(session: Session, tenant_id: int, number: int) -> list[Written]:
    row = k.SubscriptionAmendment
    rows = session.scalars(
        select(row).where(row.tenant_id == tenant_id, row.subscription == number).order_by(row.number)
    )
    return [
        Written(
            number=one.number,
            effective_on=one.effective_on,
            changes=from_plain(one.changes),
            revision=one.revision,
            note=one.note,
            recorded_at=one.recorded_at,
            recorded_by=one.recorded_by,
        )
        for one in rows
    ]


def _versions(session: Session, service_code: str) -> list[str]:
    version = o.ServiceVersion
    return list(
        session.scalars(
            select(version.version)
            .where(version.service_code == service_code)
            .order_by(version.released_on.desc())
        )
    )
