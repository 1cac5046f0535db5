"""Public suites on availability and error budgets, and the public file of outages.

`test_vector_coverage` says that none of their cases is left out.
"""

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
from tests.domain.peer_vectors import SUITES, answer, at, cases

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


@pytest.mark.parametrize("expected", answer("kuma-uptime-08"))
def test_beats_of_a_year_a_month_and_a_week(expected: dict[str, str]) -> None:
    beats = [("UP", "DOWN")[day % 2] for day in range(365)]
    for name, days in (("year", 365), ("days30", 30), ("days7", 7)):
        assert of_beats(beats[-days:]).availability_ppm == int(Fraction(expected[name]) * 1_000_000)


@pytest.mark.parametrize(
    ("given", "expected"), cases("kuma-uptime", lambda given: isinstance(given, str) and "+08:00" in given)
)
def test_a_day_is_that_of_the_customer(given: str, expected: dict[str, str]) -> None:
    """There it counts into the day before, which is the one in UTC."""
    beat = datetime.fromisoformat(given)
    start, end = day_bounds(date(2023, 12, 23), ZoneInfo("Asia/Singapore"))
    assert start <= beat < end
    assert f"{beat.astimezone(UTC).date()} (UTC day)" == expected["daily_bucket"]


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


@pytest.mark.parametrize("expected", answer("oneuptime-uptime-13"))
def test_a_window_without_length_says_nothing(expected: dict[str, Any]) -> None:
    nothing = of([(WINDOW[1], WINDOW[0])], [ALL_ALONG])
    assert nothing.counted_s == expected["total_seconds"]
    assert nothing.availability_ppm is expected["availability"]


@pytest.mark.parametrize("expected", answer("oneuptime-uptime-15"))
def test_two_monitors_of_one_service_are_counted_once(expected: dict[str, Any]) -> None:
    both = [down(at("2026-07-12"), at("2026-07-14")), down(at("2026-07-12"), at("2026-07-14"))]
    assert of([(at("2026-07-10"), at("2026-07-16"))], both).outage_s == expected["downtime_seconds"]


@pytest.mark.parametrize(("given", "expected"), cases("oneuptime-uptime", lambda given: "round" in given))
def test_what_is_shown_is_never_rounded_up(given: dict[str, float], expected: dict[str, float]) -> None:
    """Here to four decimals, of which fewer are cut and not rounded: 99.99999 % is 99.9999 %."""
    ten_million = Measured(counted_s=10_000_000, outage_s=1, lost=100)
    shown = percent(ten_million)
    assert shown == given["round"]
    assert [int(shown), int(shown * 100) / 100] == [expected["dp0"], expected["dp2"]]


def of_month(month: date, zone: ZoneInfo, now: datetime, outages: list[Suffered]) -> Measured:
    start, end = month_bounds(month, zone)
    return of([(start, min(end, now))] if start < now else [], outages)


HC_NOW = at("2020-01-15")


def months_back(count: int) -> list[date]:
    return [add_months(date(2020, 1, 1), -place) for place in range(count)]


@pytest.mark.parametrize("expected", answer("hc-availability-01"))
def test_down_all_along(expected: dict[str, Any]) -> None:
    current, *earlier = [
        percent(of_month(month, ZoneInfo("UTC"), HC_NOW, [ALL_ALONG])) for month in months_back(10)
    ]
    assert current == expected["current"]
    assert earlier == expected["earlier"]


@pytest.mark.parametrize("expected", answer("hc-availability-02"))
def test_down_all_along_in_months_of_743_and_745_hours(expected: dict[str, Any]) -> None:
    riga = ZoneInfo("Europe/Riga")
    measured = {month: of_month(month, riga, HC_NOW, [ALL_ALONG]) for month in months_back(11)[1:]}
    assert {percent(one) for one in measured.values()} == {expected["every_earlier_month_uptime"]}
    assert measured[date(2019, 3, 1)].counted_s == 743 * 3600
    assert measured[date(2019, 10, 1)].counted_s == 745 * 3600
    assert measured[date(2019, 12, 1)].counted_s == 744 * 3600


@pytest.mark.parametrize("expected", answer("hc-availability-03"))
def test_down_since_yesterday(expected: dict[str, int]) -> None:
    since = [down(at("2020-01-14"), None)]
    assert of_month(date(2020, 1, 1), ZoneInfo("UTC"), HC_NOW, since).outage_s == expected["january_seconds"]
    others = [of_month(month, ZoneInfo("UTC"), HC_NOW, since).outage_s for month in months_back(3)[1:]]
    assert set(others) == {expected["others"]}


@pytest.mark.parametrize("expected", answer("hc-availability-04"))
def test_down_since_the_middle_of_a_month(expected: dict[str, Any]) -> None:
    since = [down(at("2019-11-15"), None)]
    for name, month in zip(("jan", "dec", "nov"), months_back(3), strict=True):
        measured = of_month(month, ZoneInfo("UTC"), HC_NOW, since)
        assert [measured.outage_s / 86400, percent(measured)] == expected[name][:2]


@pytest.mark.parametrize("expected", answer("hc-availability-05"))
def test_months_begin_where_the_customer_is(expected: dict[str, Any]) -> None:
    riga, since = ZoneInfo("Europe/Riga"), [down(at("2019-12-31T23:00"), None)]
    january = of_month(date(2020, 1, 1), riga, HC_NOW, since)
    assert [january.outage_s / 3600, percent(january)] == [expected["down_h"], expected["pct"]]
    assert of_month(date(2019, 12, 1), riga, HC_NOW, since).outage_s == expected["dec"][0]


