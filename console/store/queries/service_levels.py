"""What was promised and kept of each service, by month, quarter and year; closed months as closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from console.domain.availability import Measured, Months, period_days, weighted_ppm
from console.domain.error_budget import Budget, bearable_s, budget
from console.domain.renewal import add_months
from console.domain.service_months import MonthFigures, MonthInputs, Outcome, reckon_month, until
from console.domain.spans import whole_second
from console.store.queries.service_months import ClosedMonth, closed_months, inputs_of, service_names


@dataclass(frozen=True, slots=True)
class MonthLevel:
    """A month of a service: what it is reckoned from, what that makes, and how it was closed, if it was.

    `whole` is of the whole month, with what it suffered so far; `figures` are of the part that has elapsed.
    """

    subscription: int
    month: date
    inputs: MonthInputs
    figures: MonthFigures
    whole: MonthFigures
    closed: ClosedMonth | None

    @property
    def budget(self) -> Budget | None:
        """Each stretch by the target of its plan; None where no plan promises anything."""
        budgets = [
            budget(one.measured, whole.measured.counted_s, one.plan.target_ppm)
            for one, whole in zip(self.figures.stretches, self.whole.stretches, strict=True)
            if one.plan.target_ppm is not None
        ]
        return sum(budgets, Budget()) if budgets else None

    @property
    def bearable_s(self) -> int | None:
        """How long an outage that began now might last in the stretch that runs; None where none runs."""
        for one, whole in zip(self.figures.stretches, self.whole.stretches, strict=True):
            left_s = whole.measured.counted_s - one.measured.counted_s
            if left_s > 0:
                target_ppm = one.plan.target_ppm
                return None if target_ppm is None else bearable_s(one.measured, target_ppm, left_s)
        return None


@dataclass(frozen=True, slots=True)
class Level:
    """A service over a period of one or several months, from the months in which it was active.

    Each month has its own target; `target_ppm` is what they make of the period. `credit_cents` is None where
    a credit is due whose amount nobody knows. `kept` and `missed` are incidents restored in time and not.
    """

    first: date
    length: Months
    measured: Measured
    budget: Budget | None
    credit_cents: int | None
    kept: int
    missed: int
    month: MonthLevel | None

    @property
    def target_ppm(self) -> int | None:
        """None where nothing is promised, or nothing is to be counted."""
        return self.budget.target_ppm if self.budget else None

    @property
    def is_below(self) -> bool:
        """Whether less was kept than promised."""
        return self.budget is not None and self.budget.is_exceeded


@dataclass(frozen=True, slots=True)
class ServiceYear:
    """A subscription over a year: its months that began, its quarters and the year, in order of time."""

    subscription: int
    service_fr: str
    service_en: str
    levels: Sequence[Level]


@dataclass(frozen=True, slots=True)
class MemberLevel:
    """A subscription of a member; `use` is the volume of the month, None where nobody knows it."""

    tenant_id: int
    subscription: int
    measured: Measured
    use: int | None

    @property
    def is_weighed(self) -> bool:
        """Whether it has a known use, of a service that was counted."""
        return self.use is not None and self.measured.counted_s > 0


@dataclass(frozen=True, slots=True)
class GroupLevel:
    """A service of a group in a month, from each subscription to it, a member's second one too.

    Where nothing was counted or the use is unknown, a subscription is not weighed.
    """

    service_fr: str
    service_en: str
    members: Sequence[MemberLevel]

    @property
    def availability_ppm(self) -> int | None:
        """Weighted by use; None where nobody used anything."""
        return weighted_ppm((one.measured, one.use) for one in self.members if one.use is not None)

    @property
    def weighed(self) -> int:
        """How many of its subscriptions are weighed."""
        return sum(one.is_weighed for one in self.members)


def year_of(session: Session, tenant_id: int, year: int, now: datetime) -> list[ServiceYear]:
    """The services of an adherent that were active in a year, by number."""
    months = [date(year, month, 1) for month in range(1, Months.YEAR + 1)]
    by_service: dict[int, list[MonthLevel]] = defaultdict(list)
    for level in month_levels(session, tenant_id, months, now):
        by_service[level.subscription].append(level)
    names = service_names(session, tenant_id)
    return [
        ServiceYear(number, *names[number], _periods(levels)) for number, levels in sorted(by_service.items())
    ]


def month_levels(session: Session, tenant_id: int, months: Sequence[date], now: datetime) -> list[MonthLevel]:
    """Each service and month in which it was active, as closed or as it is known now."""
    now = whole_second(now)
    closed = {(one.subscription, one.month): one for one in closed_months(session, tenant_id, months)}
    known = inputs_of(session, tenant_id, months) | {key: one.inputs for key, one in closed.items()}
    return [
        MonthLevel(
            subscription=key[0],
            month=key[1],
            inputs=inputs,
            figures=reckon_month(until(inputs, now)),
            whole=reckon_month(inputs),
            closed=closed.get(key),
        )
        for key, inputs in sorted(known.items(), key=lambda item: item[0])
    ]


def group_levels(session: Session, tenants: Collection[int], month: date, now: datetime) -> list[GroupLevel]:
    """The services of the members of a group in a month, by name."""
    by_service: dict[str, list[MemberLevel]] = defaultdict(list)
    named: dict[str, tuple[str, str]] = {}
    for tenant_id in sorted(tenants):
        names = service_names(session, tenant_id)
        for level in month_levels(session, tenant_id, [month], now):
            member = MemberLevel(tenant_id, level.subscription, level.figures.measured, level.inputs.volume)
            by_service[level.inputs.service_code].append(member)
            named[level.inputs.service_code] = names[level.subscription]
    return [GroupLevel(*named[code], by_service[code]) for code in sorted(by_service, key=named.__getitem__)]


def _periods(levels: Sequence[MonthLevel]) -> list[Level]:
    """Months that began, each quarter after its last one, the year at the end."""
    begun = [level for level in levels if level.figures.measured.counted_s or level.closed]
    periods: list[Level] = []
    for quarter in sorted({period_days(level.month, Months.QUARTER)[0] for level in begun}):
        after = add_months(quarter, Months.QUARTER)
        inside = [level for level in levels if quarter <= level.month < after]
        periods += (_level([level], Months.MONTH) for level in inside if level in begun)
        periods.append(_level(inside, Months.QUARTER))
    return [*periods, _level(levels, Months.YEAR)] if periods else []


def _level(months: Sequence[MonthLevel], length: Months) -> Level:
    budgets = [one.budget for one in months if one.budget is not None]
    amounts = [one.figures.credit_cents for one in months]
    told = [incident.ttr for one in months for incident in one.inputs.incidents]
    return Level(
        first=period_days(months[0].month, length)[0],
        length=length,
        measured=sum((one.figures.measured for one in months), Measured()),
        budget=sum(budgets, Budget()) if budgets else None,
        credit_cents=None if None in amounts else sum(cents for cents in amounts if cents),
        kept=told.count(Outcome.MET),
        missed=told.count(Outcome.MISSED),
        month=months[0] if length is Months.MONTH else None,
    )
