"""Hours and months as the ledger cuts time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from console.domain.proportion import apportion

HOUR = timedelta(hours=1)


def hour_of(instant: datetime) -> datetime:
    """The start of the UTC hour that holds an instant."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """The starts of the hours touched by `[start, end)`."""
    hour = hour_of(start)
    while hour < end:
        yield hour
        hour += HOUR


def split_by_hour(amount: int, start: datetime, end: datetime) -> dict[datetime, int]:
    """An amount spread evenly over `[start, end)`, cut at the hours; the parts add up to it exactly."""
    weights = {
        hour.isoformat(): (min(end, hour + HOUR) - max(start, hour)) // timedelta(microseconds=1)
        for hour in hours_between(start, end)
    }
    return {datetime.fromisoformat(hour): part for hour, part in apportion(amount, weights).items()}


def month_of(instant: datetime, zone: ZoneInfo) -> date:
    """The first day of the local month that holds an instant."""
    return instant.astimezone(zone).date().replace(day=1)


def months_between(first: date, last: date) -> Iterator[date]:
    """The months from that of a day to that of another, by their first days; none where it is before."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)


def month_bounds(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants at which a local month starts and ends: 743, 744 or 745 hours apart in a 31-day month."""
    first = datetime(month.year, month.month, 1, tzinfo=zone)
    after = (month.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = datetime(after.year, after.month, 1, tzinfo=zone)
    return first.astimezone(UTC), last.astimezone(UTC)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants at which a local day starts and ends: 23, 24 or 25 hours apart."""
    first = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    last = datetime(after.year, after.month, after.day, tzinfo=zone)
    return first.astimezone(UTC), last.astimezone(UTC)
