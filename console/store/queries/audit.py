"""The audit log: whether its chains hold, and what it tells of an adherent."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from console.domain.audit import (
    PURGED,
    REDACTED,
    ChainCheck,
    Entry,
    Erasures,
    Head,
    Payload,
    Seal,
    check_chain,
)
from console.store.models import audit as a

CHUNK = 1000  # entries in memory at a time
GENESIS_HEAD = Head(0, "0" * 64)


def hold_still(session: Session) -> None:
    """Make all that a new session reads one moment of the database, whatever is written meanwhile."""
    if session.get_bind().dialect.name == "postgresql":  # elsewhere a transaction always reads one moment
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def chains(session: Session) -> list[int]:
    """The adherents that have entries, or the head of a chain that lost them."""
    with_head = select(a.AuditHead.tenant_id)
    return sorted(session.scalars(with_head.union(select(a.AuditEntry.tenant_id))))


def verify(session: Session, tenant_id: int) -> ChainCheck:
    """Compute a chain again from its first entry: hashes, payloads, sealed months, head."""
    head = session.get(a.AuditHead, tenant_id)
    return check_chain(
        _told(session, tenant_id),
        Head(head.number, head.sha256) if head else GENESIS_HEAD,
        _seals(session, tenant_id),
        _erasures(session, tenant_id),
    )


def _told(session: Session, tenant_id: int) -> Iterator[tuple[Entry, Payload | None]]:
    entry, payload = a.AuditEntry, a.AuditPayload
    rows = session.execute(
        select(entry, payload.salt, payload.payload)
        .outerjoin(payload, and_(payload.tenant_id == entry.tenant_id, payload.number == entry.number))
        .where(entry.tenant_id == tenant_id)
        .order_by(entry.number)
        .execution_options(yield_per=CHUNK)
    )
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
