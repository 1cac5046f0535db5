"""One outage that touches many adherents: what it may go through, and whose subscriptions it touches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from console.domain.clock import EventKind
from console.domain.dependencies import Dependency, reach_back
from console.domain.errors import Conflict


class ScopeKind(StrEnum):
    """What does not work: a service with what stands on it, or all that a data centre hosts."""

    SERVICE = "service"
    DATA_CENTRE = "data_centre"


class StepKind(StrEnum):
    """What happened to the record, and so happens to each incident of it."""

    EVENT = "event"
    PRIORITY = "priority"
    EFFECT = "effect"
    SECURITY = "security"
    COMMUNICATION = "communication"


class MajorPhase(StrEnum):
    """Where the record is."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Progress(StrEnum):
    """Whether an adherent's incident is where the record is, and if not why."""

    REFUSED = "refused"
    DUE = "due"
    DONE = "done"
    TAKEN_OUT = "taken_out"


YES, NO = "yes", "no"

# The record does not wait: who is waited on is one adherent, in its own incident.
NEXT: Mapping[MajorPhase, Mapping[EventKind, MajorPhase]] = {
    MajorPhase.OPEN: {
        EventKind.ACKNOWLEDGED: MajorPhase.ACKNOWLEDGED,
        EventKind.RESOLVED: MajorPhase.RESOLVED,
    },
    MajorPhase.ACKNOWLEDGED: {EventKind.RESOLVED: MajorPhase.RESOLVED},
    MajorPhase.RESOLVED: {
        EventKind.CLOSED: MajorPhase.CLOSED,
        EventKind.REOPENED: MajorPhase.ACKNOWLEDGED,
    },
    MajorPhase.CLOSED: {},
}


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription that runs."""

    tenant_id: int
    number: int
    service: str


@dataclass(frozen=True, slots=True)
class Touched:
    """What an adherent suffers: the subscription whose plan its clocks follow, and the others."""

    tenant_id: int
    subscription: int
    others: tuple[int, ...]


def yes_or_no(value: bool) -> str:
    """A flag as a step holds it."""
    return YES if value else NO


def after(phase: MajorPhase, kind: EventKind) -> MajorPhase:
    """The phase that an event leads to; raises `Conflict` where it cannot happen."""
    if kind not in NEXT[phase]:
        raise Conflict("Cet événement n'est plus possible : l'incident majeur a changé entre-temps.")
    return NEXT[phase][kind]


def services_touched(down: Iterable[str], dependencies: Sequence[Dependency], day: date) -> dict[str, int]:
    """Services by how many steps they are from one that is down; 0 for those themselves."""
    steps: dict[str, int] = {}
    for code in sorted(down):
        steps[code] = 0
        for reached in reach_back(code, dependencies, day):
            steps[reached.code] = min(reached.steps, steps.get(reached.code, reached.steps))
    return steps


def adherents_touched(
    subscribed: Iterable[Subscribed], services: Mapping[str, int], only: Collection[int] = ()
) -> list[Touched]:
    """Each adherent once, by number; the subscription nearest to what is down leads.

    `only` keeps some adherents, all where it is empty.
    """
    of_each: dict[int, list[Subscribed]] = {}
    for one in subscribed:
        if one.service in services and (not only or one.tenant_id in only):
            of_each.setdefault(one.tenant_id, []).append(one)
    found = []
    for tenant_id, held in sorted(of_each.items()):
        first, *others = sorted(held, key=lambda one: (services[one.service], one.number))
        found.append(Touched(tenant_id, first.number, tuple(sorted(one.number for one in others))))
    return found
