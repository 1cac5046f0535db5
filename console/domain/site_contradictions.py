"""What the meters of a site cannot both tell: a part that would take more than the whole it is within.

    the whole site >= its IT, by category
    the whole site >= each of its zones >= the IT of the zone, by category

Both are held against each other over every stretch that both cover, however finely each was told.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise

from console.domain.errors import Invalid
from console.domain.facility import CATEGORIES, NO_POINT, Quantity
from console.domain.site_measures import Lines, Measure, Point, amount_over, shown
from console.domain.site_zones import energy_of_zone, it_of_zone

OF_THESE = (Quantity.TOTAL, Quantity.IT, Quantity.ZONE, Quantity.ZONE_IT)
Refusal = Callable[[int, int], Invalid]  # of what a whole and its part take, in millijoules
Pair = tuple[Lines, Lines, Refusal]  # a whole, and a part of it


def contradictions(
    lines: Lines, start: datetime, end: datetime
) -> Iterator[tuple[Sequence[Measure], Invalid]]:
    """The measures of each stretch over which a part would take more than its whole, with why.

    Of the stretches that share any time with `[start, end)`.
    """
    for whole, part, refusal in _pairs(lines):
        both = [*whole.values(), *part.values()]
        for first, last in _between_cuts(both):
            if first >= end or last <= start:
                continue
            all_mj, part_mj = amount_over(whole, first, last), amount_over(part, first, last)
            if all_mj is not None and part_mj is not None and all_mj < part_mj:
                yield _within(both, first, last), refusal(all_mj, part_mj)


def _pairs(lines: Lines) -> Iterator[Pair]:
    total = _at((Quantity.TOTAL, NO_POINT), lines)
    for category in CATEGORIES:
        yield total, _at((Quantity.IT, category), lines), partial(_site_below_it, category)
    for name in sorted(name for quantity, _category, name in lines if quantity is Quantity.ZONE):
        energy = energy_of_zone(lines, name)
        yield total, energy, partial(_site_below_zone, name)
        for of_it in it_of_zone(lines, name).values():
            yield energy, of_it, partial(_zone_below_it, name)


def _at(point: Point, lines: Lines) -> Lines:
    return {line: told for line, told in lines.items() if line[:2] == point}


def _site_below_it(category: int, total_mj: int, it_mj: int) -> Invalid:
    return Invalid(
        "amount",
        "L'énergie totale (%(total)s) serait sous celle de l'IT, catégorie %(category)s (%(it)s) : l'une des "
        "deux est fausse.",
        total=shown(Quantity.TOTAL, total_mj),
        category=category,
        it=shown(Quantity.IT, it_mj),
    )


def _site_below_zone(name: str, total_mj: int, zone_mj: int) -> Invalid:
    return Invalid(
        "amount",
        "L'énergie totale (%(total)s) serait sous celle de la zone %(name)s (%(zone)s) : l'une des deux est "
        "fausse.",
        total=shown(Quantity.TOTAL, total_mj),
        name=name,
        zone=shown(Quantity.ZONE, zone_mj),
    )


def _zone_below_it(name: str, zone_mj: int, it_mj: int) -> Invalid:
    return Invalid(
        "amount",
        "L'énergie de la zone %(name)s (%(zone)s) serait sous celle de son IT (%(it)s) : l'une des deux est "
        "fausse.",
        name=name,
        zone=shown(Quantity.ZONE, zone_mj),
        it=shown(Quantity.ZONE_IT, it_mj),
    )


def _between_cuts(lines: Iterable[Sequence[Measure]]) -> Iterable[tuple[datetime, datetime]]:
    """The stretches between the instants at which a measure of every line starts or ends.

    Whatever all lines cover is made of such stretches: what holds over each of them holds over any sum.
    """
    cuts = [{instant for one in measures for instant in one.period} for measures in lines if measures]
    return pairwise(sorted(set[datetime].intersection(*cuts))) if cuts else ()


def _within(lines: Iterable[Sequence[Measure]], start: datetime, end: datetime) -> list[Measure]:
    """The measures of a stretch that all lines cover."""
    found: list[Measure] = []
    for measures in lines:
        first = bisect_left(measures, start, key=lambda one: one.started_at)
        found += measures[first : bisect_left(measures, end, key=lambda one: one.started_at)]
    return found
