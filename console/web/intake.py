"""How much of what agents send is taken in at once, and when they are told to come back later.

Agents keep what is not taken, so that it is better to refuse early than to let batches pile up before a
database that is slow, or hours before a metering that is stopped.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.store.queries.waiting import hours_waiting
from console.store.session import Database, Operator

COUNTED_EVERY_S = 5.0
SOON_S, LATER_S = 2, 30


class Busy(Exception):
    """Not now: the batch is to be sent again in `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Intake:
    """The batches in flight on this machine, at most `at_once`, and the hours that wait to be metered.

    A batch in flight holds the lock of one of as many files: all the processes of the console share the
    bound, and the system lets go of what a killed one held.
    """

    def __init__(self, folder: Path, at_once: int, hours_behind: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._places = [folder / f"batch.{number}" for number in range(at_once)]
        self._hours_behind = hours_behind
        self._counting = threading.Lock()
        self._counted_at: float | None = None
        self._is_behind = False

    @contextmanager
    def place(self, database: Database) -> Iterator[None]:
        """Room for one batch; raises `Busy`."""
        if self._behind(database):
            raise Busy(f"more than {self._hours_behind} hours of hosts wait to be metered", LATER_S)
        held = next(filter(None, map(_lock, self._places)), None)
        if held is None:
            raise Busy(f"{len(self._places)} batches are being taken in", SOON_S)
        try:
            yield
        finally:
            os.close(held)

    def _behind(self, database: Database) -> bool:
        """Asked of the database every few seconds by each process."""
        with self._counting:
            now = time.monotonic()
            if self._counted_at is None or now - self._counted_at >= COUNTED_EVERY_S:
                with database.read(Operator()) as session:
                    self._is_behind = hours_waiting(session, self._hours_behind + 1) > self._hours_behind
                self._counted_at = now
            return self._is_behind


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock of a file, above 0; None where another one does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
