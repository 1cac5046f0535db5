"""Sends what the outbox keeps to the console, each batch until it is answered for.

202  each reading that is answered for leaves the outbox, whatever its status
413  the batch is halved; a single reading too large is set aside
422  the batch is set aside with the console's message
401, 403  kept; said once; tried again with the token then in the file
anything else, or no answer: kept, and tried again after a growing pause
"""

from __future__ import annotations

import json
import logging
import random
import threading
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from collectors.outbox import Batch, Outbox

log = logging.getLogger(__name__)

MOST_READINGS = 100
MOST_BYTES = 512 * 1024
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
PATIENCE_S, LAST_PATIENCE_S = 10.0, 0.8
LARGEST_ANSWER = 4 * 1024 * 1024
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, 0 where nothing did, and the body or the error's text."""

    status: int
    text: str


class Sent(Enum):
    """What became of a batch."""

    ANSWERED = "answered"
    SET_ASIDE = "set aside"
    TOO_LARGE = "too large"
    KEPT = "kept"


class Console:
    """The console's door for readings."""

    def __init__(self, url: str, token_file: Path) -> None:
        self.address = url.rstrip("/") + "/api/v1/readings"
        self._token_file = token_file
        proxies = [urllib.request.ProxyHandler({})] if urlsplit(url).hostname in LOCAL else []
        self._opener = urllib.request.build_opener(NoRedirect, *proxies)

    def post(self, body: bytes, patience_s: float) -> Answer:
        """One attempt."""
        try:
            token = self._token_file.read_text(encoding="utf-8").strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            request = urllib.request.Request(self.address, body, headers, method="POST")  # noqa: S310
            with self._opener.open(request, timeout=patience_s) as response:
                return Answer(response.status, _text(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _message(_text(error)))
        except urllib.error.URLError as error:
            return Answer(0, str(error.reason))
        except (OSError, HTTPException, ValueError) as error:
            return Answer(0, str(error) or type(error).__name__)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the console that was named, and nowhere else."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class Sender:
    """Empties the outbox, in a thread of its own."""

    def __init__(self, outbox: Outbox, console: Console) -> None:
        self._outbox = outbox
        self._console = console
        self._pause_s = FIRST_PAUSE_S
        self._said: str | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something was kept."""
        self._wake.set()

    def stop(self, within_s: float) -> None:
        """One last quick attempt; what is not answered for stays in the outbox."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(within_s)

    def drain(self, patience_s: float = PATIENCE_S) -> bool:
        """Send until the outbox is empty (True) or a batch stays (False)."""
        most = MOST_READINGS
        while batch := self._outbox.oldest(most, MOST_BYTES):
            sent = self._send(batch, patience_s)
            if sent is Sent.KEPT:
                return False
            if sent is Sent.TOO_LARGE:
                most = len(batch.readings) // 2
            else:
                self._pause_s = FIRST_PAUSE_S
            if sent is Sent.SET_ASIDE:
                most = MOST_READINGS
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            if self._drained(PATIENCE_S):
                self._wake.wait()
            else:
                self._stopping.wait(self._pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        self._drained(LAST_PATIENCE_S)

    def _drained(self, patience_s: float) -> bool:
        try:
            return self.drain(patience_s)
        except OSError as error:
            self._say(f"the outbox cannot be read or written: {error}")
            return False

    def _send(self, batch: Batch, patience_s: float) -> Sent:
        answer = self._console.post(batch.body(), patience_s)
        if answer.status == 202:
            return self._take(batch, answer.text)
        if answer.status == 413 and len(batch.readings) > 1:
            return Sent.TOO_LARGE
        if answer.status in (413, 422):
            self._say(f"the console refused {len(batch.readings)} readings, set aside: {answer.text}")
            self._outbox.set_aside(batch.files, f"{answer.status} {answer.text}")
            return Sent.SET_ASIDE
        return self._keep(answer)

    def _take(self, batch: Batch, text: str) -> Sent:
        try:
            answers = [(int(item["sequence"]), item) for item in json.loads(text)["readings"]]
        except (ValueError, TypeError, KeyError) as error:
            return self._keep(Answer(202, f"its answer cannot be read: {error}"))
        self._outbox.acknowledge(batch, (sequence for sequence, _ in answers))
        if not {sequence for sequence, _ in answers} & {reading.sequence for reading in batch.readings}:
            return self._keep(Answer(202, "it answered for none of the readings sent"))
        self._report(Counter(str(item.get("status")) for _, item in answers))
        for sequence, item in answers:
            if item.get("status") == "quarantined":
                log.warning("reading %s is in quarantine: %s", sequence, item.get("reason"))
        return Sent.ANSWERED

    def _keep(self, answer: Answer) -> Sent:
        cause = f"the console answered {answer.status}: {answer.text}" if answer.status else answer.text
        if answer.status in (401, 403):
            cause = f"the console does not accept the token ({answer.status}): {answer.text}"
        self._say(f"readings are kept: {cause}")
        return Sent.KEPT

    def _report(self, statuses: Counter[str]) -> None:
        if self._said is not None or statuses.total() > 1:
            shown = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
            log.info("sent: %s", shown)
        self._said = None

    def _say(self, line: str) -> None:
        """Once, until something else is to be said."""
        if line != self._said:
            log.warning("%s", line)
        self._said = line


def _text(response: Any) -> str:
    return str(response.read(LARGEST_ANSWER).decode("utf-8", errors="replace"))


def _message(text: str) -> str:
    """The message of an error's body, or its beginning where it is not ours."""
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, TypeError, KeyError):
        return " ".join(text.split())[:200] or "no message"
