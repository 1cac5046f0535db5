"""The SLA clock of an incident: from its event log to due dates, remaining time and states.

    events -> in order, each allowed: a history with its pauses -> due dates -> states at `now`

Two clocks run from the opening. The time to own (TTO) stops at the first acknowledgement or resolution and
never moves. The time to restore (TTR) stops at the resolution and stands still while the incident waits on
the adherent, and between a resolution and a reopening. Nothing here reads the time: the caller gives `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.calendar import Calendar
from console.domain.errors import Conflict, Invalid
from console.domain.spans import whole_second

HOUR_S = 3600
MINUTE_S = 60


class EventKind(StrEnum):
    """What can happen to an incident, in the order in which events of one second are tried."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    WAITING = "waiting"
    RESUMED = "resumed"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"


class Phase(StrEnum):
    """Where an incident stands."""

    RUNNING = "running"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


class State(StrEnum):
    """How a clock stands against its target; met and missed are final."""

    ON_TIME = "on_time"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    MET = "met"
    MISSED = "missed"


class Unit(StrEnum):
    """What a target counts."""

    MINUTES = "minutes"
    HOURS = "hours"
    WORKING_DAYS = "working_days"


# What may follow in each phase (None: nothing has happened yet), and where it leads.
STEPS: Mapping[Phase | None, Mapping[EventKind, Phase]] = {
    None: {EventKind.OPENED: Phase.RUNNING},
    Phase.RUNNING: {
        EventKind.ACKNOWLEDGED: Phase.RUNNING,
        EventKind.WAITING: Phase.WAITING,
        EventKind.RESOLVED: Phase.RESOLVED,
    },
    Phase.WAITING: {
        EventKind.ACKNOWLEDGED: Phase.WAITING,
        EventKind.RESUMED: Phase.RUNNING,
        EventKind.RESOLVED: Phase.RESOLVED,
    },
    Phase.RESOLVED: {EventKind.REOPENED: Phase.RUNNING, EventKind.CLOSED: Phase.CLOSED},
    Phase.CLOSED: {},
}

ENDS_OF_PAUSES = (EventKind.RESUMED, EventKind.RESOLVED, EventKind.REOPENED)

