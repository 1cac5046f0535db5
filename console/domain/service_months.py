"""A month of a service as it is closed: all that it was reckoned from, and what that makes.

    what was read -> inputs, frozen -> availability, credit, outcomes

The inputs say everything: reckoned again, years later, they give the same figures, whatever became of plans,
calendars and incidents since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from console.domain.availability import Measured, Months, Work, measure, period_days
from console.domain.credits import Credit, CreditStep, credit, month_price_cents, prorated_cents
from console.domain.outages import Effect, Source, Suffered
from console.domain.price import PricePer

SINGLE = ("service_code", "volume", "zone", "month")


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
class PriceHeld:
    """What some days of the month cost by the month; `volume` is in units of the service."""

    days: int
    price_cents: int | None
    price_per: PricePer | None
    volume: int | None


@dataclass(frozen=True, slots=True)
class PlanHeld:
    """A stretch of the month under one plan: its days, the last not included, its service hours and prices.

    Days of one price are told together, in whatever order they came.
    """

    first: date
    after: date
    code: str
    version: int
    target_ppm: int | None
    notice_hours: int
    degraded_percent: int
    credit_steps: tuple[CreditStep, ...]
    hours: tuple[Stretch, ...]
    prices: tuple[PriceHeld, ...]

    def __post_init__(self) -> None:
        _order(self, credit_steps=lambda one: (one.below_ppm, one.percent), hours=_when)
        days: dict[str, int] = defaultdict(int)
        at: dict[str, PriceHeld] = {}
        for one in self.prices:
            key = repr(replace(one, days=0))
            days[key], at[key] = days[key] + one.days, one
        object.__setattr__(self, "prices", tuple(replace(at[key], days=days[key]) for key in sorted(at)))

    @property
    def last(self) -> date:
        """Its last day."""
        return self.after - timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days of the month it has."""
        return (self.after - self.first).days


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
    """An incident whose last resolution was in the month, and what became of its targets."""

    number: int
    priority: str
    tto: Outcome
    ttr: Outcome


@dataclass(frozen=True, slots=True)
class MonthInputs:
    """All that a closed month is reckoned from, in one order and nothing twice, however it was read.

    `volume` is that of the month, in units of the service; `open_incidents` are the numbers of those that
    were not resolved when it ended: they are told, and judged in the month that resolves them.
    """

    month: date
    zone: str
    service_code: str
    plans: tuple[PlanHeld, ...]
    outages: tuple[OutageTold, ...]
    works: tuple[WorkTold, ...]
    incidents: tuple[IncidentTold, ...]
    open_incidents: tuple[int, ...]
    volume: int | None

    def __post_init__(self) -> None:
        _order(
            self,
            plans=lambda one: (one.first, one.after, one.code, one.version),
            outages=lambda one: (one.began_at, one.ended_at, one.source, one.reference, one.effect),
            works=lambda one: (one.starts_at, one.ends_at, one.maintenance_id, one.effect, _text(one)),
            incidents=lambda one: (one.number, _text(one)),
            open_incidents=lambda one: one,
        )


@dataclass(frozen=True, slots=True)
class StretchFigures:
    """What a stretch under one plan makes: how much it ran, the price of its days, what goes back of it."""

    plan: PlanHeld
    measured: Measured
    price_cents: int | None
    credit: Credit | None


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """What the inputs make, stretch by stretch; each is judged by its own plan."""

    stretches: tuple[StretchFigures, ...]

    @property
    def measured(self) -> Measured:
        """Of the whole month."""
        return sum((one.measured for one in self.stretches), Measured())

    @property
    def target_ppm(self) -> int | None:
        """The highest that a plan promised; None where none promised anything."""
        targets = [one.plan.target_ppm for one in self.stretches]
        return max((target for target in targets if target is not None), default=None)

    @property
    def credits(self) -> list[Credit]:
        """Those that are due, in order of time."""
        return [one.credit for one in self.stretches if one.credit is not None]

    @property
    def credit_cents(self) -> int | None:
        """Their sum; None where one of them has no known amount."""
        amounts = [one.cents for one in self.credits]
        return None if None in amounts else sum(cents for cents in amounts if cents is not None)

    @property
    def credit_percent(self) -> int | None:
        """The largest part that goes back of a stretch; None where nothing does."""
        return max((one.step.percent for one in self.credits), default=None)


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
    return MonthFigures(tuple(_reckon(plan, inputs.month, outages, works) for plan in inputs.plans))


