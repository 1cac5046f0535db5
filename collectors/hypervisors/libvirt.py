"""libvirt: the machines of one KVM host (or of another hypervisor that libvirt drives), by its own library.

    [[hypervisors]]
    kind = "libvirt"
    uri = "qemu:///system"        # or qemu+tls://host/system, qemu+ssh://user@host/system
    host = "kvm-03"               # its name in the console; default: as libvirt calls it
    cluster = "prod"              # the hosts among which machines move
    site = "tls"

Another host is asked over TLS or SSH only, and verified: `qemu+tcp://`, and what turns the check of a
certificate or of a host key off (`no_verify`, `known_hosts_verify`, `transport=http`), is refused.

The connection is read-only: it can change nothing, and needs no more than the group `libvirt`, or what polkit
grants as `org.libvirt.unix.monitor`. The library is the system's own (`python3-libvirt`, in a virtual
environment made with `--system-site-packages`) or the extra `libvirt` of the wheel, which compiles it.
The program `virsh` would need less, but prints for people: its texts follow the language and the version.

What is read, in one call for all machines: the CPU time of each (`cpu.time`, nanoseconds, cumulative, with
its emulator's threads), its vCPUs, its memory, and the time that its vCPUs waited to run (`vcpu.N.delay`,
where libvirt tells it): that is steal, and no use. Where the driver has no statistics, each machine is asked
by itself. The host's own busy time is that of its kernel: user + kernel.

CPU time begins at 0 with each start of a machine, on the host where it starts or arrives: a machine whose
number (`id`) has changed runs anew. One that is paused is told only for what it used before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from collectors import machine
from collectors.instrument import Missing
from collectors.reading import Facts
from collectors.virtual import FIRST_READ, Counted, Guest, HostSpan, Hypervisor, Spent, Unreachable, spent

PROCESSOR = re.compile(r"<processor>.*?<entry name='version'>([^<]{1,120})</entry>", re.DOTALL)
CAPABLE = re.compile(
    r"<host>.*?<cpu>.*?<model>([^<]{1,60})</model>\s*<vendor>([^<]{1,30})</vendor>.*?</cpu>", re.DOTALL
)
SIBLINGS = re.compile(r"<cpu [^>]*\bsiblings='([0-9,-]{1,200})'")
STATE_RUNNING, STATE_BLOCKED, STATE_PAUSED, STATE_STOPPING = 1, 2, 3, 4
RUNS = frozenset({STATE_RUNNING, STATE_BLOCKED, STATE_STOPPING})
TRANSPORTS = ("", "unix", "tls", "ssh", "libssh", "libssh2")
"""How libvirt may be reached: on this machine, or encrypted; without one, a host is asked over TLS."""
UNVERIFIED = {"no_verify": ("", "0"), "known_hosts_verify": ("normal",), "transport": ("https",)}
"""Parameters of an address that may turn a check off, and the values that leave it on."""


@dataclass(frozen=True, slots=True)
class LibvirtSettings:
    """Where libvirt is, and how its host is called here."""

    uri: str = "qemu:///system"
    host: str | None = None
    cluster: str | None = None
    site: str | None = None

    def __post_init__(self) -> None:
        if reason := _unsafe(self.uri):
            raise ValueError(f"uri: {reason}")


@dataclass(frozen=True, slots=True)
class Domain:
    """A machine as libvirt shows it at one moment."""

    name: str
    uid: str
    state: int
    vcpu: int
    ram_mb: int
    counted: Counted


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one host has counted up to one moment, on the monotonic clock; the call began at `asked_s`."""

    asked_s: float
    at_s: float
    busy_us: int
    domains: Mapping[str, Domain]


def _unsafe(uri: str) -> str | None:
    """Why an address is none, or would be asked without knowing who answers."""
    address = urlsplit(uri)
    if not address.scheme or "://" not in uri:
        return "an address such as qemu:///system or qemu+tls://host/system is expected"
    transport = address.scheme.partition("+")[2]
    if transport not in TRANSPORTS:
        return f"{transport!r} is neither encrypted nor verified: qemu+tls:// or qemu+ssh:// is expected"
    if address.password:
        return "an address holds no password"
    for name, value in parse_qsl(address.query, keep_blank_values=True):
        if value not in UNVERIFIED.get(name.lower(), (value,)):
            return f"{name}={value} would leave out who answers; the host is always verified"
    return None


