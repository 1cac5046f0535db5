"""Keeps the readings of many hosts, each in an outbox of its own, and empties these by turns in one thread.

    outbox/hosts/esx-01/    an outbox as that of any host
    outbox/hosts/esx-02/

The outboxes share their room on the disk. One that an earlier run left is emptied as well, whether its host
is told of again or not. Where the console answers for none of a few hosts in a row it is away, or overloaded:
the round ends, and the next one begins after a pause with the host where this one ended.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from collectors.agent import Shelf
from collectors.outbox import Outbox, OutboxUnusable, Room
from collectors.reading import HOST, Facts, Reading
from collectors.sender import LAST_PATIENCE_S, PATIENCE_S, Backoff, Console, Sender

log = logging.getLogger(__name__)

FOLDER = "hosts"
MOST_FAILURES = 3


class Courier:
    """The outboxes of many hosts, and who sends what is in them."""

    def __init__(self, folder: Path, agent: str, console: Console, room: Room) -> None:
        self._folder = folder / FOLDER
        self._agent = agent
        self._console = console
        self._room = room
        self._backoff = Backoff()
        self._making = threading.Lock()
        self._outboxes: dict[str, Outbox] = {}
        self._shelves: list[Shelf] = []
        self._turns: deque[Sender] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for outbox in self._outboxes.values():
            outbox.close()

    def keeper(self, host: str) -> Callable[[Reading, Facts], None]:
        """Keeps readings of a host, with its facts; raises `OutboxUnusable`."""
        outbox = self._outbox(host)
        shelf = Shelf(outbox)
        self._shelves.append(shelf)

        def keep(reading: Reading, facts: Facts) -> None:
            outbox.facts = facts
            shelf.keep(reading)
            self._wake.set()

        return keep

    def start(self) -> None:
        """Take up what an earlier run left, and send."""
        self.take_up()
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """One last quick round; what is not answered for stays."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(within_s)
        for shelf in self._shelves:
            shelf.end()

    def take_up(self) -> None:
        """Use each outbox that an earlier run left."""
        for folder in sorted(self._folder.glob("*")):
            if folder.is_dir() and HOST.fullmatch(folder.name):
                try:
                    self._outbox(folder.name)
                except OutboxUnusable as reason:
                    log.warning("%s", reason)

    def round(self, patience_s: float = PATIENCE_S) -> bool:
        """Send from each outbox; True where all are empty."""
        failures, emptied = 0, True
        for _ in range(len(self._turns)):
            if failures == MOST_FAILURES or (self._stopping.is_set() and not emptied):
                return False
            if self._drained(self._turns[0], patience_s):
                failures = 0
            else:
                failures, emptied = failures + 1, False
            self._turns.rotate(-1)
        return emptied

    def _outbox(self, host: str) -> Outbox:
        with self._making:
            if host not in self._outboxes:
                self._outboxes[host] = Outbox(self._folder / host, self._agent, host, room=self._room)
                sender = Sender(self._outboxes[host], self._console)
                sender.backoff = self._backoff
                self._turns.append(sender)
            return self._outboxes[host]

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            if self.round():
                self._wake.wait()
            else:
                self._stopping.wait(self._backoff.next_pause_s())
        self.round(LAST_PATIENCE_S)

    def _drained(self, sender: Sender, patience_s: float) -> bool:
        try:
            return sender.drain(patience_s)
        except OSError as error:
            log.warning("an outbox cannot be read or written: %s", error)
            return False