def _reckon(plan: PlanHeld, month: date, outages: list[Suffered], works: list[Work]) -> StretchFigures:
    first, after = period_days(month, Months.MONTH)
    measured = measure(
        [(span.starts_at, span.ends_at) for span in plan.hours],
        outages,
        works,
        notice_hours=plan.notice_hours,
        degraded_percent=plan.degraded_percent,
    )
    prices = [
        (month_price_cents(one.price_cents, one.price_per, one.volume), one.days) for one in plan.prices
    ]
    price_cents = prorated_cents(prices, (after - first).days)
    return StretchFigures(
        plan, measured, price_cents, credit(plan.credit_steps, measured.availability_ppm, price_cents)
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


def nothing_counted(inputs: MonthInputs) -> MonthInputs:
    """What a closed month is corrected with where the service turns out not to have been active in it."""
    return replace(inputs, plans=(), outages=(), works=(), incidents=(), open_incidents=(), volume=None)


def moved_between(before: MonthInputs, after: MonthInputs) -> list[Moved]:
    """Which inputs changed from a revision to the next, by their names; empty exactly where none did."""
    moved = [
        Moved(name, _text(getattr(before, name)), _text(getattr(after, name)))
        for name in SINGLE
        if getattr(before, name) != getattr(after, name)
    ]
    was, value = _listed(before), _listed(after)
    moved += (Moved(what, text, None) for what, text in was if (what, text) not in value)
    moved += (Moved(what, None, text) for what, text in value if (what, text) not in was)
    return sorted(moved, key=lambda one: one.what)


def _listed(inputs: MonthInputs) -> list[tuple[str, str]]:
    """Each thing of which there may be several, with all that is known of it in one line."""
    found: list[tuple[str, str]] = []
    for plan in inputs.plans:
        name = f"{plan.code} {plan.version}, {plan.first} - {plan.after}"
        found.append(("plans", f"{name}: {_terms(plan)}"))
        found += (("hours", f"{name}: {_span(one.starts_at, one.ends_at)}") for one in plan.hours)
        prices = "; ".join(
            f"{one.days} d, {_text(one.price_cents)} / {_text(one.price_per)}, volume {_text(one.volume)}"
            for one in plan.prices
        )
        found.append(("prices", f"{name}: {prices}"))
    for name in ("outages", "works", "incidents", "open_incidents"):
        found += ((name, str(_text(one))) for one in getattr(inputs, name))
    return found


def _terms(plan: PlanHeld) -> str:
    steps = ", ".join(f"{one.below_ppm} ppm {one.percent} %" for one in plan.credit_steps)
    return f"{_text(plan.target_ppm)} ppm, {plan.notice_hours} h, {plan.degraded_percent} %, credit ({steps})"


def _text(value: object) -> str | None:
    """A value in one line, for those who compare."""
    match value:
        case None:
            return None
        case OutageTold():
            return (
                f"{value.source} {value.reference}: {value.effect}, {_span(value.began_at, value.ended_at)}"
            )
        case WorkTold():
            announced = "—" if value.announced_at is None else _instant(value.announced_at)
            span = _span(value.starts_at, value.ends_at)
            return f"{value.maintenance_id}: {value.effect}, {span} ({announced})"
        case IncidentTold():
            return f"{value.number}: {value.priority}, TTO {value.tto}, TTR {value.ttr}"
        case _:
            return str(value)


def _span(start: datetime, end: datetime) -> str:
    return f"{_instant(start)} - {_instant(end)}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(" ").replace("+00:00", "Z")


def _when(span: Stretch) -> tuple[datetime, datetime]:
    return span.starts_at, span.ends_at


def _order(held: object, **keys: Callable[[Any], Any]) -> None:
    """Put the parts of a frozen dataclass in order, each once."""
    for name, key in keys.items():
        object.__setattr__(held, name, tuple(sorted(dict.fromkeys(getattr(held, name)), key=key)))
