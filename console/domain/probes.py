"""Probes: what a service is asked from outside, and when its answers make an outage.

    slot -> an answer, good or bad -> two bad ones in a row open an outage, two good ones close it

A slot is when an answer was due. A slot that nobody ran has no answer: it neither opens nor closes anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from console.domain.errors import Invalid

IN_A_ROW = 2
SHORTEST_S, LONGEST_S = 30, 3600
LONGEST_TIMEOUT_S = 30
LONGEST_TARGET = 500
LONGEST_TEXT = 200
PORTS = range(1, 65536)
STATUSES = range(100, 600)
RESULTS_KEPT = timedelta(days=7)


class ProbeKind(StrEnum):
    """How a service is asked."""

    HTTP = "http"
    TCP = "tcp"


class Fault(StrEnum):
    """Why an answer is bad."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    CERTIFICATE = "certificate"
    STATUS = "status"
    TEXT = "text"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a service and what its answer must be.

    `target` is an address http(s)://... or `host:port`. `status` and `text` are of HTTP only; without `text`
    any body will do.
    """

    kind: ProbeKind
    target: str
    timeout_s: int
    status: int = 200
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `fault` None is a good answer. `detail` is what was seen, for a person to read."""

    fault: Fault | None
    took_ms: int
    detail: str = ""
    certificate_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a probe stands: down since a slot or not, and the answers that speak against that, in a row."""

    down_since: datetime | None = None
    against: int = 0
    against_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a probe stands after an answer, and when the outage that it ends was over."""

    standing: Standing
    closed_at: datetime | None = None


def judge(standing: Standing, *, good: bool, slot: datetime) -> Verdict:
    """What an answer that was due at `slot` makes of a probe.

    An outage runs from the slot of the first of two bad answers in a row to that of the first of two good
    ones.
    """
    if good is (standing.down_since is None):
        return Verdict(replace(standing, against=0, against_since=None))
    since = standing.against_since or slot
    if standing.against + 1 < IN_A_ROW:
        return Verdict(replace(standing, against=standing.against + 1, against_since=since))
    return Verdict(Standing(), closed_at=since) if good else Verdict(Standing(down_since=since))


def slot_to_run(due_at: datetime, every: timedelta, now: datetime) -> datetime:
    """The last slot that has come, of those that follow `due_at`: the ones before it were missed."""
    return due_at + (now - due_at) // every * every


def check_question(question: Question) -> None:
    """Refuse what cannot be asked; raises `Invalid` with the field."""
    if not 1 <= question.timeout_s <= LONGEST_TIMEOUT_S:
        raise Invalid(
            "timeout_s",
            "Le délai d'attente va de 1 à %(longest)s secondes.",
            longest=LONGEST_TIMEOUT_S,
        )
    if len(question.target) > LONGEST_TARGET or not question.target.isprintable() or " " in question.target:
        raise Invalid("target", "Cette adresse est trop longue, ou contient une espace.")
    if question.kind is ProbeKind.TCP:
        split_target(question.target)
        return
    _check_address(question.target)
    if question.status not in STATUSES:
        raise Invalid("status", "Un code de réponse HTTP va de 100 à 599.")
    if question.text is not None and len(question.text) > LONGEST_TEXT:
        raise Invalid("text", "Le texte attendu a au plus %(longest)s caractères.", longest=LONGEST_TEXT)


def check_rhythm(every_s: int, timeout_s: int) -> None:
    """Refuse a rhythm that asks too often, or again before the answer; raises `Invalid`."""
    if not SHORTEST_S <= every_s <= LONGEST_S:
        raise Invalid(
            "every_s",
            "Une sonde passe toutes les %(shortest)s à %(longest)s secondes.",
            shortest=SHORTEST_S,
            longest=LONGEST_S,
        )
    if timeout_s * 2 > every_s:
        raise Invalid("timeout_s", "Le délai d'attente est au plus la moitié du temps entre deux passages.")


def split_target(target: str) -> tuple[str, int]:
    """The host and the port of "host:port", "[2001:db8::1]:443" for an IPv6 address; raises `Invalid`."""
    host, colon, port = target.rpartition(":")
    digits = port.isascii() and port.isdigit() and len(port) <= 5
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not (host and colon and digits and int(port) in PORTS) or "/" in host or "@" in host:
        raise Invalid("target", "Un hôte et un port sont attendus ; par exemple sgbd.exemple.fr:5432.")
    return host, int(port)


def _check_address(target: str) -> None:
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Invalid(
            "target", "Une adresse http ou https est attendue ; par exemple https://paie.exemple.fr/etat."
        )
    if parts.username is not None or parts.password is not None:
        raise Invalid("target", "Une adresse de sonde ne contient ni nom d'utilisateur ni mot de passe.")
