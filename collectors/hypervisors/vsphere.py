"""vSphere: the hosts of a vCenter, or one ESXi host, and their virtual machines, by pyvmomi.

    [[hypervisors]]
    kind = "vsphere"
    address = "vcenter.example"
    user = "console@vsphere.local"
    password_file = "/etc/console-inr/vcenter.password"
    ca_file = "/etc/console-inr/vcenter-ca.pem"      # default: the authorities of the system
    cluster = "PROD"                                 # only its hosts; default: all
    site = "tls"

Needs the role "Read-only" on the vCenter with propagation (System.Read, System.View); the performance
counters are read with it as well. The certificate is verified; there is no way to leave that out.

Once a minute it asks for the inventory, page by page, and for the samples of 20 s that hosts keep for an hour
(`QueryPerf`, 50 entities a call):

    host  cpu.usage.average (of its cores' capacity, in hundredths of a percent)
          power.energy.summation (J), else power.power.average (W)
    VM    cpu.used.summation (ms), else cpu.usage.average of its vCPUs; cpu.ready.summation (ms)

A sample counts once, by its own time, 20 s after it at least: later ones are not complete yet. So shares are
of a minute that ended up to a minute ago, and what the platform measured is of just the same time. Each
window is as long as the time since the last one, however the agent is early or late: on the edge of a sample
it would be of 40 s now and of 80 s then, and none would be of the agent's minute.

Ready is what a machine waited for a CPU, and no use. A machine that moved is told on the host where it is
now, with the samples that this host has of it; the rest of the minute stays unattributed on the host that it
left.

Used time is weighed by frequency and by what shares the core (turbo counts more, a busy sibling thread less);
that of the host is of the same kind, so shares are right, and its load is of its cores. A machine reserves
its vCPUs: a reservation in MHz is a guarantee within them, and who has none would pay less beside it.
"""

from __future__ import annotations

import ssl
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from collectors.instrument import Energy, Missing, SecretFile
from collectors.reading import Facts
from collectors.virtual import (
    BELIEVED,
    FIRST_READ,
    TOO_MUCH,
    Guest,
    HostSpan,
    Hypervisor,
    Unreachable,
    most_cpu_us,
)

VERSION = "vim.version.version11"
"""Of vSphere 6.5: it has all that is asked here, and later ones answer it."""
SAMPLE_S = 20
LATE_S = 20
"""How long a sample may take to come."""
CLEAR_S = 5
"""How far a first window stays away from a sample that may be late."""
LATEST_S = LATE_S + 2 * SAMPLE_S
"""How old a window may become by clocks that drift apart."""
MOST_BEHIND_S = 600
"""How far back samples are asked for after a silence."""
ENTITIES_A_CALL = 50
OBJECTS_A_PAGE = 1000
MOST_OBJECTS = 50_000
MEBIBYTE = 1024 * 1024
USAGE, ENERGY, POWER = "cpu.usage.average", "power.energy.summation", "power.power.average"
USED, READY = "cpu.used.summation", "cpu.ready.summation"
OF_HOST, OF_MACHINE = (USAGE, ENERGY, POWER), (USED, USAGE, READY)
WHOLE = 10_000
"""A usage of 100 %."""

Samples = Mapping[tuple[str, str], Mapping[int, int]]
"""By entity and counter, the value of the 20 s that end at a time (seconds since 1970)."""


@dataclass(frozen=True, slots=True)
class VsphereSettings:
    """The vCenter, or the ESXi host, and whom to ask it as."""

    address: str
    user: str
    password_file: SecretFile
    ca_file: Path | None = None
    cluster: str | None = None
    site: str | None = None
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        host, _, port = self.address.partition(":")
        if not host or "/" in self.address or (port and not port.isdecimal()):
            raise ValueError("address: a host and perhaps a port is expected, such as vcenter.example:443")
        if not 1 <= self.timeout_seconds <= 300:
            raise ValueError("timeout_seconds: from 1 to 300")


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the inventory; `answers` is False while vCenter has no connection to it."""

    key: str
    name: str
    answers: bool
    cores: int
    vcpu: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine that is on, and the key of the host it is on now."""

    key: str
    host: str
    name: str
    uid: str | None
    vcpu: int
    ram_mb: int