REFUSALS: Mapping[EventKind, str] = {
    EventKind.OPENED: "Un incident ne s'ouvre qu'une fois.",
    EventKind.ACKNOWLEDGED: "Un incident se prend en charge une seule fois, avant sa résolution.",
    EventKind.WAITING: "Seul un incident en cours peut être mis en attente.",
    EventKind.RESUMED: "Seul un incident en attente peut reprendre.",
    EventKind.RESOLVED: "Seul un incident en cours ou en attente peut être résolu.",
    EventKind.CLOSED: "Seul un incident résolu peut être clos.",
    EventKind.REOPENED: "Seul un incident résolu, et pas encore clos, peut être rouvert.",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log."""

    kind: EventKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """A delay to keep; `end_of_day` gives a target in working days the whole of its last day."""

    amount: int
    unit: Unit
    end_of_day: bool = False

    def __post_init__(self) -> None:
        if self.end_of_day and self.unit is not Unit.WORKING_DAYS:
            raise Invalid("end_of_day", "Seul un délai en jours ouvrés court jusqu'à la fin de la journée.")
        if self.amount < (0 if self.end_of_day else 1):
            raise Invalid(
                "amount", "Un délai est d'au moins 1 ; %(amount)s ne convient pas.", amount=self.amount
            )

    def due_at(self, start: datetime, calendar: Calendar) -> datetime:
        """When it is due, without any pause; raises `Invalid` on a calendar that does not open."""
        if self.unit is Unit.WORKING_DAYS:
            return calendar.add_working_days(start, self.amount, self.end_of_day)
        unit_s = HOUR_S if self.unit is Unit.HOURS else MINUTE_S
        return calendar.add_open_seconds(start, self.amount * unit_s)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One clock against its target.

    It is at risk from `at_risk_at` (75 % of the open time it has) and breached after `due_at`. While a wait
    is open, the one of the two that it moves is None; a wait begun after it moves nothing. `consumed_s` is
    the open time used, `remaining_s` what is left of it before the due date, 0 past it; both stand still
    while the clock does, so what remains can be stored then.
    """

    due_at: datetime | None
    at_risk_at: datetime | None
    state: State
    consumed_s: int
    remaining_s: int


@dataclass(frozen=True, slots=True)
class Clock:
    """Both clocks of an incident at one instant."""

    phase: Phase
    tto: Deadline
    ttr: Deadline


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch that does not count: a wait on the adherent, or the time from a resolution to a reopening."""

    begins: datetime
    ends: datetime
    phase: Phase


@dataclass(frozen=True, slots=True)
class History:
    """What an ordered log says; `since` is when the phase began (for a closed incident, its resolution).

    `pauses` are those that are over: in order, and never overlapping, since one ends before the next begins.
    """

    phase: Phase
    opened_at: datetime
    answered_at: datetime | None
    pauses: tuple[Pause, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One clock: where it began, and where it stands (now, or where it stopped)."""

    phase: Phase
    started_at: datetime
    stands_at: datetime
    pauses: tuple[Pause, ...]

    @property
    def is_over(self) -> bool:
        """Whether the clock stopped for good, but for a reopening."""
        return self.phase in (Phase.RESOLVED, Phase.CLOSED)

    def moved(self, instant: datetime, calendar: Calendar) -> datetime:
        """An instant reckoned from the start without any pause, after those that are over.

        A wait that is open has not moved it yet: see `is_moving`.
        """
        for pause in self.pauses:
            instant = moved(instant, pause, calendar)
        return instant

    def is_moving(self, instant: datetime) -> bool:
        """Whether an open wait moves that instant, so that nobody knows it yet."""
        return self.phase is Phase.WAITING and self.stands_at <= instant


def read_clock(events: Iterable[Event], calendar: Calendar, tto: Target, ttr: Target, now: datetime) -> Clock:
    """Both clocks as they were at `now`, whatever the order of the events; later events do not count yet.

    Raises `Conflict` for a log that cannot be, `Invalid` for a calendar that does not open.
    """
    history = read_history(events, now)
    return Clock(
        history.phase,
        _deadline(run_to_own(history, now), tto, calendar),
        _deadline(run_to_restore(history, now), ttr, calendar),
    )


def read_history(events: Iterable[Event], now: datetime) -> History:
    """What the log says at `now`; raises `Conflict` for a log that cannot be."""
    history = _history(event for event in events if event.at <= now or event.kind is EventKind.OPENED)
    if history is None:
        raise Conflict("Cet incident n'a pas d'ouverture.")
    return history


def run_to_own(history: History, now: datetime) -> Run:
    """The clock that stops at the first answer and knows no pause."""
    return Run(
        phase=Phase.RESOLVED if history.answered_at else Phase.RUNNING,
        started_at=history.opened_at,
        stands_at=history.answered_at or max(whole_second(now), history.opened_at),
        pauses=(),
    )


def run_to_restore(history: History, now: datetime) -> Run:
    """The clock that stops at the resolution and stands still in pauses."""
    running = history.phase is Phase.RUNNING
    return Run(
        phase=history.phase,
        started_at=history.opened_at,
        stands_at=max(whole_second(now), history.opened_at) if running else history.since,
        pauses=history.pauses,
    )


def moved(instant: datetime, pause: Pause, calendar: Calendar) -> datetime:
    """A due date after a pause: later by its open time, unless the pause began after it.

    A date in working days may be a closing. A pause that begins right then, and in whose time nothing opens,
    moves it to the next opening, by the hours rule by which pauses are added to such a date: nothing was left
    and nothing was used up. Were it not moved, a resolution during that wait would be late without more open
    time than was promised, and an answer at the opening would make late since the closing what an answer one
    second after it leaves on time. A pause without open time that is over before the date moves nothing.
    """
    paused_s = calendar.open_seconds(pause.begins, pause.ends)
    if pause.begins > instant or (paused_s == 0 and pause.ends <= instant):
        return instant
    return calendar.add_open_seconds(instant, paused_s)


def next_events(events: Iterable[Event]) -> frozenset[EventKind]:
    """What may happen next to an incident with this log; raises `Conflict` for a log that cannot be."""
    return _allowed(_history(events))


def _deadline(run: Run, target: Target, calendar: Calendar) -> Deadline:
    unmoved = target.due_at(run.started_at, calendar)
    at_risk_s = calendar.open_seconds(run.started_at, unmoved) * 3 // 4
    due = run.moved(unmoved, calendar)
    at_risk = run.moved(calendar.add_open_seconds(run.started_at, at_risk_s), calendar)
    due_at = None if run.is_moving(due) else due
    at_risk_at = None if run.is_moving(at_risk) else at_risk
    paused_s = sum(calendar.open_seconds(pause.begins, pause.ends) for pause in run.pauses)
    return Deadline(
        due_at=due_at,
        at_risk_at=at_risk_at,
        state=_state(run, due_at, at_risk_at),
        consumed_s=calendar.open_seconds(run.started_at, run.stands_at) - paused_s,
        remaining_s=calendar.open_seconds(run.stands_at, due),
    )


def _state(run: Run, due_at: datetime | None, at_risk_at: datetime | None) -> State:
    late = due_at is not None and run.stands_at > due_at
    if run.is_over:
        return State.MISSED if late else State.MET
    if late:
        return State.BREACHED
    at_risk = at_risk_at is not None and run.stands_at >= at_risk_at
    return State.AT_RISK if at_risk else State.ON_TIME


def _history(events: Iterable[Event]) -> History | None:
    """The log from its first event to its last; those of one second are taken in an order that is allowed."""
    order = list(EventKind)
    left = sorted(
        (Event(event.kind, whole_second(event.at)) for event in events),
        key=lambda event: (event.at, order.index(event.kind)),
    )
    history = None
    while left:
        same_second = [event for event in left if event.at == left[0].at]
        event = next((event for event in same_second if event.kind in _allowed(history)), None)
        if event is None:
            raise Conflict(REFUSALS[left[0].kind])
        left.remove(event)
        history = _after(event, history)
    return history


def _allowed(history: History | None) -> frozenset[EventKind]:
    if history is None:
        return frozenset(STEPS[None])
    answered = {EventKind.ACKNOWLEDGED} if history.answered_at else set()
    return frozenset(STEPS[history.phase]) - answered


def _after(event: Event, history: History | None) -> History:
    if history is None:
        return History(Phase.RUNNING, event.at, answered_at=None, pauses=(), since=event.at)
    answers = event.kind in (EventKind.ACKNOWLEDGED, EventKind.RESOLVED)
    ended: tuple[Pause, ...] = ()
    if history.phase is not Phase.RUNNING and event.kind in ENDS_OF_PAUSES:
        ended = (Pause(history.since, event.at, history.phase),)
    return History(
        phase=STEPS[history.phase][event.kind],
        opened_at=history.opened_at,
        answered_at=history.answered_at or (event.at if answers else None),
        pauses=history.pauses + ended,
        since=history.since if event.kind in (EventKind.ACKNOWLEDGED, EventKind.CLOSED) else event.at,
    )
