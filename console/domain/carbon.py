"""Carbon from energy, in integers, rounded once per month line."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

MJ_PER_KWH = 3_600_000_000  # millijoules: 1 kWh = 3 600 000 J exactly
UG_PER_MG = 1_000


def carbon_ug(parts: Iterable[tuple[int, int]]) -> int:
    """Micrograms of CO2e of `(energy_mj, intensity_mg_per_kwh)` parts.

    The exact sum of the products, rounded once, half to even.
    """
    milligram_millijoules = sum(energy_mj * intensity for energy_mj, intensity in parts)
    return round(Fraction(milligram_millijoules * UG_PER_MG, MJ_PER_KWH))


def carbon_within(month_ug: int, month_mj: int, before_mj: int, energy_mj: int) -> int:
    """The share of a month line that falls to a stretch of it, for display.

    `before_mj` is the line's energy before the stretch, `energy_mj` within it. Stretches that follow each
    other add up to the month line exactly.
    """
    if not month_mj:
        return 0
    return month_ug * (before_mj + energy_mj) // month_mj - month_ug * before_mj // month_mj
