"""The making of a thing, booked month by month over its planned life: the parts add up to the whole exactly.

    a whole over n months        -> after k months the whole x k / n is booked, rounded down
    a longer life decided later  -> what is left is spread over the longer rest; months that passed stay
    kept past its plan           -> nothing more is booked; what a new one would have cost is what is saved
    retired before its plan ends -> the rest at once, in the month of the retirement

A month is its first day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from console.domain.errors import Invalid
from console.domain.renewal import add_months

LONGEST_LIFE = 1_200  # months


@dataclass(frozen=True, slots=True)
class Extension:
    """From a month on, another planned life counted from the commissioning."""

    month: date
    planned_months: int


@dataclass(frozen=True, slots=True)
class Life:
    """When a thing is used: `extensions` in the order of their months; `retired` is its last month."""

    commissioned: date
    planned_months: int
    extensions: Sequence[Extension] = ()
    retired: date | None = None

    @property
    def plan(self) -> int:
        """The planned life that holds now, in months."""
        return self.extensions[-1].planned_months if self.extensions else self.planned_months

    @property
    def end(self) -> date:
        """The first month that is past the plan."""
        return add_months(self.commissioned, self.plan)


def booked(whole: int, life: Life, month: date) -> int:
    """What of a whole is booked in a month."""
    place = _months_between(life.commissioned, month)
    return 0 if place < 0 else _before(whole, life, place + 1) - _before(whole, life, place)


def left(whole: int, life: Life, month: date) -> int:
    """What of a whole is not booked yet after a month."""
    return whole - _before(whole, life, max(0, _months_between(life.commissioned, month) + 1))


def saved(whole: int, life: Life, month: date) -> int:
    """What a new one with the first plan would have cost in a month in which this one is past its own."""
    if month < life.end or (life.retired is not None and month > life.retired):
        return 0
    return whole // life.planned_months


def booked_by_year(whole: int, life: Life) -> Iterator[tuple[int, int]]:
    """Years with what of a whole is booked in each, until all of it is."""
    last = life.end if life.retired is None else min(life.end, add_months(life.retired, 1))
    for year in range(life.commissioned.year, add_months(last, -1).year + 1):
        yield year, sum(booked(whole, life, date(year, month, 1)) for month in range(1, 13))


def extended(life: Life, month: date, planned_months: int) -> Life:
    """The life with another plan from a month on; raises `Invalid` for one that cannot be."""
    if life.retired is not None:
        raise Invalid("planned_months", "Cet équipement est retiré.")
    if month < life.commissioned or (life.extensions and month <= life.extensions[-1].month):
        raise Invalid("month", "Une durée de vie se décide après la mise en service et la dernière décision.")
    if not life.plan < planned_months <= LONGEST_LIFE:
        raise Invalid(
            "planned_months", "Une durée de plus de %(planned)s mois est attendue.", planned=life.plan
        )
    return Life(life.commissioned, life.planned_months, (*life.extensions, Extension(month, planned_months)))


def _before(whole: int, life: Life, months: int) -> int:
    """What is booked before the month that is so many after the first."""
    if life.retired is not None and months > _months_between(life.commissioned, life.retired):
        return whole
    start, done, plan = 0, 0, life.planned_months
    for one in life.extensions:
        place = _months_between(life.commissioned, one.month)
        if months <= place:
            break
        done, start, plan = _spread(whole, done, start, plan, place), place, one.planned_months
    return _spread(whole, done, start, plan, months)


def _spread(whole: int, done: int, start: int, plan: int, months: int) -> int:
    """What is booked where `done` was at `start` and the rest is spread until `plan`."""
    if plan <= start or done == whole:
        return whole
    return done + (whole - done) * (min(months, plan) - start) // (plan - start)


def _months_between(first: date, month: date) -> int:
    return (month.year - first.year) * 12 + month.month - first.month
