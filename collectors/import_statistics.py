"""`python -m collectors.import_statistics`: hosts of a vCenter for a time that is past, from two exports.

    python -m collectors.import_statistics --config /etc/console-inr/collector.toml \
        --inventory export.xlsx --statistics statistics.csv --site tls

The inventory is an export of RVTools (`collectors/rvtools_files.py`), the statistics are those of PowerCLI
(`collectors/statistics_files.py`). Energy of hosts that have `power.power.average` or
`power.energy.summation` is `declared`; that of all is modelled as well, by processor and load. Statistics of
a machine do not say where it ran: all its time counts on the host that the inventory has it on.

A stream and its sequence are born of the host and the time, so importing the same again changes nothing; and
the console takes no time of a host that an agent has told of already. What is older than it keeps readings
comes into its quarantine.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from collectors.agent import Pace
from collectors.configuration import BadConfiguration, load
from collectors.delivery import NotTaken, deliver
from collectors.host_view import HostView, ModelledPower, PlatformPower
from collectors.instrument import Energy, Missing
from collectors.reading import HOST, Facts, Quality, Reading
from collectors.rvtools_files import BadExport, Export, HostRow, MachineRow, read_export
from collectors.sampler import Moment, Sampler
from collectors.sender import Console
from collectors.statistics_files import (
    ENERGY,
    POWER,
    READY,
    USAGE,
    USED,
    BadStatistics,
    Span,
    Statistics,
    read_statistics,
)
from collectors.virtual import EXTRA_THREADS, Guest, HostSpan, Names

log = logging.getLogger("collectors")

AGENT = "import of statistics"
INTERVAL_S = 300.0


class DeclaredPower(PlatformPower):
    """What the platform measured, as an export declares it."""

    name = "statistics"
    quality = Quality.DECLARED


def main(arguments: list[str] | None = None) -> int:
    """Import; the exit status: 0, 1 where the console did not take it all, 2 where the files are wrong."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    options = _parser().parse_args(arguments)
    try:
        asked = load(options.config)
        export, statistics = read_export(options.inventory), read_statistics(options.statistics)
        told = readings(export, statistics, options.site)
        console = Console(asked.console.url, asked.console.token_file, asked.console.ca_file)
    except (BadConfiguration, BadExport, BadStatistics, OSError) as reason:
        log.error("%s", reason)
        return 2
    for counter, count in sorted(statistics.passed_over.items()):
        log.info("%d rows of %s are not used", count, counter)
    try:
        for host, (facts, of_host) in told.items():
            deliver(console, AGENT, host, "statistics", facts, of_host)
    except NotTaken as reason:
        log.error("%s; import again: what was taken does not count twice", reason)
        return 1
    return 0


def readings(
    export: Export, statistics: Statistics, site: str | None
) -> dict[str, tuple[Facts, list[Reading]]]:
    """The readings of each host over the time of the statistics; raises `BadStatistics`."""
    spans: defaultdict[Span, dict[str, HostSpan]] = defaultdict(dict)
    replays: dict[str, Replay] = {}
    for host in export.hosts:
        usage = statistics.of([host.name], USAGE)
        _apart(host.name, sorted(usage))
        if usage and not HOST.fullmatch(host.name.lower()):
            raise BadStatistics(f"{host.name!r} is not a name that the console takes")
        here = [machine for machine in export.machines if machine.host == host.name]
        facts = Facts(site, host.cluster, host.cpu_model, host.sockets or None, host.ram_mb or None)
        for span in usage:
            spans[span][host.name] = _host_span(host, here, facts, statistics, span)
            replays.setdefault(host.name, Replay(host.name.lower(), facts))
    if not spans:
        raise BadStatistics(f"no host of the inventory has {USAGE}")
    names = Names()
    for span in sorted(spans):
        for name, told in names.told_apart(spans[span], span.end_s).items():
            replays[name].take(span, told)
    return {replay.host: (replay.facts, replay.finished()) for replay in replays.values()}


