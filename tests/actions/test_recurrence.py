"""The dates of a recurrence rule: on the wall clock, over clock changes, whatever way the rule ends."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.actions.recurrence import check_rule, is_endless, slots
from console.domain.errors import Invalid
from console.domain.maintenance import Slot, Timing, read_rule, with_last_date

PARIS = ZoneInfo("Europe/Paris")
NEVER = datetime(2029, 1, 1)


def timing(first: str, rule: str = "", **other: object) -> Timing:
    found = with_last_date(
        Timing(datetime.fromisoformat(first), "Europe/Paris", 60, read_rule(rule), **other)  # type: ignore[arg-type]
    )
    check_rule(found)
    return found


def found(when: Timing, before: datetime = NEVER) -> list[Slot]:
    return slots(when, when.first, before)


def days(when: Timing, before: datetime = NEVER) -> list[str]:
    return [f"{one.starts_at.astimezone(PARIS):%m-%d}" for one in found(when, before)]


def walls(when: Timing) -> list[str]:
    return [f"{one.starts_at.astimezone(PARIS):%m-%dT%H:%M%z}" for one in found(when)]


def test_the_wall_time_is_kept_over_both_clock_changes() -> None:
    assert walls(timing("2027-03-27T22:00", "FREQ=DAILY;COUNT=3")) == [
        "03-27T22:00+0100",
        "03-28T22:00+0200",
        "03-29T22:00+0200",
    ]
    assert walls(timing("2027-10-30T22:00", "FREQ=DAILY;COUNT=3")) == [
        "10-30T22:00+0200",
        "10-31T22:00+0100",
        "11-01T22:00+0100",
    ]


def test_a_time_that_the_clocks_skip_moves_forward_on_that_day_alone() -> None:
    assert walls(timing("2027-03-27T02:30", "FREQ=DAILY;COUNT=3")) == [
        "03-27T02:30+0100",
        "03-28T03:30+0200",
        "03-29T02:30+0200",
    ]


def test_a_time_that_the_clocks_repeat_is_the_first_of_the_two() -> None:
    assert walls(timing("2027-10-30T02:30", "FREQ=DAILY;COUNT=3")) == [
        "10-30T02:30+0200",
        "10-31T02:30+0200",
        "11-01T02:30+0100",
    ]
    (once,) = found(timing("2027-10-31T02:30"))
    assert once.ends_at == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)  # an hour that lasts an hour


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;COUNT=3", "12-06 12-13 12-20"),
        ("FREQ=WEEKLY;BYDAY=SU,WE;COUNT=4", "12-06 12-09 12-13 12-16"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=MO;COUNT=4", "12-06 12-15 12-20 12-29"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=SU;COUNT=4", "12-06 12-08 12-20 12-22"),
        ("FREQ=MONTHLY;BYDAY=1SU;COUNT=3", "12-06 01-03 02-07"),
        ("FREQ=MONTHLY;BYDAY=1SU,-1FR;COUNT=4", "12-06 12-25 01-03 01-29"),
        ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=2;COUNT=3", "12-06 01-03 02-07"),
        ("FREQ=MONTHLY;BYMONTHDAY=6,-1;COUNT=4", "12-06 12-31 01-06 01-31"),
        ("FREQ=YEARLY;BYMONTH=3,12;BYDAY=1SU;COUNT=3", "12-06 03-07 12-05"),
        ("FREQ=DAILY;INTERVAL=10;COUNT=2", "12-06 12-16"),
        ("FREQ=WEEKLY;UNTIL=20261220", "12-06 12-13 12-20"),
        ("FREQ=WEEKLY;UNTIL=20261220T210000Z", "12-06 12-13 12-20"),
        ("FREQ=WEEKLY;UNTIL=20261220T205959Z", "12-06 12-13"),
    ],
)
def test_a_rule_gives_the_dates_that_its_standard_says(rule: str, expected: str) -> None:
    assert " ".join(days(timing("2026-12-06T22:00", rule))) == expected


def test_a_month_without_the_day_has_no_date() -> None:
    assert days(timing("2026-12-31T22:00", "FREQ=MONTHLY;COUNT=4")) == ["12-31", "01-31", "03-31", "05-31"]


def test_excluded_days_count_among_the_dates_of_a_rule_but_are_not_held() -> None:
    excluded = frozenset({date(2026, 12, 13), date(2026, 12, 14)})
    assert days(timing("2026-12-06T22:00", "FREQ=WEEKLY;COUNT=3", excluded=excluded)) == ["12-06", "12-20"]


def test_the_last_date_is_among_them() -> None:
    last = timing("2026-12-06T22:00", "FREQ=WEEKLY", until_on=date(2026, 12, 20))
    assert days(last) == ["12-06", "12-13", "12-20"]
    assert not is_endless(last)
    assert not is_endless(timing("2026-12-06T22:00", "FREQ=WEEKLY;COUNT=2"))
    assert not is_endless(timing("2026-12-06T22:00"))
    assert is_endless(timing("2026-12-06T22:00", "FREQ=WEEKLY"))


def test_what_is_under_way_at_the_first_instant_is_among_them_and_the_end_is_not() -> None:
    daily = timing("2026-12-06T22:00", "FREQ=DAILY")
    at_half_past = datetime(2026, 12, 9, 22, 30)
    starts = [one.starts_at for one in slots(daily, at_half_past, datetime(2026, 12, 11, 22, 0))]
    assert datetime(2026, 12, 9, 21, 0, tzinfo=UTC) in starts
    assert starts[-1] == datetime(2026, 12, 10, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "excluded"),
    [
        ("FREQ=WEEKLY;BYDAY=MO", ""),  # the first date is a Sunday
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", ""),  # never
        ("FREQ=DAILY", "2026-12-06"),
    ],
)
def test_a_rule_that_its_first_date_does_not_follow_is_refused(rule: str, excluded: str) -> None:
    with pytest.raises(Invalid):
        timing(
            "2026-12-06T22:00", rule, excluded=frozenset(date.fromisoformat(day) for day in excluded.split())
        )


@given(
    first=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
        lambda at: at.replace(second=0, microsecond=0)
    ),
    rule=st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=WEEKLY;INTERVAL=2"]),
    cut=st.integers(0, 400),
)
def test_the_dates_of_a_year_are_those_of_its_parts(first: datetime, rule: str, cut: int) -> None:
    when = Timing(first, "Europe/Paris", 60, rule)
    end = first + timedelta(days=400)
    middle = first + timedelta(days=cut)
    whole = slots(when, first, end)
    parts = slots(when, first, middle) + slots(when, middle, end)
    assert sorted(set(parts), key=lambda one: one.occurrence) == whole
    assert len({one.occurrence for one in whole}) == len(whole)
    assert all(one.ends_at - one.starts_at == timedelta(hours=1) for one in whole)
