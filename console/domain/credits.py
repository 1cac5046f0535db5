"""Service credits: the part of a month's price that goes back when a service ran too little.

A stretch of the month that was held under one plan is judged by itself, on the price of its days.

Neither rounding takes from what the plan promises. Availability is rounded down to a millionth, in which the
steps are whole: it is below a step exactly where the true one is. The amount is rounded up to the cent: it is
never less than the part of the price that the plan names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from console.domain.price import PricePer

PERCENT = 100


@dataclass(frozen=True, slots=True)
class CreditStep:
    """Below this availability, so much of the month's price."""

    below_ppm: int
    percent: int


@dataclass(frozen=True, slots=True)
class Credit:
    """The step that holds, and what it makes of the price; `cents` is None where that is unknown."""

    step: CreditStep
    price_cents: int | None
    cents: int | None


def month_price_cents(price_cents: int | None, per: PricePer | None, volume: int | None) -> int | None:
    """The price of a month: as agreed, or by the volume of the month; None where it is unknown."""
    if price_cents is None or per is None:
        return None
    if per is PricePer.MONTH:
        return price_cents
    return None if volume is None else price_cents * volume


def prorated_cents(parts: Iterable[tuple[int | None, int]], month_days: int) -> int | None:
    """The price of some days of a month, from (price of a month, days at that price); rounded up to the cent.

    None where one of the prices is unknown.
    """
    exact = Fraction(0)
    for price_cents, days in parts:
        if price_cents is None:
            return None
        exact += Fraction(price_cents * days, month_days)
    return ceil(exact)


def credit(
    steps: Iterable[CreditStep], availability_ppm: int | None, price_cents: int | None
) -> Credit | None:
    """What goes back of a price: of the steps that it is below, the one with the largest part.

    None where it is below no step, or nobody knows how much the service ran. To the cent, rounded up.
    """
    if availability_ppm is None:
        return None
    below = [step for step in steps if availability_ppm < step.below_ppm]
    if not below:
        return None
    step = max(below, key=lambda one: (one.percent, -one.below_ppm))
    cents = None if price_cents is None else ceil(Fraction(price_cents * step.percent, PERCENT))
    return Credit(step, price_cents, cents)
