"""How much the services of an adherent ran, from their terms, plans, outages and planned work.

A day counts while the subscription is active and holds a plan; the hours of each stretch are those of the
plan that held then. Nothing else observes a service: what nobody declared and no probe saw was no outage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.domain.availability import Measured, Work, measure, open_spans, period_bounds
from console.domain.contract import Amendment, Status, Terms, from_plain, terms_over
from console.domain.errors import NotFound
from console.domain.hours import day_bounds
from console.domain.outages import Suffered
from console.domain.spans import Span, whole_second
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import tenant as t
from console.store.queries.plans import Plan, plans_of

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Held:
    """A stretch in which a subscription was active under a plan: its time, its terms and their plan."""

    start: datetime
    end: datetime
    terms: Terms
    plan: Plan


@dataclass(frozen=True, slots=True)
class Served:
    """A subscribed service over some time: what was promised of it, and what it suffered."""

    subscription: int
    service_code: str
    service_fr: str
    service_en: str
    held: Sequence[Held]
    outages: Sequence[Suffered]
    works: Sequence[Work]

    @property
    def plan(self) -> Plan | None:
        """The one that held last."""
        return self.held[-1].plan if self.held else None

    def measured(self, start: datetime, end: datetime) -> Measured:
        """What was counted and lost between two instants of the time that was read."""
        parts = (
            measure(
                open_spans(held.plan.calendar, max(start, held.start), min(end, held.end)),
                self.outages,
                self.works,
                notice_hours=held.plan.notice_hours,
                degraded_percent=held.plan.degraded_percent,
            )
            for held in self.held
        )
        return sum(parts, Measured())


@dataclass(frozen=True, slots=True)
class Availability:
    """A subscription over a period, until `now` where that runs.

    `whole_counted_s` is what counts to the end of the period, but for the work announced until then.
    """

    served: Served
    measured: Measured
    whole_counted_s: int

    @property
    def target_ppm(self) -> int | None:
        """What the plan promises, None where it promises nothing or there is none."""
        return self.served.plan.availability_ppm if self.served.plan else None


@dataclass(frozen=True, slots=True)
class ServiceDay:
    """A local day of a service; `availability_ppm` is None where nothing was counted.

    `is_closed`: nothing was to be counted, for the subscription ran and had no service hours, or only planned
    work in them. What is neither counted nor closed is unknown.
    """

    day: date
    counted_s: int
    outage_s: int
    degraded_s: int
    availability_ppm: int | None
    is_closed: bool


@dataclass(frozen=True, slots=True)
class ServiceDays:
    """The last days of a subscription, in order, today last."""

    subscription: int
    service_fr: str
    service_en: str
    days: Sequence[ServiceDay]


def availability_of(
    session: Session, tenant_id: int, subscription: int, start: datetime, end: datetime, now: datetime
) -> Availability:
    """One subscription between two instants; raises `NotFound`."""
    found = [one for one in served(session, tenant_id, start, end) if one.subscription == subscription]
    if not found:
        raise NotFound("Souscription introuvable.")
    return over(found[0], start, end, now)


def over(one: Served, start: datetime, end: datetime, now: datetime) -> Availability:
    """What was read, as it stands at `now`."""
    elapsed = one.measured(start, min(end, whole_second(now)))
    ahead = one.measured(max(start, whole_second(now)), end) if now < end else Measured()
    return Availability(one, elapsed, elapsed.counted_s + ahead.counted_s)


def days_of(session: Session, tenant_id: int, days: int, now: datetime) -> list[ServiceDays]:
    """The last local days, today included, of each subscription that was active in one of them."""
    zone = zone_of(session, tenant_id)
    now = whole_second(now)
    today = now.astimezone(zone).date()
    listed = [today - place * ONE_DAY for place in reversed(range(days))]
    start, end = period_bounds(listed[0], today + ONE_DAY, zone)
    return [
        ServiceDays(
            one.subscription,
            one.service_fr,
            one.service_en,
            [_day(one, day, day_bounds(day, zone), now) for day in listed],
        )
        for one in served(session, tenant_id, start, end)
        if one.held
    ]


def served(session: Session, tenant_id: int, start: datetime, end: datetime) -> list[Served]:
    """The subscriptions of an adherent with all that counts between two instants, in six statements."""
    zone = zone_of(session, tenant_id)
    subscriptions = session.execute(
        select(t.Subscription.number, c.Service.code, c.Service.name_fr, c.Service.name_en)
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(t.Subscription.tenant_id == tenant_id)
        .order_by(t.Subscription.number)
    ).all()
    pieces = _pieces(session, tenant_id, zone, start, end)
    plans = plans_of(
        session,
        {
            (terms.plan_code, terms.plan_version)
            for held in pieces.values()
            for _, terms in held
            if terms.plan_code is not None and terms.plan_version is not None
        },
    )
    outages, works = _outages(session, tenant_id, start, end), _works(session, tenant_id, start, end)
    return [
        Served(
            subscription=number,
            service_code=code,
            service_fr=name_fr,
            service_en=name_en,
            held=[
                Held(begins, ends, terms, plans[terms.plan_code, terms.plan_version])
                for (begins, ends), terms in pieces[number]
                if terms.plan_code is not None and terms.plan_version is not None
            ],
            outages=outages[number],
            works=works[number],
        )
        for number, code, name_fr, name_en in subscriptions
    ]


def zone_of(session: Session, tenant_id: int) -> ZoneInfo:
    """The zone in which an adherent's days begin; raises `NotFound`."""
    zone = session.scalar(select(c.Adherent.zone).where(c.Adherent.tenant_id == tenant_id))
    if zone is None:
        raise NotFound("Adhérent introuvable.")
    return ZoneInfo(zone)


