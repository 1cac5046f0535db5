"""Stretches of time, and their union."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.spans import Span, union, whole_second

SECOND = timedelta(seconds=1)
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
instants = st.integers(0, 500).map(lambda seconds: NOON + seconds * SECOND)
spans = st.lists(st.tuples(instants, instants), max_size=12)


def held(spans: list[Span]) -> set[datetime]:
    """Every second within."""
    return {start + n * SECOND for start, end in spans for n in range(max((end - start) // SECOND, 0))}


@given(spans)
def test_the_union_is_idempotent_and_holds_each_second_once(some: list[Span]) -> None:
    joined = union(some)
    assert union(joined) == joined
    assert held(joined) == held(some)
    assert sum((end - start) // SECOND for start, end in joined) == len(held(some))
    assert all(end < start for (_, end), (start, _) in pairwise(joined))


def test_an_instant_is_read_in_utc_to_the_second() -> None:
    wall = datetime(2026, 6, 15, 14, 0, 0, 999_999, ZoneInfo("Europe/Paris"))
    assert whole_second(wall) == NOON
    assert whole_second(wall).tzinfo is UTC


def test_a_wall_time_without_a_zone_is_not_an_instant() -> None:
    with pytest.raises(ValueError, match="no zone"):
        whole_second(datetime(2026, 6, 15, 12, 0))
