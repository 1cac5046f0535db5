"""The audit log: whether its chains hold, and what it tells of an adherent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select
from sqlalchemy.orm import Session

from console.domain.audit import (
    ANCHORED,
    NO_ANCHORS,
    OPEN_TO_ADHERENTS,
    PURGED,
    REDACTED,
    ChainCheck,
    Entry,
    Erasures,
    Head,
    Payload,
    Seal,
    check_chain,
    is_kept_for_ever,
)
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import NotFound
from console.store.models import audit as a
from console.store.models import catalogue as c

CHUNK = 1000  # entries in memory at a time
PAGE = 50  # entries
Anchors = Mapping[int, Mapping[int, str]]  # hashes of entries by adherent and number


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of a chain; `open_only` leaves out what the operator writes for itself.

    `what` is the first word of a kind, such as "subscription"; `subject` such as "subscription/3" is that
    row and what hangs on it.
    """

    by: str = ""
    what: str = ""
    subject: str = ""
    start: datetime | None = None
    end: datetime | None = None
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class LoggedDeed:
    """An entry with its facts; `erased` ones have none, and `old` and `new` hold the columns that changed."""

    tenant_id: int
    number: int
    at: datetime
    by: str
    kind: str
    subject: str
    sha256: str
    previous_sha256: str
    payload_sha256: str
    erased: bool
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    hidden: Sequence[str]
    facts: Mapping[str, Any]

    @property
    def erasable(self) -> bool:
        """Whether its facts are there and may be redacted."""
        return not self.erased and not is_kept_for_ever(self.kind)

    @property
    def columns(self) -> list[str]:
        """The names of `old` and `new`, in their order."""
        return sorted({*self.old, *self.new})


@dataclass(frozen=True, slots=True)
class Deeds:
    """A page of a chain, the newest first; `older` is where the next one starts, None at its end."""

    rows: Sequence[LoggedDeed]
    older: int | None


def hold_still(session: Session) -> None:
    """Make all that a new session reads one moment of the database, whatever is written meanwhile."""
    if session.get_bind().dialect.name == "postgresql":  # elsewhere a transaction always reads one moment
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def anchors(session: Session) -> Anchors:
    """The ends of sealed months that the operator's chain keeps."""
    entry, payload = a.AuditEntry, a.AuditPayload
    kept = (
        select(payload.payload)
        .join(entry, and_(entry.tenant_id == payload.tenant_id, entry.number == payload.number))
        .where(entry.tenant_id == OPERATOR_TENANT, entry.kind == ANCHORED, payload.payload.is_not(None))
    )
    found: dict[int, dict[int, str]] = {}
    for text in session.scalars(kept):
        for tenant_id, (number, sha256) in json.loads(text or "{}").get("ends", {}).items():
            found.setdefault(int(tenant_id), {})[number] = sha256
    return found


def chains(session: Session, anchored: Anchors | None = None) -> list[int]:
    """The adherents that have a chain, or must have one: something else says that it was begun.

    Every adherent has one since it was added, or since the log began; the operator since a month was sealed.
    """
    anchored = anchors(session) if anchored is None else anchored
    begun = select(a.AuditHead.tenant_id).union(
        select(a.AuditEntry.tenant_id),
        select(a.AuditCheckpoint.tenant_id),
        select(c.Adherent.tenant_id).where(c.Adherent.tenant_id != OPERATOR_TENANT),
        select(literal(OPERATOR_TENANT)).where(exists(select(a.AuditCheckpoint.tenant_id))),
    )
    return sorted({*session.scalars(begun), *anchored})


def verify_every(session: Session) -> Iterator[tuple[int, ChainCheck]]:
    """`verify` for each of the `chains`."""
    anchored = anchors(session)
    for tenant_id in chains(session, anchored):
        yield tenant_id, verify(session, tenant_id, anchored)


def verify(session: Session, tenant_id: int, anchored: Anchors | None = None) -> ChainCheck:
    """Compute a chain again from its first entry: hashes, payloads, sealed months, what is anchored, head."""
    anchored = anchors(session) if anchored is None else anchored
    head = session.get(a.AuditHead, tenant_id)
    return check_chain(
        _told(session, tenant_id),
        Head(head.number, head.sha256) if head else None,
        _seals(session, tenant_id),
        _erasures(session, tenant_id),
        anchored.get(tenant_id, NO_ANCHORS),
    )


def list_deeds(
    session: Session, tenant_id: int, wanted: Wanted, before: int | None = None, size: int = PAGE
) -> Deeds:
    """Entries of a chain, the newest first, those before a number where one is given."""
    chosen = _chosen(tenant_id, wanted).order_by(a.AuditEntry.number.desc()).limit(size + 1)
    if before is not None:
        chosen = chosen.where(a.AuditEntry.number < before)
    rows = [_deed(row) for row in session.execute(chosen)]
    return Deeds(rows[:size], rows[size - 1].number if len(rows) > size else None)