@pytest.mark.parametrize(
    ("given", "expected"), cases("hc-availability", lambda given: given.get("created") == "2020-01-01T09:00Z")
)
def test_before_it_was_there_nobody_knows(given: dict[str, str], expected: dict[str, bool]) -> None:
    created = at(given["created"])
    zone = ZoneInfo("UTC")
    known = []
    for month in months_back(3):
        start, end = month_bounds(month, zone)
        known.append(of([(max(start, created), min(end, HC_NOW))]).availability_ppm)
    assert known == [None if expected[f"{name}_no_data"] else 1_000_000 for name in ("jan", "dec", "nov")]


@pytest.mark.parametrize(
    ("given", "expected"), cases("hc-availability", lambda given: given.get("report") == "monthly")
)
def test_an_hour_before_midnight_is_of_the_month_that_ends(
    given: dict[str, str], expected: dict[str, Any]
) -> None:
    """December has one hour, November none."""
    since, now = [down(at(given["flip_down"]), None)], at(given["now"])
    november, december = (
        of_month(month, ZoneInfo("UTC"), now, since) for month in (date(2019, 11, 1), date(2019, 12, 1))
    )
    assert expected["december_downtime"] == "1 h 0 min"
    assert (november.outage_s, december.outage_s) == (0, 3600)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["id"])
        for case in SUITES["zabbix-sli"]["cases"]
        if "max_scheduled_uptime" in case["input"]
    ],
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


@pytest.mark.parametrize("expected", answer("zabbix-sli-08"))
def test_work_that_overlaps_is_taken_out_once(expected: dict[str, int]) -> None:
    works = [announced(clock("10:00"), clock("12:00")), announced(clock("11:00"), clock("13:00"))]
    measured = of(
        [day_bounds(date(2026, 6, 10), ZoneInfo("UTC"))], [down(clock("10:30"), clock("12:30"))], works
    )
    assert measured.outage_s == expected["counted_downtime_seconds"]
    assert measured.excused_s == expected["excluded_seconds"]


@pytest.mark.parametrize("expected", answer("zabbix-sli-09"))
def test_an_outage_that_is_partly_in_planned_work(expected: dict[str, Any]) -> None:
    measured = of(
        [day_bounds(date(2026, 6, 10), ZoneInfo("UTC"))],
        [down(clock("03:00"), clock("05:00"))],
        [announced(clock("02:00"), clock("04:00"))],
    )
    assert measured.outage_s == expected["downtime"]
    assert measured.counted_s - measured.outage_s == expected["uptime"]
    assert percent(measured) == expected["sli"]


@pytest.mark.parametrize("expected", answer("zabbix-sli-10"))
def test_a_week_open_all_the_time_counts_as_the_clock_does(expected: list[list[int]]) -> None:
    """A schedule of the whole week says nothing that 24x7 does not; there it is not even stored."""
    assert expected == []
    utc = ZoneInfo("UTC")
    week = Calendar(utc, dict.fromkeys(range(7), (Segment.parse("00:00-24:00"),)))
    start, end = at("2026-06-01"), at("2026-06-15")
    assert week.open_seconds(start, end) == Calendar.around_the_clock(utc).open_seconds(start, end)


@pytest.mark.parametrize(
    ("given", "expected"), cases("zabbix-sli", lambda given: len(given.get("schedule", [])) == 3)
)
def test_schedules_are_merged(given: dict[str, list[list[int]]], expected: list[list[int]]) -> None:
    spans = [(after(start), after(end)) for start, end in given["schedule"]]
    assert union(spans) == [(after(start), after(end)) for start, end in expected]


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


@pytest.mark.parametrize("expected", answer("zabbix-sli-14"))
def test_a_week_is_seven_local_days_from_whatever_day(expected: list[str]) -> None:
    """There weeks begin on Sunday; here periods are months, quarters and years, or any days."""
    for week in expected:
        first, last = week.split(" - ")
        start, day = date.fromisoformat(first), date.fromisoformat(f"{first[:4]}-{last}")
        begins, ends = period_bounds(start, day + DAY, ZoneInfo("Europe/Paris"))
        assert ends - begins == 7 * DAY


@pytest.mark.parametrize(
    ("given", "expected"), cases("zabbix-sli", lambda given: given.get("from_") == "2020-02-28")
)
def test_days_over_29_february(given: dict[str, str], expected: list[str]) -> None:
    first, last = date.fromisoformat(given["from_"]), date.fromisoformat(given["to"])
    start, end = period_bounds(first, last + DAY, ZoneInfo("UTC"))
    assert [f"{(start + n * DAY).date()}" for n in range((end - start) // DAY)] == expected


@pytest.mark.parametrize(
    ("given", "expected"), cases("sloth-burn-rate", lambda given: "budget_percent" in given)
)
def test_how_fast_a_budget_burns(given: dict[str, Any], expected: dict[str, Any]) -> None:
    used = Fraction(str(given["budget_percent"])) / 100
    rate = burn_rate(used, Fraction(given["long"], given["period_days"] * 24))
    assert float(rate) == pytest.approx(expected["burn_rate"], abs=1e-9)


@pytest.mark.parametrize(
    ("given", "expected"), cases("sloth-burn-rate", lambda given: "budget_percent" not in given)
)
def test_a_period_of_any_length_has_a_burn_rate(given: dict[str, int], expected: str) -> None:
    """There it is refused, since there are no windows for it; here there is no such list."""
    assert expected.startswith("error")
    period_h = given["period_days"] * 24
    assert burn_rate(Fraction(1, 50), Fraction(1, period_h)) == Fraction(period_h, 50)


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
