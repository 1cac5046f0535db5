"""Service hours: when an instant is open, how much open time lies between two, where a delay ends or began.

A calendar is written in wall time of its zone and answered in UTC instants, to the second (fractions are
dropped). A wall time that a clock change skips moves forward by the gap; one that it repeats is its first
occurrence; a segment emptied by this is dropped. An opening belongs to its hours, a closing does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid
from console.domain.spans import Span, union, whole_second

MIDNIGHT = time(0)
ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)
WHOLE_DAY = [(MIDNIGHT, MIDNIGHT)]
LONGEST_CLOSURE = timedelta(days=3660)
SEGMENT = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")

# One stretch of a single date in wall time; a closing at MIDNIGHT is the end of that date.
Stretch = tuple[time, time]


@dataclass(frozen=True, slots=True)
class Segment:
    """Opening hours of one day, in wall time; with `closes` not after `opens` they run past midnight."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens == self.closes != MIDNIGHT:
            raise Invalid(
                "segment", "La plage %(segment)s est vide ; un jour entier s'écrit 00:00-24:00.", segment=self
            )

    @classmethod
    def parse(cls, text: str) -> Segment:
        """Read "08:30-18:00"; the end of the day is written 24:00."""
        match = SEGMENT.fullmatch(text)
        if match is None:
            raise Invalid(
                "segment", "« %(text)s » ne se lit pas comme une plage, par exemple 08:30-18:00.", text=text
            )
        hours, minutes, closing_hours, closing_minutes = match.groups(default="0")
        return cls(time(int(hours), int(minutes)), time(int(closing_hours), int(closing_minutes)))

    def __str__(self) -> str:
        closes = "24:00" if self.closes == MIDNIGHT else f"{self.closes:%H:%M}"
        return f"{self.opens:%H:%M}-{closes}"

    def split(self) -> tuple[Stretch, Stretch | None]:
        """The part of its own date, and the part past midnight, which belongs to the next."""
        if self.closes == MIDNIGHT or self.opens < self.closes:
            return (self.opens, self.closes), None
        return (self.opens, MIDNIGHT), (MIDNIGHT, self.closes)


@dataclass(frozen=True, slots=True)
class Closure:
    """Dates closed from `first` to `last`, both included; `yearly` repeats their days and months."""

    first: date
    last: date
    yearly: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise Invalid("closure", "Une fermeture finit au plus tôt le jour où elle commence.")
        if self.yearly and self._reaches_its_next_year():
            raise Invalid("closure", "Une fermeture annuelle dure moins d'un an.")

    def holds(self, day: date) -> bool:
        """Whether it closes that date."""
        if not self.yearly:
            return self.first <= day <= self.last
        first, today, last = ((d.month, d.day) for d in (self.first, day, self.last))
        if first <= last:
            return first <= today <= last
        return today >= first or today <= last

    def _reaches_its_next_year(self) -> bool:
        """Whether it still lasts on the day and month of its beginning; years have 365 or 366 days."""
        first, last = self.first, self.last
        return (last.year, last.month, last.day) >= (first.year + 1, first.month, first.day)


class Rule(StrEnum):
    """What says the hours of a date."""

    ALWAYS = "always"
    WEEK = "week"
    HOLIDAY = "holiday"
    CLOSURE = "closure"
    OPENING = "opening"


@dataclass(frozen=True, slots=True)
class Day:
    """A date as a calendar has it: its open spans, in order and apart, and the rule that says them.

    `name` is that of the holiday, the closure or the dated opening. A date that is closed by a holiday or a
    closure still has what the opening of the day before holds past midnight.
    """

    date: date
    spans: tuple[Span, ...]
    open_s: int
    rule: Rule
    name: str = ""


