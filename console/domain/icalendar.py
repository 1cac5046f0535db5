"""Events as a calendar file (RFC 5545): escaped, folded at 75 octets, in UTC.

It is published, no scheduling message: it has no method and names nobody as attending, as the
standard asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

PRODUCT = "-//Console INR//FR"
LONGEST_OCTETS = 75
ESCAPES = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n", "\r": None})


@dataclass(frozen=True, slots=True)
class Event:
    """An event; `revision` grows at each change, so that a calendar replaces what it holds."""

    uid: str
    revision: int
    stamped_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    location: str | None
    url: str | None
    cancelled: bool


def calendar(*events: Event, name: str = "") -> str:
    """The calendar file that holds some events; one with a name is subscribed to, and asked for each hour."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN"]
    if name:
        lines += [f"{key}:{escape(name)}" for key in ("NAME", "X-WR-CALNAME")]
        lines.append("REFRESH-INTERVAL;VALUE=DURATION:PT1H")
    for event in events:
        lines += _lines(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in fold(line))


def escape(text: str) -> str:
    """A text as the value of a property holds it."""
    return text.translate(ESCAPES)


def fold(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 octets, no character cut; each after the first begins with a blank."""
    piece, octets = "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > LONGEST_OCTETS:
            yield piece
            piece, octets = " ", 1
        piece, octets = piece + character, octets + size
    yield piece


def _lines(event: Event) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    yield f"SEQUENCE:{event.revision}"
    yield f"DTSTAMP:{_instant(event.stamped_at)}"
    yield f"DTSTART:{_instant(event.starts_at)}"
    yield f"DTEND:{_instant(event.ends_at)}"
    yield f"SUMMARY:{escape(event.summary)}"
    if event.description:
        yield f"DESCRIPTION:{escape(event.description)}"
    if event.location:
        yield f"LOCATION:{escape(event.location)}"
    if event.url:
        yield f"URL:{event.url}"
    yield f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}"
    yield "END:VEVENT"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
