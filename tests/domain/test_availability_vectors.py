"""Every case of public suites on availability and error budgets, and the public file of outages."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console.domain.availability import Measured, Work, measure, period_bounds
from console.domain.calendar import Calendar, Segment
from console.domain.error_budget import bearable_s, burn_rate
from console.domain.hours import day_bounds, month_bounds
from console.domain.outages import Effect, Suffered
from console.domain.renewal import add_months
from console.domain.spans import Span, length_s, union
from tests.domain import peer_vectors
from tests.domain.peer_vectors import answers, at, cases

PUBLIC_OUTAGES = Path(__file__).parent.parent / "data" / "outages" / "downtime_windows.csv"
ZERO = datetime(2026, 6, 1, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
ALL_ALONG = Suffered(datetime(2000, 1, 1, tzinfo=UTC), None, Effect.OUTAGE)


def of(hours: Iterable[Span], outages: Iterable[Suffered] = (), works: Iterable[Work] = ()) -> Measured:
    return measure(list(hours), outages, works, notice_hours=72, degraded_percent=0)


def down(start: datetime, end: datetime | None) -> Suffered:
    return Suffered(start, end, Effect.OUTAGE)


def announced(start: datetime, end: datetime) -> Work:
    return Work(start, end, start - 30 * DAY, Effect.OUTAGE)


def percent(measured: Measured) -> float | None:
    ppm = measured.availability_ppm
    return None if ppm is None else ppm / 10_000


def after(seconds: int) -> datetime:
    return ZERO + seconds * SECOND


@pytest.mark.parametrize(("given", "expected"), cases("derived-availability"))
def test_outages_are_merged_and_announced_work_is_taken_out(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    measured = of(
        [(ZERO, after(given["period_seconds"]))],
        [down(after(start), after(end)) for start, end in given["incidents"]],
        [announced(after(start), after(end)) for start, end in given["maintenance"]],
    )
    assert measured.outage_s == expected["downtime_seconds"]
    assert measured.counted_s == expected["counted_seconds"]
    assert percent(measured) == expected["availability"]


BEATS = {"UP": 0, "DOWN": 1, "PENDING": 1}


def of_beats(beats: list[str]) -> Measured:
    """A beat a day; one in maintenance was announced."""
    hours = [(ZERO, ZERO + len(beats) * DAY)]
    days = [(beat, ZERO + n * DAY, ZERO + (n + 1) * DAY) for n, beat in enumerate(beats)]
    return of(
        hours,
        [down(start, end) for beat, start, end in days if BEATS.get(beat)],
        [announced(start, end) for beat, start, end in days if beat == "MAINTENANCE"],
    )


@pytest.mark.parametrize(("given", "expected"), cases("kuma-uptime", lambda given: isinstance(given, list)))
def test_the_part_of_the_beats_that_were_up(given: list[str], expected: float | None) -> None:
    ppm = of_beats(given).availability_ppm
    assert ppm == (None if expected is None else int(expected * 1_000_000))


def test_beats_of_a_year_a_month_and_a_week() -> None:
    expected = answers("kuma-uptime", {"kuma-uptime-08"})["kuma-uptime-08"]
    beats = [("UP", "DOWN")[day % 2] for day in range(365)]
    for name, days in (("year", 365), ("days30", 30), ("days7", 7)):
        assert of_beats(beats[-days:]).availability_ppm == int(Fraction(expected[name]) * 1_000_000)


def test_a_day_is_that_of_the_customer() -> None:
    """Elsewhere kuma-uptime-09 counts this instant into the UTC day of 22 December."""
    beat = datetime.fromisoformat("2023-12-23 05:38:39+08:00")
    start, end = day_bounds(date(2023, 12, 23), ZoneInfo("Asia/Singapore"))
    assert start <= beat < end
    assert beat.astimezone(UTC).date() == date(2023, 12, 22)


WINDOW = (at("2026-05-31"), at("2026-07-01"))
NOW = at("2026-07-19")


def of_rows(rows: list[str], window: Span) -> Measured:
    """Rows of "status start..end"; one that is open lasts until the row after it, else until now.

    What runs is counted from the first row on where there is one in the window, as a subscription is.
    """
    read = []
    for row in rows:
        status, times = row.removeprefix("A ").removeprefix("B ").split(" ", 1)
        start, end = (None if text == "open" else at(text) for text in times.split(".."))
        assert start is not None
        read.append((status, start, end))
    follows = [*(start for _, start, _ in read[1:]), None][: len(read)]
    outages = [
        down(start, end or follow)
        for (status, start, end), follow in zip(read, follows, strict=True)
        if status == "offline"
    ]
    begins = max(window[0], read[0][1]) if read and read[0][1] < window[1] else window[0]
    return of([(begins, min(window[1], NOW))], outages)


@pytest.mark.parametrize(
    ("given", "expected"),
    cases("oneuptime-uptime", lambda given: {"rows", "window"} <= given.keys()),
)
def test_availability_of_a_window(given: dict[str, Any], expected: dict[str, Any]) -> None:
    start, end = given["window"].split("..")
    measured = of_rows(given["rows"], (at(start), at(end)))
    if "events" in expected:
        assert measured.outage_s == expected["events"]
        return
    assert measured.outage_s == expected["downtime_seconds"]
    assert measured.counted_s == expected.get("total_seconds", measured.counted_s)
    if "uptime" in expected:
        assert percent(measured) == expected["uptime"]
    if "uptime_2dp" in expected:
        shown = percent(measured)
        assert shown is not None
        assert int(shown * 100) / 100 == expected["uptime_2dp"]


def test_a_window_without_length_says_nothing() -> None:
    expected = answers("oneuptime-uptime", {"oneuptime-uptime-13"})["oneuptime-uptime-13"]
    nothing = of([(WINDOW[1], WINDOW[0])], [ALL_ALONG])
    assert nothing.counted_s == expected["total_seconds"]
    assert nothing.availability_ppm is expected["availability"]


def test_two_monitors_of_one_service_are_counted_once() -> None:
    expected = answers("oneuptime-uptime", {"oneuptime-uptime-15"})["oneuptime-uptime-15"]
    both = [down(at("2026-07-12"), at("2026-07-14")), down(at("2026-07-12"), at("2026-07-14"))]
    assert of([(at("2026-07-10"), at("2026-07-16"))], both).outage_s == expected["downtime_seconds"]


def test_what_is_shown_is_never_rounded_up() -> None:
    """oneuptime-uptime-16, to four decimals: 99.99999 % is 99.9999 %."""
    ten_million = Measured(counted_s=10_000_000, outage_s=1, lost=100)
    assert percent(ten_million) == 99.9999


def of_month(month: date, zone: ZoneInfo, now: datetime, outages: list[Suffered]) -> Measured:
    start, end = month_bounds(month, zone)
    return of([(start, min(end, now))] if start < now else [], outages)


HC_NOW = at("2020-01-15")


def months_back(count: int) -> list[date]:
    return [add_months(date(2020, 1, 1), -place) for place in range(count)]


def test_down_all_along() -> None:
    expected = answers("hc-availability", {"hc-availability-01"})["hc-availability-01"]
    current, *earlier = [
        percent(of_month(month, ZoneInfo("UTC"), HC_NOW, [ALL_ALONG])) for month in months_back(10)
    ]
    assert current == expected["current"]
    assert earlier == expected["earlier"]


def test_down_all_along_in_months_of_743_and_745_hours() -> None:
    expected = answers("hc-availability", {"hc-availability-02"})["hc-availability-02"]
    riga = ZoneInfo("Europe/Riga")
    measured = {month: of_month(month, riga, HC_NOW, [ALL_ALONG]) for month in months_back(11)[1:]}
    assert {percent(one) for one in measured.values()} == {expected["every_earlier_month_uptime"]}
    assert measured[date(2019, 3, 1)].counted_s == 743 * 3600
    assert measured[date(2019, 10, 1)].counted_s == 745 * 3600
    assert measured[date(2019, 12, 1)].counted_s == 744 * 3600


def test_down_since_yesterday() -> None:
    expected = answers("hc-availability", {"hc-availability-03"})["hc-availability-03"]
    since = [down(at("2020-01-14"), None)]
    assert of_month(date(2020, 1, 1), ZoneInfo("UTC"), HC_NOW, since).outage_s == expected["january_seconds"]
    others = [of_month(month, ZoneInfo("UTC"), HC_NOW, since).outage_s for month in months_back(3)[1:]]
    assert set(others) == {expected["others"]}


def test_down_since_the_middle_of_a_month() -> None:
    expected = answers("hc-availability", {"hc-availability-04"})["hc-availability-04"]
    since = [down(at("2019-11-15"), None)]
    for name, month in zip(("jan", "dec", "nov"), months_back(3), strict=True):
        measured = of_month(month, ZoneInfo("UTC"), HC_NOW, since)
        assert [measured.outage_s / 86400, percent(measured)] == expected[name][:2]


def test_months_begin_where_the_customer_is() -> None:
    expected = answers("hc-availability", {"hc-availability-05"})["hc-availability-05"]
    riga, since = ZoneInfo("Europe/Riga"), [down(at("2019-12-31T23:00"), None)]
    january = of_month(date(2020, 1, 1), riga, HC_NOW, since)
    assert [january.outage_s / 3600, percent(january)] == [expected["down_h"], expected["pct"]]
    assert of_month(date(2019, 12, 1), riga, HC_NOW, since).outage_s == expected["dec"][0]


def test_before_it_was_there_nobody_knows() -> None:
    """hc-availability-06: made on 1 January 2020 at 09:00."""
    created = at("2020-01-01T09:00")
    zone = ZoneInfo("UTC")
    known = []
    for month in months_back(3):
        start, end = month_bounds(month, zone)
        known.append(of([(max(start, created), min(end, HC_NOW))]).availability_ppm)
    assert known == [1_000_000, None, None]


def test_an_hour_before_midnight_is_of_the_month_that_ends() -> None:
    """hc-availability-07: December has one hour, November none."""
    since, now = [down(at("2019-12-31T23:00"), None)], at("2020-01-13T02:00")
    november, december = (
        of_month(month, ZoneInfo("UTC"), now, since) for month in (date(2019, 11, 1), date(2019, 12, 1))
    )
    assert (november.outage_s, december.outage_s) == (0, 3600)


SLI = {f"zabbix-sli-{number:02}" for number in range(1, 8)}


@pytest.mark.parametrize(
    "case", [case for case in peer_vectors.SUITES["zabbix-sli"]["cases"] if case["id"] in SLI]
)
def test_indicator_and_what_can_still_be_borne(case: dict[str, Any]) -> None:
    given = case["input"]
    uptime, lost = given["uptime"], given["downtime"]
    measured = Measured(counted_s=uptime + lost, outage_s=lost, lost=lost * 100)
    assert percent(measured) == pytest.approx(case.get("our_value", case["expected"]["sli"]), abs=1e-9)
    left_s = given["max_scheduled_uptime"] - measured.counted_s
    assert (
        bearable_s(measured, round(given["slo"] * 10_000), left_s) == case["expected"]["error_budget_seconds"]
    )


def clock(text: str) -> datetime:
    return at(f"2026-06-10T{text}")


def test_work_that_overlaps_is_taken_out_once() -> None:
    expected = answers("zabbix-sli", {"zabbix-sli-08"})["zabbix-sli-08"]
    works = [announced(clock("10:00"), clock("12:00")), announced(clock("11:00"), clock("13:00"))]
    measured = of(
        [day_bounds(date(2026, 6, 10), ZoneInfo("UTC"))], [down(clock("10:30"), clock("12:30"))], works
    )
    assert measured.outage_s == expected["counted_downtime_seconds"]
    assert measured.excused_s == expected["excluded_seconds"]


def test_an_outage_that_is_partly_in_planned_work() -> None:
    expected = answers("zabbix-sli", {"zabbix-sli-09"})["zabbix-sli-09"]
    measured = of(
        [day_bounds(date(2026, 6, 10), ZoneInfo("UTC"))],
        [down(clock("03:00"), clock("05:00"))],
        [announced(clock("02:00"), clock("04:00"))],
    )
    assert measured.outage_s == expected["downtime"]
    assert measured.counted_s - measured.outage_s == expected["uptime"]
    assert percent(measured) == expected["sli"]


def test_a_week_open_all_the_time_counts_as_the_clock_does() -> None:
    """zabbix-sli-10: a schedule of the whole week says nothing that 24x7 does not."""
    utc = ZoneInfo("UTC")
    week = Calendar(utc, dict.fromkeys(range(7), (Segment.parse("00:00-24:00"),)))
    start, end = at("2026-06-01"), at("2026-06-15")
    assert week.open_seconds(start, end) == Calendar.around_the_clock(utc).open_seconds(start, end)


def test_schedules_are_merged() -> None:
    given = next(case for case in peer_vectors.SUITES["zabbix-sli"]["cases"] if case["id"] == "zabbix-sli-11")
    spans = [(after(start), after(end)) for start, end in given["input"]["schedule"]]
    assert union(spans) == [(after(start), after(end)) for start, end in given["expected"]]


@pytest.mark.parametrize(
    ("month", "counted_days"),
    [
        pytest.param(date(2026, 6, 1), 15, id="zabbix-sli-12"),
        pytest.param(date(2026, 5, 1), 0, id="zabbix-sli-13"),
    ],
)
def test_a_service_made_in_the_middle_of_a_period(month: date, counted_days: int) -> None:
    start, end = month_bounds(month, ZoneInfo("UTC"))
    measured = of([(max(start, at("2026-06-16")), end)])
    assert measured.counted_s == counted_days * 86400
    assert (measured.availability_ppm is None) is (counted_days == 0)


def test_periods_are_months_quarters_and_years_not_weeks() -> None:
    """zabbix-sli-14 has weeks from Sunday on; whatever the days, they are local ones."""
    days = period_bounds(date(2021, 9, 20), date(2021, 9, 27), ZoneInfo("Europe/Paris"))
    assert days[1] - days[0] == 7 * DAY


def test_days_over_29_february() -> None:
    """zabbix-sli-15."""
    start, end = period_bounds(date(2020, 2, 28), date(2020, 3, 3), ZoneInfo("UTC"))
    assert (end - start) // DAY == 4


@pytest.mark.parametrize(
    ("given", "expected"), cases("sloth-burn-rate", lambda given: "budget_percent" in given)
)
def test_how_fast_a_budget_burns(given: dict[str, Any], expected: dict[str, Any]) -> None:
    used = Fraction(str(given["budget_percent"])) / 100
    rate = burn_rate(used, Fraction(given["long"], given["period_days"] * 24))
    assert float(rate) == pytest.approx(expected["burn_rate"], abs=1e-9)


def test_a_period_of_any_length_has_a_burn_rate() -> None:
    """sloth-burn-rate-12 refuses 42 days, for which it has no windows; here there is no such list."""
    assert burn_rate(Fraction(1, 50), Fraction(1, 42 * 24)) == Fraction(42 * 24, 50)


def test_of_the_public_file_of_outages_no_minute_counts_twice() -> None:
    """Of its incidents that had an impact; planned work is none."""
    with PUBLIC_OUTAGES.open(encoding="utf-8", newline="") as file:
        rows = [
            (datetime.fromisoformat(row["downtime_start"]), datetime.fromisoformat(row["downtime_end"]))
            for row in csv.DictReader(file)
            if row["impact"] not in ("none", "maintenance")
        ]
    assert length_s((start, end) for start, end in rows) == 108_444 * 60
    hours = [(min(start for start, _ in rows), max(end for _, end in rows))]
    assert of(hours, [down(start, end) for start, end in rows]).outage_s == 103_606 * 60


@pytest.mark.parametrize(
    "suite",
    [
        *("derived-availability", "kuma-uptime", "oneuptime-uptime"),
        *("hc-availability", "zabbix-sli", "sloth-burn-rate"),
    ],
)
def test_every_case_on_availability_is_a_test(suite: str) -> None:
    """Asked for by a table of cases, or named where it is tested alone."""
    source = Path(__file__).read_text(encoding="utf-8")
    ids = {case["id"] for case in peer_vectors.SUITES[suite]["cases"]}
    assert {name for name in ids - peer_vectors.TAKEN - SLI if name not in source} == set()
