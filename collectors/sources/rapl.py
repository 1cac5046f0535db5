"""RAPL: the energy counters of Intel and AMD processors, as Linux shows them under powercap.

Reads `energy_uj` of each zone under the powercap root (by default `/sys/class/powercap`). The kernel lets
root alone read it (mode 0400 since 2020): run the agent as root, or grant the file to its user.

What is added: each package and its DRAM; or psys alone where there is no package. Core and uncore are inside
their package. A package that the kernel shows twice is one counter: `intel-rapl-mmio` mirrors `intel-rapl`;
and AMD and Hygon keep one counter per package, which kernels with one zone per die repeat
(`package-0-die-0`, `package-0-die-1`), while on Intel each die has its own. Near-equal values prove nothing
and are not compared.

What a pair of reads is worth: see `collectors.counter`. A socket is believed up to 1 500 W; a host that can
draw more says so (`socket_limit_w` of `[sources.rapl]`). The figure holds neither the losses of the power
supply nor fans, disks and network cards: boundary `package+dram`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from collectors.counter import SOCKET_LIMIT_W, Counter, Snapshot, between
from collectors.instrument import Energy, Missing, Roots, Source
from collectors.reading import Authority, Boundary, Quality

ONE_COUNTER_PER_PACKAGE = frozenset({"AuthenticAMD", "HygonGenuine"})
PACKAGE = re.compile(r"package-(?P<package>\d+)(-die-\d+)?")
ZONE = re.compile(r"(?P<control>[a-z][a-z0-9-]*):(?P<place>\d+(:\d+)*)")


@dataclass(frozen=True, slots=True)
class RaplSettings:
    """Mean power above which a socket's counter is not believed."""

    socket_limit_w: float = SOCKET_LIMIT_W

    def __post_init__(self) -> None:
        if not 1 <= self.socket_limit_w <= 100_000:
            raise ValueError("socket_limit_w: a power of 1 to 100000 W is expected")


@dataclass(frozen=True, slots=True)
class Zone:
    """One counter: its folder, its name (`package-0`, `dram`, `psys`), its maximum where it is readable."""

    path: Path
    name: str
    range_uj: int | None

    @property
    def package_id(self) -> str:
        """The zone at the top of this one: `intel-rapl:0` of `intel-rapl:0:2`."""
        control, place = self.path.name.split(":", 1)
        return f"{control}:{place.split(':')[0]}"

    def counter(self, limit_w: float) -> Counter:
        """What makes reads of this zone comparable."""
        return Counter(f"{self.path.name} ({self.name})", self.range_uj, limit_w=limit_w)


class NoReading(Exception):
    """A counter could not be read, or what was read is not a whole number."""


class Rapl(Source):
    """Packages and their DRAM, or psys alone."""

    name = "rapl"
    authority = Authority.RAPL
    boundary = Boundary.PACKAGE_DRAM
    quality = Quality.MEASURED
    settings = RaplSettings

    def __init__(self, roots: Roots, settings: RaplSettings | None = None) -> None:
        self._roots = roots
        self._limit_w = (settings or RaplSettings()).socket_limit_w
        self._zones: list[Zone] = []
        self._last: Snapshot | None = None

    @classmethod
    def only_here(cls, settings: object) -> bool:
        return True

    def available(self) -> str | None:
        try:
            if not self._roots.powercap.is_dir():
                return (
                    f"no powercap tree at {self._roots.powercap}: "
                    "a virtual machine, or the module is not loaded"
                )
            zones = counted_zones(self._roots)
        except OSError as error:
            return f"{self._roots.powercap}: {error.strerror}"
        if not zones:
            return f"no package or psys counter under {self._roots.powercap}"
        try:
            for zone in zones:
                read_counter(zone)
        except NoReading as reason:
            return f"{reason}; the kernel lets root alone read it"
        return None

    def read(self) -> Energy | Missing:
        try:
            now = self.snapshot(time.monotonic())
        except NoReading as reason:
            self._zones = []
            return Missing(str(reason))
        before, self._last = self._last, now
        if before is None:
            return Missing("the first read of the counters")
        return between(before, now)

    def snapshot(self, at_s: float) -> Snapshot:
        """Every counter that is added, at a moment; raises `NoReading`."""
        self._zones = self._zones or counted_zones(self._roots)
        counted_uj = {zone.counter(self._limit_w): read_counter(zone) for zone in self._zones}
        if not counted_uj:
            raise NoReading(f"no package or psys counter under {self._roots.powercap}")
        return Snapshot(_boot_id(self._roots), at_s, counted_uj)


def counted_zones(roots: Roots) -> list[Zone]:
    """The zones whose counters are added, each physical counter once."""
    zones = [*_zones(roots.powercap)]
    packages = _without_mirrors([zone for zone in zones if PACKAGE.fullmatch(zone.name)], roots)
    if not packages:
        return [zone for zone in zones if zone.name == "psys"][:1]
    kept = {package.package_id for package in packages}
    return packages + [zone for zone in zones if zone.name == "dram" and zone.package_id in kept]


def _without_mirrors(packages: list[Zone], roots: Roots) -> list[Zone]:
    per_package = _vendor(roots) in ONE_COUNTER_PER_PACKAGE
    kept: dict[str, Zone] = {}
    for zone in packages:
        match = PACKAGE.fullmatch(zone.name)
        counter = match["package"] if match and per_package else zone.name
        kept.setdefault(counter, zone)
    return list(kept.values())


def _zones(powercap: Path) -> list[Zone]:
    """Every zone of the tree, `intel-rapl` before its memory-mapped mirror, nested or linked at the top."""
    folders: dict[str, Path] = {}
    for folder in [*powercap.glob("*:*"), *powercap.glob("*:*/*:*")]:
        if ZONE.fullmatch(folder.name) and (folder / "energy_uj").exists():
            folders.setdefault(folder.name, folder)
    ordered = sorted(folders.values(), key=lambda folder: _order(folder.name))
    return [
        Zone(folder, _text(folder / "name"), _whole(folder / "max_energy_range_uj")) for folder in ordered
    ]


def _order(zone: str) -> tuple[str, list[int]]:
    control, place = zone.split(":", 1)
    return control, [int(part) for part in place.split(":")]


def read_counter(zone: Zone) -> int:
    """The counter in microjoules; raises `NoReading` for an empty, torn or refused read."""
    path = zone.path / "energy_uj"
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoReading(f"{zone.path.name}/energy_uj cannot be read: {_cause(error)}") from None
    if not text.isdecimal():
        raise NoReading(f"{zone.path.name}/energy_uj held no whole number: an empty or torn read")
    return int(text)


def _cause(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "refused") if isinstance(error, OSError) else "not a number"


def _whole(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _boot_id(roots: Roots) -> str:
    return _text(roots.proc / "sys/kernel/random/boot_id")


def _vendor(roots: Roots) -> str:
    for line in _text(roots.proc / "cpuinfo").splitlines():
        if line.startswith("vendor_id"):
            return line.partition(":")[2].strip()
    return ""