class Vsphere(Hypervisor):
    """All hosts behind one address, over one session.

    Samples up to `told_until_s` (seconds since 1970, on the clock of the server) were told.
    """

    name = "vsphere"
    settings = VsphereSettings
    every_s = 60.0
    tells_power = True

    def __init__(self, settings: VsphereSettings) -> None:
        self._settings = settings
        self._service: Any = None
        self._counters: dict[str, int] = {}
        self._told: set[str] = set()
        self._told_s = 0.0
        self.told_until_s = 0

    def available(self) -> str | None:
        if find_spec("pyVmomi") is None:
            return "not installed: pyvmomi, the extra 'vsphere' of the wheel"
        try:
            self._settings.password_file.read()
        except OSError as error:
            return f"{self._settings.password_file.path}: {error.strerror}"
        return None

    def read(self) -> Mapping[str, HostSpan | Missing]:
        from pyVmomi import vmodl

        try:
            return self._read()
        except vmodl.MethodFault as fault:
            self.close()
            raise Unreachable(f"{self._settings.address}: {fault.msg or type(fault).__name__}") from None
        except (OSError, HTTPException) as error:
            self.close()
            raise Unreachable(f"{self._settings.address}: {error or type(error).__name__}") from None

    def close(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            with suppress(Exception):  # the session is given up whatever the answer
                service.content.sessionManager.Logout()
            service._GetStub().DropConnections()

    def _read(self) -> dict[str, HostSpan | Missing]:
        asked_s = time.monotonic()
        service = self._connected()
        content = service.RetrieveContent()
        until_s = window_end(service.CurrentTime(), self.told_until_s, asked_s - self._told_s)
        since_s = max(self.told_until_s, until_s - MOST_BEHIND_S)
        hosts, machines = inventory(_objects(content), self._settings.site)
        if self._settings.cluster is not None:
            hosts = [host for host in hosts if host.facts.cluster == self._settings.cluster]
        known = [host for host in hosts if host.answers and host.name in self._told]
        keys = {host.key for host in known}
        machines = [machine for machine in machines if machine.host in keys]
        told: dict[str, HostSpan | Missing] = dict.fromkeys((host.name for host in hosts), FIRST_READ)
        told |= {host.name: Missing("vCenter has no connection to it") for host in hosts if not host.answers}
        if known and since_s < until_s:
            samples = self._samples(content.perfManager, known, machines, since_s, until_s)
            told |= spans(known, machines, samples)
        elif known:
            told |= dict.fromkeys((host.name for host in known), Missing("no sample is complete since"))
        self._told = {host.name for host in hosts if host.answers}
        self._told_s, self.told_until_s = asked_s, until_s
        return told

    def _connected(self) -> Any:
        if self._service is None:
            self._service = self._signed_in()
            counters = self._service.RetrieveContent().perfManager.perfCounter
            self._counters = {_counter_name(counter): counter.key for counter in counters}
        return self._service

    def _signed_in(self) -> Any:
        """A session; the version of the API is stated and not asked for, so that every call has a timeout."""
        from pyVmomi import SoapStubAdapter, vim

        host, _, port = self._settings.address.partition(":")
        ca_file = self._settings.ca_file
        stub = SoapStubAdapter(
            host=host,
            port=int(port or 443),
            version=VERSION,
            sslContext=ssl.create_default_context(cafile=None if ca_file is None else str(ca_file)),
            httpConnectionTimeout=self._settings.timeout_seconds,
        )
        service: Any = vim.ServiceInstance("ServiceInstance", stub)
        try:
            password = self._settings.password_file.read()
            service.content.sessionManager.Login(self._settings.user, password, None)
        except BaseException:
            stub.DropConnections()
            raise
        return service

    def _samples(
        self,
        performance: Any,
        hosts: Sequence[Host],
        machines: Sequence[Machine],
        since_s: int,
        until_s: int,
    ) -> Samples:
        """The samples of `(since, until]` of the hosts and machines, by entity and counter."""
        from pyVmomi import vim

        stub = performance._GetStub()
        entities = [(vim.HostSystem(host.key, stub), OF_HOST) for host in hosts]
        entities += [(vim.VirtualMachine(machine.key, stub), OF_MACHINE) for machine in machines]
        names = {number: name for name, number in self._counters.items()}
        window = {
            "intervalId": SAMPLE_S,
            "startTime": datetime.fromtimestamp(since_s, UTC),
            "endTime": datetime.fromtimestamp(until_s, UTC),
            "maxSample": (until_s - since_s) // SAMPLE_S + 1,
            "format": "normal",
        }
        samples: dict[tuple[str, str], dict[int, int]] = {}
        for some in _portions(entities, ENTITIES_A_CALL):
            asked = [
                vim.PerformanceManager.QuerySpec(entity=entity, metricId=self._metrics(wanted), **window)
                for entity, wanted in some
            ]
            for answer in performance.QueryPerf(asked):
                for name, series in _series(answer, names, since_s, until_s):
                    samples[answer.entity._GetMoId(), name] = series
        return samples

    def _metrics(self, wanted: Iterable[str]) -> list[Any]:
        from pyVmomi import vim

        known = (self._counters[name] for name in wanted if name in self._counters)
        return [vim.PerformanceManager.MetricId(counterId=number, instance="") for number in known]


def window_end(now: datetime, before_s: int = 0, elapsed_s: float = 0.0) -> int:
    """The end of the next window, on the clock of the server, so long after that of the window `before_s`.

    The end of the last sample that is clearly complete by now, where that has no sample yet, or is long past.
    """
    now_s = now.timestamp()
    wanted_s = before_s + round(elapsed_s / SAMPLE_S) * SAMPLE_S
    if LATE_S <= now_s - wanted_s < LATEST_S:
        return wanted_s
    return int(now_s - LATE_S - CLEAR_S) // SAMPLE_S * SAMPLE_S


def spans(
    hosts: Iterable[Host], machines: Sequence[Machine], samples: Samples
) -> dict[str, HostSpan | Missing]:
    """What each host did in its samples; those of its machines count at the same times only."""
    told: dict[str, HostSpan | Missing] = {}
    on_host: defaultdict[str, list[Machine]] = defaultdict(list)
    for machine in machines:
        on_host[machine.host].append(machine)
    for host in hosts:
        usage = samples.get((host.key, USAGE), {})
        if not usage:
            told[host.name] = Missing("no sample of it is complete")
            continue
        told[host.name] = HostSpan(
            covered_us=len(usage) * SAMPLE_S * 1_000_000,
            vcpu=host.vcpu,
            busy_us=_usage_us(usage.values(), host.cores),
            guests=tuple(_guest(machine, samples, usage.keys()) for machine in on_host[host.key]),
            facts=host.facts,
            load=sum(usage.values()) / (WHOLE * len(usage)),
            cores=host.cores,
            energy=_energy(host.key, samples, usage.keys()),
        )
    return told


def _guest(machine: Machine, samples: Samples, times: Iterable[int]) -> Guest:
    def at_times(name: str) -> dict[int, int]:
        series = samples.get((machine.key, name), {})
        return {time_s: series[time_s] for time_s in times if time_s in series}

    used, usage, ready = at_times(USED), at_times(USAGE), at_times(READY)
    cpu_us: int | None = sum(used.values()) * 1000 if used else _usage_us(usage.values(), machine.vcpu)
    seen_us = max(len(used), len(usage)) * SAMPLE_S * 1_000_000
    missing = None
    if not seen_us:
        cpu_us, missing = None, "no sample of it on this host"
    elif cpu_us is not None and cpu_us > BELIEVED * most_cpu_us(machine.vcpu, seen_us):  # turbo counts more
        cpu_us, missing = None, TOO_MUCH
    return Guest(
        name=machine.name,
        uid=machine.uid,
        mark=(machine.uid or machine.key)[:8],
        vcpu=machine.vcpu,
        cpu_us=cpu_us,
        ram_mb=machine.ram_mb,
        steal_us=sum(ready.values()) * 1000 if ready else None,
        missing=missing,
    )


def _energy(key: str, samples: Samples, times: Iterable[int]) -> Energy | Missing | None:
    """What the platform measured over all these samples, or over none."""
    wanted = set(times)
    duration_ms = len(wanted) * SAMPLE_S * 1000
    energy_j, power_w = _drawn(samples.get((key, ENERGY), {})), _drawn(samples.get((key, POWER), {}))
    if wanted <= energy_j.keys():
        return Energy(sum(energy_j[time_s] for time_s in wanted) * 1000, duration_ms)
    if wanted <= power_w.keys():
        return Energy(sum(power_w[time_s] for time_s in wanted) * SAMPLE_S * 1000, duration_ms)
    if energy_j or power_w:
        return Missing("the platform lacks samples of the power of this host")
    return None


def _drawn(series: Mapping[int, int]) -> dict[int, int]:
    """Without 0: a host that runs draws something, and one without a sensor is told with 0."""
    return {time_s: value for time_s, value in series.items() if value > 0}


def _usage_us(usage: Iterable[int], cpus: int) -> int:
    return sum(value * cpus * SAMPLE_S * 1_000_000 // WHOLE for value in usage)


def _series(
    answer: Any, names: Mapping[int, str], since_s: int, until_s: int
) -> Iterator[tuple[str, dict[int, int]]]:
    """The series of one entity, without what lies outside the window or was not measured (below 0)."""
    times = [round(sample.timestamp.timestamp()) for sample in answer.sampleInfo]
    for series in answer.value:
        values = {
            time_s: int(value)
            for time_s, value in zip(times, series.value, strict=False)
            if since_s < time_s <= until_s and value >= 0
        }
        if series.id.counterId in names:
            yield names[series.id.counterId], values


def _counter_name(counter: Any) -> str:
    return f"{counter.groupInfo.key}.{counter.nameInfo.key}.{counter.rollupType}"


def _portions(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _objects(content: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Hosts, virtual machines and clusters with the properties asked for, page by page."""
    from pyVmomi import vim, vmodl

    wanted = {
        vim.HostSystem: ["name", "parent", "runtime.connectionState", "summary.hardware"],
        vim.ComputeResource: ["name"],
        vim.VirtualMachine: [
            "name",
            "config.instanceUuid",
            "config.template",
            "config.hardware.numCPU",
            "config.hardware.memoryMB",
            "runtime.host",
            "runtime.powerState",
        ],
    }
    collector = vmodl.query.PropertyCollector
    view = content.viewManager.CreateContainerView(content.rootFolder, list(wanted), True)
    try:
        through = collector.TraversalSpec(name="view", path="view", skip=False, type=type(view))
        asked = collector.FilterSpec(
            objectSet=[collector.ObjectSpec(obj=view, skip=True, selectSet=[through])],
            propSet=[collector.PropertySpec(type=kind, pathSet=paths) for kind, paths in wanted.items()],
        )
        limit = collector.RetrieveOptions(maxObjects=OBJECTS_A_PAGE)
        page, read = content.propertyCollector.RetrievePropertiesEx([asked], limit), 0
        while page:
            for item in page.objects:
                yield item.obj, {found.name: found.val for found in item.propSet}
            read += len(page.objects)
            if not page.token or read >= MOST_OBJECTS:
                return
            page = content.propertyCollector.ContinueRetrievePropertiesEx(page.token)
    finally:
        view.DestroyView()


def inventory(
    objects: Iterable[tuple[Any, Mapping[str, Any]]], site: str | None
) -> tuple[list[Host], list[Machine]]:
    """The hosts, and the machines that are on."""
    from pyVmomi import vim

    hosts, machines, clusters = [], [], {}
    for entity, found in objects:
        if isinstance(entity, vim.HostSystem) and "summary.hardware" in found:
            hosts.append((entity, found))
        elif isinstance(entity, vim.VirtualMachine) and _is_on(found):
            machines.append(_machine(entity, found))
        elif isinstance(entity, vim.ClusterComputeResource):
            clusters[entity._GetMoId()] = str(found["name"])
    return [_host(entity, found, clusters, site) for entity, found in hosts], machines


def _is_on(found: Mapping[str, Any]) -> bool:
    template = found.get("config.template", False)
    return found.get("runtime.powerState") == "poweredOn" and not template and "runtime.host" in found


def _machine(entity: Any, found: Mapping[str, Any]) -> Machine:
    return Machine(
        key=entity._GetMoId(),
        host=found["runtime.host"]._GetMoId(),
        name=unquote(str(found.get("name") or entity._GetMoId())),
        uid=found.get("config.instanceUuid"),
        vcpu=int(found.get("config.hardware.numCPU") or 1),
        ram_mb=int(found.get("config.hardware.memoryMB") or 0),
    )


def _host(entity: Any, found: Mapping[str, Any], clusters: Mapping[str, str], site: str | None) -> Host:
    hardware = found["summary.hardware"]
    return Host(
        key=entity._GetMoId(),
        name=str(found["name"]),
        answers=found.get("runtime.connectionState") == "connected",
        cores=int(hardware.numCpuCores),
        vcpu=int(hardware.numCpuThreads),
        facts=Facts(
            site=site,
            cluster=clusters.get(found["parent"]._GetMoId()) if "parent" in found else None,
            cpu_model=" ".join(str(hardware.cpuModel).split()) or None,
            sockets=int(hardware.numCpuPkgs) or None,
            ram_mb=int(hardware.memorySize) // MEBIBYTE,
        ),
    )
