"""The occurrences of planned work: a recurrence rule on wall times, resolved to instants one by one.

The rule runs on the wall clock, so that work held at 22:00 is held at 22:00 on both sides of a clock change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import dropwhile, islice, takewhile

from dateutil.rrule import rrule, rrulestr

from console.domain.errors import Invalid
from console.domain.maintenance import MOST_OCCURRENCES, Slot, Timing

A_DAY = timedelta(days=1)  # more than any clock change


def check_rule(timing: Timing) -> None:
    """Refuse a rule that its own first date does not follow: calendars would not agree on such a one."""
    if timing.rule and list(_rule(timing, timing.first)) != [timing.first]:
        raise Invalid("rule", "La première date ne suit pas la règle de répétition.")
    if timing.first.date() in timing.excluded:
        raise Invalid("excluded", "La première date ne peut être exclue : commencez à la suivante.")


def slots(timing: Timing, since: datetime, before: datetime) -> list[Slot]:
    """The occurrences between two wall times, those under way at the first too; at most 1000."""
    duration = timedelta(minutes=timing.duration_min)
    walls = dropwhile(lambda wall: wall + duration < since - A_DAY, _walls(timing, before))
    held = (wall for wall in walls if wall < before and wall.date() not in timing.excluded)
    return [timing.slot(wall) for wall in islice(held, MOST_OCCURRENCES)]


def is_endless(timing: Timing) -> bool:
    """Whether it goes on for ever."""
    return bool(timing.rule) and timing.until_on is None and "COUNT=" not in timing.rule


def _walls(timing: Timing, before: datetime) -> Iterator[datetime]:
    if not timing.rule:
        return iter([timing.first])
    last = min(before, datetime.combine(timing.until_on, time.max)) if timing.until_on else before
    if "COUNT=" not in timing.rule:  # the library looks for ever for what a rule never gives
        return iter(_rule(timing, last))
    return takewhile(lambda wall: wall <= last, _rule(timing))


def _rule(timing: Timing, until: datetime | None = None) -> rrule:
    try:
        rule = rrulestr(timing.rule, dtstart=timing.first)
    except ValueError:
        raise Invalid("rule", "Cette règle de répétition n'a pas de sens.") from None
    if not isinstance(rule, rrule):
        raise TypeError(f"{timing.rule} is a set of rules")
    return rule if until is None else rule.replace(until=until, count=None)
