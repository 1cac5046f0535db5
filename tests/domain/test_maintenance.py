"""When planned work is held and what it falls on, from what a person typed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.domain.criticality import Window
from console.domain.errors import Invalid
from console.domain.maintenance import (
    Clash,
    ClashKind,
    Critical,
    Meeting,
    OtherWork,
    Slot,
    Surroundings,
    Timing,
    clashes,
    read_rule,
    too_late,
    with_last_date,
)

PARIS = ZoneInfo("Europe/Paris")
FIRST = datetime(2026, 12, 6, 22, 0)
STARTS = datetime(2026, 12, 6, 21, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def timing(rule: str, until_on: date | None = None) -> Timing:
    return Timing(FIRST, "Europe/Paris", 120, read_rule(rule), until_on)


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20270103", date(2027, 1, 3)),
        ("20270103T210000Z", date(2027, 1, 3)),  # 22:00 in Paris: the last work begins then
        ("20270103T205959Z", date(2027, 1, 2)),
        ("20270103T230000Z", date(2027, 1, 3)),  # midnight there, a day on
        ("20270103T220000", date(2027, 1, 3)),
        ("20270103T215959", date(2027, 1, 2)),
    ],
)
def test_the_end_that_a_rule_says_is_the_last_date(until: str, last: date) -> None:
    found = with_last_date(timing(f"RRULE:FREQ=WEEKLY;UNTIL={until};BYDAY=SU"))
    assert (found.rule, found.until_on) == ("FREQ=WEEKLY;BYDAY=SU", last)
    assert with_last_date(found) == found


@pytest.mark.parametrize(
    ("rule", "until_on", "field"),
    [
        ("FREQ=DAILY;UNTIL=20270230", None, "rule"),
        ("FREQ=DAILY;UNTIL=20270103T250000Z", None, "rule"),
        ("FREQ=DAILY;UNTIL=20270103;COUNT=3", None, "rule"),
        ("FREQ=DAILY;UNTIL=20270103", date(2027, 1, 4), "until_on"),
    ],
)
def test_an_end_that_is_none_or_is_said_in_two_ways_is_refused(
    rule: str, until_on: date | None, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        with_last_date(timing(rule, until_on))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;UNTIL=demain",
        "FREQ=DAILY;FREQ=DAILY",
        "INTERVAL=2",
        "FREQ=DAILY;BYHOUR=3",
        "FREQ=WEEKLY;BYDAY=1SU",
        "chaque jour",
    ],
)
def test_what_is_no_rule_on_days_is_refused(rule: str) -> None:
    with pytest.raises(Invalid):
        read_rule(rule)


def test_work_past_midnight_falls_on_both_its_days_each_kind_in_its_turn() -> None:
    eve = Slot(STARTS, datetime(2026, 12, 24, 22, 0, tzinfo=UTC), datetime(2026, 12, 25, 1, 0, tzinfo=UTC))
    around = Surroundings(
        critical=[Critical("payroll", [Window(24, 25)]), Critical("hr", [Window(25, 25)])],
        holidays={date(2026, 12, 25): "Noël"},
        others=[
            OtherWork("Réseau", frozenset({"payroll"}), eve),
            OtherWork("Ailleurs", frozenset({"other"}), eve),
        ],
        meetings=[
            Meeting("CH de Gap", datetime(2026, 12, 23, 23, 30, tzinfo=UTC)),  # the 24th in Paris
            Meeting("CH de Foix", datetime(2026, 12, 24, 9, 0, tzinfo=UTC)),
            Meeting("CH de Tulle", datetime(2026, 12, 26, 9, 0, tzinfo=UTC)),
        ],
    )
    assert clashes(eve, PARIS, frozenset({"payroll", "hr"}), around) == [
        Clash(ClashKind.PAYROLL, date(2026, 12, 24), ("payroll",)),
        Clash(ClashKind.PAYROLL, date(2026, 12, 25), ("hr", "payroll")),
        Clash(ClashKind.HOLIDAY, date(2026, 12, 25), ("Noël",)),
        Clash(ClashKind.OTHER_WORK, date(2026, 12, 24), ("Réseau",)),
        Clash(ClashKind.COMMITTEE, date(2026, 12, 24), ("CH de Foix", "CH de Gap")),
    ]


def test_work_that_ends_at_midnight_is_not_on_the_next_day_nor_meets_what_begins_then() -> None:
    midnight = datetime(2026, 12, 24, 23, 0, tzinfo=UTC)
    before = Slot(midnight, midnight - HOUR, midnight)
    after = Slot(midnight, midnight, midnight + HOUR)
    assert before.days(PARIS) == [date(2026, 12, 24)]
    assert not before.meets(after)
    assert not after.meets(before)


def test_notice_given_at_the_very_hour_is_in_time() -> None:
    notices = {24: 1, 72: 3}
    assert too_late(STARTS, STARTS - 72 * HOUR, notices) == {}
    assert too_late(STARTS, STARTS - 72 * HOUR + timedelta(seconds=1), notices) == {72: 3}
    assert too_late(STARTS, STARTS, notices) == notices
