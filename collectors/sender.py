"""Sends what the outbox keeps to the console, each batch until it is answered for.

202  each reading that is answered for leaves the outbox, whatever its status
413  the batch is halved; a single reading too large is set aside
422  the batch is set aside with the console's message
401, 403  kept; said once; tried again with the token then in the file
429, 503  kept, and tried again after as long as `Retry-After` says
anything else, or no answer: kept, and tried again after a growing pause

Pauses are drawn anew each time from nothing to the longest of the moment: agents that lost the console
together do not come back together. Bodies are compressed. Certificates are verified, against `ca_file` where
one is given.
"""

from __future__ import annotations

import gzip
import json
import logging
import random
import ssl
import threading
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from enum import Enum
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from collectors.instrument import SecretFile
from collectors.outbox import Batch, Outbox

log = logging.getLogger(__name__)

MOST_READINGS = 100
MOST_BYTES = 512 * 1024
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
LONGEST_ASKED_S = 3600.0
"""The longest pause that a console may ask for."""
PATIENCE_S, LAST_PATIENCE_S = 10.0, 0.8
LARGEST_ANSWER = 4 * 1024 * 1024
NOT_READ = frozenset({400, 415, 422})
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, 0 where nothing did, and the body or the error's text.

    `date` is the clock of the console, `retry_after_s` how long it asks to be left alone.
    """

    status: int
    text: str
    date: datetime | None = None
    retry_after_s: float | None = None


class Sent(Enum):
    """What became of a batch."""

    ANSWERED = "answered"
    SET_ASIDE = "set aside"
    TOO_LARGE = "too large"
    KEPT = "kept"


class Backoff:
    """How long to leave the console alone after a batch that stayed."""

    def __init__(self) -> None:
        self._longest_s = FIRST_PAUSE_S
        self._asked_s: float | None = None

    def took(self) -> None:
        """The console took something: the next pause is a short one."""
        self._longest_s, self._asked_s = FIRST_PAUSE_S, None

    def kept(self, answer: Answer) -> None:
        """The console took nothing, and may have said when to come again."""
        self._asked_s = answer.retry_after_s

    def next_pause_s(self) -> float:
        """The pause before the next attempt; each is drawn from a range twice as long, up to a minute."""
        if self._asked_s is not None:
            asked_s, self._asked_s = min(self._asked_s, LONGEST_ASKED_S), None
            return asked_s + random.uniform(0, min(asked_s / 4, LONGEST_PAUSE_S))  # noqa: S311 - jitter
        pause_s = random.uniform(0, self._longest_s)  # noqa: S311 - jitter
        self._longest_s = min(self._longest_s * 2, LONGEST_PAUSE_S)
        return pause_s


class Console:
    """The console's door for readings; raises `OSError` where `ca_file` cannot be read."""

    def __init__(self, url: str, token_file: SecretFile, ca_file: Path | None = None) -> None:
        self.address = url.rstrip("/") + "/api/v1/readings"
        self._token_file = token_file
        self._packs = True
        handlers: list[urllib.request.BaseHandler] = [NoRedirect()]
        if urlsplit(url).hostname in LOCAL:
            handlers.append(urllib.request.ProxyHandler({}))
        if urlsplit(url).scheme == "https":
            context = ssl.create_default_context(cafile=ca_file)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def post(self, body: bytes, patience_s: float) -> Answer:
        """One attempt; a console that does not read compressed bodies gets the plain one at once."""
        if not self._packs:
            return self._attempt(body, {}, patience_s)
        packed = gzip.compress(body, compresslevel=6)
        answer = self._attempt(packed, {"Content-Encoding": "gzip"}, patience_s)
        if answer.status in NOT_READ:
            plain = self._attempt(body, {}, patience_s)
            self._packs = plain.status in NOT_READ
            return plain
        return answer

    def _attempt(self, body: bytes, headers: dict[str, str], patience_s: float) -> Answer:
        try:
            token = self._token_file.token()
        except OSError as error:
            return Answer(0, f"{self._token_file.path}: {error.strerror}")
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | headers
            request = urllib.request.Request(self.address, body, headers, method="POST")  # noqa: S310
            with self._opener.open(request, timeout=patience_s) as response:
                return _answer(response.status, _text(response), response.headers)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, _message(_text(error)), error.headers)
        except urllib.error.URLError as error:
            return Answer(0, str(error.reason))
        except (OSError, HTTPException, ValueError) as error:
            return Answer(0, str(error) or type(error).__name__)


def _answer(status: int, text: str, headers: Message) -> Answer:
    date = _http_date(headers.get("Date"))
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return Answer(status, text, date, float(asked[:9]))
    until = _http_date(asked)
    retry_after_s = None if until is None else max((until - (date or datetime.now(UTC))).total_seconds(), 0.0)
    return Answer(status, text, date, retry_after_s)


def _http_date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


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
        self.backoff = Backoff()
        self._outbox = outbox
        self._console = console
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
        """Send until the outbox is empty (True) or something stays (False)."""
        most = MOST_READINGS
        while batch := self._outbox.oldest(most, MOST_BYTES):
            sent = self._send(batch, patience_s)
            if sent is Sent.KEPT:
                return False
            if sent is Sent.TOO_LARGE:
                most = len(batch.readings) // 2
            else:
                self.backoff.took()
            if sent is Sent.SET_ASIDE:
                most = MOST_READINGS
        if stay := self._outbox.unreadable:
            self._say(f"what cannot be read on this disk stays: {len(stay)} readings, the first {stay[0]}")
        return not stay

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            if self._drained(PATIENCE_S):
                self._wake.wait()
            else:
                self._stopping.wait(self.backoff.next_pause_s())
        self._drained(LAST_PATIENCE_S)

    def _drained(self, patience_s: float) -> bool:
        try:
            return self.drain(patience_s)
        except OSError as error:
            self._say(f"the outbox cannot be read or written: {error}")
            return False

    def _send(self, batch: Batch, patience_s: float) -> Sent:
        answer = self._console.post(batch.body(datetime.now(UTC)), patience_s)
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
        self.backoff.kept(answer)
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
