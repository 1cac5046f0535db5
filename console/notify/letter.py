"""A message on its way out, and the four things that can become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """A text for some addresses; `message_id` is the same at every attempt, `sent_at` is this one's.

    `unsubscribe` is the address of the page on which the reader of a list leaves it.
    """

    message_id: str
    recipients: tuple[str, ...]
    subject: str
    body: str
    sent_at: datetime
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took it; `later` are the recipients it asked to try again."""

    reason: str
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passing:
    """It did not leave, and another attempt may succeed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Permanent:
    """It did not leave, and no attempt will succeed until a person changes something."""

    reason: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The connection was lost after the text had left: no one knows."""

    reason: str


Outcome = Sent | Passing | Permanent | Uncertain
Channel = Callable[[Letter], Outcome]
