"""Stretches of time between two UTC instants, the end excluded, to the second."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

Span = tuple[datetime, datetime]


def whole_second(instant: datetime) -> datetime:
    """The instant in UTC, its fraction of a second dropped; raises `ValueError` on a naive one."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no zone")
    if instant.tzinfo is UTC and not instant.microsecond:
        return instant  # as the store and the rules hand them on, thousands of times for one list
    return instant.astimezone(UTC).replace(microsecond=0)


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps: in order, touching spans joined, empty ones dropped."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def intersection(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that is in both, in order and apart."""
    one, other = union(some), union(others)
    both: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            both.append((start, end))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return both


def without(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time of some that is in none of the others, in order and apart."""
    taken = union(others)
    left: list[Span] = []
    for start, end in union(some):
        for begins, ends in taken:
            if ends <= start or end <= begins:
                continue
            if start < begins:
                left.append((start, begins))
            start = max(start, ends)
        if start < end:
            left.append((start, end))
    return left


def length_s(spans: Iterable[Span]) -> int:
    """How long spans that are apart last together, in seconds."""
    return sum(int((end - start).total_seconds()) for start, end in spans)
