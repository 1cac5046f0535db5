"""What was promised and kept of each service, by month, quarter and year; closed months as closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from console.domain.availability import Measured, Months, period_days, weighted_ppm
from console.domain.error_budget import Budget, budget
from console.domain.renewal import add_months
from console.domain.service_months import MonthFigures, MonthInputs, Outcome, reckon_month, until
from console.domain.spans import whole_second
from console.store.queries.service_months import ClosedMonth, closed_months, inputs_of, service_names


@dataclass(frozen=True, slots=True)
class MonthLevel:
    """A month of a service: what it is reckoned from, what that makes, and how it was closed, if it was.

    `whole_counted_s` is what counts of the whole month, `figures` are of the part that has elapsed.
    """

    subscription: int
    month: date
    inputs: MonthInputs
    figures: MonthFigures
    whole_counted_s: int
    closed: ClosedMonth | None

    @property
    def budget(self) -> Budget | None:
        """None where the plan promises nothing."""
        figures = self.figures
        if figures.target_ppm is None:
            return None
        return budget(figures.measured, self.whole_counted_s, figures.target_ppm)


@dataclass(frozen=True, slots=True)
class Level:
    """A service over a period of one or several months, from the months in which it was active.

    The target is that of the last of them. `credit_cents` is None where a credit is due whose amount nobody
    knows. `kept` and `missed` are incidents restored in time and not.
    """

    first: date
    length: Months
    measured: Measured
    target_ppm: int | None
    budget: Budget | None
    credit_cents: int | None
    kept: int
    missed: int
    month: MonthLevel | None

    @property
    def is_below(self) -> bool:
        """Whether less was kept than promised."""
        ppm = self.measured.availability_ppm
        return ppm is not None and self.target_ppm is not None and ppm < self.target_ppm


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
    availability_ppm: int | None
    use: int | None


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
        return weighted_ppm(
            (one.availability_ppm, one.use)
            for one in self.members
            if one.availability_ppm is not None and one.use is not None
        )


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
    known = inputs_of(session, tenant_id, months, now) | {key: one.inputs for key, one in closed.items()}
    return [
        MonthLevel(
            subscription=key[0],
            month=key[1],
            inputs=inputs,
            figures=reckon_month(until(inputs, now)),
            whole_counted_s=reckon_month(inputs).measured.counted_s,
            closed=closed.get(key),
        )
        for key, inputs in sorted(known.items(), key=lambda item: item[0])
    ]


def group_levels(session: Session, tenants: Collection[int], month: date, now: datetime) -> list[GroupLevel]:
    """The services of the members of a group in a month, by name."""
    by_service: dict[tuple[str, str], list[MemberLevel]] = defaultdict(list)
    for tenant_id in sorted(tenants):
        names = service_names(session, tenant_id)
        for level in month_levels(session, tenant_id, [month], now):
            ppm = level.figures.measured.availability_ppm
            member = MemberLevel(tenant_id, level.subscription, ppm, level.inputs.volume)
            by_service[names[level.subscription]].append(member)
    return [GroupLevel(*name, members) for name, members in sorted(by_service.items())]


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
    measured = sum((one.figures.measured for one in months), Measured())
    target_ppm = months[-1].figures.target_ppm
    amounts = [one.figures.credit.cents for one in months if one.figures.credit]
    told = [incident.ttr for one in months for incident in one.inputs.incidents]
    whole_s = sum(one.whole_counted_s for one in months)
    return Level(
        first=period_days(months[0].month, length)[0],
        length=length,
        measured=measured,
        target_ppm=target_ppm,
        budget=None if target_ppm is None else budget(measured, whole_s, target_ppm),
        credit_cents=None if None in amounts else sum(cents for cents in amounts if cents),
        kept=told.count(Outcome.MET),
        missed=told.count(Outcome.MISSED),
        month=months[0] if length is Months.MONTH else None,
    )
