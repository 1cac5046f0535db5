"""Carbon from energy, in integers, rounded once per month line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from console.domain.facility import MILLION, Contract
from console.domain.factors import Choice
from console.domain.month_lines import Facility

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


@dataclass(frozen=True, slots=True)
class KnownHours:
    """The hours of a line whose direct intensity is known, summed up.

    `energy_mj` is their IT energy, `mg_mj` the sum of it times the intensity of each, in mJ and mg.
    `realtime_mj` is what of the energy is of hours with figures of real time, which others will replace.
    """

    energy_mj: int = 0
    mg_mj: int = 0
    realtime_mj: int = 0

    def __add__(self, other: KnownHours) -> KnownHours:
        return KnownHours(
            self.energy_mj + other.energy_mj,
            self.mg_mj + other.mg_mj,
            self.realtime_mj + other.realtime_mj,
        )

    def to_terms(self) -> dict[str, int]:
        """As they stand in the terms of a carbon line, so that a reader can reckon it again."""
        return {"known_mj": self.energy_mj, "mg_mj": self.mg_mj, "realtime_mj": self.realtime_mj}

    @classmethod
    def of_terms(cls, terms: Mapping[str, Any]) -> KnownHours:
        """From these; a line reckoned before real time was told apart says nothing of it."""
        return cls(terms["known_mj"], terms["mg_mj"], terms.get("realtime_mj", 0))


NO_HOURS = KnownHours()


@dataclass(frozen=True, slots=True)
class Priced:
    """The carbon of a month line on one basis.

    `covered_mj` is the energy that it is of, overhead within; carbon is None where that is nothing. `terms`
    has the parts of a figure that no single factor makes.
    """

    covered_mj: int
    carbon_ug: int | None
    low_ug: int | None = None
    high_ug: int | None = None
    factor_id: str | None = None
    intensity_mg_per_kwh: int | None = None
    provisional: bool = True
    terms: Mapping[str, Any] = field(default_factory=dict)


UNKNOWN = Priced(0, None)


def by_factor(facility_mj: int, choice: Choice | None, bounds: tuple[int | None, int | None]) -> Priced:
    """By one factor for all of it; `bounds` are those of the energy, None where no source states them."""
    if choice is None:
        return UNKNOWN
    factor = choice.factor
    intensity = factor.intensity_mg_per_kwh
    low_mj, high_mj = bounds
    return Priced(
        covered_mj=facility_mj,
        carbon_ug=carbon_ug([(facility_mj, intensity)]),
        low_ug=_bound(low_mj, factor.low_mg_per_kwh, intensity),
        high_ug=_bound(high_mj, factor.high_mg_per_kwh, intensity),
        factor_id=factor.factor_id,
        intensity_mg_per_kwh=intensity,
        provisional=choice.provisional,
    )


def _bound(energy_mj: int | None, bound_mg_per_kwh: int | None, intensity_mg_per_kwh: int) -> int | None:
    """A bound of the carbon by that of the energy and, where its publisher states one, of the factor."""
    if energy_mj is None:
        return None
    return carbon_ug([(energy_mj, intensity_mg_per_kwh if bound_mg_per_kwh is None else bound_mg_per_kwh)])


def by_hours(known: KnownHours, facility: Facility | None) -> Priced:
    """By the hours whose intensity is known, each with the overhead of its month.

    It is provisional while one of them is of real time.
    """
    whole = facility.pue if facility else Fraction(1)
    return Priced(
        covered_mj=known.energy_mj + (facility.overhead_of(known.energy_mj) if facility else 0),
        carbon_ug=round(Fraction(known.mg_mj * UG_PER_MG, MJ_PER_KWH) * whole),
        provisional=known.realtime_mj > 0,
        terms=known.to_terms(),
    )


def by_contracts(
    facility_mj: int, contracts: Sequence[tuple[int, Contract]], residual: Choice | None
) -> Priced:
    """By what the contracts of a site buy, and the residual mix for what they do not; by number.

    Where the intensity of a part is unknown the figure is of the others only.
    """
    parts: list[dict[str, Any]] = [
        {"contract": number, "share_ppm": one.share_ppm, "intensity_mg_per_kwh": one.intensity_mg_per_kwh}
        for number, one in contracts
    ]
    rest_ppm = MILLION - sum(one.share_ppm for _, one in contracts)
    if rest_ppm:
        parts.append(
            {
                "factor_id": residual.factor.factor_id if residual else None,
                "share_ppm": rest_ppm,
                "intensity_mg_per_kwh": residual.factor.intensity_mg_per_kwh if residual else None,
            }
        )
    known = [
        (part["share_ppm"], part["intensity_mg_per_kwh"])
        for part in parts
        if part["intensity_mg_per_kwh"] is not None
    ]
    if not known:
        return Priced(0, None, terms={"parts": parts})
    covered_ppm = sum(share for share, _ in known)
    weighted = Fraction(sum(share * intensity for share, intensity in known), MILLION)
    return Priced(
        covered_mj=facility_mj * covered_ppm // MILLION,
        carbon_ug=round(facility_mj * weighted * UG_PER_MG / MJ_PER_KWH),
        provisional=bool(rest_ppm) and (residual is None or residual.provisional),
        terms={"parts": parts},
    )
