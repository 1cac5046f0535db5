"""Samples the sources and closes intervals: what each source measured of the whole, or why it could not.

    start -> ready? -> mark -> sample, sample, ... -> close -> sample, ...

Durations are monotonic; the wall clock labels. A label within half a second of a whole sample takes that
instant, so that intervals meet on whole minutes.

A source is in an interval's measurements only if the spans it measured add up to the interval, to a second:
a part never passes for the whole. A read that fails costs nothing if the next one tells what happened
meanwhile. Of the span in which the machine was suspended no source is believed. Where the wall clock was
stepped the interval is to be closed, with the label that its duration gives; its energy is unchanged.

What is set aside for a workload (vCPU, memory) is the mean over the interval: one that was there for half
of it counts for half. Where the workloads add up to more than the busy time (the kernel may sample busy time
by ticks while it counts processes exactly), they are the better account: busy is raised to their sum, and
they are scaled down only if they exceed all the time that the logical CPUs had.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from collectors.instrument import Energy, HostUse, Missing, Source, Usage, Work
from collectors.reading import Authority, Boundary, Gap, Kind, Measurement, Reading, Use

LONGEST_REASON = 500
WORKLOADS = "workloads"
"""What a gap names that is of the use of some workloads, not of energy."""
NOT_WHOLE = "its reads do not add up to the interval"
AT_INPUT = (Boundary.SERVER_INPUT, Boundary.PDU)
SLACK_MS = 1000
SNAP_S = 0.5
STEP_S = 2.0


@dataclass(frozen=True, slots=True)
class Moment:
    """The same instant on three clocks, in seconds; only `boot_s` runs while the machine is suspended."""

    wall_s: float
    monotonic_s: float
    boot_s: float

    @classmethod
    def now(cls) -> Moment:
        return cls(time.time(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME))


@dataclass(slots=True)
class Account:
    """What one source has measured of the interval under way."""

    spans: list[Energy] = field(default_factory=list)
    reason: str | None = None
    waits: str | None = None

    def add(self, result: Energy | Missing) -> None:
        if isinstance(result, Energy):
            self.spans.append(result)
        elif result.expected:
            self.waits = result.reason
        else:
            self.reason = result.reason

    def whole(self, duration_ms: int) -> bool:
        """Whether the spans add up to the interval."""
        covered_ms = sum(span.duration_ms for span in self.spans)
        return bool(self.spans) and abs(covered_ms - duration_ms) <= min(SLACK_MS, duration_ms // 10)

    @property
    def why_not(self) -> str:
        """Why they do not: what went wrong, before what was only waited for."""
        return self.reason or (None if self.spans else self.waits) or NOT_WHOLE


@dataclass(slots=True)
class Share:
    """What one workload used of the interval under way; what is set aside for it times how long it was."""

    kind: Kind
    uid: str | None = None
    cpu_us: int = 0
    gpu_us: int | None = None
    steal_us: int | None = None
    mcpu_ms: float | None = None
    mb_ms: float | None = None

    def add(self, work: Work, span_ms: float) -> None:
        self.uid = work.uid or self.uid
        self.cpu_us += work.cpu_us
        self.steal_us = _more(self.steal_us, work.steal_us)
        self.mcpu_ms = _more(self.mcpu_ms, _times(work.reserved_mcpu, span_ms))
        self.mb_ms = _more(self.mb_ms, _times(work.reserved_mb, span_ms))

    def use(self, name: str, cpu_ms: int, duration_ms: int) -> Use:
        return Use(
            name,
            self.kind,
            cpu_ms,
            reserved_mcpu=_mean(self.mcpu_ms, duration_ms),
            reserved_mb=_mean(self.mb_ms, duration_ms),
            gpu_ms=None if self.gpu_us is None else self.gpu_us // 1000,
            steal_ms=None if self.steal_us is None else self.steal_us // 1000,
            uid=self.uid,
        )


@dataclass(slots=True)
class Interval:
    """The interval under way; `use_known` is up to where the use of the host is known."""

    started: Moment
    last: Moment
    accounts: dict[str, Account]
    use_known: Moment
    stepped: bool = False
    busy_us: int = 0
    vcpu: int = 0
    ram_mb: int | None = None
    gpus: int | None = None
    untold: str | None = None
    shares: dict[str, Share] = field(default_factory=dict)

    @property
    def duration_ms(self) -> int:
        return round((self.last.monotonic_s - self.started.monotonic_s) * 1000)

    def share(self, name: str, kind: Kind) -> Share:
        return self.shares.setdefault(name, Share(kind))

    def add_use(self, use: HostUse, moment: Moment) -> None:
        began_s = max(self.use_known.monotonic_s, self.started.monotonic_s)
        span_ms = (moment.monotonic_s - began_s) * 1000
        self.use_known = moment
        self.busy_us += use.busy_us
        self.vcpu = use.vcpu
        self.ram_mb = use.ram_mb
        self.untold = use.missing or self.untold
        for name, work in use.workloads.items():
            self.share(name, work.kind).add(work, span_ms)


class Sampler:
    """Holds the sources of one host and the interval under way."""

    def __init__(
        self, sources: list[Source], absent: list[Gap], usage: Usage, sample_s: float = 15.0
    ) -> None:
        self._sources = sources
        self._absent = absent
        self._usage = usage
        self._sample_s = sample_s
        self._interval: Interval | None = None

    def start(self) -> None:
        """Let the sources get ready; one that cannot is a gap from here on."""
        self._sources, failed = started(self._sources)
        self._absent += failed

    def ready(self) -> bool:
        """False while a source still gets ready."""
        return all(source.ready() for source in self._sources)

    def mark(self, moment: Moment) -> None:
        """Begin the first interval here: what was counted before belongs to none."""
        for source in self._sources:
            _read(source)
        self._usage.read()  # the first takes long: it asks every process what it is
        self._begin(moment, moment)

    def sample(self, moment: Moment) -> bool:
        """Read everything; True where the wall clock was stepped and the interval is to be closed."""
        interval = self._under_way()
        suspended_s = _suspended_s(interval.last, moment)
        for source in self._sources:
            result = _read(source)
            if suspended_s >= 1:
                result = Missing(f"the machine was suspended for {suspended_s:.0f} s")
            interval.accounts[source.name].add(result)
            if isinstance(result, Energy):
                self._add_gpu_use(interval, source)
        use = self._usage.read()
        if isinstance(use, HostUse):
            interval.add_use(use, moment)
        interval.stepped |= _stepped(interval.last, moment)
        interval.last = moment
        return interval.stepped

    def close(self) -> Reading | None:
        """The interval up to the last sample, not yet numbered (0), and a new one begins there.

        None where nothing is known of the CPU times so far: the interval then goes on.
        """
        interval = self._under_way()
        if interval.vcpu == 0 or interval.duration_ms < 1:
            return None
        self._begin(interval.last, interval.use_known)
        started_at, ended_at = self._labels(interval)
        busy_ms, workloads = settled(interval)
        return Reading(
            sequence=0,
            started_at=started_at,
            ended_at=ended_at,
            duration_ms=interval.duration_ms,
            vcpu=interval.vcpu,
            busy_cpu_ms=busy_ms,
            measurements=self._measurements(interval),
            gaps=self._gaps(interval),
            workloads=workloads,
            ram_mb=interval.ram_mb,
            gpus=interval.gpus,
        )

    def close_without_use(self, vcpu: int, reason: str) -> Reading | None:
        """The interval up to the last sample where nobody tells what the host's CPUs did, and why.

        What measures the host by itself is in it, and none of its workloads. None where no energy is known
        either: the interval then goes on.
        """
        interval = self._under_way()
        if interval.duration_ms < 1 or not self._measurements(interval):
            return None
        interval.vcpu, interval.busy_us, interval.shares, interval.untold = vcpu, 0, {}, reason
        return self.close()

    def stop(self) -> None:
        """Let go of the sources."""
        for source in self._sources:
            source.close()

    def _begin(self, moment: Moment, use_known: Moment) -> None:
        accounts = {source.name: Account() for source in self._sources}
        self._interval = Interval(moment, moment, accounts, use_known)

    def _add_gpu_use(self, interval: Interval, source: Source) -> None:
        interval.gpus = source.gpus() or interval.gpus
        for pid, gpu_us in source.gpu_us_by_pid().items():
            if workload := self._usage.workload_of(pid):
                share = interval.share(*workload)
                share.gpu_us = (share.gpu_us or 0) + gpu_us

    def _under_way(self) -> Interval:
        if self._interval is None:
            raise RuntimeError("mark() begins the first interval")
        return self._interval

    def _labels(self, interval: Interval) -> tuple[datetime, datetime]:
        started_at, ended_at = self._label(interval.started), self._label(interval.last)
        if interval.stepped or ended_at <= started_at:
            ended_at = started_at + timedelta(milliseconds=interval.duration_ms)
        return started_at, ended_at

    def _label(self, moment: Moment) -> datetime:
        whole_s = round(moment.wall_s / self._sample_s) * self._sample_s
        near = abs(moment.wall_s - whole_s) <= min(SNAP_S, self._sample_s / 10)
        return datetime.fromtimestamp(whole_s if near else moment.wall_s, UTC)

    def _measurements(self, interval: Interval) -> tuple[Measurement, ...]:
        return _with_idle(
            [
                _measurement(source, interval.accounts[source.name].spans)
                for source in self._sources
                if interval.accounts[source.name].whole(interval.duration_ms)
            ]
        )

    def _gaps(self, interval: Interval) -> tuple[Gap, ...]:
        failed = [
            Gap(name, _printable(account.why_not))
            for name, account in interval.accounts.items()
            if not account.whole(interval.duration_ms)
        ]
        if interval.untold:
            failed.append(Gap(WORKLOADS, _printable(interval.untold)))
        return tuple([Gap(gap.source, _printable(gap.reason)) for gap in self._absent] + failed)


def started(sources: Iterable[Source]) -> tuple[list[Source], list[Gap]]:
    """The sources that get ready now, and why others cannot."""
    usable, failed = [], []
    for source in sources:
        try:
            source.start()
        except Exception as error:
            failed.append(Gap(source.name, _reason(error)))
        else:
            usable.append(source)
    return usable, failed


def _read(source: Source) -> Energy | Missing:
    """One read; whatever goes wrong in a source is a reason."""
    try:
        return source.read()
    except Exception as error:
        return Missing(_reason(error))


def _measurement(source: Source, spans: list[Energy]) -> Measurement:
    return Measurement(
        source=source.name,
        authority=source.authority,
        boundary=source.boundary,
        quality=source.quality,
        energy_mj=sum(span.energy_mj for span in spans),
        min_mj=_sum_of_all([span.min_mj for span in spans]),
        max_mj=_sum_of_all([span.max_mj for span in spans]),
        idle_power_mw=spans[-1].idle_power_mw,
    )


def _with_idle(found: list[Measurement]) -> tuple[Measurement, ...]:
    """Sensors at the server's input do not know what it draws when idle; the model beside them does.

    Without it a machine that is hardly used would pay for all that an idle server draws.
    """
    modelled = (one for one in found if one.authority is Authority.MODEL and one.boundary in AT_INPUT)
    idle_mw = next((one.idle_power_mw for one in modelled), None)
    return tuple(
        replace(one, idle_power_mw=idle_mw) if one.idle_power_mw is None and one.boundary in AT_INPUT else one
        for one in found
    )


def _sum_of_all(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def settled(interval: Interval) -> tuple[int, tuple[Use, ...]]:
    """Busy time in milliseconds and the workloads' use, which never exceeds it.

    A workload that used nothing is told only where something is set aside for it, or was stolen from it.
    """
    total_us = sum(share.cpu_us for share in interval.shares.values())
    capacity_us = interval.duration_ms * 1000 * interval.vcpu
    busy_us = max(interval.busy_us, min(total_us, capacity_us))
    kept_us = min(total_us, busy_us)
    uses = []
    for name, share in sorted(interval.shares.items()):
        cpu_ms = share.cpu_us * kept_us // total_us // 1000 if total_us else 0
        use = share.use(name, cpu_ms, interval.duration_ms)
        if cpu_ms or use.reserved_mcpu or use.reserved_mb or use.gpu_ms or use.steal_ms:
            uses.append(use)
    return -(-busy_us // 1000), tuple(uses)


Amount = TypeVar("Amount", int, float)


def _more(known: Amount | None, more: Amount | None) -> Amount | None:
    if known is None or more is None:
        return more if known is None else known
    return known + more


def _times(amount: int | None, span_ms: float) -> float | None:
    return None if amount is None else amount * span_ms


def _mean(amount_ms: float | None, duration_ms: int) -> int | None:
    return None if amount_ms is None else round(amount_ms / duration_ms)


def _stepped(before: Moment, now: Moment) -> bool:
    return abs((now.wall_s - before.wall_s) - (now.monotonic_s - before.monotonic_s)) > STEP_S


def _suspended_s(before: Moment, now: Moment) -> float:
    return (now.boot_s - before.boot_s) - (now.monotonic_s - before.monotonic_s)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST_REASON] or "unknown"
