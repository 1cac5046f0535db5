"""Months of service: what one would be closed with now, and those that are closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from console.domain.availability import Months, open_spans, period_bounds, period_days
from console.domain.service_months import (
    IncidentTold,
    MonthInputs,
    OutageTold,
    PlanHeld,
    PriceHeld,
    Stretch,
    WorkTold,
    outcome,
)
from console.domain.spans import Span
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import tenant as t
from console.store.models.service_months import ServiceMonth
from console.store.queries.availability import Held, served, zone_of
from reports import canonical

Key = tuple[int, date]  # a subscription and a month


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A revision of a closed month, with its inputs as they were frozen."""

    tenant_id: int
    subscription: int
    month: date
    revision: int
    sha256: str
    inputs: MonthInputs
    closed_at: datetime
    closed_by: str
    reason: str | None


def inputs_of(session: Session, tenant_id: int, months: Sequence[date]) -> dict[Key, MonthInputs]:
    """What local months are reckoned from, as it is known now, for the subscriptions active in each.

    `months` follow each other; their number changes nothing of how many statements are run.
    """
    zone = zone_of(session, tenant_id)
    bounds = {month: period_bounds(*period_days(month, Months.MONTH), zone) for month in months}
    start, end = bounds[months[0]][0], bounds[months[-1]][1]
    active = [one for one in served(session, tenant_id, start, end) if one.held]
    outages, works = _outages(session, tenant_id, start, end), _works(session, tenant_id, start, end)
    incidents = _incidents(session, tenant_id, start, end)
    volumes = _volumes(session, tenant_id, months)
    found = {}
    for one in active:
        number = one.subscription
        for month, span in bounds.items():
            held = [part for part in one.held if part.start < span[1] and part.end > span[0]]
            if not held:
                continue
            told = volumes.get((number, month))
            found[number, month] = MonthInputs(
                month=month,
                zone=zone.key,
                service_code=one.service_code,
                plans=tuple(_plan(run, span, zone, told) for run in _by_plan(held)),
                outages=tuple(_told(row, span) for row in outages[number] if _touches(row, span)),
                works=tuple(
                    work for work in works[number] if work.starts_at < span[1] and work.ends_at > span[0]
                ),
                incidents=tuple(
                    _judged(row, row.resolved_at)
                    for row in incidents[number]
                    if row.resolved_at is not None and span[0] <= row.resolved_at < span[1]
                ),
                open_incidents=tuple(
                    row.number
                    for row in incidents[number]
                    if row.opened_at < span[1] and (row.resolved_at is None or row.resolved_at >= span[1])
                ),
                volume=held[-1].terms.volume if told is None else told,
            )
    return found


def closed_months(session: Session, tenant_id: int, months: Collection[date]) -> list[ClosedMonth]:
    """The revision that holds of each closed month, by month and subscription."""
    row = ServiceMonth
    last = (
        select(row.subscription, row.month, func.max(row.revision).label("revision"))
        .where(row.tenant_id == tenant_id, row.month.in_(months))
        .group_by(row.subscription, row.month)
        .subquery()
    )
    rows = session.scalars(
        select(row)
        .join(
            last,
            and_(
                row.subscription == last.c.subscription,
                row.month == last.c.month,
                row.revision == last.c.revision,
            ),
        )
        .where(row.tenant_id == tenant_id)
        .order_by(row.month, row.subscription)
    )
    return [_closed(one) for one in rows]


def revisions_of(session: Session, tenant_id: int, subscription: int, month: date) -> list[ClosedMonth]:
    """Every revision of a closed month, the first first."""
    row = ServiceMonth
    rows = session.scalars(
        select(row)
        .where(row.tenant_id == tenant_id, row.subscription == subscription, row.month == month)
        .order_by(row.revision)
    )
    return [_closed(one) for one in rows]


def adherents_served(session: Session) -> list[int]:
    """The numbers of the adherents that have a subscription."""
    row = t.Subscription
    return list(session.scalars(select(row.tenant_id).distinct().order_by(row.tenant_id)))


def adherents_to_close(session: Session, month: date, after: int) -> list[int]:
    """Of the adherents whose number is above `after`, those with a subscription whose month is not closed.

    It need not be active in that month: closing one then closes nothing, and `after` leads past it.
    """
    row, closed = t.Subscription, ServiceMonth
    is_closed = exists().where(
        closed.tenant_id == row.tenant_id, closed.subscription == row.number, closed.month == month
    )
    return list(
        session.scalars(
            select(row.tenant_id).where(row.tenant_id > after, ~is_closed).distinct().order_by(row.tenant_id)
        )
    )


def all_closed(session: Session, tenant_id: int) -> Sequence[ServiceMonth]:
    """Every closed month of an adherent as it is stored, in order."""
    row = ServiceMonth
    return session.scalars(
        select(row).where(row.tenant_id == tenant_id).order_by(row.month, row.subscription, row.revision)
    ).all()


