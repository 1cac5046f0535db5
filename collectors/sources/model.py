"""Model: the power of a server that has no sensor, from its CPU utilisation and the SPECpower results.

    power = idle + (full - idle) x utilisation, in watts per logical CPU

The constants come from the 609 results of SPECpower_ssj2008 published from January 2017 on (the servers
still in service) in the edition of 2026-03-09 of Cloud Carbon Footprint's coefficients: for each, watts at
100 % and at active idle over its number of threads; then the median, and the 10th and 90th percentiles as
the spread (inclusive, linear between ranks). Rows marked non-compliant ("NC") or whose idle power is not
below their full power (shifted columns) are left out. A test computes them again from the file. SPEC and the
benchmark name SPECpower_ssj are registered trademarks of the Standard Performance Evaluation Corporation; see
www.spec.org/power_ssj2008.

SPECpower is measured at the wall, so the boundary is `server_input`. For a virtual machine the figure is that
of its share of a server, one logical CPU per virtual CPU. A machine of the median, not this machine: the
quality is `modelled`, and any sensor goes before it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from collectors.instrument import Energy, Missing, Roots, Source
from collectors.proc import CpuTimes, Unreadable, cpu_times
from collectors.reading import Authority, Boundary, Quality


@dataclass(frozen=True, slots=True)
class Curve:
    """Power of one logical CPU with its share of the server around it, in milliwatts."""

    idle_mw: int
    full_mw: int

    def energy_mj(self, cpu_ms: float, utilisation: float) -> int:
        """The energy of so many milliseconds of logical CPUs at a utilisation of 0 to 1."""
        return round((self.idle_mw + (self.full_mw - self.idle_mw) * utilisation) * cpu_ms / 1000)


LOW = Curve(idle_mw=276, full_mw=1367)
MEDIAN = Curve(idle_mw=634, full_mw=3352)
HIGH = Curve(idle_mw=1328, full_mw=4760)


class Model(Source):
    """Idle and full power of the median server, by logical CPU."""

    name = "model"
    authority = Authority.MODEL
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MODELLED

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._last: tuple[float, CpuTimes] | None = None

    def available(self) -> str | None:
        try:
            cpu_times(self._roots.proc)
        except Unreadable as reason:
            return str(reason)
        return None

    def read(self) -> Energy | Missing:
        try:
            now = time.monotonic(), cpu_times(self._roots.proc)
        except Unreadable as reason:
            return Missing(str(reason))
        before, self._last = self._last, now
        if before is None:
            return Missing("the first read of the CPU times")
        return between(before[1], now[1], round((now[0] - before[0]) * 1000))


def between(before: CpuTimes, now: CpuTimes, duration_ms: int) -> Energy | Missing:
    """The energy of the time between two reads of the CPU times."""
    busy_us, total_us = now.busy_us - before.busy_us, now.total_us - before.total_us
    if busy_us < 0 or total_us <= 0:
        return Missing("the CPU times went backwards")
    utilisation = min(busy_us / total_us, 1.0)
    cpu_ms = duration_ms * now.vcpu
    return Energy(
        energy_mj=MEDIAN.energy_mj(cpu_ms, utilisation),
        duration_ms=duration_ms,
        min_mj=LOW.energy_mj(cpu_ms, utilisation),
        max_mj=HIGH.energy_mj(cpu_ms, utilisation),
        idle_power_mw=MEDIAN.idle_mw * now.vcpu,
    )
