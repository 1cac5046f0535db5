"""A month of a service as it is closed: all that it was reckoned from, and what that makes.

    what was read -> inputs, frozen -> availability, credit, outcomes

The inputs say everything: reckoned again, years later, they give the same figures, whatever became of plans,
calendars and incidents since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum

from console.domain.availability import Measured, Work, measure
from console.domain.credits import Credit, CreditStep, credit, month_price_cents
from console.domain.outages import Effect, Source, Suffered
from console.domain.price import PricePer


class Outcome(StrEnum):
    """What became of a target; `OPEN` is not yet known."""

    MET = "met"
    MISSED = "missed"
    OPEN = "open"


def outcome(due_at: datetime | None, done_at: datetime | None, now: datetime) -> Outcome:
    """Whether a target was kept, seen at `now`."""
    if due_at is None:
        return Outcome.OPEN
    if done_at is not None:
        return Outcome.MET if done_at <= due_at else Outcome.MISSED
    return Outcome.MISSED if now > due_at else Outcome.OPEN


@dataclass(frozen=True, slots=True)
class Stretch:
    """From an instant to another, not included."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class PlanHeld:
    """A plan that held in the month, with the service hours of the days on which it did."""

    code: str
    version: int
    target_ppm: int | None
    notice_hours: int
    degraded_percent: int
    credit_steps: tuple[CreditStep, ...]
    hours: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class OutageTold:
    """An outage, cut at the ends of the month, with who told of it."""

    began_at: datetime
    ended_at: datetime
    effect: Effect
    source: Source
    reference: int


@dataclass(frozen=True, slots=True)
class WorkTold:
    """Planned work in the month, as it was announced."""

    starts_at: datetime
    ends_at: datetime
    announced_at: datetime | None
    effect: Effect
    maintenance_id: int


@dataclass(frozen=True, slots=True)
class IncidentTold:
    """An incident that was opened in the month, and what became of its targets by the closing."""

    number: int
    priority: str
    tto: Outcome
    ttr: Outcome


@dataclass(frozen=True, slots=True)
class MonthInputs:
    """All that a closed month is reckoned from; `volume` is that of the month, in units of the service."""

    month: date
    zone: str
    service_code: str
    plans: tuple[PlanHeld, ...]
    outages: tuple[OutageTold, ...]
    works: tuple[WorkTold, ...]
    incidents: tuple[IncidentTold, ...]
    price_cents: int | None
    price_per: PricePer | None
    volume: int | None


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """What the inputs make; the target and the credit are those of the plan that held last."""

    measured: Measured
    target_ppm: int | None
    credit: Credit | None


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that differs between two revisions; None is that it is in one of them only, or unknown."""

    what: str
    was: str | None
    value: str | None


def reckon_month(inputs: MonthInputs) -> MonthFigures:
    """The figures of a month, from its inputs and nothing else."""
    outages = [Suffered(one.began_at, one.ended_at, one.effect) for one in inputs.outages]
    works = [Work(one.starts_at, one.ends_at, one.announced_at, one.effect) for one in inputs.works]
    parts = (
        measure(
            [(span.starts_at, span.ends_at) for span in plan.hours],
            outages,
            works,
            notice_hours=plan.notice_hours,
            degraded_percent=plan.degraded_percent,
        )
        for plan in inputs.plans
    )
    measured = sum(parts, Measured())
    if not inputs.plans:
        return MonthFigures(measured, None, None)
    last = inputs.plans[-1]
    price_cents = month_price_cents(inputs.price_cents, inputs.price_per, inputs.volume)
    return MonthFigures(
        measured, last.target_ppm, credit(last.credit_steps, measured.availability_ppm, price_cents)
    )


def until(inputs: MonthInputs, now: datetime) -> MonthInputs:
    """The part of a running month that has elapsed."""
    plans = (
        replace(
            plan,
            hours=tuple(
                Stretch(span.starts_at, min(span.ends_at, now)) for span in plan.hours if span.starts_at < now
            ),
        )
        for plan in inputs.plans
    )
    return replace(inputs, plans=tuple(plans))


def moved_between(before: MonthInputs, after: MonthInputs) -> list[Moved]:
    """Which inputs changed from a revision to the next, in the order of their names."""
    moved: list[Moved] = []
    for field in sorted(fields(MonthInputs), key=lambda one: one.name):
        was, value = getattr(before, field.name), getattr(after, field.name)
        if was == value:
            continue
        if isinstance(was, tuple):
            moved += (Moved(field.name, _said(one), None) for one in _apart(was, value))
            moved += (Moved(field.name, None, _said(one)) for one in _apart(value, was))
        else:
            moved.append(Moved(field.name, _said(was), _said(value)))
    return moved


def _apart(some: Iterable[object], others: tuple[object, ...]) -> list[object]:
    return [one for one in some if one not in others]


def _said(value: object) -> str | None:
    """A value in one line, for those who compare."""
    match value:
        case None:
            return None
        case OutageTold():
            return (
                f"{value.source} {value.reference}: {value.effect}, {_span(value.began_at, value.ended_at)}"
            )
        case WorkTold():
            announced = "—" if value.announced_at is None else f"{value.announced_at:%Y-%m-%d %H:%M}Z"
            return f"{value.maintenance_id}: {_span(value.starts_at, value.ends_at)} ({announced})"
        case IncidentTold():
            return f"{value.number}: {value.priority}, TTO {value.tto}, TTR {value.ttr}"
        case PlanHeld():
            open_s = sum((span.ends_at - span.starts_at).total_seconds() for span in value.hours)
            return f"{value.code} {value.version}, {open_s / 3600:g} h"
        case _:
            return str(value)


def _span(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%d %H:%M:%S}Z - {end:%Y-%m-%d %H:%M:%S}Z"
