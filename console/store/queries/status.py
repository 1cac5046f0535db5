"""The status of an adherent's services: what does not work now, what is planned, and what is to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from console.domain.outages import Effect
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.models import watching as w
from console.store.queries.standing import of_subscription

SUFFERS = (Effect.DEGRADED, Effect.OUTAGE)
GRAVE = (t.Priority.P1, t.Priority.P2)
NEWS_FOR = timedelta(days=1)  # how long what is over is still told to those who heard nothing of it
SHOWN = 20  # dates of planned work


@dataclass(frozen=True, slots=True)
class ServiceName:
    """What a subscribed service is called."""

    fr: str
    en: str

    def name(self, locale: str) -> str:
        """Its name in a language."""
        return self.fr if locale == "fr" else self.en


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """A subscription that runs, and what it suffers now, `since` when; None where it works.

    `is_unassessed`: a grave incident touches it and nobody said with what effect.
    """

    subscription: int
    service: ServiceName
    effect: Effect
    since: datetime | None
    is_unassessed: bool


@dataclass(frozen=True, slots=True)
class CurrentIncident:
    """An incident that is not resolved."""

    number: int
    title: str
    priority: str
    service: ServiceName
    effect: Effect | None
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class ComingWork:
    """A date of planned work on a service; `cancelled` ones are told until their date."""

    title: str
    service: ServiceName
    effect: Effect
    starts_at: datetime
    ends_at: datetime
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """An address that is told, or was asked whether it wants to be."""

    number: int
    email: str
    locale: str
    asked_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatusPage:
    """All that the page shows but the days before."""

    services: Sequence[ServiceNow]
    incidents: Sequence[CurrentIncident]
    work: Sequence[ComingWork]
    readers: Sequence[Reader]


@dataclass(frozen=True, slots=True)
class ToldIncident:
    """An incident in the terms of its mail.

    `stands` is what it does now: nothing once it is resolved, or has no effect any more. `suffered` is what
    it does or did last. `title` is None for one of security: mails go to addresses outside.
    """

    title: str | None
    service: ServiceName
    effect: Effect | None
    opened_at: datetime
    resolved_at: datetime | None

    @property
    def stands(self) -> Effect:
        return Effect.NONE if self.resolved_at is not None else self.effect or Effect.NONE

    @property
    def suffered(self) -> Effect:
        return self.effect or Effect.NONE

    @property
    def is_told_of(self) -> bool:
        """Whether it deserves a first mail: it hurts, or hurt until it was resolved."""
        return self.effect in SUFFERS


@dataclass(frozen=True, slots=True)
class WorkNews:
    """What became of planned work, and when that was said."""

    maintenance_id: int
    news: w.News
    at: datetime


@dataclass(frozen=True, slots=True)
class ToldWork:
    """Planned work in the terms of its mail; `dates` are (start, end), in order."""

    title: str
    services: Sequence[ServiceName]
    effect: str
    dates: Sequence[tuple[datetime, datetime]]


def status_page(session: Session, tenant_id: int, *, now: datetime) -> StatusPage:
    """The status of one adherent at `now`."""
    return StatusPage(
        services=_services(session, tenant_id),
        incidents=_incidents(session, tenant_id),
        work=_work(session, tenant_id, now),
        readers=_readers(session, tenant_id),
    )


def confirmed_readers(session: Session, tenant_id: int) -> list[Reader]:
    """Those who are told."""
    return [reader for reader in _readers(session, tenant_id) if reader.confirmed_at is not None]


def incidents_to_tell(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """Incidents of which the readers were not told what they do now: (tenant_id, number).

    Of those never told of: one that hurts and of which something was recorded since somebody wanted to be
    told, or that hurt and was resolved since then, within the last day: an imported past is no news.
    """
    incident, notice = t.Incident, w.IncidentNotice
    never_told = (
        incident.effect.in_(SUFFERS),
        ~exists().where(notice.tenant_id == incident.tenant_id, notice.incident == incident.number),
    )
    lasting = select(incident.tenant_id, incident.number).where(
        *never_told,
        incident.resolved_at.is_(None),
        _somebody_reads(incident.tenant_id.expression, incident.changed_at.expression),
    )
    over = select(incident.tenant_id, incident.number).where(
        *never_told,
        incident.resolved_at > now - NEWS_FOR,
        _somebody_reads(incident.tenant_id.expression, incident.resolved_at.expression),
    )
    is_over = or_(
        incident.resolved_at.is_not(None), incident.effect.is_(None), incident.effect == Effect.NONE
    )
    then = (
        select(incident.tenant_id, incident.number)
        .join(notice, and_(notice.tenant_id == incident.tenant_id, notice.incident == incident.number))
        .where(
            or_(and_(is_over, notice.effect != Effect.NONE), and_(~is_over, notice.effect != incident.effect))
        )
    )
    return [(row[0], row[1]) for statement in (lasting, over, then) for row in session.execute(statement)]


def work_to_tell(session: Session, *, now: datetime) -> list[tuple[int, WorkNews]]:
    """Planned work ahead that was announced or cancelled, and not told yet, by adherent."""
    work, notice = t.PlannedWork, w.WorkNotice
    found = []
    for news, at, holds in (
        (w.News.ANNOUNCED, work.announced_at, work.cancelled_at.is_(None)),
        (w.News.CANCELLED, work.cancelled_at, work.announced_at.is_not(None)),
    ):
        told = exists().where(
            notice.tenant_id == work.tenant_id,
            notice.maintenance_id == work.maintenance_id,
            notice.news == news,
            notice.at == at,
        )
        rows = session.execute(
            select(work.tenant_id, work.maintenance_id, at)
            .where(work.ends_at > now, at <= now, holds, ~told)
            .where(_somebody_reads(work.tenant_id.expression, at.expression))
            .distinct()
        )
        found += [
            (tenant_id, WorkNews(number, news, said_at)) for tenant_id, number, said_at in rows if said_at
        ]
    return found


def told_incident(session: Session, tenant_id: int, number: int) -> ToldIncident:
    """An incident as it is told."""
    incident = t.Incident
    row, name_fr, name_en = session.execute(
        select(incident, c.Service.name_fr, c.Service.name_en)
        .join(t.Subscription, of_subscription())
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(incident.tenant_id == tenant_id, incident.number == number)
    ).one()
    return ToldIncident(
        title=None if row.is_security else row.title,
        service=ServiceName(name_fr, name_en),
        effect=row.effect,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
    )


def told_work(session: Session, tenant_id: int, news: WorkNews, *, now: datetime) -> ToldWork:
    """What was announced, or cancelled, at once: its dates ahead and the services that it touches."""
    work = t.PlannedWork
    said_at = work.announced_at if news.news is w.News.ANNOUNCED else work.cancelled_at
    rows = session.execute(
        select(work, c.Service.name_fr, c.Service.name_en)
        .join(t.Subscription, _of_work())
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(work.tenant_id == tenant_id, work.maintenance_id == news.maintenance_id)
        .where(said_at == news.at, work.ends_at > now)
        .order_by(work.starts_at, c.Service.name_fr)
    ).all()
    return ToldWork(
        title=rows[0][0].title,
        services=list(dict.fromkeys(ServiceName(name_fr, name_en) for _, name_fr, name_en in rows)),
        effect=max((row.effect for row, _, _ in rows), key=list(Effect).index).value,
        dates=list(dict.fromkeys((row.starts_at, row.ends_at) for row, _, _ in rows)),
    )


def _services(session: Session, tenant_id: int) -> list[ServiceNow]:
    subscription = t.Subscription
    rows = session.execute(
        select(subscription.number, c.Service.name_fr, c.Service.name_en)
        .join(c.Service, c.Service.code == subscription.service_code)
        .where(subscription.tenant_id == tenant_id, subscription.status == t.SubscriptionStatus.ACTIVE)
        .order_by(c.Service.name_fr, subscription.number)
    )
    suffered, unassessed = _suffered(session, tenant_id), _unassessed(session, tenant_id)
    return [
        ServiceNow(
            number,
            ServiceName(name_fr, name_en),
            *suffered.get(number, (Effect.NONE, None)),
            is_unassessed=number in unassessed and number not in suffered,
        )
        for number, name_fr, name_en in rows
    ]


def _unassessed(session: Session, tenant_id: int) -> set[int]:
    """The subscriptions that a grave incident touches of which nobody said what it does to them."""
    incident, touched = t.Incident, t.TouchedService
    of_these = (
        incident.tenant_id == tenant_id,
        incident.resolved_at.is_(None),
        incident.effect.is_(None),
        incident.priority.in_(GRAVE),
    )
    own = select(incident.subscription).where(*of_these)
    others = (
        select(touched.subscription)
        .join(incident, and_(incident.tenant_id == touched.tenant_id, incident.number == touched.incident))
        .where(*of_these)
    )
    return {*session.scalars(own), *session.scalars(others)}


def _suffered(session: Session, tenant_id: int) -> Mapping[int, tuple[Effect, datetime | None]]:
    """The worst that each subscription suffers now, and since when."""
    lasting = select(t.Outage).where(t.Outage.tenant_id == tenant_id, t.Outage.ended_at.is_(None))
    found: dict[int, tuple[Effect, datetime | None]] = {}
    for row in session.scalars(lasting.order_by(t.Outage.began_at)):
        worst, _ = found.get(row.subscription, (Effect.NONE, None))
        if list(Effect).index(row.effect) > list(Effect).index(worst):
            found[row.subscription] = (row.effect, row.began_at)
    return found


def _incidents(session: Session, tenant_id: int) -> list[CurrentIncident]:
    incident = t.Incident
    rows = session.execute(
        select(incident, c.Service.name_fr, c.Service.name_en)
        .join(t.Subscription, of_subscription())
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(incident.tenant_id == tenant_id, incident.resolved_at.is_(None))
        .order_by(incident.priority, incident.opened_at)
    )
    return [
        CurrentIncident(
            row.number, row.title, row.priority.value, ServiceName(fr, en), row.effect, row.opened_at
        )
        for row, fr, en in rows
    ]


def _work(session: Session, tenant_id: int, now: datetime) -> list[ComingWork]:
    work = t.PlannedWork
    rows = session.execute(
        select(work, c.Service.name_fr, c.Service.name_en)
        .join(t.Subscription, _of_work())
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(work.tenant_id == tenant_id, work.ends_at > now, work.announced_at <= now)
        .order_by(work.starts_at, c.Service.name_fr)
        .limit(SHOWN)
    )
    return [
        ComingWork(
            title=row.title,
            service=ServiceName(name_fr, name_en),
            effect=row.effect,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            is_cancelled=row.cancelled_at is not None,
        )
        for row, name_fr, name_en in rows
    ]


def _readers(session: Session, tenant_id: int) -> list[Reader]:
    rows = session.scalars(
        select(w.StatusReader)
        .where(w.StatusReader.tenant_id == tenant_id, w.StatusReader.ended_at.is_(None))
        .order_by(w.StatusReader.email)
    )
    return [Reader(row.number, row.email, row.locale, row.asked_at, row.confirmed_at) for row in rows]


def _somebody_reads(
    tenant_id: ColumnElement[int], since: ColumnElement[datetime] | ColumnElement[datetime | None]
) -> ColumnElement[bool]:
    """Whether an address of the adherent wanted to be told by then, and still does."""
    reader = w.StatusReader
    return exists().where(
        reader.tenant_id == tenant_id, reader.confirmed_at <= since, reader.ended_at.is_(None)
    )


def _of_work() -> ColumnElement[bool]:
    return and_(
        t.Subscription.tenant_id == t.PlannedWork.tenant_id,
        t.Subscription.number == t.PlannedWork.subscription,
    )
