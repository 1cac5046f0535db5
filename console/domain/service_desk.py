"""What a service desk tells of its tickets, and what of it an incident's log lacks.

    ticket: its states, each with when it began -> those not told before -> events that the log lacks

A desk says where a ticket stands, not what happened to it: the events are those that lead there from where
the incident stands. What was told before is told again without effect, and a message that comes after a later
one adds nothing, so a desk may send what it likes as often as it likes. What the console recorded meanwhile
stays: a state that the desk did not change since does not undo it, nor does one that began before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.clock import Event, EventKind, next_events
from console.domain.errors import Conflict


class DeskState(StrEnum):
    """Where a ticket stands, in the order in which states of one second are taken."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Standing:
    """A state of a ticket, and when it began."""

    state: DeskState
    since: datetime


# What is tried, in order, to come to a state; what cannot happen where the incident stands is left out.
# A desk that asks the adherent something has taken the ticket up.
WAYS: Mapping[DeskState, tuple[EventKind, ...]] = {
    DeskState.NEW: (EventKind.RESUMED, EventKind.REOPENED),
    DeskState.ACKNOWLEDGED: (EventKind.RESUMED, EventKind.REOPENED, EventKind.ACKNOWLEDGED),
    DeskState.WAITING: (EventKind.REOPENED, EventKind.ACKNOWLEDGED, EventKind.WAITING),
    DeskState.RESOLVED: (EventKind.RESOLVED,),
    DeskState.CLOSED: (EventKind.RESOLVED, EventKind.CLOSED),
}
# What leads on from the last event of the console though the desk dates it before: it counts from there.
# All else would undo what is newer, or date again what was earlier.
LEADS_ON: Mapping[EventKind, frozenset[EventKind]] = {
    EventKind.OPENED: frozenset({EventKind.ACKNOWLEDGED, EventKind.WAITING, EventKind.RESOLVED}),
    EventKind.ACKNOWLEDGED: frozenset({EventKind.RESOLVED}),
    EventKind.RESOLVED: frozenset({EventKind.CLOSED}),
}
OVER = frozenset({DeskState.RESOLVED, DeskState.CLOSED})
RANK = {state: rank for rank, state in enumerate(DeskState)}


def in_order(standings: Iterable[Standing]) -> list[Standing]:
    """The states of a ticket from the first to the last."""
    return sorted(standings, key=_moment)


def not_told_before(standings: Sequence[Standing], told: Standing | None) -> list[Standing]:
    """The states, in order, that come after the last one that was taken before."""
    if told is None:
        return list(standings)
    if told in standings:
        last = len(standings) - standings[::-1].index(told)
        return [one for one in standings[last:] if one.since >= told.since]
    return [one for one in standings if _moment(one) > _moment(told)]


def missing_events(
    log: Sequence[Event],
    standings: Sequence[Standing],
    *,
    before: DeskState | None = None,
    acknowledged_at: datetime | None = None,
) -> list[Event]:
    """What the log of an incident lacks of new states of its ticket, which come in order.

    `before` is the state that the desk told last: told again, it says nothing new. What the desk dates before
    the last event of the log adds to it what `LEADS_ON`, from that event on, and undoes nothing. Raises
    `Conflict` for a ticket that came to run since the incident was closed.
    """
    events = list(log)

    def append(kind: EventKind, at: datetime) -> None:
        last = events[-1]
        is_late = at < last.at and len(events) == len(log)
        if kind in next_events(events) and not (is_late and kind not in LEADS_ON.get(last.kind, ())):
            events.append(Event(kind, max(at, last.at)))

    for standing in standings:
        if acknowledged_at is not None and acknowledged_at <= standing.since:
            append(EventKind.ACKNOWLEDGED, acknowledged_at)
        if standing.state is not before:
            _refuse_to_run(events, standing)
            for kind in WAYS[standing.state]:
                append(kind, standing.since)
        before = standing.state
    if acknowledged_at is not None:
        append(EventKind.ACKNOWLEDGED, acknowledged_at)
    return events[len(log) :]


def _refuse_to_run(events: Sequence[Event], standing: Standing) -> None:
    is_closed = not next_events(events)
    if is_closed and standing.state not in OVER and standing.since >= events[-1].at:
        raise Conflict("Cet incident est clos dans la console : un ticket rouvert y est un autre incident.")


def _moment(standing: Standing) -> tuple[datetime, int]:
    return standing.since, RANK[standing.state]