def _day(one: Served, day: date, bounds: Span, now: datetime) -> ServiceDay:
    measured = one.measured(bounds[0], min(bounds[1], now))
    is_held = any(held.start < bounds[1] and bounds[0] < held.end for held in one.held)
    return ServiceDay(
        day=day,
        counted_s=measured.counted_s,
        outage_s=measured.outage_s,
        degraded_s=measured.degraded_s,
        availability_ppm=measured.availability_ppm,
        is_closed=is_held and measured.counted_s == 0,
    )


def _pieces(
    session: Session, tenant_id: int, zone: ZoneInfo, start: datetime, end: datetime
) -> Mapping[int, list[tuple[Span, Terms]]]:
    """When each subscription was active, and under which terms."""
    row = k.SubscriptionAmendment
    written: dict[int, list[Amendment]] = defaultdict(list)
    for one in session.scalars(select(row).where(row.tenant_id == tenant_id)):
        amendment = Amendment(one.number, one.effective_on, from_plain(one.changes))
        written[one.subscription].append(amendment)
    first, last = (instant.astimezone(zone).date() for instant in (start, end))
    pieces: dict[int, list[tuple[Span, Terms]]] = defaultdict(list)
    for number, amendments in written.items():
        for day, after, terms in terms_over(amendments, first, last + ONE_DAY):
            begins, ends = period_bounds(day, after, zone)
            span = (max(begins, start), min(ends, end))
            if terms.status is Status.ACTIVE and span[0] < span[1]:
                pieces[number].append((span, terms))
    return pieces


def _outages(
    session: Session, tenant_id: int, start: datetime, end: datetime
) -> Mapping[int, list[Suffered]]:
    row = t.Outage
    rows = session.scalars(
        select(row)
        .where(row.tenant_id == tenant_id, row.began_at < end)
        .where(or_(row.ended_at.is_(None), row.ended_at > start))
        .order_by(row.began_at, row.source, row.reference)
    )
    found: dict[int, list[Suffered]] = defaultdict(list)
    for one in rows:
        found[one.subscription].append(Suffered(one.began_at, one.ended_at, one.effect))
    return found


def _works(session: Session, tenant_id: int, start: datetime, end: datetime) -> Mapping[int, list[Work]]:
    row = t.PlannedWork
    rows = session.scalars(
        select(row)
        .where(row.tenant_id == tenant_id, row.starts_at < end, row.ends_at > start)
        .where(row.cancelled_at.is_(None))
        .order_by(row.starts_at, row.maintenance_id)
    )
    found: dict[int, list[Work]] = defaultdict(list)
    for one in rows:
        found[one.subscription].append(Work(one.starts_at, one.ends_at, one.announced_at, one.effect))
    return found
