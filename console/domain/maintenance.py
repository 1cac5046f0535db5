"""Planned work: when it is held, what it clashes with, and for whom it was announced too late."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from console.domain.committees import instant_of
from console.domain.criticality import Window, is_critical
from console.domain.errors import Invalid
from console.domain.free_text import LONGEST_LINE
from console.domain.hosting import DataCentre
from console.domain.major_incidents import ScopeKind

LONGEST_MIN = 30 * 24 * 60  # of one occurrence
MOST_OCCURRENCES = 1000
MOST_EXCLUDED = 200
ONE_DAY = timedelta(days=1)
FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
NUMBERED = frozenset({"MONTHLY", "YEARLY"})  # whose weekdays may have a number: the first Sunday
WEEKDAY = r"(?:[+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)"
# Of the parts of a rule, those that leave the time of the day alone.
PARTS: Mapping[str, re.Pattern[str]] = {
    "FREQ": re.compile("|".join(sorted(FREQUENCIES))),
    "INTERVAL": re.compile(r"[1-9]\d{0,2}"),
    "COUNT": re.compile(r"[1-9]\d{0,2}"),
    "BYDAY": re.compile(rf"{WEEKDAY}(?:,{WEEKDAY})*"),
    "BYMONTHDAY": re.compile(r"-?[1-9]\d?(?:,-?[1-9]\d?)*"),
    "BYMONTH": re.compile(r"[1-9]\d?(?:,[1-9]\d?)*"),
    "BYSETPOS": re.compile(r"-?[1-9]\d{0,2}(?:,-?[1-9]\d{0,2})*"),
    "WKST": re.compile("MO|TU|WE|TH|FR|SA|SU"),
    "UNTIL": re.compile(r"\d{8}(?:T\d{6}Z?)?"),
}


class MaintenanceState(StrEnum):
    """Where planned work is; what is announced is over by itself once its last occurrence is."""

    DRAFT = "draft"
    ANNOUNCED = "announced"
    DONE = "done"
    CANCELLED = "cancelled"


class ClashKind(StrEnum):
    """What an occurrence falls on."""

    PAYROLL = "payroll"  # a critical day of a service
    HOLIDAY = "holiday"
    OTHER_WORK = "other_work"
    COMMITTEE = "committee"  # of an adherent that it touches


@dataclass(frozen=True, slots=True)
class Timing:
    """When work is held: a first wall time in a zone, how long, and how it is repeated.

    `rule` is a recurrence rule of RFC 5545 without UNTIL, empty for work held once; `until_on` the last day
    on which it may begin; on the days of `excluded` it is not held.
    """

    first: datetime
    zone: str
    duration_min: int
    rule: str = ""
    until_on: date | None = None
    excluded: frozenset[date] = frozenset()

    def slot(self, wall: datetime) -> Slot:
        """The occurrence of a wall time: one that the clocks skip is moved, one of two is the first."""
        starts_at = instant_of(wall, ZoneInfo(self.zone))
        return Slot(starts_at, starts_at, starts_at + timedelta(minutes=self.duration_min))


@dataclass(frozen=True, slots=True)
class Slot:
    """An occurrence: the instant at which the rule has it start names it, wherever it was moved to."""

    occurrence: datetime
    starts_at: datetime
    ends_at: datetime

    def days(self, zone: ZoneInfo) -> list[date]:
        """The local days that it touches."""
        first = self.starts_at.astimezone(zone).date()
        last = (self.ends_at - timedelta(microseconds=1)).astimezone(zone).date()
        return [first + ONE_DAY * number for number in range((last - first).days + 1)]

    def meets(self, other: Slot) -> bool:
        """Whether they share time."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Critical:
    """A service with the days of the month on which it matters most."""

    service: str
    windows: Sequence[Window]


@dataclass(frozen=True, slots=True)
class OtherWork:
    """An occurrence of other work, with the services that it touches."""

    title: str
    services: frozenset[str]
    slot: Slot


