"""The agent's day: sample on whole quarters of a minute, close on whole minutes, keep, let the sender send.

The first interval closes at the first sample, so that something shows soon. A signal to end is taken between
two steps: the interval under way is closed and kept, and sent if the console answers at once.

Where the disk refuses a reading it waits in memory, as many as a day holds; past that, or where the outbox is
full, the oldest stay and the newest are lost, counted, and said.
"""

from __future__ import annotations

import logging
import math
import signal
import time
from collections import deque
from dataclasses import dataclass

from collectors.outbox import Outbox, OutboxFull
from collectors.reading import Reading
from collectors.sampler import Moment, Sampler
from collectors.sender import Sender

log = logging.getLogger(__name__)

ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
READY_S = 10.0
LAST_SEND_S = 1.0
MOST_UNSAVED = 1440
SAID_EVERY = 60


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to sample and to close, in seconds; on whole multiples of the wall clock."""

    sample_s: float = 15.0
    interval_s: float = 60.0

    def next_sample_s(self, wall_s: float) -> float:
        """The next whole sample, not nearer than a third of one."""
        return math.ceil((wall_s + self.sample_s / 3) / self.sample_s) * self.sample_s

    def closes(self, began_s: float, sampled_s: float) -> bool:
        """Whether a whole interval ended since the last close; a sample may be a little early.

        A wall clock that was set back is in another one as well: none is waited for again.
        """
        early_s = self.sample_s / 10
        return math.floor((sampled_s + early_s) / self.interval_s) != math.floor(
            (began_s + early_s) / self.interval_s
        )


def ending(within_s: float) -> bool:
    """Wait so long for a signal to end; True where one came."""
    return signal.sigtimedwait(ENDING, max(within_s, 0.0)) is not None


def begin(sampler: Sampler) -> bool:
    """Wait for the sources and begin the first interval; False where a signal to end came first."""
    sampler.start()
    waited_until_s = time.monotonic() + READY_S
    while not sampler.ready() and time.monotonic() < waited_until_s:
        if ending(0.1):
            return False
    sampler.mark(Moment.now())
    return True


def measure_once(sampler: Sampler, pace: Pace) -> Reading | None:
    """An interval of one sample; None where nothing is known of the CPU times, or a signal to end came."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        if not begin(sampler):
            return None
        ending(pace.sample_s)
        sampler.sample(Moment.now())
        return sampler.close()
    finally:
        sampler.stop()


class Shelf:
    """Puts readings in the outbox, holds those that the disk refuses, and counts those that are lost."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._unsaved: deque[Reading] = deque()
        self.lost = 0

    def keep(self, reading: Reading) -> None:
        """Keep a reading, after those that wait."""
        self._unsaved.append(reading)
        try:
            self._save()
        except OSError as error:
            if len(self._unsaved) > MOST_UNSAVED:
                self._unsaved.pop()
                self._lose(f"memory holds as many as it may, and the outbox cannot be written: {error}")
            elif len(self._unsaved) == 1 or len(self._unsaved) % SAID_EVERY == 0:
                waiting = len(self._unsaved)
                log.warning("%d readings wait in memory: the outbox cannot be written: %s", waiting, error)

    def end(self) -> None:
        """Try those that wait once more: what the disk still refuses is lost with this process, and said."""
        try:
            self._save()
        except OSError as error:
            log.warning(
                "%d readings that waited in memory are lost: the outbox cannot be written: %s",
                len(self._unsaved),
                error,
            )

    def _save(self) -> None:
        while self._unsaved:
            self._put(self._unsaved[0])
            self._unsaved.popleft()

    def _put(self, reading: Reading) -> None:
        try:
            self._outbox.put(reading)
        except OutboxFull as reason:
            self._lose(str(reason))
            return
        if self.lost:
            log.warning("readings are kept again; %d were lost", self.lost)
            self.lost = 0

    def _lose(self, reason: str) -> None:
        self.lost += 1
        if self.lost == 1 or self.lost % SAID_EVERY == 0:
            log.warning("%d readings were not kept, the older ones are: %s", self.lost, reason)


class Agent:
    """One host's sampler, outbox and sender, at a pace."""

    def __init__(self, sampler: Sampler, outbox: Outbox, sender: Sender, pace: Pace) -> None:
        self._sampler = sampler
        self._shelf = Shelf(outbox)
        self._sender = sender
        self._pace = pace

    def run(self) -> None:
        """Measure until a signal to end; the signals of `ENDING` are blocked from here on."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        self._sender.start()
        try:
            if begin(self._sampler):
                self._measure()
        finally:
            self._sender.stop(LAST_SEND_S)
            self._shelf.end()  # what was sent just now left room
            self._sampler.stop()

    def run_once(self) -> bool:
        """Measure one sample, keep it, and send what is kept; True where all of it was answered for."""
        reading = measure_once(self._sampler, self._pace)
        if reading:
            self._shelf.keep(reading)
        return self._sender.drain()

    def _measure(self) -> None:
        began_s: float | None = None
        while self._sleep_until_sample():
            moment = Moment.now()
            stepped = self._sampler.sample(moment)
            if (stepped or began_s is None or self._pace.closes(began_s, moment.wall_s)) and self._close():
                began_s = moment.wall_s
        self._sample_and_close()

    def _sleep_until_sample(self) -> bool:
        """False where a signal to end came first."""
        due_s = self._pace.next_sample_s(time.time())
        while (left_s := due_s - time.time()) > 0:
            if left_s > 2 * self._pace.sample_s:  # the wall clock was set back
                due_s = self._pace.next_sample_s(time.time())
            elif ending(left_s):
                return False
        return not ending(0)

    def _sample_and_close(self) -> None:
        self._sampler.sample(Moment.now())
        self._close()

    def _close(self) -> bool:
        reading = self._sampler.close()
        if reading:
            self._shelf.keep(reading)
            self._sender.wake()
        return reading is not None