def every_deed(session: Session, tenant_id: int, wanted: Wanted) -> Iterator[LoggedDeed]:
    """All entries of a chain that are wanted, the oldest first."""
    chosen = _chosen(tenant_id, wanted).order_by(a.AuditEntry.number)
    return map(_deed, session.execute(chosen.execution_options(yield_per=CHUNK)))


def history(session: Session, tenant_id: int, subject: str, *, open_only: bool = False) -> list[LoggedDeed]:
    """The last entries about a row such as "adherent/11", the newest first.

    What has no adherent is in the operator's chain. `open_only` where an adherent reads its own chain.
    """
    return list(list_deeds(session, tenant_id, Wanted(subject=subject, open_only=open_only)).rows)


def one_deed(session: Session, tenant_id: int, number: int, *, open_only: bool = False) -> LoggedDeed:
    """An entry; raises `NotFound`, also for one that is not open to the one who asks."""
    chosen = _chosen(tenant_id, Wanted(open_only=open_only)).where(a.AuditEntry.number == number)
    row = session.execute(chosen).one_or_none()
    if row is None:
        raise NotFound("Entrée introuvable.")
    return _deed(row)


def _chosen(tenant_id: int, wanted: Wanted) -> Select[a.AuditEntry, str | None]:
    entry, payload = a.AuditEntry, a.AuditPayload
    return (
        select(entry, payload.payload)
        .outerjoin(payload, and_(payload.tenant_id == entry.tenant_id, payload.number == entry.number))
        .where(entry.tenant_id == tenant_id, *_conditions(wanted))
    )


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    entry = a.AuditEntry
    if wanted.by:
        yield entry.by == wanted.by
    if wanted.what:
        yield _is_of(wanted.what)
    if wanted.subject:
        yield or_(
            entry.subject == wanted.subject, entry.subject.startswith(f"{wanted.subject}/", autoescape=True)
        )
    if wanted.start is not None:
        yield entry.at >= wanted.start
    if wanted.end is not None:
        yield entry.at < wanted.end
    if wanted.open_only:
        yield or_(*(_is_of(word) for word in OPEN_TO_ADHERENTS))


def _is_of(word: str) -> ColumnElement[bool]:
    """Whether a kind such as "subscription.changed" begins with a word."""
    return a.AuditEntry.kind.startswith(f"{word}.", autoescape=True)


def _deed(row: Any) -> LoggedDeed:
    entry, text = row
    facts = {} if text is None else json.loads(text)
    # A deed without a row may call a fact by one of these names: only a change of columns is read as one.
    values = {name: facts.pop(name) for name in ("old", "new") if isinstance(facts.get(name), dict)}
    return LoggedDeed(
        tenant_id=entry.tenant_id,
        number=entry.number,
        at=entry.at,
        by=entry.by,
        kind=entry.kind,
        subject=entry.subject,
        sha256=entry.sha256,
        previous_sha256=entry.previous_sha256,
        payload_sha256=entry.payload_sha256,
        erased=text is None,
        old=values.get("old", {}),
        new=values.get("new", {}),
        hidden=facts.pop("hidden", []),
        facts=facts,
    )


def _told(session: Session, tenant_id: int) -> Iterator[tuple[Entry, Payload | None]]:
    entry, payload = a.AuditEntry, a.AuditPayload
    chain = (
        select(entry, payload.salt, payload.payload)
        .outerjoin(payload, and_(payload.tenant_id == entry.tenant_id, payload.number == entry.number))
        .where(entry.tenant_id == tenant_id)
        .order_by(entry.number)
        .execution_options(yield_per=CHUNK)
    )
    with session.execute(chain) as rows:  # a check ends at the first fault
        for row, salt, text in rows:
            yield _entry(row), None if salt is None or text is None else Payload(salt, text)


def _entry(row: a.AuditEntry) -> Entry:
    return Entry(
        tenant_id=row.tenant_id,
        number=row.number,
        at=row.at,
        by=row.by,
        kind=row.kind,
        subject=row.subject,
        payload_sha256=row.payload_sha256,
        previous_sha256=row.previous_sha256,
        sha256=row.sha256,
    )


def _seals(session: Session, tenant_id: int) -> list[Seal]:
    rows = session.scalars(
        select(a.AuditCheckpoint)
        .where(a.AuditCheckpoint.tenant_id == tenant_id)
        .order_by(a.AuditCheckpoint.last_number)
    )
    return [Seal(row.month, row.last_number, row.sha256) for row in rows]


def _erasures(session: Session, tenant_id: int) -> Erasures:
    """What entries of the chain itself say was erased."""
    rows = session.execute(
        select(a.AuditEntry.kind, a.AuditEntry.subject).where(
            a.AuditEntry.tenant_id == tenant_id, a.AuditEntry.kind.in_((PURGED, REDACTED))
        )
    ).all()
    numbers = {kind: {_number(subject) for of, subject in rows if of == kind} for kind in (PURGED, REDACTED)}
    return Erasures(max(numbers[PURGED], default=0), numbers[REDACTED])


def _number(subject: str) -> int:
    """The entry that a subject such as "entry/17" names; 0, which is none, where it names none."""
    digits = subject.removeprefix("entry/")
    return int(digits) if digits.isascii() and digits.isdigit() else 0
