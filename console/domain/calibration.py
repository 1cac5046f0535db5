"""From what a weak instrument gives to what a stronger one would: a line by least squares, and its error.

RAPL sees packages and memory; power supplies, fans, disks and network cards are beside it. Where both were
measured for a while, `server input power = slope x RAPL power + offset` tells the one from the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

MILLION = 1_000_000
LEAST_INTERVALS = 60
LEAST_SPREAD = Fraction(1, 5)  # of the load, from its 5th to its 95th percentile, over the latter
LARGEST_ERROR = Fraction(1, 4)  # past it the one does not tell the other
DEVIATIONS = 2  # within which about 95 % of the intervals are


@dataclass(frozen=True, slots=True)
class Pair:
    """One interval that both instruments measured."""

    energy_mj: int
    reference_mj: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Line:
    """A fit in whole numbers: `reference power = slope x power + offset`.

    `error_ppm` is the standard deviation of what is left over the mean reference power.
    """

    slope_ppm: int
    offset_mw: int
    error_ppm: int
    intervals: int

    def scale(self, energy_mj: int, duration_ms: int) -> int:
        """The energy that the reference would have given; never below 0."""
        scaled = self.slope_ppm * energy_mj * 1000 + self.offset_mw * duration_ms * MILLION
        return max(0, scaled // (1000 * MILLION))

    def bounds(self, scaled_mj: int) -> tuple[int, int]:
        """Two standard deviations below and above."""
        error_mj = DEVIATIONS * self.error_ppm * scaled_mj // MILLION
        return max(0, scaled_mj - error_mj), scaled_mj + error_mj


class Unfit(Exception):
    """The intervals do not give a line; `reason` is one of those below, `value` what was found."""

    def __init__(self, reason: str, value: int) -> None:
        super().__init__(f"{reason}: {value}")
        self.reason = reason
        self.value = value


TOO_FEW = "too few intervals"
TOO_EVEN = "the load hardly varies, in percent"
NO_RELATION = "power does not rise with load"
TOO_FAR_OFF = "the error is too large, in percent"


def fit(pairs: Sequence[Pair]) -> Line:
    """The line of least squares through the mean powers of the intervals; raises `Unfit`.

    Sums are whole numbers, so that the same intervals give the same line in whatever order.
    """
    if len(pairs) < LEAST_INTERVALS:
        raise Unfit(TOO_FEW, len(pairs))
    powers = [
        (pair.energy_mj * 1000 // pair.duration_ms, pair.reference_mj * 1000 // pair.duration_ms)
        for pair in pairs
    ]
    if (spread := _spread(sorted(x for x, _ in powers))) < LEAST_SPREAD:
        raise Unfit(TOO_EVEN, int(spread * 100))
    count, sum_x, sum_y = len(powers), sum(x for x, _ in powers), sum(y for _, y in powers)
    slope = Fraction(
        count * sum(x * y for x, y in powers) - sum_x * sum_y,
        count * sum(x * x for x, _ in powers) - sum_x**2,
    )
    if slope <= 0:
        raise Unfit(NO_RELATION, int(slope * 100))
    slope_ppm = round(slope * MILLION)
    offset_mw = round((sum_y - slope * sum_x) / count)
    error = _error(powers, slope_ppm, offset_mw)
    if error > LARGEST_ERROR:
        raise Unfit(TOO_FAR_OFF, int(error * 100))
    return Line(slope_ppm, offset_mw, round(error * MILLION), count)


def _spread(ordered: Sequence[int]) -> Fraction:
    low, high = ordered[len(ordered) // 20], ordered[-1 - len(ordered) // 20]
    return Fraction(high - low, high) if high else Fraction(0)


def _error(powers: Sequence[tuple[int, int]], slope_ppm: int, offset_mw: int) -> Fraction:
    """Of the line as it is kept, so that rounding it is within."""
    left = [MILLION * (y - offset_mw) - slope_ppm * x for x, y in powers]  # millionths of a milliwatt
    deviation = isqrt(sum(part * part for part in left) // (len(left) - 2))
    return Fraction(deviation * len(powers), MILLION * sum(y for _, y in powers))
