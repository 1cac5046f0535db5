"""Committees and tasks: their kinds and states, and when they fall."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from console.domain.errors import Conflict, Invalid

LONGEST_LINK = 500
LONGEST_MIN = 24 * 60  # of a committee


class CommitteeKind(StrEnum):
    """What a committee is for."""

    STEERING = "steering"
    OPERATIONAL = "operational"
    OTHER = "other"


class TaskState(StrEnum):
    """Where a task is; done and dropped are its ends."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall time; one that the clocks skip is moved forward, one of two is the first."""
    if wall.tzinfo is not None:
        raise ValueError(f"{wall} has a zone already")
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def link(text: str) -> str | None:
    """The address of a video conference, None where it is empty."""
    address = text.strip()
    if not address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    plain = address.isprintable() and " " not in address and len(address) <= LONGEST_LINK
    if not plain or parts.scheme != "https" or not parts.hostname:
        raise Invalid("link", "Une adresse qui commence par https:// est attendue.")
    return address


def duration_min(minutes: int | None) -> int:
    """How long a committee lasts, in minutes: up to a day."""
    if minutes is None or not 0 < minutes <= LONGEST_MIN:
        raise Invalid(
            "duration_min", "Une durée de 1 à %(longest)s minutes est attendue.", longest=LONGEST_MIN
        )
    return minutes


def check_can_change(approved_at: datetime | None, cancelled_at: datetime | None) -> None:
    """Raise `Conflict` for a committee whose minutes are approved, or that was cancelled."""
    if approved_at is not None:
        raise Conflict("Le compte rendu est approuvé : il ne change plus, un additif le corrige.")
    if cancelled_at is not None:
        raise Conflict("Ce comité est annulé.")


def check_can_approve(starts_at: datetime, minutes: str, now: datetime) -> None:
    """Raise `Conflict` where there is nothing to approve yet."""
    if starts_at > now:
        raise Conflict("Un compte rendu s'approuve une fois le comité tenu.")
    if not minutes:
        raise Conflict("Il n'y a pas de compte rendu à approuver.")


def is_overdue(state: TaskState, due_on: date | None, today: date) -> bool:
    """Whether an open task should have been done by the day before."""
    return state is TaskState.OPEN and due_on is not None and due_on < today


def ends_at(starts_at: datetime, minutes: int) -> datetime:
    """When a committee ends."""
    return starts_at + timedelta(minutes=minutes)
