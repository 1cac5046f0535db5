"""Model: the power of a server that has no sensor, from its processor and its CPU utilisation.

    power = idle + (full - idle) x utilisation

`collectors.power_models` says which curve, with its sources: that of the processor's family among the
results of SPECpower_ssj2008; else that of all servers published since 2017; and last load x TDP, for a
processor that is no server's and whose thermal design power is stated. Memory, drives and ports beyond those
of a measured server are added by coefficients.

SPECpower is measured at the wall, so the boundary is `server_input`. For a virtual machine the figure is that
of its share of a server, one logical CPU per virtual CPU. A machine of the median, not this machine: the
quality is `modelled`, the least and the greatest are the spread of the family, and any sensor goes before it.

Settings, all optional: `cpu_model`, `sockets`, `cores` (of all sockets) and `ram_gb` where the kernel does
not tell the right ones (a hypervisor that hides the processor), `tdp_w` (of one socket), `drives` and `ports`
(speeds of active ports, such as ["10G", "10G"]) beyond the first of each.

For another host, in the table of a manager (`[hypervisors.hosts."esx-01".sources.model]`), the same settings
go before what its hypervisor tells; its load is the hypervisor's.
"""

from __future__ import annotations

import time

from collectors.instrument import Energy, Missing, Roots, Source
from collectors.machine import cores, facts
from collectors.power_models.servers import Server
from collectors.power_models.stated import ModelSettings
from collectors.proc import CpuTimes, Unreadable, cpu_times
from collectors.reading import Authority, Boundary, Quality


class Model(Source):
    """A server of the family of this processor, at the utilisation of this host."""

    name = "model"
    authority = Authority.MODEL
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MODELLED
    settings = ModelSettings

    def __init__(self, roots: Roots, settings: ModelSettings | None = None) -> None:
        self._roots = roots
        self._settings = settings or ModelSettings()
        self._server: tuple[int, Server] | None = None
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
        duration_ms = round((now[0] - before[0]) * 1000)
        return between(before[1], now[1], duration_ms, self._server_of(now[1].vcpu))

    def _server_of(self, vcpu: int) -> Server:
        """The model of this host, made again where logical CPUs come or go."""
        if self._server is None or self._server[0] != vcpu:
            self._server = vcpu, self._settings.server(vcpu, cores(self._roots.proc), facts(self._roots.proc))
        return self._server[1]


def between(before: CpuTimes, now: CpuTimes, duration_ms: int, server: Server) -> Energy | Missing:
    """The energy of the time between two reads of the CPU times."""
    busy_us, total_us = now.busy_us - before.busy_us, now.total_us - before.total_us
    if busy_us < 0 or total_us <= 0:
        return Missing("the CPU times went backwards")
    return server.energy(duration_ms, busy_us / total_us)
