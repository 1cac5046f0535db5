"""Claims that follow a virtual machine: it belongs to the same holder on whatever host it runs.

Where a machine runs on a host on which nothing claims it, and somebody claimed it elsewhere for that hour,
the claim is carried on there, from the first such hour to the end of what is carried on. Which hours come
first makes no difference: an earlier one moves the beginning back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

Owner = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A claim on the machine, on one host; `follows` is the one that it carries on, if it does."""

    number: int  # below 0 for a shared service, as elsewhere
    host_id: int
    owner: Owner
    valid_from: datetime
    valid_to: datetime | None
    follows: int | None

    def holds_at(self, hour: datetime) -> bool:
        return self.valid_from <= hour and (self.valid_to is None or hour < self.valid_to)


@dataclass(frozen=True, slots=True)
class CarryOn:
    """Make a claim on the host that carries `first` on."""

    first: Held
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class BeginEarlier:
    """A claim that carries another on has to begin at an earlier hour."""

    claim: Held
    valid_from: datetime


def to_follow(claims: Sequence[Held], host_id: int, hour: datetime) -> CarryOn | BeginEarlier | None:
    """What a machine that ran on a host in an hour asks for, given every claim on it.

    None where a claim holds it there already, where nobody claimed it elsewhere, or where two holders did:
    a machine that was cloned with its identity belongs to no one by itself. What was ended or withdrawn on
    the host is not revived.
    """
    here = [claim for claim in claims if claim.host_id == host_id]
    if any(claim.holds_at(hour) for claim in here):
        return None
    elsewhere = [
        claim
        for claim in claims
        if claim.host_id != host_id and claim.follows is None and claim.holds_at(hour)
    ]
    if len({claim.owner for claim in elsewhere}) != 1:
        return None
    first = min(elsewhere, key=lambda claim: (claim.valid_from, claim.number))
    own = [claim for claim in here if claim.follows == first.number]
    start, end = _free_span(here, own, first, hour)
    for claim in own:
        if start <= claim.valid_from and (end is None or claim.valid_from < end):
            earlier = hour < claim.valid_from and claim.valid_to != claim.valid_from
            return BeginEarlier(claim, hour) if earlier else None
    return CarryOn(first, hour, end)


def _free_span(
    here: Iterable[Held], own: Iterable[Held], first: Held, hour: datetime
) -> tuple[datetime, datetime | None]:
    """The hours around one in which what is carried on holds and nothing else does on the host."""
    start, end = first.valid_from, first.valid_to
    for other in here:
        if other in own or other.valid_to == other.valid_from:
            continue
        if other.valid_to is not None and other.valid_to <= hour:
            start = max(start, other.valid_to)
        if other.valid_from > hour:
            end = other.valid_from if end is None else min(end, other.valid_from)
    return start, end
