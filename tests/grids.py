"""What a grid emitted, told at once, for tests that look at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from console.actions.grid import portions, take
from console.domain.facility import Basis
from console.domain.grid import Intensity, State

START = datetime(2026, 1, 31, 23, tzinfo=UTC)  # February in Paris
HALF = timedelta(minutes=30)


def half_hours(hours: int, start: datetime = START, mg_per_kwh: int = 30_000) -> list[Intensity]:
    """Figures of whole hours that follow each other."""
    return [
        Intensity(Basis.DIRECT_PRODUCTION, start + n * HALF, HALF, mg_per_kwh, "RTE", State.DEFINITIVE)
        for n in range(2 * hours)
    ]


def a_known_february(session: Session, zone: str = "FR") -> None:
    """A month whose days differ, two hours of the third of which nobody knows."""
    told = [
        one
        for day in range(28)
        for one in half_hours(24, START + timedelta(days=day), 20_000 + 1_500 * (day % 9))
        if one.started_at not in {START + timedelta(days=2, hours=8), START + timedelta(days=2, hours=9)}
    ]
    for portion in portions(told):
        take(session, zone, portion, now=datetime.now(UTC))
