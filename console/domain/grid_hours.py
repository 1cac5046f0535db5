"""What a kWh of a grid emits over each hour of which every moment is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from console.domain.grid import Intensity, State
from console.domain.hours import HOUR, hours_between

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Hour:
    """The mean of an hour, with the state of its least final figure."""

    hour: datetime
    intensity_mg_per_kwh: int
    state: State

    @property
    def realtime(self) -> bool:
        """Whether a figure of it is to be replaced by a more final one, and carbon by it is provisional."""
        return self.state is State.REALTIME


def whole_hours(figures: Iterable[Intensity]) -> dict[datetime, Hour]:
    """By hour the mean of its figures by how long each holds, in whole mg, half to even.

    An hour of which a moment is unknown has none. The figures are of one zone and basis, and do not overlap.
    """
    parts: dict[datetime, list[tuple[timedelta, Intensity]]] = {}
    for one in figures:
        for hour in hours_between(one.started_at, one.ended_at):
            held = min(one.ended_at, hour + HOUR) - max(one.started_at, hour)
            parts.setdefault(hour, []).append((held, one))
    return {hour: _mean(hour, told) for hour, told in parts.items() if _held(told) == HOUR}


def _held(told: Iterable[tuple[timedelta, Intensity]]) -> timedelta:
    return sum((held for held, _ in told), timedelta())


def _mean(hour: datetime, told: Iterable[tuple[timedelta, Intensity]]) -> Hour:
    weighted, states = 0, set[State]()
    for held, one in told:
        weighted += held // MICROSECOND * one.intensity_mg_per_kwh
        states.add(one.state)
    mean = round(Fraction(weighted, HOUR // MICROSECOND))
    return Hour(hour, mean, min(states, key=lambda state: state.rank))
