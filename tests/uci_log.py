"""The event log of a real service desk (tests/data/incidents), told as our incident events."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from console.domain.clock import Event, EventKind, Phase

LOG = Path(__file__).parent / "data" / "incidents" / "incident_event_log.csv"
# Waiting on the person who asked; the desk's waits on a vendor or on a problem are its own time.
WAITING_STATES = {"Awaiting User Info", "Awaiting Evidence"}
PHASES = {"Resolved": Phase.RESOLVED, "Closed": Phase.CLOSED}
CHANGES = {
    (Phase.RUNNING, Phase.WAITING): EventKind.WAITING,
    (Phase.WAITING, Phase.RUNNING): EventKind.RESUMED,
    (Phase.RUNNING, Phase.RESOLVED): EventKind.RESOLVED,
    (Phase.WAITING, Phase.RESOLVED): EventKind.RESOLVED,
    (Phase.RESOLVED, Phase.RUNNING): EventKind.REOPENED,
    (Phase.RESOLVED, Phase.CLOSED): EventKind.CLOSED,
}


@dataclass(frozen=True)
class Ticket:
    """One incident of the log; `resolved_at` is None where its last row gives none."""

    number: str
    title: str
    impact: int
    urgency: int
    priority: int
    opened_at: datetime
    resolved_at: datetime | None
    closed_at: datetime
    made_sla: bool
    events: tuple[Event, ...]

    @property
    def opened_and_resolved(self) -> tuple[Event, ...]:
        """Opened and resolved only, as the desk's own clock counts."""
        if self.resolved_at is None:
            raise ValueError(f"{self.number} has no resolved_at")
        return Event(EventKind.OPENED, self.opened_at), Event(EventKind.RESOLVED, self.resolved_at)


def read_tickets(path: Path = LOG) -> list[Ticket]:
    """Every ticket in the order of the file."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return [_ticket(list(log)) for _, log in groupby(rows, key=itemgetter("number"))]


def _ticket(log: list[dict[str, str]]) -> Ticket:
    last = log[-1]
    return Ticket(
        number=last["number"],
        title=f"{last['category']}, {last['u_symptom']}",
        impact=_level(last["impact"]),
        urgency=_level(last["urgency"]),
        priority=_level(last["priority"]),
        opened_at=_instant(last["opened_at"]),
        resolved_at=None if last["resolved_at"] == "?" else _instant(last["resolved_at"]),
        closed_at=_instant(last["closed_at"]),
        made_sla=last["made_sla"] == "TRUE",
        events=tuple(_events(log)),
    )


def _events(log: list[dict[str, str]]) -> Iterator[Event]:
    """One event for each change of phase, at the time of its row; a resolution at its last row.

    Five rows are dated before their ticket was opened: they count from its opening.
    """
    opened_at = _instant(log[0]["opened_at"])
    yield Event(EventKind.OPENED, opened_at)
    before = Phase.RUNNING
    for phase, run in groupby(log, key=_phase):
        rows = list(run)
        if phase is not before:
            row = rows[-1] if phase is Phase.RESOLVED else rows[0]
            yield Event(CHANGES[before, phase], max(_instant(row["sys_updated_at"]), opened_at))
        before = phase


def _phase(row: dict[str, str]) -> Phase:
    state = row["incident_state"]
    return Phase.WAITING if state in WAITING_STATES else PHASES.get(state, Phase.RUNNING)


def _level(text: str) -> int:
    return int(text.partition(" - ")[0])


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=UTC)
