"""Cases of public test suites on service hours (tests/data/vectors), as pytest parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console.domain.calendar import Calendar, Segment

VECTORS = Path(__file__).parent.parent / "data" / "vectors" / "sla.json"
SUITES: dict[str, dict[str, Any]] = {
    suite["id"]: suite for suite in json.loads(VECTORS.read_text(encoding="utf-8"))["suites"]
}
UTC_ZONE = ZoneInfo("UTC")
MON_FRI = range(5)
EVERY_DAY = range(7)


def cases(suite: str, where: Callable[[dict[str, Any]], bool] = lambda given: True) -> list[Any]:
    """(input, right answer) of the cases chosen by their input; the answer is ours where it differs."""
    return [
        pytest.param(case["input"], case.get("our_value", case["expected"]), id=case["id"])
        for case in SUITES[suite]["cases"]
        if where(case["input"])
    ]


def answer(name: str) -> list[Any]:
    """The right answer of the one case of that id, which a test builds by itself."""
    (expected,) = answers(name.rpartition("-")[0], {name}).values()
    return [pytest.param(expected, id=name)]


def answers(suite: str, ids: Container[str]) -> dict[str, Any]:
    """The right answers of the cases named, by id."""
    return {
        case["id"]: case.get("our_value", case["expected"])
        for case in SUITES[suite]["cases"]
        if case["id"] in ids
    }


def hours(days: range, segments: str, zone: ZoneInfo = UTC_ZONE, **more: Any) -> Calendar:
    """A calendar with the same segments, as "08:00-13:00,14:00-18:00", on each of these weekdays."""
    parsed = tuple(Segment.parse(text) for text in segments.split(","))
    return Calendar(zone, dict.fromkeys(days, parsed), **more)


def at(text: str, zone: ZoneInfo = UTC_ZONE) -> datetime:
    """A wall time of that zone, or a text with its own offset, in UTC."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def named(days: list[str]) -> dict[date, str]:
    return {date.fromisoformat(day): "holiday" for day in days}
