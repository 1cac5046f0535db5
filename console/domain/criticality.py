"""Days of the month on which a service matters most: payroll, closing of accounts."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from console.domain.errors import Invalid

WINDOW = re.compile(r"(\d{1,2})(?:\s*-\s*(\d{1,2}))?")
LAST_DAY = 31


@dataclass(frozen=True, slots=True)
class Window:
    """Days of every month, both included; a day that a month lacks is its last one."""

    first: int
    last: int

    def holds_on(self, day: date) -> bool:
        length = monthrange(day.year, day.month)[1]
        return min(self.first, length) <= day.day <= min(self.last, length)


def read_windows(text: str) -> list[Window]:
    """Windows such as "10-25, 31"; raises `Invalid`."""
    windows = [_window(part.strip()) for part in text.split(",") if part.strip()]
    if not windows:
        raise Invalid("windows", "Donnez au moins un jour du mois ; par exemple 10-25.")
    return windows


def write_windows(windows: Sequence[Window]) -> str:
    """The text that `read_windows` reads."""
    return ", ".join(f"{w.first}-{w.last}" if w.last > w.first else str(w.first) for w in windows)


def is_critical(windows: Sequence[Window], day: date) -> bool:
    return any(window.holds_on(day) for window in windows)


def next_critical(windows: Sequence[Window], day: date) -> date | None:
    """The first critical day from a day on, None where there is no window: a month never lacks one."""
    if not windows:
        return None
    return next(later for later in _days_from(day) if is_critical(windows, later))


def _days_from(day: date) -> Sequence[date]:
    return [day + timedelta(days=number) for number in range(2 * LAST_DAY)]


def _window(text: str) -> Window:
    match = WINDOW.fullmatch(text)
    first = int(match[1]) if match else 0
    last = int(match[2] or match[1]) if match else 0
    if not 1 <= first <= last <= LAST_DAY:
        raise Invalid(
            "windows", "%(text)s n'est pas une suite de jours du mois ; par exemple 10-25.", text=text
        )
    return Window(first, last)
