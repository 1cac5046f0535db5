"""Instruments that are asked over a network or by a program, beside the samples.

A controller answers in a tenth of a second, or in ten, or not at all; asked within a sample it would shift
every other source. So each is asked at its own pace, in one of the threads that do nothing else, and a read
tells the energy up to now at once.

Between two answers the power is the mean of both, or what a counter counted; since the last answer it is
taken to go on. What that told too much or too little is settled in the next span: the spans add up to what
the instrument told. An answer that does not come costs nothing while the last one is fresh (`hold_s`); after
that the time is missing, with the reason, and a new span starts with the next answer.
"""

from __future__ import annotations

import threading
import time
import traceback
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from collectors.instrument import Energy, Missing, Source
from collectors.pollers import Pollers

EVERY_S = 10.0
SHORTEST_HOLD_S = 60.0
END_S = 2.0
POLLERS = Pollers()
"""Of this agent: all its instruments share them."""


class NoAnswer(Exception):
    """The instrument gave nothing this time; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer: the power now, and what a counter counted since the answer before, where there is one.

    A counter alone has no power at its first answer; one that is brought up to date now and then may take
    back what the power told meanwhile, which is below zero. `at_s` is the moment that it tells of, on the
    monotonic clock, where that is not the middle of the asking. `low_mw` and `high_mw` are what the
    instrument says of its own error, or what a second reading of the same quantity differs by.
    """

    power_mw: int | None
    counted_mj: int | None = None
    low_mw: int | None = None
    high_mw: int | None = None
    at_s: float | None = None


class Meter:
    """From answers now and then to the energy up to any moment, on the monotonic clock."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._at_s: float | None = None
        self._total_mj = 0.0
        self._power_mw: float | None = None
        self._margins: tuple[float, float] | None = None
        self._told: tuple[float, int] | None = None
        self._reason = "no answer yet"

    def take(self, at_s: float, sample: Sample) -> None:
        """An answer that tells of the moment `at_s`."""
        if self._at_s is not None:
            at_s = max(at_s, self._at_s)  # a file may seem older than the one before where a clock was set
        if self._at_s is None or at_s - self._at_s > self._hold_s:
            self._total_mj, self._power_mw, self._told = 0.0, None, None
            elapsed_s = 0.0
        else:
            elapsed_s = at_s - self._at_s
        spent_mj = self._spent_mj(elapsed_s, sample)
        self._total_mj += spent_mj
        counted_mw = spent_mj / elapsed_s if sample.counted_mj is not None and elapsed_s > 0 else None
        self._power_mw = counted_mw if sample.power_mw is None else float(sample.power_mw)
        self._margins = _margins(sample)
        self._at_s = at_s
        self._reason = "waits for a second answer"

    def fail(self, reason: str, *, broken: bool = False) -> None:
        """No answer, and why; `broken` where nothing can be said of the time since the last one either."""
        self._reason = reason
        if broken:
            self._at_s = self._told = None

    def until(self, now_s: float) -> Energy | Missing:
        """The energy since the last time it was asked for; the first time only starts a span."""
        if self._at_s is None or self._power_mw is None or now_s - self._at_s > self._hold_s:
            self._told = None
            return Missing(self._reason)
        total_mj = self._total_mj + self._power_mw * max(now_s - self._at_s, 0.0)
        if self._told is None:
            self._told = now_s, round(total_mj)
            return Missing("the first read since it answers")
        before_s, before_mj = self._told
        energy_mj = max(round(total_mj) - before_mj, 0)
        self._told = now_s, before_mj + energy_mj
        low, high = self._margins or (None, None)
        return Energy(
            energy_mj=energy_mj,
            duration_ms=round((now_s - before_s) * 1000),
            min_mj=None if low is None else min(round(energy_mj * low), energy_mj),
            max_mj=None if high is None else max(round(energy_mj * high), energy_mj),
        )

    def _spent_mj(self, elapsed_s: float, sample: Sample) -> float:
        if elapsed_s <= 0:
            return 0.0
        if sample.counted_mj is not None:
            return float(sample.counted_mj)
        if sample.power_mw is None or self._power_mw is None:
            return 0.0
        return (self._power_mw + sample.power_mw) / 2 * elapsed_s


def _margins(sample: Sample) -> tuple[float, float] | None:
    if not sample.power_mw or sample.low_mw is None or sample.high_mw is None:
        return None
    return sample.low_mw / sample.power_mw, sample.high_mw / sample.power_mw


class Polled(Source):
    """A source whose instrument is asked in a thread; what it gets ready is its first answer, or failure."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._meter = Meter(max(SHORTEST_HOLD_S, 3 * every_s))
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._ending = threading.Event()
        self._left = threading.Event()
        self.away = False

    @abstractmethod
    def ask(self) -> Sample:
        """One answer of the instrument; raises `NoAnswer` or `Broken`. Runs in a thread, once at a time."""

    def leave(self) -> None:
        """Let go of what `ask` holds; runs in a thread as it does."""

    def start(self) -> None:
        self._ending.clear()
        self._left.clear()
        POLLERS.add(self)

    def ready(self) -> bool:
        return self._asked.is_set()

    def read(self) -> Energy | Missing:
        with self._lock:
            return self._meter.until(time.monotonic())

    def close(self) -> None:
        self._ending.set()
        if POLLERS.hurry(self):
            self._left.wait(END_S)

    def turn(self) -> float | None:
        """Ask once; when it is due again, on the monotonic clock, or None where it let go."""
        began_s = time.monotonic()
        if not self._ending.is_set():
            self._ask_once(began_s)
            self._asked.set()
        if not self._ending.is_set():
            return max(began_s + self._every_s, time.monotonic())
        with suppress(Exception):
            self.leave()
        self._left.set()
        return None

    def _ask_once(self, began_s: float) -> None:
        self.away = True
        try:
            sample = self.ask()
        except Broken as reason:
            self._fail(str(reason), broken=True)
        except NoAnswer as reason:
            self._fail(str(reason))
        except Exception as error:
            self._fail(place_of(error))
        else:
            self.away = False
            with self._lock:
                middle_s = (began_s + time.monotonic()) / 2
                self._meter.take(middle_s if sample.at_s is None else sample.at_s, sample)

    def _fail(self, reason: str, *, broken: bool = False) -> None:
        with self._lock:
            self._meter.fail(reason, broken=broken)


def place_of(error: Exception) -> str:
    """What failed and where; not its text, which may quote what was sent, a secret among it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"


class Broken(NoAnswer):
    """It answered, but nothing can be said of the time since its last answer: a counter was reset."""
