"""What a service suffers: how badly, when, and who says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.clock import Event, History, Phase, read_history
from console.domain.incident_log import Change, Changed, values_over_time
from console.domain.spans import Span

OVER = (Phase.RESOLVED, Phase.CLOSED)


class Effect(StrEnum):
    """What is left of a service: everything, a part, or nothing."""

    NONE = "none"
    DEGRADED = "degraded"
    OUTAGE = "outage"


class Source(StrEnum):
    """Who tells of an outage."""

    INCIDENT = "incident"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Suffered:
    """A stretch in which a service did not run, or not well; `ended_at` is None while it lasts."""

    began_at: datetime
    ended_at: datetime | None
    effect: Effect

    def until(self, now: datetime) -> Span:
        """Its time, which runs to `now` while it lasts."""
        return self.began_at, self.ended_at or max(now, self.began_at)


def suffered_in(
    events: Iterable[Event], changes: Iterable[Changed], effect: Effect | None, now: datetime
) -> list[Suffered]:
    """What an incident made a service suffer by `now`, from its log, in order and apart.

    It runs from the opening, or a reopening, to the resolution: a wait on the adherent stops a clock, not the
    outage. `effect` is what holds now; where nobody told of one, nothing is counted.
    """
    history = read_history(events, now)
    told = values_over_time(changes, Change.EFFECT, history.opened_at, effect)
    untils = [since for since, _ in told[1:]] + [None]
    pieces = [
        Suffered(max(begins, since), _earlier(ends, until), Effect(value))
        for begins, ends in _running(history)
        for (since, value), until in zip(told, untils, strict=True)
        if value is not None and value != Effect.NONE
    ]
    return [piece for piece in pieces if piece.ended_at is None or piece.began_at < piece.ended_at]


def _running(history: History) -> list[tuple[datetime, datetime | None]]:
    """From the opening and each reopening to the resolution after it, None for one that is to come."""
    between = [pause for pause in history.pauses if pause.phase in OVER]
    begins = [history.opened_at, *(pause.ends for pause in between)]
    last = history.since if history.phase in OVER else None
    return list(zip(begins, [*(pause.begins for pause in between), last], strict=True))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)
