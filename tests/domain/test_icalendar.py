"""A calendar file as its standard wants it: read back by a reader of the standard's own rules."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.icalendar import LONGEST_OCTETS, Event, calendar, escape, fold
from tests.calendar_files import read_calendar

AT = datetime(2026, 12, 4, 14, tzinfo=timezone(timedelta(hours=1)))
EVENT = Event(
    uid="committee-2-1@console.example",
    revision=3,
    stamped_at=AT,
    starts_at=AT,
    ends_at=AT + timedelta(hours=1),
    summary="Comité, CH de Foix",
    description="",
    location=None,
    url=None,
    cancelled=False,
)


def unfolded(text: str) -> list[str]:
    assert text.endswith("\r\n")
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def value_of(name: str, event: Event) -> str:
    (found,) = [line for line in unfolded(calendar(event)) if line.startswith(f"{name}:")]
    return found.partition(":")[2]


def test_it_says_when_in_utc_and_that_it_stands() -> None:
    lines = unfolded(calendar(EVENT))
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    assert {"DTSTART:20261204T130000Z", "DTEND:20261204T140000Z"} <= set(lines)
    assert {"SEQUENCE:3", "STATUS:CONFIRMED"} <= set(lines)


def test_a_cancelled_event_says_so() -> None:
    assert value_of("STATUS", replace(EVENT, cancelled=True)) == "CANCELLED"


def test_what_is_not_known_is_left_out() -> None:
    text = calendar(EVENT)
    assert not {"DESCRIPTION", "LOCATION", "URL"} & {line.partition(":")[0] for line in unfolded(text)}


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a;b,c", r"a\;b\,c"), ("a\nb", r"a\nb"), ("C:\\new", r"C:\\new"), ("a\r\nb", r"a\nb")],
)
def test_a_text_cannot_end_its_line(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=300))
def test_every_text_is_read_back_and_no_line_is_longer_than_75_octets(text: str) -> None:
    event = replace(EVENT, description=f"x{text}")
    assert unescaped(value_of("DESCRIPTION", event)) == f"x{text}"
    assert all(len(line.encode()) <= LONGEST_OCTETS for line in calendar(event).split("\r\n"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_folding_cuts_no_character(line: str) -> None:
    first, *others = fold(line)
    assert first + "".join(piece[1:] for piece in others) == line


def test_the_standard_wants_utc() -> None:
    assert value_of("DTSTAMP", replace(EVENT, stamped_at=AT.astimezone(UTC))) == "20261204T130000Z"


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=120), max_size=3
    )
)
def test_a_reader_of_the_standard_alone_reads_the_same(texts: list[str]) -> None:
    written = {
        f"{number}@console.example": replace(
            EVENT, uid=f"{number}@console.example", summary=text, description=text, revision=number
        )
        for number, text in enumerate(texts)
    }
    content = calendar(*written.values(), name="Travaux planifiés, centre hospitalier; de Foix").encode()
    read = read_calendar(content)
    assert read.keys() == written.keys()
    for uid, event in written.items():
        found = read[uid]
        assert (found.summary, found.description) == (event.summary, event.description)
        assert (found.starts_at, found.ends_at, found.stamped_at) == (AT, AT + timedelta(hours=1), AT)
        assert (found.sequence, found.status) == (event.revision, "CONFIRMED")
