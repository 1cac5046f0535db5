"""RVTools: hosts and machines as the newest export in a folder declares them, where vCenter may not be asked.

    [[hypervisors]]
    kind = "rvtools"
    folder = "/srv/rvtools"      # holds export.xlsx, or RVTools_tabvInfo.csv and its like; or folders of them
    stale_hours = 26.0           # an export older than this tells nothing
    site = "tls"

RVTools run by a timer (`RVTools.exe -c ExportAll2xlsx -s vcenter ...`) writes what vCenter showed at that
moment: what a machine used of its host's frequency, and how busy each host was. That is taken to hold until
the next export: a declared use, of which no total is exact. The power of the hosts is modelled, or measured
by the sources that the configuration names for them. Give it an export an hour at least, or ask the vCenter
itself (`vsphere`).

An export with a row that makes no sense is refused whole, and every such row is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from collectors.instrument import Missing
from collectors.reading import Facts
from collectors.rvtools_files import BadExport, Export, HostRow, MachineRow, read_export
from collectors.virtual import FIRST_READ, Guest, HostSpan, Hypervisor, Unreachable


@dataclass(frozen=True, slots=True)
class RvtoolsSettings:
    """Where exports come in, and how long one is believed."""

    folder: Path
    stale_hours: float = 26.0
    site: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.stale_hours <= 24 * 31:
            raise ValueError("stale_hours: more than 0 and at most 744 (31 days)")


class Rvtools(Hypervisor):
    """The newest export of a folder."""

    name = "rvtools"
    settings = RvtoolsSettings

    def __init__(self, settings: RvtoolsSettings) -> None:
        self._settings = settings
        self._read: tuple[Path, float, Export] | None = None
        self._told_s: dict[str, float] = {}

    def available(self) -> str | None:
        if find_spec("openpyxl") is None:
            return "not installed: openpyxl, the extra 'rvtools' of the wheel"
        if not self._settings.folder.is_dir():
            return f"folder: {self._settings.folder}: there is no such folder"
        return None

    def read(self) -> Mapping[str, HostSpan | Missing]:
        try:
            export = self._newest()
        except (BadExport, OSError) as reason:
            raise Unreachable(str(reason)) from None
        now_s = time.monotonic()
        told = {host.name: self._span(host, export, now_s) for host in export.hosts}
        self._told_s = dict.fromkeys(told, now_s)
        return told

    def _newest(self) -> Export:
        """The newest export, read again only where it is another one."""
        folder = self._settings.folder
        path, written_s = max(_exports(folder), key=lambda found: found[1], default=(folder, 0.0))
        age_h = (time.time() - written_s) / 3600
        if written_s == 0:
            raise BadExport(f"{folder}: holds no export of RVTools")
        if age_h > self._settings.stale_hours:
            raise BadExport(f"{path}: {age_h:.0f} hours old, the newest export is no longer believed")
        if self._read is None or self._read[:2] != (path, written_s):
            self._read = path, written_s, read_export(path)
        return self._read[2]

    def _span(self, host: HostRow, export: Export, now_s: float) -> HostSpan | Missing:
        before_s = self._told_s.get(host.name)
        if before_s is None:
            return FIRST_READ
        elapsed_us = round((now_s - before_s) * 1e6)
        return HostSpan(
            covered_us=elapsed_us,
            vcpu=host.vcpu,
            busy_us=elapsed_us * host.cores * host.busy_percent // 100,
            guests=tuple(
                _guest(machine, host, elapsed_us) for machine in export.machines if machine.host == host.name
            ),
            facts=Facts(
                self._settings.site, host.cluster, host.cpu_model, host.sockets or None, host.ram_mb or None
            ),
            load=host.busy_percent / 100,
            cores=host.cores,
        )


def _exports(folder: Path) -> Iterator[tuple[Path, float]]:
    """Workbooks and folders of CSV files, here and one folder below, with the time they were written."""
    for path in [folder, *folder.iterdir()]:
        if path.is_file() and path.suffix.lower() == ".xlsx" and not path.name.startswith("~$"):
            yield path, path.stat().st_mtime
        elif path.is_dir() and (tab := path / "RVTools_tabvInfo.csv").is_file():
            yield path, tab.stat().st_mtime


def _guest(machine: MachineRow, host: HostRow, elapsed_us: int) -> Guest:
    used_us = None if machine.used_mhz is None else elapsed_us * machine.used_mhz // host.core_mhz
    return Guest(
        name=machine.name,
        uid=machine.uid,
        mark=(machine.uid or machine.key or machine.host)[:8],
        vcpu=max(machine.vcpu, 1),
        cpu_us=used_us,
        ram_mb=machine.ram_mb,
        missing="the export does not say what it used" if used_us is None else None,
    )
