"""Stretches of time between two UTC instants, the end excluded, to the second."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

Span = tuple[datetime, datetime]


def whole_second(instant: datetime) -> datetime:
    """The instant in UTC, its fraction of a second dropped; raises `ValueError` on a naive one."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no zone")
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
