"""Cumulative counters of energy: what two reads of one are worth.

A counter yields energy only between two reads of the same boot and the same identity. One that is lower than
before has wrapped only if its maximum is known and the mean power stays plausible; else it was reset, and
nothing is known of the time between. Reads further apart than its wrap period at full power cannot tell how
often it wrapped. So 10 000 J and then 1 J ten seconds later is a reset, never 252 144 J.

A source makes one `Counter` for each series it adds, reads them all at once into a `Snapshot`, and asks
`between` for the energy since the last one. Units are converted before: a snapshot is in microjoules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.instrument import Energy, Missing

SOCKET_LIMIT_W = 1500.0
"""Mean power above which the counter of a socket is not believed, unless the host states another."""

SHORTEST_RANGE_UJ = 65_532_610_987
"""Range taken for a counter whose maximum is unknown: the least that is stated (32 bits of 15.3 uJ)."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter for ever: a read of another identity is of another counter.

    `range_uj` is where it begins again at 0, None where nobody says. One that a program adds up in 64 bits
    or more never does (`wraps` is False): lower than before, it was reset, and reads may be far apart.
    """

    identity: str
    range_uj: int | None = None
    wraps: bool = True
    limit_w: float = SOCKET_LIMIT_W

    @property
    def wrap_period_s(self) -> float | None:
        """The shortest time in which it comes round; None where it never does."""
        return (self.range_uj or SHORTEST_RANGE_UJ) / 1e6 / self.limit_w if self.wraps else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counters at one moment, on the monotonic clock, of one boot of what counts."""

    boot_id: str
    at_s: float
    counted_uj: Mapping[Counter, int]


def between(before: Snapshot, now: Snapshot) -> Energy | Missing:
    """The energy from one snapshot to the next, all counters added."""
    if before.boot_id != now.boot_id:
        return Missing("the machine was started again between two reads")
    if before.counted_uj.keys() != now.counted_uj.keys():
        return Missing("the counters are not the same as at the last read")
    elapsed_s = now.at_s - before.at_s
    energy_uj = 0
    for counter, counted_uj in now.counted_uj.items():
        part = spent(counter, before.counted_uj[counter], counted_uj, elapsed_s)
        if isinstance(part, Missing):
            return Missing(f"{counter.identity}: {part.reason}")
        energy_uj += part
    return Energy(energy_mj=round(energy_uj / 1000), duration_ms=round(elapsed_s * 1000))


def spent(counter: Counter, before_uj: int, now_uj: int, elapsed_s: float) -> int | Missing:
    """What one counter counted between two reads of the same boot, in microjoules."""
    period_s = counter.wrap_period_s
    if period_s is not None and elapsed_s > period_s:
        return Missing(f"{elapsed_s:.0f} s between two reads, the counter may wrap in {period_s:.0f} s")
    energy_uj = now_uj - before_uj
    if energy_uj < 0:
        if not counter.wraps:
            return Missing("lower than before, and it never wraps: it was reset")
        if counter.range_uj is None:
            return Missing("lower than before and its maximum is unknown: taken for a reset")
        energy_uj += counter.range_uj
    if not 0 <= energy_uj <= counter.limit_w * 1e6 * elapsed_s:
        kind = "a reset" if now_uj < before_uj else "a torn read"
        return Missing(f"more than {counter.limit_w:g} W between two reads: taken for {kind}")
    return energy_uj