def _closed(row: ServiceMonth) -> ClosedMonth:
    return ClosedMonth(
        tenant_id=row.tenant_id,
        subscription=row.subscription,
        month=row.month,
        revision=row.revision,
        sha256=row.sha256,
        inputs=canonical.decode(MonthInputs, row.inputs),
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        reason=row.reason,
    )


def _by_plan(held: Sequence[Held]) -> list[list[Held]]:
    """Stretches that follow each other under one plan, together: other terms may change within."""
    runs: list[list[Held]] = []
    for part in held:
        before = runs[-1][-1] if runs else None
        if before and before.end == part.start and before.plan == part.plan:
            runs[-1].append(part)
        else:
            runs.append([part])
    return runs


def _plan(run: Sequence[Held], span: Span, zone: ZoneInfo, volume: int | None) -> PlanHeld:
    """A stretch under one plan; `volume` is that of the month where it was told."""
    plan = run[0].plan
    cut = [(max(part.start, span[0]), min(part.end, span[1])) for part in run]
    days = [(start.astimezone(zone).date(), end.astimezone(zone).date()) for start, end in cut]
    hours = open_spans(plan.calendar, cut[0][0], cut[-1][1])
    return PlanHeld(
        first=days[0][0],
        after=days[-1][1],
        code=plan.code,
        version=plan.version,
        target_ppm=plan.availability_ppm,
        notice_hours=plan.notice_hours,
        degraded_percent=plan.degraded_percent,
        credit_steps=tuple(plan.credit_steps),
        hours=tuple(Stretch(*stretch) for stretch in hours),
        prices=tuple(
            PriceHeld(
                days=(after - first).days,
                price_cents=part.terms.price_cents,
                price_per=part.terms.price_per,
                volume=part.terms.volume if volume is None else volume,
            )
            for part, (first, after) in zip(run, days, strict=True)
        ),
    )


def _outages(
    session: Session, tenant_id: int, start: datetime, end: datetime
) -> Mapping[int, list[t.Outage]]:
    row = t.Outage
    rows = session.scalars(
        select(row)
        .where(row.tenant_id == tenant_id, row.began_at < end)
        .where(or_(row.ended_at.is_(None), row.ended_at > start))
        .order_by(row.began_at, row.source, row.reference)
    )
    found: dict[int, list[t.Outage]] = defaultdict(list)
    for one in rows:
        found[one.subscription].append(one)
    return found


def _touches(row: t.Outage, span: Span) -> bool:
    return row.began_at < span[1] and (row.ended_at is None or row.ended_at > span[0])


def _told(row: t.Outage, span: Span) -> OutageTold:
    return OutageTold(
        began_at=max(row.began_at, span[0]),
        ended_at=span[1] if row.ended_at is None else min(row.ended_at, span[1]),
        effect=row.effect,
        source=row.source,
        reference=row.reference,
    )


def _works(session: Session, tenant_id: int, start: datetime, end: datetime) -> Mapping[int, list[WorkTold]]:
    row = t.PlannedWork
    rows = session.scalars(
        select(row)
        .where(row.tenant_id == tenant_id, row.starts_at < end, row.ends_at > start)
        .where(row.cancelled_at.is_(None))
        .order_by(row.starts_at, row.maintenance_id)
    )
    found: dict[int, list[WorkTold]] = defaultdict(list)
    for one in rows:
        told = WorkTold(one.starts_at, one.ends_at, one.announced_at, one.effect, one.maintenance_id)
        found[one.subscription].append(told)
    return found


def _incidents(
    session: Session, tenant_id: int, start: datetime, end: datetime
) -> Mapping[int, list[t.Incident]]:
    row = t.Incident
    rows = session.scalars(
        select(row)
        .where(row.tenant_id == tenant_id, row.opened_at < end)
        .where(or_(row.resolved_at.is_(None), row.resolved_at >= start))
        .order_by(row.number)
    )
    found: dict[int, list[t.Incident]] = defaultdict(list)
    for one in rows:
        found[one.subscription].append(one)
    return found


def _judged(row: t.Incident, resolved_at: datetime) -> IncidentTold:
    return IncidentTold(
        number=row.number,
        priority=row.priority.value,
        tto=outcome(row.tto_due_at, row.tto_met_at or resolved_at, resolved_at),
        ttr=outcome(row.due_at, resolved_at, resolved_at),
    )


def _volumes(session: Session, tenant_id: int, months: Collection[date]) -> Mapping[Key, int | None]:
    """The volumes of months, as they were told last; None where that was withdrawn."""
    row = k.VolumeMonth
    rows = session.execute(
        select(row.subscription, row.month, row.volume)
        .where(row.tenant_id == tenant_id, row.month.in_(months))
        .order_by(row.revision)
    )
    return {(subscription, month): volume for subscription, month, volume in rows}


def service_names(session: Session, tenant_id: int) -> dict[int, tuple[str, str]]:
    """The name of each subscription's service in French and in English, by number."""
    rows = session.execute(
        select(t.Subscription.number, c.Service.name_fr, c.Service.name_en)
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(t.Subscription.tenant_id == tenant_id)
        .order_by(t.Subscription.number)
    )
    return {number: (name_fr, name_en) for number, name_fr, name_en in rows}
