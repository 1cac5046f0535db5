"""When committees fall, and what may still be done with them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.committees import (
    TaskState,
    check_can_approve,
    check_can_change,
    duration_min,
    instant_of,
    is_overdue,
    link,
)
from console.domain.errors import Conflict, Invalid
from tests.given import NOW

PARIS, REUNION = ZoneInfo("Europe/Paris"), ZoneInfo("Indian/Reunion")


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        (datetime(2026, 12, 4, 14), PARIS, datetime(2026, 12, 4, 13, tzinfo=UTC)),
        (datetime(2026, 12, 4, 14), REUNION, datetime(2026, 12, 4, 10, tzinfo=UTC)),
        (datetime(2026, 3, 29, 2, 30), PARIS, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # 03:30 there
        (datetime(2026, 10, 25, 2, 30), PARIS, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first one
    ],
)
def test_a_wall_time_is_one_instant(wall: datetime, zone: ZoneInfo, instant: datetime) -> None:
    assert instant_of(wall, zone) == instant


@given(st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31)))
def test_a_wall_time_comes_back_or_moves_forward_by_the_gap(wall: datetime) -> None:
    back = instant_of(wall, PARIS).astimezone(PARIS).replace(tzinfo=None, fold=0)
    assert back - wall in (timedelta(0), timedelta(hours=1))


def test_a_time_with_a_zone_is_no_wall_time() -> None:
    with pytest.raises(ValueError, match="zone"):
        instant_of(NOW, PARIS)


@pytest.mark.parametrize("typed", ["http://visio.example", "visio.example", "https://", "javascript:a()"])
def test_a_link_is_an_https_address(typed: str) -> None:
    with pytest.raises(Invalid, match="https://"):
        link(typed)
    assert link(" https://visio.example/r/1 ") == "https://visio.example/r/1"
    assert link("") is None


@pytest.mark.parametrize("minutes", [None, 0, 1441])
def test_a_committee_lasts_up_to_a_day(minutes: int | None) -> None:
    assert duration_min(1440) == 1440
    with pytest.raises(Invalid, match="1440"):
        duration_min(minutes)


def test_approved_or_cancelled_it_changes_no_more() -> None:
    check_can_change(None, None)
    with pytest.raises(Conflict, match="additif"):
        check_can_change(NOW, None)
    with pytest.raises(Conflict, match="annulé"):
        check_can_change(None, NOW)


def test_minutes_are_approved_once_it_was_held_and_they_are_written() -> None:
    check_can_approve(NOW, "Dit.", NOW)
    with pytest.raises(Conflict, match="une fois"):
        check_can_approve(NOW + timedelta(minutes=1), "Dit.", NOW)
    with pytest.raises(Conflict, match="pas de compte rendu"):
        check_can_approve(NOW, "", NOW)


@pytest.mark.parametrize(
    ("state", "due_on", "overdue"),
    [
        (TaskState.OPEN, date(2026, 11, 24), True),
        (TaskState.OPEN, date(2026, 11, 25), False),
        (TaskState.OPEN, None, False),
        (TaskState.DONE, date(2026, 11, 24), False),
        (TaskState.DROPPED, date(2026, 11, 24), False),
    ],
)
def test_a_task_is_overdue_the_day_after(state: TaskState, due_on: date | None, overdue: bool) -> None:
    assert is_overdue(state, due_on, date(2026, 11, 25)) is overdue
