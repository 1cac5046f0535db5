"""A strict reader of calendar files by the rules of RFC 5545 alone: it knows nothing of what wrote them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

OCTETS = 75
NAME = re.compile(r"[A-Z0-9-]+")
PARAMETER = re.compile(r'[A-Z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*')
ESCAPED = re.compile(r"\\(.)|([;,])", re.DOTALL)
ONCE = frozenset(
    {"UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "SUMMARY", "DESCRIPTION", "LOCATION", "URL", "STATUS"}
)
CALENDAR = frozenset({"VERSION", "PRODID", "CALSCALE", "METHOD"})
EXTENSIONS = frozenset({"NAME", "REFRESH-INTERVAL"})  # RFC 7986
STATUSES = frozenset({"TENTATIVE", "CONFIRMED", "CANCELLED"})


@dataclass(frozen=True)
class ReadEvent:
    """An event as a calendar program knows it."""

    uid: str
    sequence: int
    stamped_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    status: str


def read_calendar(content: bytes) -> dict[str, ReadEvent]:
    """The events of a published calendar by their identifiers; raises `ValueError` where a rule is broken."""
    lines = [_parts(line) for line in _unfolded(content)]
    _expect(lines[0] == ("BEGIN", "VCALENDAR") and lines[-1] == ("END", "VCALENDAR"), "one calendar")
    head, found, event = dict[str, str](), dict[str, ReadEvent](), None
    for name, value in lines[1:-1]:
        if (name, value) == ("BEGIN", "VEVENT"):
            _expect(event is None, "no event within another")
            event = dict[str, str]()
        elif (name, value) == ("END", "VEVENT"):
            _expect(event is not None, "an event that ends has begun")
            read = _event(event or {})
            _expect(read.uid not in found, f"{read.uid} once")
            found[read.uid], event = read, None
        else:
            into = head if event is None else event
            _expect(name in (CALENDAR | EXTENSIONS if event is None else ONCE) or name[:2] == "X-", name)
            _expect(name not in into, f"{name} once")
            _expect(event is not None or not found, "properties of the calendar before its events")
            into[name] = value
    _expect(event is None, "an event that began ends")
    _expect(head.get("VERSION") == "2.0" and bool(head.get("PRODID")), "VERSION and PRODID")
    _expect("METHOD" not in head, "a published calendar is no scheduling message")
    return found


def _unfolded(content: bytes) -> list[str]:
    _expect(content.endswith(b"\r\n"), "the last line ends")
    lines = content.removesuffix(b"\r\n").split(b"\r\n")
    _expect(not any(b"\r" in line or b"\n" in line for line in lines), "lines end by CR LF alone")
    _expect(all(0 < len(line) <= OCTETS for line in lines), "lines of 1 to 75 octets")
    whole: list[bytes] = []
    for line in lines:
        line.decode()  # no character is cut
        if line[:1] in (b" ", b"\t"):
            whole[-1] += line[1:]
        else:
            whole.append(line)
    return [line.decode() for line in whole]


def _parts(line: str) -> tuple[str, str]:
    left, colon, value = line.partition(":")
    name, *parameters = left.split(";")
    _expect(bool(colon) and NAME.fullmatch(name) is not None, f"a name before {line[:20]!r}")
    _expect(all(PARAMETER.fullmatch(one) for one in parameters), f"parameters of {name}")
    _expect(not any(ord(character) < 32 and character != "\t" for character in value), f"controls in {name}")
    return name, value


def _event(of: dict[str, str]) -> ReadEvent:
    _expect({"UID", "DTSTAMP", "DTSTART"} <= of.keys(), "UID, DTSTAMP and DTSTART")
    starts_at, ends_at = _instant(of["DTSTART"]), _instant(of["DTEND"])
    _expect(starts_at < ends_at, "an event ends after its start")
    _expect(of["STATUS"] in STATUSES, of["STATUS"])
    _expect(re.fullmatch(r"\d+", of["SEQUENCE"]) is not None, of["SEQUENCE"])
    return ReadEvent(
        uid=_text(of["UID"]),
        sequence=int(of["SEQUENCE"]),
        stamped_at=_instant(of["DTSTAMP"]),
        starts_at=starts_at,
        ends_at=ends_at,
        summary=_text(of.get("SUMMARY", "")),
        description=_text(of.get("DESCRIPTION", "")),
        status=of["STATUS"],
    )


def _instant(value: str) -> datetime:
    _expect(re.fullmatch(r"\d{8}T\d{6}Z", value) is not None, value)
    return datetime.fromisoformat(value)


def _text(value: str) -> str:
    def meant(found: re.Match[str]) -> str:
        _expect(found[2] is None and found[1] in "\\;,nN", f"an escape in {value[:20]!r}")
        return "\n" if found[1] in "nN" else found[1]

    return ESCAPED.sub(meant, value)


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"not as the standard wants it: {what}")
