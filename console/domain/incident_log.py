"""What is changed of an incident beside what moves its clocks: each change is a line of its log.

A change holds from an instant on, until the end: it takes the place of what was said before of any later
time. So the last one recorded says what holds now, and what held before is still read from the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Change(StrEnum):
    """What of an incident can become another."""

    PRIORITY = "priority"
    IMPACT = "impact"
    URGENCY = "urgency"
    CATEGORY = "category"
    SECURITY = "security"
    EFFECT = "effect"
    PLAN = "plan"
    TITLE = "title"
    DESCRIPTION = "description"


# Of these the log says that they changed, never what they were: they may be redacted.
TEXTS = (Change.TITLE, Change.DESCRIPTION)


@dataclass(frozen=True, slots=True)
class Changed:
    """One line of the log that moves no clock: what it `was` before, and its `value` from `at` on.

    None is unknown, for nobody told.
    """

    what: Change
    was: str | None
    value: str | None
    at: datetime


def values_over_time(
    changes: Iterable[Changed], what: Change, opened_at: datetime, now_holds: str | None
) -> list[tuple[datetime, str | None]]:
    """What held, and from when on, from the opening: in order of time, each different from the one before.

    `changes` come in the order in which they were recorded; `now_holds` is what holds where nothing changed.
    """
    lines = [change for change in changes if change.what is what]
    held = [(opened_at, lines[0].was if lines else now_holds)]
    for line in lines:
        kept = [(since, value) for since, value in held if since < line.at]
        if not kept or kept[-1][1] != line.value:
            kept.append((max(line.at, opened_at), line.value))
        held = kept
    return held
