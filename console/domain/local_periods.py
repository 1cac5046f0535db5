"""Periods as tables write them: a month, days, or instants on a wall clock that jumps twice a year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid
from console.domain.hours import day_bounds, month_bounds

WALL_FORMS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y")
Written = date | datetime  # a date is a whole day
Period = tuple[datetime, datetime]


def read_written(text: str, column: str) -> Written:
    """A day or an instant as it is written; an instant without an offset is on the wall clock."""
    text = text.strip()
    if len(text) == len("2026-03-29"):
        for form in ("%Y-%m-%d", "%d/%m/%Y"):
            try:
                return _of_century(datetime.strptime(text, form).date(), text, column)  # noqa: DTZ007
            except ValueError:
                continue
    for read in (datetime.fromisoformat, *(_by(form) for form in WALL_FORMS)):
        try:
            return _of_century(read(text), text, column)
        except ValueError:
            continue
    raise Invalid(
        column,
        "« %(value)s » n'est pas une date ; par exemple 2026-03-29, 29/03/2026 14:00 ou "
        "2026-03-29T14:00+02:00.",
        value=text[:40],
    )


def month_period(month: date, zone: ZoneInfo) -> Period:
    """A local month: 743 to 745 hours where it has 31 days."""
    return month_bounds(month, zone)


def _by(form: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form)  # noqa: DTZ007


def _of_century(found: Written, text: str, column: str) -> Written:
    if not 2000 <= found.year < 2200:
        raise Invalid(column, "%(value)s n'est pas une date de ce siècle.", value=text[:40])
    return found


@dataclass(slots=True)
class Clock:
    """Reads the periods of a table in a zone, whose rows were all seen once with `see` before.

    The hour that happens twice in October is told by two rows, of which the first is the earlier one; where
    one row alone tells it, nobody knows which of the two it means.
    """

    zone: ZoneInfo
    seen: Counter[Hashable] = field(default_factory=Counter)
    read: Counter[Hashable] = field(default_factory=Counter)

    def see(self, key: Hashable) -> None:
        """Count a row that tells of a period; `key` is what two rows of one wall time have in common."""
        self.seen[key] += 1

    def period(self, start: Written, end: Written, key: Hashable, column: str) -> Period:
        """The instants from a start to an end; an end that is a day is the last one."""
        place = self.read[key]
        self.read[key] += 1
        first = self._starts(start, column)
        if len(first) == 1:
            found = first[0], self._end(end, first[0], column)
        else:
            found = self._doubled(start, end, first, place, key, column)
        if found[1] <= found[0]:
            raise Invalid(column, "Une période finit après son début.")
        return found

    def _starts(self, start: Written, column: str) -> list[datetime]:
        """The one or two instants of a start."""
        if not isinstance(start, datetime):
            return [day_bounds(start, self.zone)[0]]
        if start.tzinfo is not None:
            return [start.astimezone(UTC)]
        found = _instants(start, self.zone)
        if not found:
            raise Invalid(
                column,
                "%(wall)s n'existe pas : l'horloge saute cette heure-là.",
                wall=f"{start:%Y-%m-%d %H:%M}",
            )
        return found

    def _end(self, end: Written, start: datetime, column: str) -> datetime:
        """The first instant of an end after the start; the hour that is skipped may end a period."""
        if not isinstance(end, datetime):
            return day_bounds(end, self.zone)[1]
        if end.tzinfo is not None:
            return end.astimezone(UTC)
        found = _instants(end, self.zone) or _jump(end, self.zone)
        if not found:
            raise Invalid(
                column,
                "%(wall)s n'existe pas : l'horloge saute cette heure-là.",
                wall=f"{end:%Y-%m-%d %H:%M}",
            )
        return next((one for one in found if one > start), found[-1])

    def _doubled(
        self, start: Written, end: Written, starts: list[datetime], place: int, key: Hashable, column: str
    ) -> Period:
        if self.seen[key] != len(starts) or not isinstance(start, datetime) or not isinstance(end, datetime):
            raise Invalid(
                column,
                "%(wall)s a lieu deux fois ce jour-là : écrivez le décalage, par exemple +02:00 puis +01:00.",
                wall=f"{start:%Y-%m-%d %H:%M}",
            )
        begun = starts[place]
        if end.tzinfo is not None:
            return begun, end.astimezone(UTC)
        return begun, begun + (end - start)


def _instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instants at which a wall clock shows a time: none, one or two."""
    found = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(one for one in found if one.astimezone(zone).replace(tzinfo=None, fold=0) == wall)


def _jump(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instant of the jump, where a wall time is the first that it skips."""
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before = (at - timedelta(microseconds=1)).astimezone(zone).replace(tzinfo=None)
    return [at] if before == wall - timedelta(microseconds=1) else []
