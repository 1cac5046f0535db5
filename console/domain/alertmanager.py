"""The message of Alertmanager's webhook, version 4: its alerts, read one by one.

An alert that fires has no end: Alertmanager writes the year 1 there. Its fingerprint is what it is known by;
a message without one (older senders) has the same reckoned from its labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console.domain.errors import Invalid

LARGEST_MESSAGE = 2 * 1024 * 1024  # bytes
MOST_ALERTS = 1000
MOST_LABELS = 100
LONGEST_FINGERPRINT = 64
LONGEST_TITLE = 200
LONGEST_TEXT = 10_000
FNV_OFFSET, FNV_PRIME, FNV_MASK = 14695981039346656037, 1099511628211, 2**64 - 1
TITLES = ("summary", "title")
TEXTS = ("description", "message", "runbook_url")

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert from `started_at` on; `ended_at` None while it fires."""

    fingerprint: str
    labels: Texts
    annotations: Texts
    started_at: datetime
    ended_at: datetime | None

    @property
    def name(self) -> str:
        return _in_one_line(self.labels.get("alertname", "") or self.fingerprint)

    @property
    def title(self) -> str:
        """What happened, in one line: the summary if there is one."""
        found = (self.annotations.get(name, "") for name in TITLES)
        return next((line for line in map(_in_one_line, found) if line), self.name)

    @property
    def text(self) -> str:
        """What the alert says at length, then its labels."""
        said = [_plain(self.annotations.get(name, "")) for name in TEXTS]
        labels = "\n".join(f"{name} = {_in_one_line(self.labels[name])}" for name in sorted(self.labels))
        return "\n\n".join(part for part in (*said, labels) if part)[:LONGEST_TEXT]


@dataclass(frozen=True, slots=True)
class Message:
    """The alerts of a message with what is wrong with those that cannot be read, in their order.

    `truncated` is how many more Alertmanager left out.
    """

    alerts: Sequence[Alert | Invalid]
    truncated: int


def read_message(body: Any) -> Message:
    """The alerts of a body; raises `Invalid` where it is no message of the webhook's version 4."""
    if not isinstance(body, dict) or body.get("version") != "4":
        raise Invalid("version", "Un message du webhook d'Alertmanager, version 4, est attendu.")
    told = body.get("alerts")
    if not isinstance(told, list) or len(told) > MOST_ALERTS:
        raise Invalid("alerts", "Une liste de %(most)s alertes au plus est attendue.", most=MOST_ALERTS)
    truncated = body.get("truncatedAlerts", 0)
    return Message(
        [_read(one, body.get("status")) for one in told], truncated if type(truncated) is int else 0
    )


def fingerprint(labels: Texts) -> str:
    """What Alertmanager knows a set of labels by: FNV-1a, 64 bits, of the names and values in order."""
    known = FNV_OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), 255, *labels[name].encode(), 255):
            known = ((known ^ byte) * FNV_PRIME) & FNV_MASK
    return f"{known:016x}"


def _read(told: Any, status: Any) -> Alert | Invalid:
    try:
        return _alert(told, status)
    except Invalid as refusal:
        return refusal


def _alert(told: Any, status: Any) -> Alert:
    if not isinstance(told, dict):
        raise Invalid("alerts", "Une alerte est un objet JSON.")
    labels = _texts(told.get("labels"), "labels")
    if not labels:
        raise Invalid("labels", "Une alerte a des étiquettes.")
    known = told.get("fingerprint") or fingerprint(labels)
    if not isinstance(known, str) or not known.isprintable() or len(known) > LONGEST_FINGERPRINT:
        raise Invalid("fingerprint", "Une empreinte d'alerte est attendue.")
    started_at = _instant(told.get("startsAt"), "startsAt")
    if started_at is None:
        raise Invalid("startsAt", "Le début de l'alerte manque.")
    ended_at = _instant(told.get("endsAt"), "endsAt")
    fires = told.get("status", status) == "firing"
    if not fires and ended_at is None:
        raise Invalid("endsAt", "La fin d'une alerte résolue manque.")
    return Alert(
        fingerprint=known,
        labels=labels,
        annotations=_texts(told.get("annotations"), "annotations"),
        started_at=started_at,
        ended_at=None if fires or ended_at is None else max(started_at, ended_at),
    )


def _texts(told: Any, field: str) -> Texts:
    if told is None:
        return {}
    if not isinstance(told, dict) or len(told) > MOST_LABELS:
        raise Invalid(field, "Un objet de %(most)s textes au plus est attendu.", most=MOST_LABELS)
    for name, value in told.items():
        if not isinstance(value, str) or not _is_text(name) or not _is_text(value):
            raise Invalid(field, "Un objet de %(most)s textes au plus est attendu.", most=MOST_LABELS)
    return told


def _instant(told: Any, field: str) -> datetime | None:
    """An instant to the microsecond in UTC; None for none, or for the year 1."""
    if told is None or told == "":
        return None
    try:
        instant = datetime.fromisoformat(told)
        if instant.year == 1:
            return None
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Invalid(field, "Un instant est attendu ; par exemple 2026-11-25T09:30:00Z.") from None


def _is_text(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _in_one_line(text: str) -> str:
    line = " ".join(_plain(text).split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text).strip()
