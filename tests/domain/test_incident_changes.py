"""What was changed of an incident, and what held when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.incident_log import Change, Changed, values_over_time

OPENED = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: int) -> datetime:
    return OPENED + hour * HOUR


def effect(was: str | None, value: str | None, hour: int) -> Changed:
    return Changed(Change.EFFECT, was, value, at(hour))


@pytest.mark.parametrize(
    ("changes", "now_holds", "held"),
    [
        ([], "outage", [(0, "outage")]),
        ([], None, [(0, None)]),
        ([effect("outage", "degraded", 2)], "degraded", [(0, "outage"), (2, "degraded")]),
        (
            [effect("outage", "degraded", 2), effect("degraded", "none", 5)],
            "none",
            [(0, "outage"), (2, "degraded"), (5, "none")],
        ),
        # said again of an earlier time, it takes the place of all that was said of later ones
        (
            [effect("outage", "degraded", 4), effect("degraded", "none", 2)],
            "none",
            [(0, "outage"), (2, "none")],
        ),
        ([effect("degraded", "outage", 0)], "outage", [(0, "outage")]),
        ([effect("outage", "degraded", 2), effect("degraded", "outage", 2)], "outage", [(0, "outage")]),
        ([Changed(Change.PRIORITY, "P3", "P1", at(1))], "outage", [(0, "outage")]),
    ],
)
def test_what_held_is_read_from_the_changes(
    changes: list[Changed], now_holds: str | None, held: list[tuple[int, str | None]]
) -> None:
    read = values_over_time(changes, Change.EFFECT, OPENED, now_holds)
    assert read == [(at(hour), value) for hour, value in held]


@given(st.lists(st.tuples(st.sampled_from(["none", "degraded", "outage"]), st.integers(0, 48)), max_size=8))
def test_the_last_change_recorded_holds_now_and_no_two_that_follow_are_the_same(
    said: list[tuple[str, int]],
) -> None:
    values = ["outage", *(value for value, _hour in said)]
    changes = [effect(was, value, hour) for was, (value, hour) in zip(values[:-1], said, strict=True)]
    held = values_over_time(changes, Change.EFFECT, OPENED, values[-1])
    assert held[0][0] == OPENED
    assert held[-1][1] == values[-1]
    assert all(one[0] < two[0] and one[1] != two[1] for one, two in pairwise(held))
