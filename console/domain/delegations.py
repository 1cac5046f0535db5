"""Handing a part of one's portfolio to a colleague: for how long, and where it stands on a day."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from console.domain.access import Role
from console.domain.errors import Invalid

MOST_DAYS = 92
FARTHEST_START = timedelta(days=366)
GIVES_AND_TAKES = Role.ACCOUNT_MANAGER  # the other roles see every adherent, or their own only


class Standing(StrEnum):
    """Where a delegation is on a day."""

    TO_COME = "to_come"
    RUNNING = "running"
    OVER = "over"


def check_days(first_day: date, last_day: date, today: date) -> None:
    """Refuse days that are past, out of order, or more than `MOST_DAYS`, both counted."""
    if not today <= first_day <= today + FARTHEST_START:
        raise Invalid("first_day", "Le premier jour est aujourd'hui ou dans l'année qui vient.")
    if last_day < first_day:
        raise Invalid("last_day", "Le dernier jour ne précède pas le premier.")
    if (last_day - first_day).days + 1 > MOST_DAYS:
        raise Invalid("last_day", "Une délégation dure %(most)s jours au plus.", most=MOST_DAYS)


def standing(first_day: date, last_day: date, ended: bool, today: date) -> Standing:
    """Where a delegation is; one that was ended early is over."""
    if ended or today > last_day:
        return Standing.OVER
    return Standing.TO_COME if today < first_day else Standing.RUNNING