@dataclass(frozen=True, slots=True)
class Meeting:
    """A committee with an adherent that work touches."""

    adherent: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an occurrence may clash with."""

    critical: Sequence[Critical]
    holidays: Mapping[date, str]
    others: Sequence[OtherWork]
    meetings: Sequence[Meeting]


@dataclass(frozen=True, slots=True)
class Clash:
    """One thing that an occurrence falls on.

    `names` are services by their codes, a holiday by name, other work by title, adherents by name.
    """

    kind: ClashKind
    day: date
    names: tuple[str, ...]


def clashes(slot: Slot, zone: ZoneInfo, services: frozenset[str], around: Surroundings) -> list[Clash]:
    """What an occurrence falls on: critical days of its services, holidays, other work, committees."""
    days = slot.days(zone)
    found = []
    for day in days:
        critical = sorted(one.service for one in around.critical if is_critical(one.windows, day))
        if critical:
            found.append(Clash(ClashKind.PAYROLL, day, tuple(critical)))
    found += [Clash(ClashKind.HOLIDAY, day, (name,)) for day in days if (name := around.holidays.get(day))]
    others = [other for other in around.others if other.services & services and other.slot.meets(slot)]
    if others:
        found.append(Clash(ClashKind.OTHER_WORK, days[0], tuple(sorted({one.title for one in others}))))
    for day in days:
        met = {one.adherent for one in around.meetings if one.starts_at.astimezone(zone).date() == day}
        if met:
            found.append(Clash(ClashKind.COMMITTEE, day, tuple(sorted(met))))
    return found


def too_late(starts_at: datetime, announced_at: datetime, notices: Mapping[int, int]) -> dict[int, int]:
    """Of subscriptions counted by the hours of notice that they want, those told too late: it is downtime."""
    ahead = starts_at - announced_at
    return {hours: count for hours, count in sorted(notices.items()) if timedelta(hours=hours) > ahead}


def check_timing(timing: Timing) -> None:
    """Refuse a time that no clock shows, a duration out of bounds, an end before the start."""
    _zone(timing.zone)
    if not 1 <= timing.duration_min <= LONGEST_MIN:
        raise Invalid("duration_min", "Des travaux durent de 1 à %(most)s minutes.", most=LONGEST_MIN)
    if timing.until_on is not None and timing.until_on < timing.first.date():
        raise Invalid("until_on", "La dernière date est au plus tôt celle du début.")
    if timing.until_on is not None and not timing.rule:
        raise Invalid("until_on", "Des travaux tenus une fois n'ont pas de dernière date.")


def with_last_date(timing: Timing) -> Timing:
    """The same dates with the UNTIL of the rule, an instant or a day, said as the last date instead."""
    kept = [part for part in timing.rule.split(";") if not part.startswith("UNTIL=")]
    found = [part for part in timing.rule.split(";") if part.startswith("UNTIL=")]
    if not found:
        return timing
    last = _last_date(found[0].removeprefix("UNTIL="), timing)
    if any(part.startswith("COUNT=") for part in kept):
        raise Invalid("rule", "Une règle de répétition s'arrête après un nombre de dates ou à une date.")
    if timing.until_on not in (None, last):
        raise Invalid("until_on", "La règle de répétition dit une autre dernière date.")
    return replace(timing, rule=";".join(kept), until_on=last)


def _last_date(until: str, timing: Timing) -> date:
    """The last day on which work that begins at this time of the day still does by `until`."""
    zone = _zone(timing.zone)
    try:
        at = datetime.fromisoformat(until)
        if "T" not in until:
            return at.date()
        end = at if at.tzinfo else instant_of(at, zone)
        day = end.astimezone(zone).date()
        starts_at = instant_of(datetime.combine(day, timing.first.time()), zone)
        return day if starts_at <= end else day - ONE_DAY
    except (ValueError, OverflowError):
        raise Invalid("rule", "%(until)s n'est pas une date.", until=until) from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid("zone", "%(zone)s n'est pas un fuseau ; par exemple Europe/Paris.", zone=name) from None


def read_rule(text: str) -> str:
    """A recurrence rule as it was typed, in capitals; raises `Invalid` for one that is not understood."""
    rule = "".join(text.upper().split()).removeprefix("RRULE:").strip(";")
    if not rule:
        return ""
    parts = [part.partition("=") for part in rule.split(";")]
    for name, _equals, value in parts:
        pattern = PARTS.get(name)
        if pattern is None or not pattern.fullmatch(value):
            raise _not_of_a_rule(name, value)
    names = [name for name, _equals, _value in parts]
    if len(set(names)) < len(names) or "FREQ" not in names or len(rule) > LONGEST_LINE:
        raise Invalid("rule", "Une règle de répétition dit une fois chaque chose, dont FREQ.")
    said = {name: value for name, _equals, value in parts}
    if said["FREQ"] not in NUMBERED and re.search(r"\d", said.get("BYDAY", "")):
        raise _not_of_a_rule("BYDAY", said["BYDAY"])
    return rule


def _not_of_a_rule(name: str, value: str) -> Invalid:
    return Invalid(
        "rule",
        "« %(part)s » n'est pas d'une règle de répétition ; par exemple FREQ=MONTHLY;BYDAY=1SU.",
        part=f"{name}={value}"[:LONGEST_LINE],
    )


def read_excluded(text: str) -> frozenset[date]:
    """Days separated by blanks or commas, as 2026-12-25; raises `Invalid`."""
    words = text.replace(",", " ").split()
    if len(words) > MOST_EXCLUDED:
        raise Invalid("excluded", "%(most)s dates au plus sont attendues.", most=MOST_EXCLUDED)
    try:
        return frozenset(date.fromisoformat(word) for word in words)
    except ValueError:
        raise Invalid("excluded", "Des dates sont attendues ; par exemple 2026-12-25 2027-01-01.") from None


def read_scope(values: Iterable[str]) -> list[str]:
    """What work is held on, as "service:code" and "data_centre:town", each once; raises `Invalid`."""
    scope = sorted(set(values))
    for value in scope:
        kind, colon, code = value.partition(":")
        if not colon or kind not in list(ScopeKind) or not code:
            raise Invalid("scope", "Un choix de la liste est attendu.")
        if kind == ScopeKind.DATA_CENTRE and code not in list(DataCentre):
            raise Invalid("scope", "Un choix de la liste est attendu.")
    if not scope:
        raise Invalid("scope", "Cochez au moins un service ou un centre de données.")
    return scope
