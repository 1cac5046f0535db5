"""Asks many instruments, each when it is due, with few threads however many they are.

    add -> due? -> turn in one of the threads -> due again, or let go

An agent that measures a thousand hosts has as many controllers to ask, and a thread for each would be more
than its service may have. Instruments that did not answer the last time take half of the threads at most:
many that are away, each until its time is out, hold up none that answers.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import Protocol

MOST_AT_ONCE = 16
"""Each takes a thread, and one that is asked by a program a process: see TasksMax of the service."""
IN_HAND = -1

Place = tuple[float, int, "Instrument"]
"""When an instrument is due, on the monotonic clock, and the number of this place in the queue."""


class Instrument(Protocol):
    """What is asked."""

    @property
    def away(self) -> bool:
        """Whether it did not answer the last time."""

    def turn(self) -> float | None:
        """Ask it; when it is due again, on the monotonic clock, or None where it let go. Raises nothing."""


class Pollers:
    """The threads, and the instruments that wait for one."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._places: dict[Instrument, int] = {}
        self._answering: list[Place] = []
        self._away: list[Place] = []
        self._away_in_hand = 0
        self.threads = 0

    def add(self, instrument: Instrument) -> None:
        """Ask it from now on; raises `RuntimeError` where not one thread can be had."""
        with self._changed:
            self._put(instrument, time.monotonic())
            if self.threads < min(self._most, len(self._places)):
                try:
                    threading.Thread(target=self._run, name="poller", daemon=True).start()
                    self.threads += 1
                except RuntimeError:
                    if not self.threads:
                        del self._places[instrument]
                        raise
            self._changed.notify_all()

    def hurry(self, instrument: Instrument) -> bool:
        """Give it its next turn at once; False where it has none to come."""
        with self._changed:
            if instrument not in self._places:
                return False
            if self._places[instrument] != IN_HAND:
                self._put(instrument, time.monotonic())
                self._changed.notify_all()
            return True

    def _put(self, instrument: Instrument, due_s: float) -> None:
        number = self._places[instrument] = next(self._numbers)
        heapq.heappush(self._away if instrument.away else self._answering, (due_s, number, instrument))

    def _run(self) -> None:
        while taken := self._next():
            instrument, was_away = taken
            due_s = instrument.turn()
            with self._changed:
                self._away_in_hand -= was_away
                if due_s is None:
                    del self._places[instrument]
                else:
                    self._put(instrument, due_s)
                self._changed.notify_all()

    def _next(self) -> tuple[Instrument, bool] | None:
        """The next that is due, and whether it was away; None where there are threads enough without this."""
        with self._changed:
            while self.threads <= len(self._places):
                queue = min(filter(None, self._open_queues()), key=lambda places: places[0], default=None)
                wait_s = queue[0][0] - time.monotonic() if queue else None
                if queue and wait_s is not None and wait_s <= 0:
                    instrument = heapq.heappop(queue)[2]
                    self._places[instrument] = IN_HAND
                    self._away_in_hand += queue is self._away
                    return instrument, queue is self._away
                self._changed.wait(wait_s)
            self.threads -= 1
            return None

    def _open_queues(self) -> list[list[Place]]:
        """The queues that a thread may take from, without the places that were given up."""
        queues = [self._answering]
        if self._away_in_hand < max(self._most // 2, 1):
            queues.append(self._away)
        for queue in queues:
            while queue and self._places.get(queue[0][2]) != queue[0][1]:
                heapq.heappop(queue)
        return queues
