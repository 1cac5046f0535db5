"""What a kWh of a grid emits from one instant to another, and which of two figures of one instant holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.facility import Basis

LONGEST = timedelta(hours=1)  # that one figure holds for


class State(StrEnum):
    """How final a publisher says a figure is, the least final first."""

    REALTIME = "realtime"
    CONSOLIDATED = "consolidated"
    DEFINITIVE = "definitive"

    @property
    def rank(self) -> int:
        return list(State).index(self)


@dataclass(frozen=True, slots=True)
class Intensity:
    """What a kWh emits over a stretch of time, on one basis."""

    basis: Basis
    started_at: datetime
    duration: timedelta
    intensity_mg_per_kwh: int
    publisher: str
    state: State

    @property
    def ended_at(self) -> datetime:
        return self.started_at + self.duration

    def beats(self, other: Intensity) -> bool:
        """Whether it may take the place of another: of the same publisher, and not less final.

        Two publishers reckon differently, so that the figures of one are no correction of the other's.
        """
        return self.publisher == other.publisher and self.state.rank >= other.state.rank


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of figures that are told, beside those that are known; both lists are of one basis.

    `added` and `replacing` are stored, `replaced` are deleted, `unchanged` are known as they are told, and
    `kept_out` lose against what is known.
    """

    added: Sequence[Intensity]
    replacing: Sequence[Intensity]
    replaced: Sequence[Intensity]
    unchanged: int
    kept_out: int


def settle(told: Sequence[Intensity], known: Sequence[Intensity]) -> Settled:
    """Which of the figures that are told are stored, and which known ones they replace.

    No instant ever has two figures, and none loses the one it has: a known figure goes where those that are
    told cover all of its time and beat it, such as the two quarters that a half-hour replaces.
    """
    told = sorted(told, key=lambda one: one.started_at)
    known = sorted(known, key=lambda one: one.started_at)
    same = set(told) & set(known)
    fresh = [one for one in told if one not in same]
    starts = [one.started_at for one in known]
    beside = {one: _overlapping(one, known, starts) for one in fresh}
    standing = {one for one in fresh if all(one.beats(other) for other in beside[one])}
    while True:
        covered = _covered(standing, beside)
        gone = {other for other, time in covered.items() if time == other.duration}
        staying = {one for one in standing if gone.issuperset(beside[one])}
        if staying == standing:
            break
        standing = staying
    stored = [one for one in fresh if one in standing]
    return Settled(
        added=[one for one in stored if not beside[one]],
        replacing=[one for one in stored if beside[one]],
        replaced=[other for other in known if other in gone],
        unchanged=len(same),
        kept_out=len(fresh) - len(stored),
    )


def _overlapping(one: Intensity, known: Sequence[Intensity], starts: Sequence[datetime]) -> list[Intensity]:
    first = bisect_left(starts, one.started_at - LONGEST)
    last = bisect_left(starts, one.ended_at)
    return [other for other in known[first:last] if other.ended_at > one.started_at]


def _covered(
    standing: set[Intensity], beside: dict[Intensity, list[Intensity]]
) -> dict[Intensity, timedelta]:
    """How much of each known figure's time the new ones cover; these do not overlap each other."""
    covered: dict[Intensity, timedelta] = {}
    for one in standing:
        for other in beside[one]:
            common = min(one.ended_at, other.ended_at) - max(one.started_at, other.started_at)
            covered[other] = covered.get(other, timedelta()) + common
    return covered
