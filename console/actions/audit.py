"""Keeping the audit log: past months are sealed, old payloads purged, and one redacted by a person.

Entries themselves stay for ever; `console.store.audit` writes them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.orm import Session

from console.domain.audit import (
    ANCHORED,
    GENESIS,
    KEPT_FOR_EVER,
    PURGED,
    REDACTED,
    is_kept_for_ever,
    months_before,
    seal_month,
)
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.hours import month_bounds, month_of
from console.store.audit import record
from console.store.models import audit as a
from console.store.models import catalogue as c
from console.store.queries.audit import anchors

SETTLES_IN = timedelta(hours=1)  # after the end of a month: clocks differ, and transactions end late
LONGEST_REASON = 500


def chains_to_seal(session: Session, *, now: datetime) -> list[int]:
    """The adherents whose first unsealed entry is of a month that has passed."""
    sealed = (
        select(func.coalesce(func.max(a.AuditCheckpoint.last_number), 0))
        .where(a.AuditCheckpoint.tenant_id == a.AuditHead.tenant_id)
        .scalar_subquery()
    )
    first = exists().where(
        a.AuditEntry.tenant_id == a.AuditHead.tenant_id,
        a.AuditEntry.number == sealed + 1,
        a.AuditEntry.at < _end_of_past_months(session, now),
    )
    return list(session.scalars(select(a.AuditHead.tenant_id).where(first).order_by(a.AuditHead.tenant_id)))


def seal_months(session: Session, tenant_id: int, *, now: datetime) -> None:
    """Seal the months of a chain that have passed, in the operator's zone, and are not sealed yet."""
    session.get_one(a.AuditHead, tenant_id, with_for_update=True)
    last = _last_seal(session, tenant_id)
    number, sha256 = (last.last_number, last.sha256) if last else (0, GENESIS)
    zone = _operator_zone(session)
    entries = session.scalars(
        select(a.AuditEntry)
        .where(
            a.AuditEntry.tenant_id == tenant_id,
            a.AuditEntry.number > number,
            a.AuditEntry.at < _end_of_past_months(session, now),
        )
        .order_by(a.AuditEntry.number)
    )
    for month, group in groupby(entries, lambda entry: month_of(entry.at, zone)):
        segment = list(group)
        sha256 = seal_month(month, (entry.sha256 for entry in segment), sha256)
        session.add(
            a.AuditCheckpoint(
                tenant_id=tenant_id,
                month=month,
                last_number=segment[-1].number,
                sha256=sha256,
                sealed_at=now,
            )
        )


def anchor_seals(session: Session, *, now: datetime) -> None:
    """Keep in the operator's chain where sealed months of the others ended, as far as it does not yet."""
    known = anchors(session)
    last = (
        select(a.AuditCheckpoint.tenant_id, func.max(a.AuditCheckpoint.last_number).label("number"))
        .where(a.AuditCheckpoint.tenant_id != OPERATOR_TENANT)
        .group_by(a.AuditCheckpoint.tenant_id)
        .subquery()
    )
    entry = a.AuditEntry
    rows = session.execute(
        select(entry.tenant_id, entry.number, entry.sha256)
        .join(last, and_(last.c.tenant_id == entry.tenant_id, last.c.number == entry.number))
        .order_by(entry.tenant_id)
    )
    ends = {
        str(tenant_id): [number, sha256]
        for tenant_id, number, sha256 in rows
        if number not in known.get(tenant_id, {})
    }
    if ends:
        month = months_before(month_of(now - SETTLES_IN, _operator_zone(session)), 1)
        record(session, OPERATOR_TENANT, ANCHORED, f"month/{month:%Y-%m}", {"ends": ends})


def chains_to_purge(session: Session, *, keep_months: int, now: datetime) -> list[tuple[int, int]]:
    """The adherents with payloads of sealed months that are past their time, and up to which entry."""
    oldest_kept = months_before(month_of(now, _operator_zone(session)), keep_months)
    through = func.max(a.AuditCheckpoint.last_number)
    rows = session.execute(
        select(a.AuditHead.tenant_id, a.AuditHead.purged_through, through)
        .join(a.AuditCheckpoint, a.AuditCheckpoint.tenant_id == a.AuditHead.tenant_id)
        .where(a.AuditCheckpoint.month < oldest_kept)
        .group_by(a.AuditHead.tenant_id, a.AuditHead.purged_through)
        .having(through > a.AuditHead.purged_through)
        .order_by(a.AuditHead.tenant_id)
    )
    return [
        (tenant_id, last) for tenant_id, first, last in rows if _says_more(session, tenant_id, first, last)
    ]


def purge(session: Session, tenant_id: int, through: int) -> None:
    """Erase the payloads of a chain up to an entry but those on the log itself; it is an entry itself."""
    head = session.get_one(a.AuditHead, tenant_id, with_for_update=True)
    session.execute(
        update(a.AuditPayload)
        .where(
            a.AuditPayload.tenant_id == tenant_id,
            a.AuditPayload.number > head.purged_through,
            a.AuditPayload.number <= through,
            a.AuditPayload.number.not_in(
                select(a.AuditEntry.number).where(a.AuditEntry.tenant_id == tenant_id, _stays())
            ),
        )
        .values(salt=None, payload=None)
    )
    head.purged_through = through
    record(session, tenant_id, PURGED, f"entry/{through}")


def redact(session: Session, tenant_id: int, number: int, *, reason: str) -> None:
    """Erase the payload of one entry for a reason, which is written down in an entry of its own.

    Needs a session of the operator's scope. Raises `NotFound`, `Conflict` where it is erased already or says
    itself what became of others.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise Invalid("reason", "Un motif de 1 à %(longest)s caractères est attendu.", longest=LONGEST_REASON)
    held = session.get(a.AuditPayload, (tenant_id, number), with_for_update=True)
    if held is None:
        raise NotFound("Entrée introuvable.")
    if is_kept_for_ever(session.get_one(a.AuditEntry, (tenant_id, number)).kind):
        raise Conflict("Cette entrée dit ce qui fut fait du journal : son contenu reste.")
    if held.payload is None:
        raise Conflict("Le contenu de cette entrée est déjà effacé.")
    held.salt = held.payload = None
    record(session, tenant_id, REDACTED, f"entry/{number}", {"reason": reason})


def _says_more(session: Session, tenant_id: int, first: int, last: int) -> bool:
    """Whether entries `(first, last]` hold something to erase; the traces of purges are nothing."""
    entry = a.AuditEntry
    said = select(entry.number).where(
        entry.tenant_id == tenant_id, entry.number > first, entry.number <= last, ~_stays()
    )
    return session.scalar(said.limit(1)) is not None


def _stays() -> ColumnElement[bool]:
    """`is_kept_for_ever`, as a condition on entries."""
    return a.AuditEntry.kind.startswith(f"{KEPT_FOR_EVER}.", autoescape=True)


def _last_seal(session: Session, tenant_id: int) -> a.AuditCheckpoint | None:
    return session.scalars(
        select(a.AuditCheckpoint)
        .where(a.AuditCheckpoint.tenant_id == tenant_id)
        .order_by(a.AuditCheckpoint.last_number.desc())
        .limit(1)
    ).one_or_none()


def _end_of_past_months(session: Session, now: datetime) -> datetime:
    zone = _operator_zone(session)
    return month_bounds(month_of(now - SETTLES_IN, zone), zone)[0]


def _operator_zone(session: Session) -> ZoneInfo:
    operator = session.get(c.Adherent, OPERATOR_TENANT)
    return ZoneInfo(operator.zone if operator else "UTC")
