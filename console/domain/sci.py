"""Carbon per unit of service: the Software Carbon Intensity of ISO/IEC 21031:2024, and why it moves.

    SCI = (E x I + M) / R

E is the energy with what the facility takes, idle and reserved capacity inside; I the yearly average of the
grid, location-based; M what was embodied; R the volume of the service. Without a volume there is no SCI.

A change between two months is shared among energy, intensity, embodied and volume by the mean over all the
orders in which they may change (Shapley; as index decomposition: Sun 1998, Ang 2004, "complete"): no term is
favoured, nothing is left over, and fractions keep it exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import permutations


class Missing(StrEnum):
    """Why a month has no SCI."""

    VOLUME = "volume"
    NO_UNIT = "no_unit"  # the volume is 0
    FACILITY = "facility"  # what the data centre takes beside the energy
    CARBON = "carbon"
    EMBODIED = "embodied"


class Effect(StrEnum):
    """What a change of the SCI comes from."""

    ENERGY = "energy"
    INTENSITY = "intensity"
    EMBODIED = "embodied"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a month of a service holds; None: unknown.

    `energy_mj` is with the overhead that is known, `covered_mj` what of it the carbon is of.
    `without_embodied_mj` is the energy of whose making nothing is known, `without_overhead_mj` that of which
    nobody knows what the data centre takes beside it.
    """

    energy_mj: int
    covered_mj: int
    carbon_ug: int | None
    embodied_ug: int | None
    without_embodied_mj: int
    volume: int | None
    without_overhead_mj: int = 0

    @property
    def missing(self) -> list[Missing]:
        """Why there is no SCI; empty: there is one."""
        found = []
        if self.without_overhead_mj:
            found.append(Missing.FACILITY)
        if self.carbon_ug is None or self.covered_mj < self.energy_mj:
            found.append(Missing.CARBON)
        if self.embodied_ug is None or self.without_embodied_mj:
            found.append(Missing.EMBODIED)
        if self.volume is None:
            found.append(Missing.VOLUME)
        elif not self.volume:
            found.append(Missing.NO_UNIT)
        return found

    @property
    def use(self) -> Fraction | None:
        """E x I / R: micrograms of use for each unit; known before what was embodied is."""
        if self.carbon_ug is None or not self.volume:
            return None
        if self.covered_mj < self.energy_mj or self.without_overhead_mj:
            return None
        return Fraction(self.carbon_ug, self.volume)

    @property
    def sci(self) -> Fraction | None:
        """Micrograms of CO2 equivalent for each unit of the service."""
        if self.missing or self.use is None or self.embodied_ug is None or not self.volume:
            return None
        return self.use + Fraction(self.embodied_ug, self.volume)


def effects(before: Terms, after: Terms) -> dict[Effect, Fraction] | None:
    """How much of the change each effect makes, in micrograms a unit; None where a month has no SCI.

    The effects add up to the change exactly.
    """
    if before.sci is None or after.sci is None:
        return None
    old, new = _parts(before), _parts(after)
    orders = list(permutations(Effect))
    found = dict.fromkeys(Effect, Fraction(0))
    for order in orders:
        swapped: dict[Effect, Fraction] = dict(old)
        value = _value(swapped)
        for effect in order:
            swapped[effect] = new[effect]
            moved = _value(swapped)
            found[effect] += (moved - value) / len(orders)
            value = moved
    return found


def trend(months: Sequence[Terms]) -> Fraction | None:
    """The SCI of the last month that has one over that of the first, less one; None with fewer than two."""
    known = [one.sci for one in months if one.sci is not None]
    return known[-1] / known[0] - 1 if len(known) > 1 and known[0] else None


def total(months: Sequence[Terms]) -> Terms:
    """Several months as one: a volume or an amount that is unknown in one of them is unknown."""

    def whole(amounts: Sequence[int | None]) -> int | None:
        known = [one for one in amounts if one is not None]
        return sum(known) if known and len(known) == len(amounts) else None

    return Terms(
        energy_mj=sum(one.energy_mj for one in months),
        covered_mj=sum(one.covered_mj for one in months),
        carbon_ug=whole([one.carbon_ug for one in months]),
        embodied_ug=whole([one.embodied_ug for one in months]),
        without_embodied_mj=sum(one.without_embodied_mj for one in months),
        volume=whole([one.volume for one in months]),
        without_overhead_mj=sum(one.without_overhead_mj for one in months),
    )


def _parts(terms: Terms) -> Mapping[Effect, Fraction]:
    carbon, energy = Fraction(terms.carbon_ug or 0), terms.energy_mj
    return {
        Effect.ENERGY: Fraction(energy),
        Effect.INTENSITY: carbon / energy if energy else Fraction(0),
        Effect.EMBODIED: Fraction(terms.embodied_ug or 0),
        Effect.VOLUME: Fraction(terms.volume or 1),
    }


def _value(parts: Mapping[Effect, Fraction]) -> Fraction:
    used = parts[Effect.ENERGY] * parts[Effect.INTENSITY]
    return (used + parts[Effect.EMBODIED]) / parts[Effect.VOLUME]
