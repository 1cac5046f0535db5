"""Readings that were kept out of the ledger: let in or turned down by a person, once, with who and when.

What another stream told of stays out whoever asks: two readings of the same time would count its energy
twice, and which of them is the lesser says nothing of which is right. What came too late has lost the other
readings of its hours: it is added to what the ledger has of them, where that is of other minutes.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, update
from sqlalchemy.orm import Session

from collectors.reading import Reading, UnreadableReading, decode_reading
from console.actions.following import follow
from console.actions.host_locks import hold_hosts
from console.actions.hour_lines import stored_lines
from console.actions.ingest import interval_of, overlap, plain_uses, take_in
from console.actions.posting import post
from console.domain.errors import Conflict, NotFound
from console.domain.hours import hour_of, hours_between
from console.domain.intervals import AHEAD, RETENTION, is_past_adding, shapeless
from console.store.conditional import rows_touched
from console.store.models import measurement as m
from console.store.queries.readings import known_keys, told_by_others
from console.store.queries.rules import rule_book

KEPT = timedelta(days=365)


class Decision(StrEnum):
    """What a person decided of a reading."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


def accept(
    session: Session, host_id: int, fingerprint: str, *, note: str | None, now: datetime, by: str
) -> None:
    """Let a reading into the ledger: what seemed impossible of its energy or its CPU time is true.

    Raises `Conflict` where it has no place there: what cannot be read, what is in the future, what another
    stream told of already, or minutes that the ledger has counted or may have.
    """
    host = _hold_host(session, host_id)
    row = _decide(session, host_id, fingerprint, Decision.ACCEPTED, note, now, by)
    reading = _readable(row)
    if reading.ended_at > now + AHEAD:
        raise Conflict("Cette mesure est encore dans le futur : son heure n'est pas venue.")
    if refused := shapeless(interval_of(reading)):
        raise Conflict("Cette mesure n'a pas de place dans le registre : %(reason)s", reason=refused.reason)
    if is_past_adding(interval_of(reading)):
        raise Conflict("Une valeur de cette mesure est plus grande que ce que le registre peut additionner.")
    if refused := overlap(reading, told_by_others(session, host_id, row.stream, [reading])):
        raise Conflict("Un autre flux a déjà décrit ce moment : %(reason)s", reason=refused.reason)
    if known_keys(session, host_id, row.stream, [reading.started_at]) & {
        (reading.sequence, reading.started_at)
    }:
        raise Conflict("Cette mesure est déjà dans le registre.")
    kept_from = hour_of(now - RETENTION)  # the first hour that can be metered again
    hours = list(hours_between(reading.started_at, reading.ended_at))
    if hours[0] >= kept_from:
        take_in(session, host, row.stream, [reading], now)
    elif hours[-1] < kept_from:
        _add_to_ledger(session, host_id, reading, hours, now)
    else:
        raise Conflict("Une des heures de cette mesure est encore ouverte : acceptez-la dans une heure.")


def reject(
    session: Session, host_id: int, fingerprint: str, *, note: str | None, now: datetime, by: str
) -> None:
    """Turn a reading down; it is kept with who did so, and sent again it changes nothing."""
    _decide(session, host_id, fingerprint, Decision.REJECTED, note, now, by)


def forget_quarantined(session: Session, *, now: datetime) -> int:
    """Delete what was decided, or has waited, for longer than is kept; how many."""
    since = func.coalesce(m.QuarantinedReading.decided_at, m.QuarantinedReading.received_at)
    return rows_touched(session, delete(m.QuarantinedReading).where(since < now - KEPT))


def _hold_host(session: Session, host_id: int) -> m.Host:
    host = hold_hosts(session, [host_id]).get(host_id)
    if host is None:
        raise NotFound("Hôte introuvable.")
    return host


def _decide(
    session: Session,
    host_id: int,
    fingerprint: str,
    decision: Decision,
    note: str | None,
    now: datetime,
    by: str,
) -> m.QuarantinedReading:
    """Write the decision down; whose statement touches the row has taken it."""
    row = session.get(m.QuarantinedReading, (host_id, fingerprint))
    if row is None:
        raise NotFound("Mesure introuvable en quarantaine.")
    waiting = (
        m.QuarantinedReading.host_id == host_id,
        m.QuarantinedReading.fingerprint == fingerprint,
        m.QuarantinedReading.decision.is_(None),
    )
    decided = {"decision": decision, "decided_at": now, "decided_by": by, "note": note}
    if not rows_touched(session, update(m.QuarantinedReading).where(*waiting).values(decided)):
        session.refresh(row)
        raise Conflict("Cette mesure a déjà été examinée par %(by)s.", by=row.decided_by)
    return row


def _readable(row: m.QuarantinedReading) -> Reading:
    try:
        return decode_reading(json.loads(row.reading))
    except UnreadableReading as error:
        raise Conflict("Cette mesure n'est pas lisible : %(reason)s", reason=str(error)) from None


def _add_to_ledger(
    session: Session, host_id: int, reading: Reading, hours: list[datetime], now: datetime
) -> None:
    """Add what falls into each hour to its lines; nothing of it where one of them may hold it."""
    interval, uses = interval_of(reading), plain_uses(reading)
    rules = rule_book(session, [host_id])
    for hour in hours:
        if session.get(m.HourDue, (host_id, hour)) is not None:
            raise Conflict("Une heure de cette mesure attend son calcul : réessayez dans un instant.")
        lines = stored_lines(session, host_id, hour)
        if lines.may_hold(interval):
            raise Conflict(
                "L'heure du %(hour)s a déjà compté ce moment, ou ses minutes comptées ne sont plus connues : "
                "cette mesure pourrait compter deux fois.",
                hour=f"{hour:%Y-%m-%d %H:%M} UTC",
            )
        if lines.add_interval(interval, uses, rules.at(host_id, hour)) is None:
            raise Conflict("Aucun instrument n'a rien mesuré : il n'y a rien à ajouter.")
        lines.write(session)
        end = follow(session, host_id, hour, lines.machines(), now=now)
        post(session, host_id, hour, end, now=now)