@dataclass(frozen=True)
class Calendar:
    """The service hours of a plan.

    `week` maps a weekday (0 is Monday) to its segments; holidays and closures close a date; a dated opening
    says all the hours of its date (none closes it), whatever the week, the holiday or the closure. What a
    segment holds past midnight belongs to the next date and follows that date's own holiday or closure; past
    a dated opening it is added to the next date's hours. The kind `always` (24x7) knows none of these: see
    `Calendar.around_the_clock`. `opening_names` name dated openings. Days are kept once they were worked out:
    a calendar serves long lists best when it is made once.
    """

    zone: ZoneInfo
    week: Mapping[int, Sequence[Segment]] = field(default_factory=dict)
    holidays: Mapping[date, str] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    openings: Mapping[date, Sequence[Segment]] = field(default_factory=dict)
    always: bool = False
    opening_names: Mapping[date, str] = field(default_factory=dict)

    _weekly: list[list[Stretch]] = field(init=False, repr=False, compare=False)
    _dated: Mapping[date, list[Stretch]] = field(init=False, repr=False, compare=False)
    _past_midnight: Mapping[date, list[Stretch]] = field(init=False, repr=False, compare=False)
    _days: dict[date, Day] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.always and (self.week or self.holidays or self.closures or self.openings):
            raise Invalid("always", "Un calendrier 24x7 n'a ni plages, ni jours fériés, ni fermetures.")
        if not set(self.week) <= set(range(7)):
            raise Invalid("week", "Les jours vont de 0 (lundi) à 6 (dimanche).")
        dated, past_midnight = _by_date(self.openings)
        object.__setattr__(self, "_weekly", _by_weekday(self.week))
        object.__setattr__(self, "_dated", dated)
        object.__setattr__(self, "_past_midnight", past_midnight)

    @classmethod
    def around_the_clock(cls, zone: ZoneInfo) -> Calendar:
        """The 24x7 kind, which has no holidays; the zone serves its working days only."""
        return cls(zone, always=True)

    def day(self, day: date) -> Day:
        """The hours of a date, and why they are these."""
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._worked_out(day)
        return known

    def is_open(self, instant: datetime) -> bool:
        """Whether the service runs at that instant."""
        instant = whole_second(instant)
        return any(opens <= instant < closes for opens, closes in self.day(self._date(instant)).spans)

    def next_opening(self, instant: datetime) -> datetime:
        """The instant itself if it is open, else the first open one after it."""
        return self.add_open_seconds(instant, 0)

    def open_seconds(self, start: datetime, end: datetime) -> int:
        """Open time from start to end, in seconds; 0 if the end comes first."""
        start, end = whole_second(start), whole_second(end)
        if self.always:
            return max((end - start) // ONE_SECOND, 0)
        first, last = self._date(start), self._date(end)
        total_s = 0
        for date_ in _dates(first, last):
            day = self.day(date_)
            if first < date_ < last:
                total_s += day.open_s
                continue
            for opens, closes in day.spans:
                total_s += max((min(closes, end) - max(opens, start)) // ONE_SECOND, 0)
        return total_s

    def add_open_seconds(self, start: datetime, seconds: int) -> datetime:
        """The last instant at which no more than that open time has passed since `start`.

        Used up exactly at a closing it is the next opening. Raises `Invalid` if the calendar stays closed for
        ten years before that.
        """
        left = _delay(seconds)
        if self.always:
            return whole_second(start) + left
        for opens, closes in self._spans_from(whole_second(start)):
            if left < closes - opens:
                return opens + left
            left -= closes - opens
        raise AssertionError("the open spans of a calendar have no end")

    def subtract_open_seconds(self, end: datetime, seconds: int) -> datetime:
        """The first instant from which no more than that open time passes until `end`.

        Used up exactly at an opening it is the closing before it. Raises `Invalid` if the calendar was closed
        for ten years after that.
        """
        left = _delay(seconds)
        if self.always:
            return whole_second(end) - left
        for opens, closes in self._spans_back_from(whole_second(end)):
            if left < closes - opens:
                return closes - left
            left -= closes - opens
        raise AssertionError("the open spans of a calendar have no beginning")

    def add_working_days(self, start: datetime, days: int, end_of_day: bool = False) -> datetime:
        """The same wall time, that many open days after `start`, or the end of that day's hours.

        Outside hours the start is first moved to the next opening. On the last day a wall time between two
        segments moves to the next opening of that day, one past the closing becomes the closing. An open day
        is a date with hours: the two parts of one night shift across midnight are two working days. Raises
        `Invalid` if the calendar stays closed for ten years before that.
        """
        if days < 0:
            raise ValueError(f"{days} days is less than 0")
        start = self.next_opening(start)
        local = start.astimezone(self.zone)
        day = self._open_day(local.date(), days, ONE_DAY)
        if end_of_day:
            return day.spans[-1][1]
        same_wall = max(self._instant(day.date, local.time().replace(fold=0)), start)
        return next(
            (max(opens, same_wall) for opens, closes in day.spans if same_wall < closes), day.spans[-1][1]
        )

    def subtract_working_days(self, end: datetime, days: int, end_of_day: bool = False) -> datetime:
        """The same wall time, that many open days before `end`, or the end of that day's hours.

        Outside hours the end is first moved to the closing before it. On the first day a wall time between
        two segments moves to the closing before it, one before the opening becomes the opening. Raises
        `Invalid` if the calendar was closed for ten years after that.
        """
        if days < 0:
            raise ValueError(f"{days} days is less than 0")
        end = self.subtract_open_seconds(end, 0)
        last = (end - ONE_SECOND).astimezone(self.zone).date()  # a closing at midnight ends the date before
        day = self._open_day(last, days, -ONE_DAY)
        if end_of_day:
            return day.spans[-1][1]
        local = end.astimezone(self.zone)
        wall_date = day.date + (local.date() - last)
        same_wall = self._instant(wall_date, local.time().replace(fold=0)) if days else end
        return next(
            (min(closes, same_wall) for opens, closes in reversed(day.spans) if opens < same_wall),
            day.spans[0][0],
        )

    def _open_day(self, start: date, count: int, step: timedelta) -> Day:
        """The open day that comes so many open days after a date, or before it; the date itself is open."""
        day = self.day(start)
        for _ in range(count):
            last_open = day.date
            day = self.day(last_open + step)
            while not day.spans:
                if abs(day.date - last_open) > LONGEST_CLOSURE:
                    raise _stays_closed(last_open, step)
                day = self.day(day.date + step)
        return day

    def _spans_from(self, start: datetime) -> Iterator[Span]:
        """Open spans that end after `start`, the first one cut there; without end."""
        day = last_open = self._date(start)
        while day - last_open <= LONGEST_CLOSURE:
            for opens, closes in self.day(day).spans:
                if start < closes:
                    yield max(opens, start), closes
                    last_open = day
            day += ONE_DAY
        raise _stays_closed(last_open, ONE_DAY)

    def _spans_back_from(self, end: datetime) -> Iterator[Span]:
        """Open spans that begin before `end`, the last one first and cut there; without end."""
        day = last_open = self._date(end)
        while last_open - day <= LONGEST_CLOSURE:
            for opens, closes in reversed(self.day(day).spans):
                if opens < end:
                    yield opens, min(closes, end)
                    last_open = day
            day -= ONE_DAY
        raise _stays_closed(last_open, -ONE_DAY)

    def _worked_out(self, day: date) -> Day:
        rule, name, stretches = self._ruled(day)
        spans = []
        for opens, closes in stretches:
            last_day = day + ONE_DAY if closes == MIDNIGHT else day
            spans.append((self._instant(day, opens), self._instant(last_day, closes)))
        apart = tuple(union(spans))
        return Day(day, apart, sum((closes - opens) // ONE_SECOND for opens, closes in apart), rule, name)

    def _ruled(self, day: date) -> tuple[Rule, str, list[Stretch]]:
        """What says the hours of a date, its name, and these hours in wall time."""
        if self.always:
            return Rule.ALWAYS, "", WHOLE_DAY
        left_over = self._past_midnight.get(day, [])
        if day in self._dated:
            return Rule.OPENING, self.opening_names.get(day, ""), self._dated[day] + left_over
        if day in self.holidays:
            return Rule.HOLIDAY, self.holidays[day], left_over
        for closure in self.closures:
            if closure.holds(day):
                return Rule.CLOSURE, closure.name, left_over
        return Rule.WEEK, "", self._weekly[day.weekday()] + left_over

    def _date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def _instant(self, day: date, wall: time) -> datetime:
        # zoneinfo reads fold=0 as this module promises: the first of two, and past a gap by its length
        return datetime.combine(day, wall, self.zone).astimezone(UTC)


def _delay(seconds: int) -> timedelta:
    if seconds < 0:
        raise ValueError(f"{seconds} s is less than 0")
    return timedelta(seconds=seconds)


def _stays_closed(last_open: date, step: timedelta) -> Invalid:
    if step < timedelta():
        return Invalid(
            "calendar", "Ce calendrier n'ouvre pas dans les dix ans avant le %(day)s.", day=last_open
        )
    return Invalid("calendar", "Ce calendrier n'ouvre pas dans les dix ans après le %(day)s.", day=last_open)


def _by_weekday(week: Mapping[int, Sequence[Segment]]) -> list[list[Stretch]]:
    days: list[list[Stretch]] = [[] for _ in range(7)]
    for weekday, segments in week.items():
        for segment in segments:
            own, past_midnight = segment.split()
            days[weekday].append(own)
            if past_midnight:
                days[(weekday + 1) % 7].append(past_midnight)
    return days


def _by_date(
    openings: Mapping[date, Sequence[Segment]],
) -> tuple[dict[date, list[Stretch]], dict[date, list[Stretch]]]:
    parts = {day: [segment.split() for segment in segments] for day, segments in openings.items()}
    dated = {day: [own for own, _ in split] for day, split in parts.items()}
    past_midnight = {day + ONE_DAY: [rest for _, rest in split if rest] for day, split in parts.items()}
    return dated, past_midnight


def _dates(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
