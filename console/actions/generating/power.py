"""What a host and its workloads use over a stretch of time, from the trace they follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from collectors.power_models.servers import ALL, Curve, families
from collectors.reading import Authority, Boundary, Quality
from console.actions.generating import traces
from console.actions.generating.world import Host, Workload
from console.domain.attribution import Attribution, Consumer, attribute
from console.domain.intervals import Measured
from console.domain.spans import Span

MONDAY = datetime(2018, 1, 1, tzinfo=UTC)  # where the trace begins
SECOND = timedelta(seconds=1)
KERNEL = 30  # thousandths of what workloads use, that no workload used


@dataclass(frozen=True, slots=True)
class Use:
    """What a host used over a stretch; `consumers` by the name of the workload."""

    duration_ms: int
    busy_cpu_ms: int
    measured: Measured
    consumers: Mapping[str, Consumer]


def heard(host: Host, start: datetime, end: datetime) -> Iterator[Span]:
    """The parts of `[start, end)` in which something was heard of a host, in order."""
    start = max(start, host.since)
    for begins, ends in host.silences:
        if ends <= start:
            continue
        if begins >= end:
            break
        if begins > start:
            yield start, begins
        start = ends
    if start < end:
        yield start, end


def use_of(host: Host, spans: tuple[Span, ...]) -> Use:
    """The use of a host over stretches that follow each other."""
    stretches = [((begins - MONDAY) // SECOND, (ends - MONDAY) // SECOND) for begins, ends in spans]
    duration_ms = 1000 * sum(ends - begins for begins, ends in stretches)
    consumers = {
        workload.name: Consumer(_cpu_ms(workload, stretches), workload.reserved_mcpu)
        for workload in host.workloads
    }
    named_ms = sum(consumer.cpu_ms for consumer in consumers.values())
    busy_cpu_ms = min(host.vcpu * duration_ms, named_ms + named_ms * KERNEL // 1000)
    return Use(duration_ms, busy_cpu_ms, _measured(host, duration_ms, busy_cpu_ms), consumers)


def share(host: Host, use: Use) -> Attribution:
    """The energy of a stretch by workload, by the rule of the ledger."""
    return attribute(
        energy_mj=use.measured.energy_mj,
        duration_ms=use.duration_ms,
        idle_power_mw=use.measured.idle_power_mw,
        vcpu=host.vcpu,
        busy_cpu_ms=use.busy_cpu_ms,
        consumers=use.consumers,
    )


def _cpu_ms(workload: Workload, stretches: Sequence[tuple[int, int]]) -> int:
    trace, shift_s = traces.load(), workload.shift_s
    used_ms = sum(trace.used_ms(begins + shift_s, ends + shift_s) for begins, ends in stretches)
    return used_ms * workload.reserved_mcpu * workload.part // 1_000_000


def _measured(host: Host, duration_ms: int, busy_cpu_ms: int) -> Measured:
    """What the meter of the machine says, or where it has none what an agent's model says."""
    cpu_ms = host.vcpu * duration_ms
    utilisation = busy_cpu_ms / cpu_ms if cpu_ms else 0.0
    servers = families()[ALL]
    curve = servers.median if host.modelled else Curve(host.idle_mw // host.vcpu, host.full_mw // host.vcpu)
    return Measured(
        source="model" if host.modelled else "bmc",
        authority=Authority.MODEL if host.modelled else Authority.BMC,
        boundary=Boundary.SERVER_INPUT,
        quality=Quality.MODELLED if host.modelled else Quality.MEASURED,
        energy_mj=curve.energy_mj(cpu_ms, utilisation),
        min_mj=servers.low.energy_mj(cpu_ms, utilisation) if host.modelled else None,
        max_mj=servers.high.energy_mj(cpu_ms, utilisation) if host.modelled else None,
        idle_power_mw=curve.idle_mw * host.vcpu,
    )
