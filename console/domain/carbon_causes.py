"""What a difference between two revisions of a month is made of, by causes that add up to it.

The inputs of the old revision are turned into those of the new one group by group, in one order, and each
group is told what the totals move by:

    hours (energy) -> sharing keys and volumes -> facility (PUE) -> intensity (factor, grid, contracts)
                   -> what was embodied

So the causes add up exactly, whatever changed together; what two changes make together goes to the later
one. The order is that of the chain from the sensor to the figure. A line that is in one revision only changes
by its energy, a share by its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from console.domain.carbon import MJ_PER_KWH, UG_PER_MG
from console.domain.carbon_months import CarbonHeld, Inputs, LineHeld
from console.domain.factors import Basis
from console.domain.month_lines import LineKey

ENERGY = "energy_mj"
OVERHEAD = "overhead_mj"
EMBODIED = "embodied_ug"
ROUNDED_AWAY = 4  # mJ or ug: each stretch of a share is rounded by itself
TARGETS = (ENERGY, OVERHEAD, *(basis.value for basis in Basis), EMBODIED)


class Cause(StrEnum):
    """A group of inputs, in the order in which they are swapped."""

    ENERGY = "energy"
    KEYS = "keys"
    FACILITY = "facility"
    INTENSITY = "intensity"
    EMBODIED = "embodied"


@dataclass(frozen=True, slots=True)
class _Terms:
    """A line as a product of its groups: `energy` x `share` x (1 + `overhead`) x `intensity` of each basis.

    `apart` is overhead that hangs on no energy; the share of a line that is no share is 1.
    """

    energy: Fraction
    share: Fraction
    overhead: Fraction
    apart: Fraction
    intensity: Mapping[Basis, Fraction]  # ug per mJ
    embodied: Fraction  # of the whole that is shared


def causes(before: Inputs, after: Inputs) -> dict[str, dict[str, int]]:
    """By target (energy, overhead, each basis, embodied) and cause, how much the total moved.

    In mJ and in ug. Each target's causes add up to the difference of its totals; what is unknown counts as 0.
    """
    old, new = _alike(before.lines, after.lines)
    pairs = [_pair(old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys())]
    steps = [_totals(pairs, swapped) for swapped in range(len(Cause) + 1)]
    was, value = totals(before), totals(after)
    return {
        target: _rounded([step[target] for step in steps], value[target] - was[target]) for target in TARGETS
    }


def _alike(
    before: Sequence[LineHeld], after: Sequence[LineHeld]
) -> tuple[dict[LineKey, LineHeld], dict[LineKey, LineHeld]]:
    """The lines of both revisions by key, those of a month that is cut otherwise as one each.

    A contract that begins within the month cuts its lines in two, and their energy is what it was.
    """
    stretches = [_by_thing(lines) for lines in (before, after)]
    found: tuple[dict[LineKey, LineHeld], dict[LineKey, LineHeld]] = {}, {}
    for thing in stretches[0].keys() | stretches[1].keys():
        cuts = [[line.since for line in held.get(thing, ())] for held in stretches]
        for held, lines in zip(stretches, found, strict=True):
            told = held.get(thing, [])
            whole = told if cuts[0] == cuts[1] or not told else [_whole(told, min(cuts[0] + cuts[1]))]
            lines.update({line.key: line for line in whole})
    return found


def _by_thing(lines: Iterable[LineHeld]) -> dict[tuple[int, int, int], list[LineHeld]]:
    found: dict[tuple[int, int, int], list[LineHeld]] = {}
    for line in lines:
        found.setdefault((line.host_id, line.workload_id, line.claim_id), []).append(line)
    return found


def _whole(lines: Sequence[LineHeld], since: datetime) -> LineHeld:
    """The stretches of one thing as one line; its rates are what they come to together."""
    first = lines[0]
    carbon = {basis: [one for line in lines if (one := line.on(basis))] for basis in Basis}
    over_mj = [line.overhead_mj for line in lines if line.overhead_mj is not None]
    return replace(
        first,
        since=since,
        energy_mj=sum(line.energy_mj for line in lines),
        overhead_mj=sum(over_mj) if over_mj else None,
        embodied_ug=sum(line.embodied_ug or 0 for line in lines),
        facility=first.facility if all(line.facility == first.facility for line in lines) else None,
        carbon=tuple(_together(held) for held in carbon.values() if held),
    )


def _together(held: Sequence[CarbonHeld]) -> CarbonHeld:
    factors = {one.intensity_mg_per_kwh for one in held}
    known = [one.carbon_ug for one in held if one.carbon_ug is not None]
    return replace(
        held[0],
        covered_mj=sum(one.covered_mj for one in held),
        carbon_ug=sum(known) if known else None,
        intensity_mg_per_kwh=factors.pop() if len(factors) == 1 else None,
    )


def totals(inputs: Inputs) -> dict[str, int]:
    """The totals of a month by target, in mJ and in ug; what is unknown counts as 0."""
    carbon = {basis: [one for line in inputs.lines if (one := line.on(basis))] for basis in Basis}
    return {
        ENERGY: sum(line.energy_mj for line in inputs.lines),
        OVERHEAD: sum(line.overhead_mj or 0 for line in inputs.lines),
        EMBODIED: sum(line.embodied_ug or 0 for line in inputs.lines),
        **{basis.value: sum(one.carbon_ug or 0 for one in held) for basis, held in carbon.items()},
    }


def _rounded(steps: Sequence[Fraction], difference: int) -> dict[str, int]:
    """Each cause in whole units; what the rounding of lines leaves goes with the largest of them."""
    moved = {cause: round(steps[number + 1] - steps[number]) for number, cause in enumerate(Cause)}
    largest = max(Cause, key=lambda cause: abs(moved[cause]))
    moved[largest] += difference - sum(moved.values())
    return {cause.value: amount for cause, amount in moved.items()}


def _pair(old: LineHeld | None, new: LineHeld | None) -> tuple[_Terms, _Terms]:
    """A line before and after; in a revision that does not have it, it has nothing of its first group."""
    if old is not None and new is not None:
        is_split = all(line.share is not None and line.share.weight > 0 for line in (old, new))
        return _settled(_terms(old, is_split), _terms(new, is_split))
    if old is not None:
        return _terms(old, is_split=True), _nothing_of(old)
    if new is not None:
        return _nothing_of(new), _terms(new, is_split=True)
    raise ValueError("a line is in one of the revisions at least")


def _nothing_of(line: LineHeld) -> _Terms:
    there = replace(_terms(line, is_split=True), apart=Fraction(0))
    if line.share is not None:
        return replace(there, share=Fraction(0))
    return replace(there, energy=Fraction(0), embodied=Fraction(0))


def _settled(old: _Terms, new: _Terms) -> tuple[_Terms, _Terms]:
    """Wholes that differ by what the rounding of their shares hides are one whole."""
    share = max(old.share, new.share)
    hidden = ROUNDED_AWAY if share < 1 else 1
    if abs(old.energy - new.energy) * share <= hidden:
        new = replace(new, energy=old.energy)
    if abs(old.embodied - new.embodied) * share <= hidden:
        new = replace(new, embodied=old.embodied)
    return old, new


def _terms(line: LineHeld, is_split: bool) -> _Terms:
    share = Fraction(1)
    if is_split and line.share is not None and line.share.weight:
        share = Fraction(line.share.weight, line.share.weights)
    return _Terms(
        energy=line.energy_mj / share,
        share=share,
        overhead=_overhead(line),
        apart=Fraction(0 if line.energy_mj else line.overhead_mj or 0),
        intensity={one.basis: _intensity(line, one) for one in line.carbon},
        embodied=(line.embodied_ug or 0) / share,
    )


def _overhead(line: LineHeld) -> Fraction:
    """Over each mJ of its energy: by the terms of its site, which the line rounds down."""
    if line.overhead_mj is None or not line.energy_mj:
        return Fraction(0)
    if line.facility is not None:
        return line.facility.pue - 1
    return Fraction(line.overhead_mj, line.energy_mj)


def _intensity(line: LineHeld, held: CarbonHeld) -> Fraction:
    """By its one factor where that prices all of it, else what it comes to on the whole of its energy."""
    if held.carbon_ug is None or not line.facility_mj:
        return Fraction(0)
    if held.intensity_mg_per_kwh is not None and held.covered_mj == line.facility_mj:
        return Fraction(held.intensity_mg_per_kwh * UG_PER_MG, MJ_PER_KWH)
    return Fraction(held.carbon_ug, line.facility_mj)


def _totals(pairs: Sequence[tuple[_Terms, _Terms]], swapped: int) -> dict[str, Fraction]:
    """The totals where the first groups are those of the new revision, and the others still the old ones."""
    of_target = dict.fromkeys(TARGETS, Fraction(0))
    is_new = {cause: number < swapped for number, cause in enumerate(Cause)}
    for pair in pairs:
        of = {cause: pair[is_new[cause]] for cause in Cause}
        share = of[Cause.KEYS].share
        it_mj = of[Cause.ENERGY].energy * share
        over_mj = it_mj * of[Cause.FACILITY].overhead + of[Cause.FACILITY].apart
        of_target[ENERGY] += it_mj
        of_target[OVERHEAD] += over_mj
        of_target[EMBODIED] += of[Cause.EMBODIED].embodied * share
        for basis, intensity in of[Cause.INTENSITY].intensity.items():
            of_target[basis.value] += (it_mj + over_mj) * intensity
    return of_target
