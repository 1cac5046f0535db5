"""Service hours as people write them: a week, holidays, closures and dated openings; what of them may change.

Hours are written "08:00-12:00, 14:00-18:00"; a segment that closes before it opens runs past midnight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from console.domain.calendar import MIDNIGHT, ONE_DAY, Calendar, Closure, Segment
from console.domain.errors import Conflict, Invalid

DAYS = range(7)
MOST_DATES = 200  # closures, or dated openings, of one calendar
TERRITORIES = (  # whose public holidays a calendar may keep; the codes are those of ISO 3166-2
    "FR",
    "FR-57",
    "FR-971",
    "FR-972",
    "FR-973",
    "FR-974",
    "FR-976",
    "FR-BL",
    "FR-MF",
    "FR-NC",
    "FR-PF",
    "FR-PM",
    "FR-WF",
)


@dataclass(frozen=True, slots=True)
class DatedOpening:
    """The hours of one date, which replace those of the week and beat a holiday."""

    on: date
    segments: tuple[Segment, ...]
    name: str


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """What a calendar is made of; `week` has the segments of Monday to Sunday.

    With `always` it is open around the clock and has nothing else but its zone. `territory` is that of the
    public holidays, None where none closes.
    """

    zone: str
    always: bool = False
    territory: str | None = None
    week: tuple[tuple[Segment, ...], ...] = ((),) * 7
    closures: tuple[Closure, ...] = ()
    openings: tuple[DatedOpening, ...] = ()


def read_segments(text: str, field: str) -> tuple[Segment, ...]:
    """Segments from "08:00-12:00, 14:00-18:00", in their order; none from an empty text."""
    try:
        found = sorted((Segment.parse(part.strip()) for part in text.split(",") if part.strip()), key=_start)
    except Invalid as error:
        raise Invalid(field, error.message, **error.values) from None
    if _overlap([segment.split()[0] for segment in found]):
        raise Invalid(field, "Deux plages se chevauchent : %(text)s.", text=write_segments(found))
    return tuple(found)


def write_segments(segments: Sequence[Segment]) -> str:
    """The text that gives these segments."""
    return ", ".join(map(str, segments))


def check_hours(hours: ServiceHours) -> None:
    """Refuse what cannot be a calendar, with the field that is wrong."""
    if hours.zone not in available_timezones():
        raise Invalid("zone", "« %(zone)s » n'est pas un fuseau ; par exemple Europe/Paris.", zone=hours.zone)
    if hours.always:
        if any(hours.week) or hours.territory or hours.closures or hours.openings:
            raise Invalid("kind", "Un calendrier 24 h / 24 n'a ni plages, ni jours fériés, ni fermetures.")
        return
    if hours.territory is not None and hours.territory not in TERRITORIES:
        raise Invalid("territory", "Un territoire de la liste est attendu.")
    _check_week(hours.week)
    for field, dates in (("closures", hours.closures), ("openings", hours.openings)):
        if len(dates) > MOST_DATES:
            raise Invalid(field, "Un calendrier a %(most)s dates au plus de chaque sorte.", most=MOST_DATES)
    days = [opening.on for opening in hours.openings]
    if twice := next((day for day in days if days.count(day) > 1), None):
        raise Invalid("openings", "Deux ouvertures datées portent sur le %(day)s.", day=twice)


def check_change(
    before: ServiceHours, after: ServiceHours, was: Calendar, becomes: Calendar, today: date
) -> None:
    """Refuse a change of hours under which incidents were reckoned; what lies after `today` may change.

    `was` and `becomes` are both hours with their holidays. Raises `Conflict` for what never changes,
    `Invalid` at the dates that have begun.
    """
    if _fixed(before) != _fixed(after):
        raise Conflict(
            "Une souscription tient ce calendrier : ses horaires, son fuseau, sa nature et ses jours fériés "
            "ne changent plus. Copiez-le, puis faites une nouvelle version du plan."
        )
    if _yearly(before) != _yearly(after):
        raise Invalid(
            "closures",
            "Une fermeture annuelle vaudrait aussi pour le passé : sur ce calendrier, qu'une souscription "
            "tient, donnez ses dates à venir.",
        )
    moved = {*before.closures} ^ {*after.closures}
    for day in sorted({day for closure in moved if not closure.yearly for day in _days(closure, today)}):
        _refuse_past("closures", day, was, becomes)
    for opening in sorted({*before.openings} ^ {*after.openings}, key=lambda one: one.on):
        if opening.on <= today:
            _refuse_past("openings", opening.on, was, becomes)


def _refuse_past(field: str, day: date, was: Calendar, becomes: Calendar) -> None:
    if any(was.day(one).spans != becomes.day(one).spans for one in (day, day + ONE_DAY)):
        raise Invalid(
            field,
            "Le %(day)s est passé ou en cours : une souscription tient ce calendrier, seul ce qui est à "
            "venir change.",
            day=day,
        )


def _check_week(week: Sequence[Sequence[Segment]]) -> None:
    if not any(week):
        raise Invalid("day-0", "Aucun jour de la semaine n'est ouvert.")
    for weekday in DAYS:
        past_midnight = [rest for _, rest in (one.split() for one in week[weekday - 1]) if rest]
        own = [segment.split()[0] for segment in week[weekday]]
        if _overlap(sorted([*past_midnight, *own])):
            raise Invalid(
                f"day-{weekday}",
                "Ces plages chevauchent celles de la veille, qui passent minuit, ou se chevauchent.",
            )


def _overlap(stretches: Sequence[tuple[time, time]]) -> bool:
    """Whether stretches of one date, in order, overlap; a closing at midnight is the end of the date."""
    return any(earlier[1] == MIDNIGHT or later[0] < earlier[1] for earlier, later in pairwise(stretches))


def _start(segment: Segment) -> tuple[time, time]:
    return segment.opens, segment.closes


def _fixed(hours: ServiceHours) -> tuple[object, ...]:
    return hours.always, ZoneInfo(hours.zone).key, hours.territory, hours.week


def _yearly(hours: ServiceHours) -> set[tuple[date, date]]:
    return {(closure.first, closure.last) for closure in hours.closures if closure.yearly}


def _days(closure: Closure, until: date) -> Iterator[date]:
    """The dates of a closure up to a day."""
    for number in range((min(closure.last, until) - closure.first) // timedelta(days=1) + 1):
        yield closure.first + timedelta(days=number)
