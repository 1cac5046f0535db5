"""Readings of a time that is past, told to the console at once: what imports send.

A stream and its sequences are born of what is imported, so that the same told again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from collectors.reading import Facts, Reading, encode_batch
from collectors.sender import MOST_READINGS, PATIENCE_S, Backoff, Console

log = logging.getLogger("collectors")

ATTEMPTS = 6
MOST_REASONS = 5


class NotTaken(Exception):
    """The console did not take a batch; the message says why."""


def deliver(
    console: Console, agent: str, host: str, kind: str, facts: Facts | None, readings: Sequence[Reading]
) -> None:
    """All readings of a host, a batch at a time, in the stream of its `kind`; raises `NotTaken`."""
    stream = hashlib.sha256(f"{kind} {host}".encode()).hexdigest()[:32]
    statuses: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for first in range(0, len(readings), MOST_READINGS):
        body = encode_batch(agent, host, stream, readings[first : first + MOST_READINGS], facts)
        for receipt in _answered(console, host, body):
            statuses[str(receipt.get("status"))] += 1
            if receipt.get("status") == "quarantined":
                reasons[str(receipt.get("reason"))] += 1
    shown = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    log.info("%s: %s", host, shown or "no reading")
    for reason, count in reasons.most_common(MOST_REASONS):
        log.warning("%s: %d in quarantine: %s", host, count, _printable(reason))


def _answered(console: Console, host: str, body: bytes) -> list[Mapping[str, object]]:
    backoff = Backoff()
    for attempt in range(ATTEMPTS):
        answer = console.post(body, PATIENCE_S)
        if answer.status == 202:
            return list(json.loads(answer.text)["readings"])
        if answer.status not in (0, 429, 502, 503, 504) or attempt == ATTEMPTS - 1:
            break
        backoff.kept(answer)
        time.sleep(backoff.next_pause_s())
    raise NotTaken(f"{host}: the console answered {answer.status}: {answer.text}")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
