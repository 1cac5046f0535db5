"""NVML: what NVIDIA graphics cards draw, and how long each process kept them busy.

Needs the `nvml` extra and the driver's own library (`libnvidia-ml.so.1`). For each card the counter of its
energy since the driver was loaded is read (Volta and later), else its power now, which is taken to go on
between two reads as the mean of both.

The energy of all cards of the host is told together. Boundary: `gpu`; authority: that of cards, never of the
host: the console adds it to what packages and memory draw, and takes it out of what a server draws at its
input. Quality: measured. Rights: none; in a container the cards have to be shown to it.

The time of a process on the cards is its mean share of the streaming multiprocessors, as the driver samples
it several times a second, over the span: it shares the energy of the cards among workloads. Processes that
end between two reads are not listed by the driver; their time stays unattributed, and the energy is the same.

Traps: a counter that is lower than before was reset with its driver; a card that fails to answer makes the
sum unknown, never less; the driver may list a share above 100 for a card (rounding), which is scaled down to
the time that there was; cards cut into instances (MIG) tell their energy whole and no time of processes.
"""

from __future__ import annotations

import importlib.util
import time
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from collectors.counter import Counter, Snapshot, between
from collectors.instrument import Energy, Missing, Roots, Source
from collectors.reading import Authority, Boundary, Quality

CARD_LIMIT_W = 3000.0
"""Mean power above which the counter of a card is not believed."""


class NoCard(Exception):
    """A card or the driver did not answer; the message says why."""


@dataclass(slots=True)
class Card:
    """One card: its handle, its name for ever, and what its power added up to where it counts no energy.

    `seen_us` is when the driver took the last sample of processes that was looked at, on its own clock.
    """

    handle: Any
    uuid: str
    counts: bool = True
    sampled_uj: int = 0
    power_mw: int | None = None
    seen_us: int = 0


class Nvml(Source):
    """All cards of this host."""

    name = "nvml"
    authority = Authority.GPU
    boundary = Boundary.GPU
    quality = Quality.MEASURED

    def __init__(self, roots: Roots) -> None:
        self._cards: list[Card] = []
        self._last: Snapshot | None = None
        self._used_us: Mapping[int, int] = {}

    @classmethod
    def only_here(cls, settings: object) -> bool:
        return True

    def available(self) -> str | None:
        if importlib.util.find_spec("pynvml") is None:
            return "not installed: nvidia-ml-py, the extra 'nvml' of the wheel"
        try:
            return None if self._found() else "the driver knows no card"
        except NoCard as reason:
            return str(reason)

    def read(self) -> Energy | Missing:
        self._used_us = {}
        try:
            now = self._snapshot()
        except NoCard as reason:
            self._cards = []
            return Missing(str(reason))
        before, self._last = self._last, now
        used = [_shares(card) for card in self._cards]
        if before is None:
            return Missing("the first read of the cards")
        energy = between(before, now)
        if isinstance(energy, Energy):
            self._used_us = _times(used, energy.duration_ms)
        return energy

    def gpus(self) -> int | None:
        return len(self._cards) or None

    def gpu_us_by_pid(self) -> Mapping[int, int]:
        return self._used_us

    def close(self) -> None:
        if self._cards:
            with suppress(NoCard):
                _asked("nvmlShutdown")
        self._cards = []

    def _found(self) -> list[Card]:
        """The cards, looked for again after one failed."""
        if not self._cards:
            _asked("nvmlInit")
            handles = [
                _asked("nvmlDeviceGetHandleByIndex", place) for place in range(_asked("nvmlDeviceGetCount"))
            ]
            self._cards = [Card(handle, str(_asked("nvmlDeviceGetUUID", handle))) for handle in handles]
        return self._cards

    def _snapshot(self) -> Snapshot:
        cards, now_s = self._found(), time.monotonic()
        elapsed_s = now_s - self._last.at_s if self._last else 0.0
        counted_uj = {
            Counter(card.uuid, wraps=False, limit_w=CARD_LIMIT_W): _counted_uj(card, elapsed_s)
            for card in cards
        }
        if not counted_uj:
            raise NoCard("the driver knows no card")
        return Snapshot("", now_s, counted_uj)


def _counted_uj(card: Card, elapsed_s: float) -> int:
    """What a card has counted, or what its power adds up to; raises `NoCard`."""
    if card.counts:
        try:
            return int(_asked("nvmlDeviceGetTotalEnergyConsumption", card.handle)) * 1000
        except Unsupported:
            card.counts = False
    before_mw, card.power_mw = card.power_mw, int(_asked("nvmlDeviceGetPowerUsage", card.handle))
    if before_mw is not None:
        card.sampled_uj += round((before_mw + card.power_mw) / 2 * elapsed_s * 1000)
    return card.sampled_uj


def _shares(card: Card) -> Mapping[int, float]:
    """The mean share of each process since the last read, from 0 to 1; empty where the card tells none."""
    try:
        samples = _asked("nvmlDeviceGetProcessUtilization", card.handle, card.seen_us)
    except NoCard:
        return {}
    # The driver leaves what it has not written at 0.
    fresh = [sample for sample in samples if sample.pid and sample.timeStamp > card.seen_us]
    card.seen_us = max([card.seen_us, *(int(sample.timeStamp) for sample in fresh)])
    by_pid: defaultdict[int, list[int]] = defaultdict(list)
    for sample in fresh:
        by_pid[int(sample.pid)].append(int(sample.smUtil))
    shares = {pid: sum(percents) / len(percents) / 100 for pid, percents in by_pid.items()}
    scale = max(sum(shares.values()), 1.0)
    return {pid: share / scale for pid, share in shares.items()}


def _times(shares: list[Mapping[int, float]], duration_ms: int) -> Mapping[int, int]:
    used_us: Tally[int] = Tally()
    for of_card in shares:
        for pid, share in of_card.items():
            used_us[pid] += round(share * duration_ms * 1000)
    return {pid: us for pid, us in used_us.items() if us}


class Unsupported(NoCard):
    """The card does not count what was asked for."""


def _asked(call: str, *arguments: Any) -> Any:
    """One call of the driver's library; raises `NoCard`."""
    import pynvml

    try:
        return getattr(pynvml, call)(*arguments)
    except pynvml.NVMLError_NotSupported:
        raise Unsupported(f"{call}: not supported by this card") from None
    except pynvml.NVMLError as error:
        raise NoCard(f"{call}: {error}") from None
