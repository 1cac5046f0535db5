"""The error budget: how much of the counted time may be lost, and how much of that is used."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from console.domain.availability import PERCENT, WHOLE_PPM, Measured


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be lost of counted time and what is: for the time elapsed, and for the whole period.

    `lost` is in hundredths of a second; what is allowed is in millionths, so that budgets add up exactly,
    each by its own target.
    """

    counted_s: int = 0
    whole_counted_s: int = 0
    lost: int = 0
    allowed: int = 0
    whole_allowed: int = 0

    def __add__(self, other: Budget) -> Budget:
        return Budget(
            self.counted_s + other.counted_s,
            self.whole_counted_s + other.whole_counted_s,
            self.lost + other.lost,
            self.allowed + other.allowed,
            self.whole_allowed + other.whole_allowed,
        )

    @property
    def elapsed_s(self) -> int:
        """What may be lost of the time elapsed, in seconds, rounded down."""
        return self.allowed // WHOLE_PPM

    @property
    def whole_s(self) -> int:
        """What may be lost of the whole period, in seconds, rounded down."""
        return self.whole_allowed // WHOLE_PPM

    @property
    def used_s(self) -> int:
        """What is lost, in seconds, rounded up."""
        return -(-self.lost // PERCENT)

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

    @property
    def is_exceeded(self) -> bool:
        """Whether more is lost than the time elapsed allows, which may be nothing."""
        return self.lost * WHOLE_PPM > self.allowed * PERCENT

    @property
    def target_ppm(self) -> int | None:
        """The target of the whole period, each part of it by its own; None where nothing is to be counted."""
        whole = self.whole_counted_s
        return (whole * WHOLE_PPM - self.whole_allowed) // whole if whole else None

    @property
    def burn_rate(self) -> Fraction | None:
        """How many times faster than evenly it is used; None where nothing may be lost or none elapsed."""
        if not self.whole_allowed or not self.counted_s:
            return None
        used = Fraction(self.lost * WHOLE_PPM, self.whole_allowed * PERCENT)
        return burn_rate(used, Fraction(self.counted_s, self.whole_counted_s))


def budget(measured: Measured, whole_counted_s: int, target_ppm: int) -> Budget:
    """(1 - target) x counted time."""
    allowed_ppm = WHOLE_PPM - target_ppm
    return Budget(
        counted_s=measured.counted_s,
        whole_counted_s=whole_counted_s,
        lost=measured.lost,
        allowed=measured.counted_s * allowed_ppm,
        whole_allowed=whole_counted_s * allowed_ppm,
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