class Libvirt(Hypervisor):
    """One host and its machines, over one connection."""

    name = "libvirt"
    settings = LibvirtSettings

    def __init__(self, settings: LibvirtSettings) -> None:
        self._settings = settings
        self._connection: Any = None
        self._host = settings.host
        self._facts = Facts(settings.site, settings.cluster)
        self._vcpu = 0
        self._cores: int | None = None
        self._last: Snapshot | None = None

    @classmethod
    def is_here(cls, settings: object) -> bool:
        return isinstance(settings, LibvirtSettings) and not urlsplit(settings.uri).netloc

    def available(self) -> str | None:
        if find_spec("libvirt") is None:
            return "not installed: apt install python3-libvirt, or the extra 'libvirt' of the wheel"
        return None

    def read(self) -> Mapping[str, HostSpan | Missing]:
        import libvirt

        try:
            connection = self._connected()
            asked_s = time.monotonic()
            busy_us = _busy_us(connection)
            domains = {domain.uid: domain for domain in _domains(connection)}
            now = Snapshot(asked_s, time.monotonic(), busy_us, domains)
        except libvirt.libvirtError as error:
            self.close()
            raise Unreachable(f"{self._settings.uri}: {error}") from None
        before, self._last = self._last, now
        return {str(self._host): self._span(before, now)}

    def close(self) -> None:
        import libvirt

        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except libvirt.libvirtError:
                return

    def _connected(self) -> Any:
        import libvirt

        if self._connection is None or not self._connection.isAlive():
            libvirt.registerErrorHandler(lambda *_: None, None)  # errors are raised: nothing on stderr
            self._connection = libvirt.openReadOnly(self._settings.uri)
            self._describe(self._connection)
        return self._connection

    def _describe(self, connection: Any) -> None:
        """What the host is made of; asked once a connection."""
        _, ram_mb, vcpu, _, nodes, sockets, _, _ = connection.getInfo()
        self._host = self._host or connection.getHostname()
        self._vcpu = vcpu
        self._cores = _cores(connection, self._settings.uri)
        self._facts = Facts(
            self._settings.site,
            self._settings.cluster,
            _cpu_model(connection, self._settings.uri),
            nodes * sockets,
            ram_mb,
        )

    def _span(self, before: Snapshot | None, now: Snapshot) -> HostSpan | Missing:
        if before is None:
            return FIRST_READ
        if now.busy_us < before.busy_us:
            return Missing("the CPU times of the host began again")
        longest_us = round((now.at_s - before.asked_s) * 1e6)
        guests = (
            guest_of(before.domains.get(domain.uid), domain, longest_us) for domain in now.domains.values()
        )
        return HostSpan(
            covered_us=round((now.asked_s - before.asked_s) * 1e6),
            vcpu=self._vcpu,
            busy_us=now.busy_us - before.busy_us,
            guests=tuple(guest for guest in guests if guest),
            facts=self._facts,
            cores=self._cores,
        )


def _busy_us(connection: Any) -> int:
    stats = connection.getCPUStats(-1)
    return int(stats["user"] + stats["kernel"]) // 1000


def _domains(connection: Any) -> Iterator[Domain]:
    """The machines that are there; one that vanishes meanwhile is not."""
    import libvirt

    wanted = (
        libvirt.VIR_DOMAIN_STATS_STATE
        | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
        | libvirt.VIR_DOMAIN_STATS_VCPU
        | libvirt.VIR_DOMAIN_STATS_BALLOON
    )
    active = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
    for domain, stats in connection.getAllDomainStats(wanted, active):
        try:
            yield domain_of(domain, stats)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise


def domain_of(domain: Any, stats: Mapping[str, Any]) -> Domain:
    if "cpu.time" in stats and "vcpu.current" in stats and "balloon.maximum" in stats:
        state, vcpu = stats["state.state"], stats["vcpu.current"]
        ram_kib, cpu_ns = stats["balloon.maximum"], stats["cpu.time"]
    else:
        state, ram_kib, _, vcpu, cpu_ns = domain.info()
    counted = Counted(epoch=str(domain.ID()), cpu_us=cpu_ns // 1000, steal_us=_steal_us(stats))
    return Domain(domain.name(), domain.UUIDString(), state, vcpu, ram_kib // 1024, counted)


def _steal_us(stats: Mapping[str, Any]) -> int | None:
    delays_ns = [ns for key, ns in stats.items() if key.startswith("vcpu.") and key.endswith(".delay")]
    return sum(delays_ns) // 1000 if delays_ns else None


def guest_of(before: Domain | None, now: Domain, longest_us: int) -> Guest | None:
    """What a machine used in so long at most; None for one that neither runs nor used anything."""
    used = spent(before.counted if before else None, now.counted, now.vcpu, longest_us)
    if now.state not in RUNS and not (isinstance(used, Spent) and used.cpu_us):
        return None
    return Guest(
        name=now.name,
        uid=now.uid,
        mark=now.uid[:8],
        vcpu=now.vcpu,
        cpu_us=used.cpu_us if isinstance(used, Spent) else None,
        ram_mb=now.ram_mb,
        steal_us=used.steal_us if isinstance(used, Spent) else None,
        missing=used.reason if isinstance(used, Missing) else None,
    )


def _is_own_kvm(uri: str) -> bool:
    """Whether the kernel of this machine is that of the host."""
    address = urlsplit(uri)
    return address.scheme.startswith("qemu") and not address.netloc


def _cpu_model(connection: Any, uri: str) -> str | None:
    """As the kernel names the processor of this machine, or the firmware or libvirt that of another.

    None where libvirt may not or cannot say.
    """
    import libvirt

    if _is_own_kvm(uri):
        return machine.facts(Path("/proc")).cpu_model
    try:
        if named := PROCESSOR.search(connection.getSysinfo()):
            return " ".join(named[1].split())
    except libvirt.libvirtError:  # no firmware to ask, or no right to
        pass
    return model_of(connection.getCapabilities())


def model_of(capabilities: str) -> str | None:
    """The processor that libvirt takes its host for, as a virtual one is named; None where it has no name.

    `Skylake-Server-IBRS` of Intel is `Intel Processor (Skylake)`, `EPYC-Milan` is `AMD EPYC-Milan`.
    """
    found = CAPABLE.search(capabilities)
    if found is None:
        return None
    model, vendor = found[1], found[2]
    return f"{vendor} {model}" if model.startswith("EPYC") else f"{vendor} Processor ({model.split('-')[0]})"


def _cores(connection: Any, uri: str) -> int | None:
    if _is_own_kvm(uri):
        return machine.cores(Path("/proc"))
    return cores_of(connection.getCapabilities())


def cores_of(capabilities: str) -> int | None:
    """How many cores the logical CPUs of a host are of: siblings share one; None where that is not told."""
    return len(set(SIBLINGS.findall(capabilities))) or None
