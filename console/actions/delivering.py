"""Messages on their way out: nothing is lost, and each has one claimant at a time and one Message-ID.

    pending -> sending -> sent | pending again, later | uncertain, sent again later | failed

`sending` is committed before the channel is given the text. A claim that was not answered for within
`CLAIM_LASTS` belongs to a process that died: whether its text left is uncertain, and it is sent again under
the same Message-ID. Every attempt adds a line to the message's log, so that duplicates never exceed the
uncertain attempts that it shows. The end of an alert never overtakes its start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import make_msgid
from typing import Any

from sqlalchemy import Select, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from console.domain.alerts import retry_after
from console.notify.letter import Letter, Outcome, Passing, Permanent, Sent, Uncertain
from console.store.conditional import rows_touched
from console.store.models import coordination as k
from console.store.models.coordination import DeliveryState
from reports.mail import Message

CLAIM_LASTS = timedelta(minutes=2)  # longer than any channel takes for one letter
CANDIDATES = 20

STARTED = "started"
ENDED = "ended"
INVITATION = "invitation"  # its text is a key: it is not kept once it left
TRIAL = "trial"  # asked for by a person who waits for the answer: it is not tried again


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a message travels; `domain` is the sender's, for its Message-ID.

    `unsubscribe` is the address of the page on which the reader of a list leaves it.
    """

    channel: str
    recipients: tuple[str, ...]
    domain: str
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is ours to send; the number of attempts tells this claim from any other."""

    delivery_id: int
    attempts: int
    transition: str
    channel: str
    letter: Letter
    log: str


def post(
    session: Session,
    envelope: Envelope,
    message: Message,
    transition: str,
    *,
    now: datetime,
    episode_id: int | None = None,
) -> k.Delivery:
    """Put a message among those to send."""
    row = k.Delivery(
        episode_id=episode_id,
        transition=transition,
        channel=envelope.channel,
        recipients=list(envelope.recipients),
        subject=message.subject,
        body=message.body,
        unsubscribe=envelope.unsubscribe,
        message_id=make_msgid(domain=envelope.domain),
        state=DeliveryState.PENDING,
        due_at=now,
        attempts=0,
    )
    session.add(row)
    session.flush()
    return row


def claim_next(session: Session, now: datetime) -> Claim | None:
    """Claim the message that has been due for longest; None where nothing is due or all were lost to others.

    Commit before sending.
    """
    due = _candidates().where(k.Delivery.due_at <= now).order_by(k.Delivery.due_at, k.Delivery.delivery_id)
    for row in session.execute(due.limit(CANDIDATES)):
        if claim := _take(session, row, now):
            return claim
    return None


def claim(session: Session, delivery_id: int, now: datetime) -> Claim | None:
    """Claim this message; None where it is not to be sent, or another process has it."""
    row = session.execute(_candidates().where(k.Delivery.delivery_id == delivery_id)).one_or_none()
    return _take(session, row, now) if row else None


def lapse_claims(session: Session, now: datetime) -> int:
    """Mark what dead processes left in `sending` as uncertain, to be sent again at once; how many."""
    left = _rows().where(k.Delivery.state == DeliveryState.SENDING, k.Delivery.claimed_at < now - CLAIM_LASTS)
    lapsed = 0
    for row in session.execute(left):
        log = _add_line(row.outcome, now, Uncertain("the process ended while it was sending"))
        change = {"state": DeliveryState.UNCERTAIN, "due_at": now, "outcome": log}
        lapsed += _move(session, row.delivery_id, DeliveryState.SENDING, row.attempts, change)
    return lapsed


def finish(session: Session, claim: Claim, outcome: Outcome, now: datetime) -> bool:
    """Write down what became of a claimed message; False where the claim had lapsed."""
    change = _next_step(claim, outcome, now) | {"outcome": _add_line(claim.log, now, outcome)}
    return _move(session, claim.delivery_id, DeliveryState.SENDING, claim.attempts, change)


def retry_failed(session: Session, *, now: datetime) -> int:
    """Put what failed for good back among the messages to send, once its cause is mended; how many."""
    failed = _rows().where(k.Delivery.state == DeliveryState.FAILED, k.Delivery.transition != TRIAL)
    again = {"state": DeliveryState.PENDING, "due_at": now}
    return sum(
        _move(session, row.delivery_id, DeliveryState.FAILED, row.attempts, again)
        for row in session.execute(failed)
    )


def _rows() -> Select[Any]:
    return select(*k.Delivery.__table__.columns)


def _candidates() -> Select[Any]:
    """What may be sent: not before the earlier messages of its episode."""
    earlier = aliased(k.Delivery)
    waits = exists().where(
        earlier.episode_id == k.Delivery.episode_id,
        earlier.delivery_id < k.Delivery.delivery_id,
        earlier.state.not_in((DeliveryState.SENT, DeliveryState.FAILED)),
    )
    open_states = (DeliveryState.PENDING, DeliveryState.UNCERTAIN)
    return _rows().where(k.Delivery.state.in_(open_states), or_(k.Delivery.episode_id.is_(None), ~waits))


def _take(session: Session, row: Any, now: datetime) -> Claim | None:
    attempts = row.attempts + 1
    change = {"state": DeliveryState.SENDING, "claimed_at": now, "attempts": attempts}
    if not _move(session, row.delivery_id, row.state, row.attempts, change):
        return None
    letter = Letter(row.message_id, tuple(row.recipients), row.subject, row.body, now, row.unsubscribe)
    return Claim(row.delivery_id, attempts, row.transition, row.channel, letter, row.outcome or "")


def _move(
    session: Session, delivery_id: int, state: DeliveryState, attempts: int, change: dict[str, Any]
) -> bool:
    """Change one message if it still is as it was seen: the update that touches one row won."""
    as_seen = (
        k.Delivery.delivery_id == delivery_id,
        k.Delivery.state == state,
        k.Delivery.attempts == attempts,
    )
    return rows_touched(session, update(k.Delivery).where(*as_seen).values(**change)) == 1


def _next_step(claim: Claim, outcome: Outcome, now: datetime) -> dict[str, Any]:
    later = {"due_at": now + retry_after(claim.attempts)}
    match outcome:
        case Sent(later=left) if left and claim.transition != TRIAL:
            return {"state": DeliveryState.PENDING, "recipients": list(left)} | later
        case Sent():
            return {"state": DeliveryState.SENT} | ({"body": ""} if claim.transition == INVITATION else {})
        case Uncertain():
            return {"state": DeliveryState.UNCERTAIN} | later
        case Passing() if claim.transition != TRIAL:
            return {"state": DeliveryState.PENDING} | later
        case Passing() | Permanent():
            return {"state": DeliveryState.FAILED}


def _add_line(log: str | None, now: datetime, outcome: Outcome) -> str:
    line = f"{now:%Y-%m-%dT%H:%M:%SZ} {type(outcome).__name__.lower()}: {outcome.reason}"
    return f"{log}\n{line}" if log else line
