"""What the law wants told: until when, from when, and what comes first where a contract says so."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Invalid
from console.domain.regulatory import (
    Capacity,
    DutyState,
    Recipient,
    Rule,
    Version,
    add_months,
    check_rule,
    due_dates,
    left_without_start,
    state_of,
    versions_on,
)

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
AWARE = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)  # 10:30 in Paris

NOTICE = Rule(
    code="notice",
    version=1,
    capacity=Capacity.PROCESSOR,
    recipient=Recipient.ADHERENT,
    hours=48,
    months=None,
    by_contract=True,
    each_adherent=True,
    own_limit=True,
)
CNIL = Rule(
    code="cnil",
    version=1,
    capacity=Capacity.CONTROLLER,
    recipient=Recipient.CNIL,
    hours=72,
    months=None,
)
WARNING = Rule(
    code="warning",
    version=1,
    capacity=Capacity.ESSENTIAL_ENTITY,
    recipient=Recipient.ANSSI,
    hours=24,
    months=None,
)
NOTIFICATION = replace(WARNING, code="notification", hours=72)
REPORT = replace(WARNING, code="report", hours=None, months=1, after="notification")
RULES = (REPORT, NOTICE, CNIL, WARNING, NOTIFICATION)


def test_hours_run_around_the_clock_over_a_weekend() -> None:
    dues = due_dates(RULES, AWARE, PARIS)  # a Saturday
    assert dues["warning"].due_at == AWARE + 24 * HOUR
    assert dues["cnil"].due_at == dues["notification"].due_at == AWARE + 72 * HOUR
    assert not any(dues[code].is_provisional for code in ("warning", "cnil", "notification", "notice"))


@pytest.mark.parametrize(("contract", "hours"), [(None, 48), (24, 24), (96, 96)])
def test_the_hours_of_a_contract_come_before_the_operators_own(contract: int | None, hours: int) -> None:
    dues = due_dates(RULES, AWARE, PARIS, contract_hours=contract)
    assert dues["notice"].due_at == AWARE + hours * HOUR
    assert dues["cnil"].due_at == AWARE + 72 * HOUR


def test_a_report_counts_from_when_the_notification_is_due_until_it_is_made() -> None:
    before = due_dates(RULES, AWARE, PARIS)["report"]
    assert before.is_provisional
    assert before.counts_from == AWARE + 72 * HOUR
    assert before.due_at == datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
    made_at = AWARE + 30 * HOUR
    after = due_dates(RULES, AWARE, PARIS, done={"notification": made_at})["report"]
    assert not after.is_provisional
    assert (after.counts_from, after.due_at) == (made_at, datetime(2026, 3, 1, 15, 30, tzinfo=UTC))


def test_a_report_whose_notification_is_no_rule_any_more_counts_from_awareness() -> None:
    due = due_dates([REPORT], AWARE, PARIS)["report"]
    assert (due.counts_from, due.is_provisional) == (AWARE, False)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31T10:30+01:00", 1, "2026-02-28T10:30+01:00"),
        ("2028-01-31T10:30+01:00", 1, "2028-02-29T10:30+01:00"),
        ("2026-03-31T10:30+02:00", 1, "2026-04-30T10:30+02:00"),
        ("2026-12-15T00:00+01:00", 1, "2027-01-15T00:00+01:00"),
        ("2026-03-15T10:30+01:00", 1, "2026-04-15T10:30+02:00"),  # 23 h are missing from no wall time
        ("2026-10-10T10:30+02:00", 1, "2026-11-10T10:30+01:00"),
        ("2026-02-28T02:30+01:00", 1, "2026-03-28T02:30+01:00"),
        ("2026-02-28T02:30+01:00", 13, "2027-03-28T03:30+02:00"),  # that wall is in the gap of March
        ("2026-09-25T02:30+02:00", 1, "2026-10-25T02:30+02:00"),  # repeated: the first occurrence
        ("2026-01-31T23:59:59+01:00", 24, "2028-01-31T23:59:59+01:00"),
    ],
)
def test_a_month_later_is_the_same_wall_time_clamped_to_the_month(start: str, months: int, end: str) -> None:
    assert add_months(datetime.fromisoformat(start), months, PARIS) == datetime.fromisoformat(end)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 24),
)
def test_months_never_skip_a_month_nor_go_back(start: datetime, months: int) -> None:
    end = add_months(start, months, PARIS)
    wall, then = start.astimezone(PARIS), end.astimezone(PARIS)
    assert (then.year * 12 + then.month) - (wall.year * 12 + wall.month) == months
    assert then.day <= wall.day
    assert end > start


def test_it_warns_at_three_quarters_of_the_delay() -> None:
    due = due_dates([CNIL], AWARE, PARIS)["cnil"]
    assert due.warn_at == AWARE + 54 * HOUR


@pytest.mark.parametrize(
    ("now", "done", "withdrawn", "state"),
    [
        (0, None, None, DutyState.RUNNING),
        (53, None, None, DutyState.RUNNING),
        (54, None, None, DutyState.SOON),
        (72, None, None, DutyState.SOON),
        (73, None, None, DutyState.LATE),
        (80, 72, None, DutyState.DONE),
        (80, 73, None, DutyState.DONE_LATE),
        (80, None, 1, DutyState.WITHDRAWN),
        (80, 73, 74, DutyState.WITHDRAWN),
    ],
)
def test_where_a_duty_stands(now: int, done: int | None, withdrawn: int | None, state: DutyState) -> None:
    assert (
        state_of(
            due_at=AWARE + 72 * HOUR,
            warn_at=AWARE + 54 * HOUR,
            done_at=None if done is None else AWARE + done * HOUR,
            withdrawn_at=None if withdrawn is None else AWARE + withdrawn * HOUR,
            now=AWARE + now * HOUR,
        )
        is state
    )


def test_the_version_of_a_day_is_the_latest_that_holds_then() -> None:
    versions = [
        Version("cnil", 1, date(2018, 5, 25), is_retired=False),
        Version("cnil", 2, date(2027, 1, 1), is_retired=False),
        Version("old", 1, date(2018, 1, 1), is_retired=False),
        Version("old", 2, date(2026, 6, 1), is_retired=True),
    ]
    assert versions_on(versions, date(2018, 5, 24)) == {"old": 1}
    assert versions_on(versions, date(2026, 12, 31)) == {"cnil": 1}
    assert versions_on(versions, date(2027, 1, 1)) == {"cnil": 2}


def version(code: str, number: int, since: date, after: str | None = None, retired: bool = False) -> Version:
    return Version(code, number, since, retired, after)


NOW, SOON, LATER = date(2026, 12, 1), date(2027, 1, 1), date(2027, 6, 1)
NIS2 = [
    version("notification", 1, date(2024, 10, 18)),
    version("report", 1, date(2024, 10, 18), "notification"),
]
NO_REPORT = version("report", 2, SOON, "notification", retired=True)


@pytest.mark.parametrize(
    ("more", "added", "code"),
    [
        pytest.param([], version("notification", 2, NOW, retired=True), "report", id="the report holds"),
        pytest.param(
            [NO_REPORT], version("notification", 2, NOW, retired=True), "report", id="and until later"
        ),
        pytest.param(
            [NO_REPORT], version("notification", 2, SOON, retired=True), None, id="both from a day on"
        ),
        pytest.param(
            [NO_REPORT], version("notification", 2, LATER, retired=True), None, id="after the report"
        ),
        pytest.param(
            [NO_REPORT, version("report", 3, LATER, "notification")],
            version("notification", 2, SOON, retired=True),
            "report",
            id="the report comes back",
        ),
        pytest.param(
            [version("report", 2, NOW)],
            version("notification", 2, NOW, retired=True),
            None,
            id="the report counts from awareness by then",
        ),
        pytest.param(
            [], version("report", 2, NOW, "notification", retired=True), None, id="the report itself"
        ),
        pytest.param([], version("notification", 2, NOW), None, id="it is changed only"),
        pytest.param(
            [NO_REPORT, version("notification", 2, LATER, retired=True)],
            version("report", 3, SOON, "notification"),
            "report",
            id="the report back, its start is retired later",
        ),
    ],
)
def test_no_rule_counts_from_one_that_does_not_hold(
    more: list[Version], added: Version, code: str | None
) -> None:
    assert left_without_start(added, [*NIS2, *more]) == code


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hours": None}, "hours"),
        ({"months": 1}, "hours"),
        ({"hours": 0}, "hours"),
        ({"hours": 24 * 367}, "hours"),
        ({"hours": None, "months": 25}, "months"),
        ({"hours": None, "months": 1, "by_contract": True}, "months"),
        ({"after": "cnil"}, "after"),
        ({"after": "nobody"}, "after"),
        ({"after": "report"}, "after"),
    ],
)
def test_a_rule_that_cannot_be_counted_is_refused(change: dict[str, object], field: str) -> None:
    others = {"report": "cnil", "warning": None}
    check_rule(CNIL, others)
    check_rule(replace(CNIL, after="warning"), others)
    with pytest.raises(Invalid) as refused:
        check_rule(replace(CNIL, **change), others)
    assert refused.value.field == field
