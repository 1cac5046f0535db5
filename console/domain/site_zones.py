"""The zones of a data centre that are metered by themselves, such as a room: what each takes, and its IT.

A zone is called by the name of its meters. Its IT energy is what is told of it as such (`E_IT_ZONE`); where
nothing is, what the IT meter of the site that has its name tells, for many sites meter their IT by room.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from console.domain.facility import CATEGORIES, NO_POINT, Quantity
from console.domain.site_measures import Lines, Measure


def zone_names(measures: Iterable[Measure]) -> list[str]:
    """The zones that anything is told of, by name."""
    return sorted({one.meter for one in measures if one.quantity.is_of_zone})


def energy_of_zone(lines: Lines, name: str) -> Lines:
    """All that a zone takes."""
    line = (Quantity.ZONE, NO_POINT, name)
    return {line: lines[line]} if line in lines else {}


def it_of_zone(lines: Lines, name: str) -> dict[int, Lines]:
    """The IT energy of a zone by the category of its point, 0 where none is named: a line for each."""
    own = {
        category: lines[Quantity.ZONE_IT, category, name]
        for category in (NO_POINT, *CATEGORIES)
        if (Quantity.ZONE_IT, category, name) in lines
    }
    found: dict[int, Lines] = {}
    for category in (NO_POINT, *CATEGORIES):
        of_site = lines.get((Quantity.IT, category, name), ())
        told = [*own.get(category, ()), *_where_none_of(own.values(), of_site)]
        if told:
            found[category] = {(Quantity.ZONE_IT, category, name): sorted(told)}
    return found


def _where_none_of(others: Iterable[Sequence[Measure]], measures: Sequence[Measure]) -> list[Measure]:
    """The measures that share no time with any of the others; each line of these is in order."""
    lines = list(others)
    return [one for one in measures if not any(_meets(line, one) for line in lines)]


def _meets(line: Sequence[Measure], measure: Measure) -> bool:
    place = bisect_left(line, measure.ended_at, key=lambda one: one.started_at)
    return place > 0 and line[place - 1].ended_at > measure.started_at
