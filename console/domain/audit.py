"""The chain of audit entries: what a hash covers, and whether a chain with its seals and payloads holds.

An entry's hash covers the hash of its payload, not the payload itself, which may be erased later. The hash of
a payload covers a salt, erased with it: nobody finds a telephone number again by trying them all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum

GENESIS = "0" * 64  # what the first entry of a chain follows
PURGED = "audit.purged"
REDACTED = "audit.redacted"
ANCHORED = "audit.anchored"  # in the operator's chain: where the sealed months of the others ended
KEPT_FOR_EVER = "audit"  # first word of the kinds whose payloads are never erased: they say why others were
# What an adherent reads of its own chain, by the first word of a kind; the rest is the operator's own work.
OPEN_TO_ADHERENTS = (
    "adherent",
    "own_site",
    "contact",
    "subscription",
    "subscription_amendment",
    "volume_month",
    "service_claim",
    "incident",
    "incident_event",
    "workload_claim",
    "statement",
    "audit",
)

NO_ANCHORS: Mapping[int, str] = {}

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed, in the chain of one adherent; `number` counts from 1 without holes."""

    tenant_id: int
    number: int
    at: datetime
    by: str
    kind: str
    subject: str
    payload_sha256: str
    previous_sha256: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Payload:
    """The facts of an entry as canonical JSON, and the salt of their hash."""

    salt: str
    text: str

    def sha256(self) -> str:
        """The hash that the entry keeps."""
        return _sha256(f"{self.salt}\n{self.text}")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends."""

    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A month of a chain up to its entry `last_number`; no entry: no seal."""

    month: date
    last_number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Erasures:
    """Whose payloads may be missing: all up to a number, and some that were redacted one by one."""

    purged_through: int
    redacted: Collection[int]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry of a chain that does not fit, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What a check of one chain found; `fault` is None where everything fits."""

    entries: int
    purged: int
    redacted: int
    fault: Fault | None


def plain(value: object) -> Plain:
    """A value as JSON knows it: instants in UTC and dates in ISO 8601, bytes as their hash."""
    match value:
        case Enum():
            return plain(value.value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case bytes():
            return f"sha256:{hashlib.sha256(value).hexdigest()}"
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): plain(part) for key, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
    return str(value)


def canonical(facts: Mapping[str, object]) -> str:
    """The one JSON text of some facts: sorted keys, no blanks."""
    return json.dumps(plain(facts), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def seal_entry(entry: Entry) -> Entry:
    """The entry with its hash, over all its other fields."""
    covered = {name: getattr(entry, name) for name in entry.__slots__ if name != "sha256"}
    return replace(entry, sha256=_sha256(canonical(covered)))


def is_kept_for_ever(kind: str) -> bool:
    """Whether the payload of an entry stays: what was erased, exported and why is not forgotten."""
    return kind.startswith(f"{KEPT_FOR_EVER}.")


def seal_month(month: date, hashes: Iterable[str], previous: str) -> str:
    """The hash of a month, over its entries' hashes and the hash of the seal before it."""
    return _sha256("\n".join((month.isoformat(), previous, *hashes)))


def months_before(month: date, count: int) -> date:
    """The first day of the month `count` months before one."""
    year, place = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(year, place + 1, 1)


def check_chain(
    told: Iterable[tuple[Entry, Payload | None]],
    head: Head | None,
    seals: Sequence[Seal] = (),
    erasures: Erasures = Erasures(0, ()),
    anchors: Mapping[int, str] = NO_ANCHORS,
) -> ChainCheck:
    """Read a chain from its first entry to its head; `told` and `seals` come in their order.

    `anchors` are hashes of entries that another chain keeps; a chain without entries still has a head.
    """
    reading = _Reading(seals, erasures, anchors)
    for entry, payload in told:
        if reason := reading.next(entry, payload):
            return reading.result(Fault(min(entry.number, reading.number + 1), reason))
    return reading.result(reading.end(head))


class _Reading:
    """Where a check is in its chain."""

    def __init__(self, seals: Sequence[Seal], erasures: Erasures, anchors: Mapping[int, str]) -> None:
        self.number, self.sha256 = 0, GENESIS
        self.seals, self.seal_sha256 = list(seals), GENESIS
        self.segment: list[str] = []
        self.erasures, self.anchors = erasures, anchors
        self.purged = self.redacted = 0

    def next(self, entry: Entry, payload: Payload | None) -> str:
        """Read an entry; why it does not fit, or nothing."""
        reason = self._misfit(entry) or self._misfit_of_payload(entry, payload)
        if reason:
            return reason
        self.number, self.sha256 = entry.number, entry.sha256
        self.segment.append(entry.sha256)
        return self._misfit_of_seal() or self._misfit_of_anchor(entry)

    def end(self, head: Head | None) -> Fault | None:
        """What does not fit once the last entry was read."""
        if self.seals:
            return Fault(self.number + 1, "is missing: a sealed month goes further")
        if max(self.anchors, default=0) > self.number:
            return Fault(self.number + 1, "is missing: the operator's chain knows a later one")
        if head is None:
            return Fault(max(self.number, 1), "is of a chain whose head is missing")
        if head.number > self.number:
            return Fault(self.number + 1, "is missing: the head of the chain is further")
        if (head.number, head.sha256) != (self.number, self.sha256):
            return Fault(self.number, "is not what the head of the chain says")
        return None

    def result(self, fault: Fault | None) -> ChainCheck:
        return ChainCheck(self.number, self.purged, self.redacted, fault)

    def _misfit(self, entry: Entry) -> str:
        if entry.number > self.number + 1:
            return "is missing"
        if entry.number < self.number + 1:
            return "is there twice"
        if entry.sha256 != seal_entry(entry).sha256:
            return "was altered: its hash is not that of its fields"
        if entry.previous_sha256 != self.sha256:
            return "does not follow the entry before it"
        return ""

    def _misfit_of_payload(self, entry: Entry, payload: Payload | None) -> str:
        if payload is not None:
            return "" if payload.sha256() == entry.payload_sha256 else "has a payload that was altered"
        if is_kept_for_ever(entry.kind):
            return "lost its payload, which is never purged or redacted"
        if entry.number in self.erasures.redacted:
            self.redacted += 1
        elif entry.number <= self.erasures.purged_through:
            self.purged += 1
        else:
            return "lost its payload, which nobody purged or redacted"
        return ""

    def _misfit_of_seal(self) -> str:
        if not self.seals or self.seals[0].last_number != self.number:
            return ""
        seal = self.seals.pop(0)
        if seal.sha256 != seal_month(seal.month, self.segment, self.seal_sha256):
            return f"does not end the month {seal.month:%Y-%m} as it was sealed"
        self.segment, self.seal_sha256 = [], seal.sha256
        return ""

    def _misfit_of_anchor(self, entry: Entry) -> str:
        if self.anchors.get(entry.number, entry.sha256) == entry.sha256:
            return ""
        return "is not the one that the operator's chain knows"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
