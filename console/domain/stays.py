"""Where a host stands has dates: the data centres it stood in before the one where it stands now.

A host that nobody moved has no stays. Stays follow one another without a hole from `FIRST` on; what follows
the last one is the site of now. What nobody said of before is taken from what is said first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from console.domain.hours import month_bounds

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stay:
    """A host stood on a site from an hour to another, excluded."""

    since: datetime
    until: datetime
    site: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The stays of a host, the oldest first, and the site where it stands now; None: nobody says."""

    stays: tuple[Stay, ...] = ()
    now: str | None = None

    def at(self, hour: datetime) -> str | None:
        """The site where it stood at an hour."""
        return next((one.site for one in self.stays if hour < one.until), self.now)

    @property
    def came_at(self) -> datetime:
        """Since when it stands where it stands now."""
        return self.stays[-1].until if self.stays else FIRST

    @property
    def spans(self) -> tuple[Stay, ...]:
        """The stays and, where it stands anywhere, that of now, which ends at the end of time."""
        return self.stays if self.now is None else (*self.stays, Stay(self.came_at, _LAST, self.now))

    @property
    def sites(self) -> set[str]:
        """All sites where it stood or stands."""
        return {one.site for one in self.spans}

    def in_month(self, month: date, zone_of: Callable[[str], ZoneInfo]) -> tuple[Stay, ...]:
        """Where it stood in a month, by the calendar of each site; nowhere, where nobody says."""
        within = (_within(one, *month_bounds(month, zone_of(one.site))) for one in self.spans)
        return tuple(one for one in within if one.since < one.until)

    def between(self, start: datetime, end: datetime) -> set[str]:
        """The sites where it stood at some time of `[start, end)`."""
        return {one.site for one in self.spans if one.since < end and one.until > start}


def stand(known: Whereabouts, site: str, since: datetime, until: datetime | None = None) -> Whereabouts:
    """Put a host on a site from an hour to another; None: it stands there still.

    Raises `ValueError` where the end is not after the beginning.
    """
    if until is not None and until <= since:
        raise ValueError("a stay ends after it began")
    if known.now is None:
        return Whereabouts(now=site)
    new = Stay(since, until or _LAST, site)
    spans = [piece for one in known.spans for piece in _without(one, new)]
    spans = _joined(sorted([*spans, new], key=lambda one: one.since))
    return Whereabouts(tuple(spans[:-1]), spans[-1].site)


def _within(one: Stay, start: datetime, end: datetime) -> Stay:
    return Stay(max(one.since, start), min(one.until, end), one.site)


def _without(one: Stay, other: Stay) -> Iterable[Stay]:
    """What of a stay is before and after another."""
    if one.since < min(one.until, other.since):
        yield Stay(one.since, min(one.until, other.since), one.site)
    if max(one.since, other.until) < one.until:
        yield Stay(max(one.since, other.until), one.until, one.site)


def _joined(spans: Iterable[Stay]) -> list[Stay]:
    """Neighbours on one site as one."""
    found: list[Stay] = []
    for one in spans:
        if found and found[-1].site == one.site:
            found[-1] = Stay(found[-1].since, one.until, one.site)
        else:
            found.append(one)
    return found
