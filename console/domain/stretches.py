"""A month of a data centre cut where its contracts of power change, and what its meters tell of each stretch.

measures wholly within a stretch        -> that stretch
measures that reach over several        -> by time, to the largest remainder
IT energy less what is told of its parts -> the rest of each stretch; together the rest of the month
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from console.domain.proportion import apportion
from console.domain.site_measures import Measure
from console.domain.spans import Span


def cut(start: datetime, end: datetime, days: Iterable[date], zone: ZoneInfo) -> list[Span]:
    """`[start, end)` cut where any of these days begins in the zone, in order."""
    midnights = {datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in days}
    return list(pairwise([start, *sorted(one for one in midnights if start < one < end), end]))


def spread(amount: int, stretches: Sequence[Span]) -> list[int]:
    """An amount spread evenly over the time of stretches; the parts add up to it exactly."""
    return list(apportion(amount, _times(stretches)).values())


def by_stretch(measures: Iterable[Measure], stretches: Sequence[Span]) -> list[int]:
    """What measures that lie within the stretches tell of each; together all that they tell."""
    told = [0] * len(stretches)
    for one in measures:
        shared = [(max(one.started_at, start), min(one.ended_at, end)) for start, end in stretches]
        touched = [place for place, (start, end) in enumerate(shared) if start < end]
        parts = spread(one.amount, [shared[place] for place in touched])
        for place, part in zip(touched, parts, strict=True):
            told[place] += part
    return told


def rests(rest: int, told: Sequence[int], carried: Sequence[int], stretches: Sequence[Span]) -> list[int]:
    """The rest of a month as its stretches have it: what was told of each, less what is carried of it.

    Where a meter tells the month alone, its even power may be under what is carried of a stretch: that has no
    rest then, and the others have less, in proportion.
    """
    left = {place: max(0, of - less) for place, (of, less) in enumerate(zip(told, carried, strict=True))}
    return list(apportion(rest, left if any(left.values()) else _times(stretches)).values())


def _times(stretches: Sequence[Span]) -> dict[int, int]:
    """How long each is, in microseconds."""
    return {place: (end - start) // timedelta(microseconds=1) for place, (start, end) in enumerate(stretches)}
