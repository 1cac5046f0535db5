"""Readings that were kept out of the ledger: those that wait, by rule and host, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.store.models import measurement as m

AT_ONCE = 500  # that one request decides on


@dataclass(frozen=True, slots=True)
class Group:
    """What waits of one host for having broken one rule."""

    rule: str
    host_id: int
    host: str
    count: int
    oldest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A reading as it came, why it was kept out, and what was decided; `reading` is its JSON text."""

    host_id: int
    host: str
    fingerprint: str
    stream: str
    received_at: datetime
    rule: str
    reason: str
    reading: str
    decision: str | None
    decided_at: datetime | None
    decided_by: str | None
    note: str | None


def groups(session: Session) -> list[Group]:
    """What waits, the most first."""
    row, count = m.QuarantinedReading, func.count()
    found = session.execute(
        select(
            row.rule, row.host_id, m.Host.name, count, func.min(row.received_at), func.max(row.received_at)
        )
        .join(m.Host, m.Host.host_id == row.host_id)
        .where(row.decision.is_(None))
        .group_by(row.rule, row.host_id, m.Host.name)
        .order_by(count.desc(), row.rule, m.Host.name)
    )
    return [Group(*one) for one in found]


def kept(
    session: Session,
    *,
    rule: str | None = None,
    host_id: int | None = None,
    waiting: bool = True,
    limit: int = 50,
    offset: int = 0,
) -> list[Kept]:
    """Those that wait as they came, or those decided on, the latest decision first."""
    row = m.QuarantinedReading
    order: tuple[Any, ...] = (row.received_at,) if waiting else (row.decided_at.desc(),)
    rows = session.execute(
        _with_host()
        .where(*_which(rule, host_id, waiting))
        .order_by(*order, row.host_id, row.fingerprint)
        .limit(limit)
        .offset(offset)
    )
    return [_kept(one, host) for one, host in rows]


def count_kept(
    session: Session, *, rule: str | None = None, host_id: int | None = None, waiting: bool = True
) -> int:
    """How many `kept` would give without a limit."""
    which = _which(rule, host_id, waiting)
    return session.scalar(select(func.count()).select_from(m.QuarantinedReading).where(*which)) or 0


def one_kept(session: Session, host_id: int, fingerprint: str) -> Kept:
    """One reading; raises `NotFound`."""
    row = m.QuarantinedReading
    found = session.execute(
        _with_host().where(row.host_id == host_id, row.fingerprint == fingerprint)
    ).one_or_none()
    if found is None:
        raise NotFound("Mesure introuvable en quarantaine.")
    return _kept(*found)


def waiting_keys(
    session: Session, *, rule: str, host_id: int | None = None, limit: int = AT_ONCE
) -> Sequence[tuple[int, str]]:
    """Host and fingerprint of those that wait under a rule, in the order in which they came."""
    row = m.QuarantinedReading
    found = session.execute(
        select(row.host_id, row.fingerprint)
        .where(*_which(rule, host_id, waiting=True))
        .order_by(row.received_at, row.host_id, row.fingerprint)
        .limit(limit)
    )
    return [(host, fingerprint) for host, fingerprint in found]


def _with_host() -> Select[Any, Any]:
    return select(m.QuarantinedReading, m.Host.name).join(
        m.Host, m.Host.host_id == m.QuarantinedReading.host_id
    )


def _which(rule: str | None, host_id: int | None, waiting: bool) -> list[ColumnElement[bool]]:
    row = m.QuarantinedReading
    which: list[ColumnElement[bool]] = [row.decision.is_(None) if waiting else row.decision.is_not(None)]
    if rule is not None:
        which.append(row.rule == rule)
    if host_id is not None:
        which.append(row.host_id == host_id)
    return which


def _kept(row: m.QuarantinedReading, host: str) -> Kept:
    return Kept(
        host_id=row.host_id,
        host=host,
        fingerprint=row.fingerprint,
        stream=row.stream,
        received_at=row.received_at,
        rule=row.rule,
        reason=row.reason,
        reading=row.reading,
        decision=row.decision,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        note=row.note,
    )