class Replay:
    """Samples one host at the times of its statistics, as an agent would have."""

    def __init__(self, host: str, facts: Facts) -> None:
        self.host = host
        self.facts = facts
        self._readings: list[Reading] = []
        self._view = HostView(0.0)
        self._sampler: Sampler | None = None
        self._closed_s = self._last_s = 0.0

    def take(self, span: Span, told: HostSpan | Missing) -> None:
        """The next span; one that does not follow the last begins a new interval."""
        sampler = self._sampler
        if sampler is None or span.start_s != self._last_s:
            self._close()
            sampler = self._begun(span)
        self._view.take(told, span.end_s)
        sampler.sample(_moment(span.end_s))
        self._last_s = span.end_s
        if Pace(span.length_s, max(INTERVAL_S, span.length_s)).closes(self._closed_s, span.end_s):
            self._close()

    def finished(self) -> list[Reading]:
        """All readings, each numbered by its start."""
        self._close()
        return [
            replace(reading, sequence=round(reading.started_at.timestamp())) for reading in self._readings
        ]

    def _begun(self, span: Span) -> Sampler:
        self._view = HostView(span.start_s)
        sources = [DeclaredPower(self._view), ModelledPower(self._view)]
        self._sampler = Sampler(sources, [], self._view, span.length_s)
        self._sampler.mark(_moment(span.start_s))
        self._closed_s = span.start_s
        return self._sampler

    def _close(self) -> None:
        reading = self._sampler.close() if self._sampler else None
        if reading is not None:
            self._readings.append(reading)
            self._closed_s = self._last_s


def _moment(second: float) -> Moment:
    return Moment(second, second, second)


def _apart(name: str, spans: Sequence[Span]) -> None:
    for before, after in pairwise(spans):
        if after.start_s < before.end_s:
            raise BadStatistics(
                f"{name}: samples of {before.length_s} s and {after.length_s} s overlap at {after.end_s}; "
                "export one interval"
            )


def _host_span(
    host: HostRow, machines: Sequence[MachineRow], facts: Facts, statistics: Statistics, span: Span
) -> HostSpan:
    load = min(statistics.of([host.name], USAGE)[span] / 100, 1.0)
    return HostSpan(
        covered_us=span.length_s * 1_000_000,
        vcpu=host.vcpu,
        busy_us=round(load * host.cores * span.length_s * 1e6),
        guests=tuple(_guests(machines, statistics, span)),
        facts=facts,
        load=load,
        cores=host.cores,
        energy=_energy(host, statistics, span),
    )


def _guests(machines: Sequence[MachineRow], statistics: Statistics, span: Span) -> Iterator[Guest]:
    for machine in machines:
        names = [machine.key, machine.name]
        used_ms = statistics.of(names, USED).get(span)
        usage = statistics.of(names, USAGE).get(span)
        ready_ms = statistics.of(names, READY).get(span)
        cpu_us = None
        if used_ms is not None:
            cpu_us = round(used_ms * 1000)
        elif usage is not None:
            cpu_us = round(usage / 100 * machine.vcpu * span.length_s * 1e6)
        missing = "no statistics of it" if cpu_us is None else None
        if cpu_us is not None and cpu_us > (machine.vcpu + EXTRA_THREADS) * span.length_s * 1_000_000:
            cpu_us, missing = None, "more CPU time than its vCPUs can have used"
        yield Guest(
            name=machine.name,
            uid=machine.uid,
            mark=(machine.uid or machine.key or machine.host)[:8],
            vcpu=max(machine.vcpu, 1),
            cpu_us=cpu_us,
            ram_mb=machine.ram_mb,
            steal_us=None if ready_ms is None else round(ready_ms * 1000),
            missing=missing,
        )


def _energy(host: HostRow, statistics: Statistics, span: Span) -> Energy | None:
    joules = statistics.of([host.name], ENERGY).get(span)
    watts = statistics.of([host.name], POWER).get(span)
    if joules:  # 0 is what a host without a sensor is told with
        return Energy(round(joules * 1000), span.length_s * 1000)
    if watts:
        return Energy(round(watts * span.length_s * 1000), span.length_s * 1000)
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m collectors.import_statistics",
        description="Tells the console of the hosts of a vCenter for a past time, from an export of RVTools "
        "and one of performance statistics.",
    )
    add = parser.add_argument
    add("--config", type=Path, required=True, help="configuration of an agent: its [console] is used")
    add("--inventory", type=Path, required=True, help="RVTools: a workbook, or a folder of CSV files")
    add("--statistics", type=Path, required=True, help="PowerCLI: a CSV file of Get-Stat")
    add("--site", help="code of the site that the hosts stand in")
    return parser


if __name__ == "__main__":
    sys.exit(main())
