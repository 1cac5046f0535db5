"""Service hours as people write them, and what of them may still change."""

from dataclasses import replace
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.calendar import Calendar, Closure, Segment
from console.domain.errors import Conflict, Invalid
from console.domain.service_hours import (
    DatedOpening,
    ServiceHours,
    check_change,
    check_hours,
    read_segments,
    write_segments,
)

TODAY = date(2026, 11, 28)
OFFICE = (Segment.parse("08:00-18:00"),)
MORNING = (Segment.parse("08:00-12:00"),)
HOURS = ServiceHours("Europe/Paris", territory="FR", week=(OFFICE,) * 5 + ((),) * 2)
LAST_WEEK = Closure(date(2026, 11, 16), date(2026, 11, 20), name="Travaux")
UNDER_WAY = Closure(date(2026, 11, 23), date(2026, 12, 4), name="Déménagement")
CHRISTMAS = Closure(date(2026, 12, 24), date(2027, 1, 2), name="Fin d'année")
YEARLY = Closure(date(2026, 12, 24), date(2027, 1, 2), yearly=True)


def calendar(hours: ServiceHours) -> Calendar:
    return Calendar(
        ZoneInfo(hours.zone),
        week=dict(enumerate(hours.week)),
        closures=hours.closures,
        openings={one.on: one.segments for one in hours.openings},
    )


def change(before: ServiceHours, **terms: Any) -> None:
    after = replace(before, **terms)
    check_change(before, after, calendar(before), calendar(after), TODAY)


@given(st.lists(st.integers(0, 1439), min_size=2, max_size=8, unique=True).map(sorted))
def test_segments_are_written_as_they_are_read(minutes: list[int]) -> None:
    walls = [time(minute // 60, minute % 60) for minute in minutes[: len(minutes) // 2 * 2]]
    segments = tuple(Segment(*pair) for pair in zip(walls[::2], walls[1::2], strict=True))
    assert read_segments(write_segments(segments), "day-0") == segments


@pytest.mark.parametrize(
    "text", ["", " , ", "08:00-12:00,14:00-18:00", "14:00-18:00, 08:00-12:00", "00:00-24:00", "22:00-06:00"]
)
def test_hours_that_can_be(text: str) -> None:
    assert list(read_segments(text, "day-0")) == sorted(
        read_segments(text, "day-0"), key=lambda one: one.opens
    )


@pytest.mark.parametrize(
    "text", ["8-12", "08:00-08:00", "08:00-12:00, 11:59-13:00", "22:00-06:00, 23:00-24:00", "08:00–12:00"]
)
def test_hours_that_cannot_be_name_their_field(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_segments(text, "day-3")
    assert refusal.value.field == "day-3"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"zone": "Paris"}, "zone"),
        ({"territory": "DE"}, "territory"),
        ({"week": ((),) * 7}, "day-0"),
        ({"week": (OFFICE, (Segment.parse("20:00-09:00"),), OFFICE) + ((),) * 4}, "day-2"),
        ({"week": (OFFICE,) + ((),) * 5 + ((Segment.parse("20:00-08:01"),),)}, "day-0"),
        ({"always": True}, "kind"),
        ({"closures": (CHRISTMAS,) * 201}, "closures"),
        ({"openings": (DatedOpening(TODAY, OFFICE, ""),) * 2}, "openings"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_at_its_field(terms: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_hours(replace(HOURS, **terms))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "hours",
    [
        HOURS,
        ServiceHours("Indian/Reunion", always=True),
        replace(HOURS, week=(OFFICE,) + ((),) * 5 + ((Segment.parse("20:00-08:00"),),)),
    ],
)
def test_a_calendar_that_can_be_passes(hours: ServiceHours) -> None:
    check_hours(hours)


@pytest.mark.parametrize(
    ("before", "terms"),
    [
        ((), {"closures": (CHRISTMAS,)}),
        ((CHRISTMAS,), {"closures": ()}),
        ((UNDER_WAY,), {"closures": (replace(UNDER_WAY, last=date(2026, 11, 30)),)}),
        ((UNDER_WAY,), {"closures": (replace(UNDER_WAY, name="Travaux"),)}),
        ((), {"openings": (DatedOpening(date(2026, 11, 29), OFFICE, ""),)}),
        ((YEARLY,), {"closures": (replace(YEARLY, name="Fin d'année"),)}),
        ((), {"openings": (DatedOpening(date(2026, 11, 27), OFFICE, "comme la semaine"),)}),
    ],
)
def test_what_lies_ahead_may_change(before: tuple[Closure, ...], terms: dict[str, Any]) -> None:
    change(replace(HOURS, closures=before), **terms)


@pytest.mark.parametrize(
    ("before", "terms", "field"),
    [
        ((), {"closures": (LAST_WEEK,)}, "closures"),
        ((LAST_WEEK,), {"closures": ()}, "closures"),
        ((UNDER_WAY,), {"closures": (replace(UNDER_WAY, first=date(2026, 11, 24)),)}, "closures"),
        ((), {"closures": (YEARLY,)}, "closures"),
        ((YEARLY,), {"closures": ()}, "closures"),
        ((), {"openings": (DatedOpening(TODAY, OFFICE, "un samedi"),)}, "openings"),
        (
            (),
            {"openings": (DatedOpening(date(2026, 11, 27), MORNING, ""),)},
            "openings",
        ),
    ],
)
def test_what_has_begun_does_not_change(
    before: tuple[Closure, ...], terms: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        change(replace(HOURS, closures=before), **terms)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "terms", [{"zone": "Indian/Reunion"}, {"territory": "FR-974"}, {"week": (OFFICE,) * 6 + ((),)}]
)
def test_the_week_the_zone_and_the_holidays_never_change(terms: dict[str, Any]) -> None:
    with pytest.raises(Conflict):
        change(HOURS, **terms)
