"""The error budget: how much of the counted time may be lost, and how much of that is used."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from console.domain.availability import PERCENT, WHOLE_PPM, Measured


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be lost and what is, in seconds: for the time elapsed, and for the whole period."""

    elapsed_s: int
    whole_s: int
    used_s: int

    @property
    def left_s(self) -> int:
        """What the whole period still allows; below 0 once the target is out of reach."""
        return self.whole_s - self.used_s

    @property
    def elapsed_percent(self) -> int | None:
        """What is used of the budget of the time elapsed, rounded down; None where nothing may be lost."""
        return self.used_s * PERCENT // self.elapsed_s if self.elapsed_s else None

    @property
    def used_percent(self) -> int | None:
        """What is used of the whole period's budget, rounded down; None where nothing may be lost."""
        return self.used_s * PERCENT // self.whole_s if self.whole_s else None


def budget(measured: Measured, whole_counted_s: int, target_ppm: int) -> Budget:
    """(1 - target) x counted time, rounded down; what is used is rounded up."""
    return Budget(
        elapsed_s=_allowed_s(measured.counted_s, target_ppm),
        whole_s=_allowed_s(whole_counted_s, target_ppm),
        used_s=measured.lost_s,
    )


def bearable_s(measured: Measured, target_ppm: int, left_s: int) -> int:
    """How long an outage that begins now may last, of the `left_s` counted seconds that are left.

    While it lasts, what ran so far must stay the target's part of the time; below 0 it no longer is.
    """
    if target_ppm == 0:
        return left_s
    ran = measured.counted_s * PERCENT - measured.lost
    most_s = ran * WHOLE_PPM // (target_ppm * PERCENT)
    return min(left_s, most_s - measured.counted_s)


def burn_rate(used: Fraction, window: Fraction) -> Fraction:
    """How many times faster than evenly a budget is used.

    `used` is the part of the budget that was used in a window, `window` its part of the period.
    """
    return used / window


def _allowed_s(counted_s: int, target_ppm: int) -> int:
    return counted_s * (WHOLE_PPM - target_ppm) // WHOLE_PPM
