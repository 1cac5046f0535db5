"""Service hours: when an instant is open, how much open time lies between two, and where a delay ends.

A calendar is written in wall time of its zone and answered in UTC instants, to the second (fractions are
dropped). A wall time that a clock change skips moves forward by the gap; one that it repeats is its first
occurrence; a segment emptied by this is dropped. An opening belongs to its hours, a closing does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid
from console.domain.spans import Span, union, whole_second

MIDNIGHT = time(0)
ONE_DAY = timedelta(days=1)
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

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise Invalid("closure", "Une fermeture finit au plus tôt le jour où elle commence.")
        if self.yearly and self.last - self.first >= timedelta(days=365):
            raise Invalid("closure", "Une fermeture annuelle dure moins d'un an.")

    def holds(self, day: date) -> bool:
        """Whether it closes that date."""
        if not self.yearly:
            return self.first <= day <= self.last
        first, today, last = ((d.month, d.day) for d in (self.first, day, self.last))
        if first <= last:
            return first <= today <= last
        return today >= first or today <= last


@dataclass(frozen=True)
class Calendar:
    """The service hours of a plan.

    `week` maps a weekday (0 is Monday) to its segments; holidays and closures close a date; a dated opening
    says all the hours of its date (none closes it), whatever the week, the holiday or the closure. What a
    segment holds past midnight belongs to the next date and follows that date's own holiday or closure; past
    a dated opening it is added to the next date's hours. The kind `always` (24x7) knows none of these: see
    `Calendar.around_the_clock`.
    """

    zone: ZoneInfo
    week: Mapping[int, Sequence[Segment]] = field(default_factory=dict)
    holidays: Mapping[date, str] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    openings: Mapping[date, Sequence[Segment]] = field(default_factory=dict)
    always: bool = False

    _weekly: list[list[Stretch]] = field(init=False, repr=False, compare=False)
    _dated: Mapping[date, list[Stretch]] = field(init=False, repr=False, compare=False)
    _past_midnight: Mapping[date, list[Stretch]] = field(init=False, repr=False, compare=False)

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

    def is_open(self, instant: datetime) -> bool:
        """Whether the service runs at that instant."""
        instant = whole_second(instant)
        return any(opens <= instant < closes for opens, closes in self._spans(self._date(instant)))

    def next_opening(self, instant: datetime) -> datetime:
        """The instant itself if it is open, else the first open one after it."""
        opens, _ = next(self._spans_from(whole_second(instant)))
        return opens

    def open_seconds(self, start: datetime, end: datetime) -> int:
        """Open time from start to end, in seconds; 0 if the end comes first."""
        start, end = whole_second(start), whole_second(end)
        total = timedelta()
        for day in _dates(self._date(start), self._date(end)):
            for opens, closes in self._spans(day):
                total += max(min(closes, end) - max(opens, start), timedelta())
        return int(total.total_seconds())

    def add_open_seconds(self, start: datetime, seconds: int) -> datetime:
        """The last instant at which no more than that open time has passed since `start`.

        Used up exactly at a closing it is the next opening. Raises `Invalid` if the calendar stays closed for
        ten years before that.
        """
        if seconds < 0:
            raise ValueError(f"{seconds} s is less than 0")
        left = timedelta(seconds=seconds)
        for opens, closes in self._spans_from(whole_second(start)):
            if left < closes - opens:
                return opens + left
            left -= closes - opens
        raise AssertionError("the open spans of a calendar have no end")

    def add_working_days(self, start: datetime, days: int, end_of_day: bool = False) -> datetime:
        """The same wall time, that many open days after `start`, or the end of that day's hours.

        Outside hours the start is first moved to the next opening. On the last day a wall time between two
        segments moves to the next opening of that day, one past the closing becomes the closing. Raises
        `Invalid` if the calendar stays closed for ten years before that.
        """
        if days < 0:
            raise ValueError(f"{days} days is less than 0")
        start = self.next_opening(start)
        local = start.astimezone(self.zone)
        day = self._open_day(local.date(), days)
        spans = self._spans(day)
        if end_of_day:
            return spans[-1][1]
        same_wall = max(self._instant(day, local.time().replace(fold=0)), start)
        return next((max(opens, same_wall) for opens, closes in spans if same_wall < closes), spans[-1][1])

    def _open_day(self, day: date, later: int) -> date:
        for _ in range(later):
            tomorrow = self._instant(day + ONE_DAY, MIDNIGHT)
            day = self._date(self.next_opening(tomorrow))
        return day

    def _spans_from(self, start: datetime) -> Iterator[Span]:
        """Open spans that end after `start`, the first one cut there; without end."""
        day = last_open = self._date(start)
        while day - last_open <= LONGEST_CLOSURE:
            for opens, closes in self._spans(day):
                if start < closes:
                    yield max(opens, start), closes
                    last_open = day
            day += ONE_DAY
        raise Invalid(
            "calendar", "Ce calendrier n'ouvre pas dans les dix ans après le %(day)s.", day=last_open
        )

    def _spans(self, day: date) -> list[Span]:
        """The open spans of one date, in order and apart."""
        spans = []
        for opens, closes in self._stretches(day):
            last_day = day + ONE_DAY if closes == MIDNIGHT else day
            spans.append((self._instant(day, opens), self._instant(last_day, closes)))
        return union(spans)

    def _stretches(self, day: date) -> list[Stretch]:
        if self.always:
            return WHOLE_DAY
        stretches = self._dated.get(day)
        if stretches is None:
            stretches = [] if self._is_closed(day) else self._weekly[day.weekday()]
        return stretches + self._past_midnight.get(day, [])

    def _is_closed(self, day: date) -> bool:
        return day in self.holidays or any(closure.holds(day) for closure in self.closures)

    def _date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def _instant(self, day: date, wall: time) -> datetime:
        # zoneinfo reads fold=0 as this module promises: the first of two, and past a gap by its length
        return datetime.combine(day, wall, self.zone).astimezone(UTC)


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
