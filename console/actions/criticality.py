"""Criticality calendars: the days of the month on which services matter most."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue
from console.domain.criticality import Window
from console.domain.errors import Conflict, NotFound
from console.domain.free_text import one_line
from console.domain.offer import check_code
from console.store.models import offer as o


def add_criticality(
    session: Session, code: str, name_fr: str, name_en: str, windows: Sequence[Window]
) -> None:
    """Add a calendar of critical days; raises `Conflict` where its code is taken."""
    hold_catalogue(session)
    check_code(code)
    if session.get(o.CriticalityCalendar, code) is not None:
        raise Conflict("Le calendrier %(code)s existe déjà.", code=code)
    calendar = o.CriticalityCalendar(code=code)
    _fill(calendar, name_fr, name_en, windows)
    session.add(calendar)


def edit_criticality(
    session: Session, code: str, name_fr: str, name_en: str, windows: Sequence[Window]
) -> None:
    """Change the names and the days of a calendar."""
    hold_catalogue(session)
    calendar = session.get(o.CriticalityCalendar, code)
    if calendar is None:
        raise NotFound("Calendrier introuvable.")
    _fill(calendar, name_fr, name_en, windows)


def _fill(calendar: o.CriticalityCalendar, name_fr: str, name_en: str, windows: Sequence[Window]) -> None:
    calendar.name_fr = one_line(name_fr, "name_fr")
    calendar.name_en = one_line(name_en, "name_en")
    calendar.windows = [[window.first, window.last] for window in windows]
