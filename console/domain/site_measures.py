"""What the meters of a site tell, and how much several of them tell together.

A meter is a measuring point that tells one quantity over stretches of time which never overlap; the amounts
of the meters of one quantity add up, but for those of zones, which are within the site and may be within each
other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from console.domain.facility import Quantity

MJ_PER_KWH = 3_600_000_000
ML_PER_L = 1_000
LARGEST = 2**63 - 1
Point = tuple[Quantity, int]  # with the category of the PUE, 0 where it has none
Line = tuple[Quantity, int, str]  # of a meter


class Quality(StrEnum):
    """How an amount was come by."""

    MEASURED = "measured"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True, order=True)
class Measure:
    """An amount over `[started_at, ended_at)`: energy in millijoules, water in millilitres."""

    started_at: datetime
    ended_at: datetime
    quantity: Quantity
    category: int
    meter: str
    amount: int
    quality: Quality

    @property
    def point(self) -> Point:
        return self.quantity, self.category

    @property
    def line(self) -> Line:
        return self.quantity, self.category, self.meter

    @property
    def period(self) -> tuple[datetime, datetime]:
        return self.started_at, self.ended_at


Lines = Mapping[Line, Sequence[Measure]]  # the measures of each meter, in order


def amount_over(lines: Mapping[Line, Sequence[Measure]], start: datetime, end: datetime) -> int | None:
    """The amounts of all meters over `[start, end)`; None where one of them does not tell all of it.

    A measure that reaches over either end tells nothing of the part within.
    """
    total = 0
    for measures in lines.values():
        place = bisect_left(measures, start, key=lambda one: one.started_at)
        time, at = timedelta(), place
        while at < len(measures) and measures[at].ended_at <= end:
            time += measures[at].ended_at - measures[at].started_at
            total += measures[at].amount
            at += 1
        if time != end - start:
            return None
    return total if lines else None


def shown(quantity: Quantity, amount: int) -> str:
    """An amount as a message tells it, to a millionth of its unit."""
    size, unit = (ML_PER_L, "L") if quantity.is_water else (MJ_PER_KWH, "kWh")
    text = f"{Decimal(amount) / size:.6f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"
