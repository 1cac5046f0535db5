"""The tabs of an RVTools export: the hosts of a vCenter and its virtual machines, with their use at a time.

An export is a workbook (`.xlsx`) or a folder of CSV files (`RVTools_tabvInfo.csv`, `RVTools_tabvHost.csv`,
`RVTools_tabvCPU.csv`), separated by `,` or `;` as Windows is set, in UTF-8 or Windows-1252. Of it are read

    vHost  Host, Cluster, CPU Model, Speed (MHz), HT Active, # CPU, # Cores, CPU usage %, # Memory (MiB)
    vInfo  VM, Powerstate, Template, CPUs, Memory (MiB), Host, VM ID, VM UUID
    vCPU   VM, VM ID, Overall (MHz that the machine uses); without this tab no machine's use is known

Rows that cannot be understood are all told, by tab, row and column, and nothing of the export is taken.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from collectors.reading import MOST_VCPU

LARGEST_BYTES = 64 << 20
LARGEST_UNPACKED = 512 << 20
MOST_ROWS = 50_000
MOST_TOLD = 20
WHOLE_NUMBER = re.compile(r"\d{1,3}(?:[ \u00a0\u202f.,']\d{3})+|\d+")
NEEDED = {
    "vHost": ("Host", "CPU Model", "Speed", "HT Active", "# CPU", "# Cores", "CPU usage %", "# Memory"),
    "vInfo": ("VM", "Powerstate", "Template", "CPUs", "Memory", "Host"),
    "vCPU": ("VM", "Overall"),
}
OPTIONAL_TABS = frozenset({"vCPU"})
Row = Mapping[str, str]


class BadExport(ValueError):
    """The export cannot be used; the message names its file, and the rows and columns that are wrong."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host; `busy_percent` is the use of its cores when it was exported."""

    name: str
    cluster: str | None
    cpu_model: str
    core_mhz: int
    sockets: int
    cores: int
    vcpu: int
    busy_percent: int
    ram_mb: int


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A virtual machine that is on; `used_mhz` is None where the export does not say."""

    name: str
    key: str | None
    uid: str | None
    host: str
    vcpu: int
    ram_mb: int
    used_mhz: int | None


@dataclass(frozen=True, slots=True)
class Export:
    """What one export tells."""

    hosts: tuple[HostRow, ...]
    machines: tuple[MachineRow, ...]


class Tab:
    """The rows of one tab, and what was found wrong in them."""

    def __init__(self, name: str, mistakes: list[str]) -> None:
        self._name = name
        self._mistakes = mistakes

    def text(self, row: Row, number: int, column: str) -> str:
        value = row.get(column, "").strip()
        if not value:
            self.refuse(number, column, "is empty")
        return value

    def count(self, row: Row, number: int, column: str, most: int = 2**40) -> int:
        text = row.get(column, "").strip().removesuffix(".0")
        value = int(re.sub(r"\D", "", text)) if WHOLE_NUMBER.fullmatch(text) else -1
        if not 0 <= value <= most:
            self.refuse(number, column, f"{text!r} is not a whole number from 0 to {most}")
        return value

    def flag(self, row: Row, number: int, column: str) -> bool:
        text = row.get(column, "").strip().lower()
        if text not in ("true", "false", "vrai", "faux"):
            self.refuse(number, column, f"{text!r} is neither True nor False")
        return text in ("true", "vrai")

    def refuse(self, number: int, column: str, wrong: str) -> None:
        self._mistakes.append(f"{self._name} row {number}, {column}: {wrong}")


def read_export(path: Path) -> Export:
    """The export of a workbook or of a folder of CSV files; raises `BadExport`."""
    try:
        tabs = _of_workbook(path) if path.is_file() else _of_folder(path)
    except (OSError, BadZipFile, KeyError, ValueError, csv.Error) as error:
        shown = str(error).removeprefix(f"{path}: ")
        raise BadExport(f"{path}: {shown}") from None
    mistakes = [
        f"{tab}: the column {column!r} is missing"
        for tab, columns in NEEDED.items()
        if tab in tabs
        for column in columns
        if column not in tabs[tab][0]
    ]
    mistakes += [
        f"the tab {tab} is missing" for tab in NEEDED if tab not in tabs and tab not in OPTIONAL_TABS
    ]
    export = None if mistakes else _export(tabs, mistakes)
    if export is None or mistakes:
        more = f"; and {len(mistakes) - MOST_TOLD} more" if len(mistakes) > MOST_TOLD else ""
        raise BadExport(f"{path}: {'; '.join(mistakes[:MOST_TOLD])}{more}")
    return export


Tabs = Mapping[str, Sequence[Row]]


def _export(tabs: Tabs, mistakes: list[str]) -> Export:
    hosts = tuple(_hosts(tabs["vHost"], Tab("vHost", mistakes)))
    used_mhz = dict(_used(tabs["vCPU"], Tab("vCPU", mistakes))) if "vCPU" in tabs else {}
    machines = tuple(_machines(tabs["vInfo"], used_mhz, Tab("vInfo", mistakes)))
    known = {host.name for host in hosts}
    mistakes += [
        f"vInfo: {machine.name!r} is on {machine.host!r}, which is not in vHost"
        for machine in machines
        if machine.host not in known
    ]
    return Export(hosts, machines)


def _hosts(rows: Sequence[Row], tab: Tab) -> Iterator[HostRow]:
    for number, row in enumerate(rows, start=2):
        cores = tab.count(row, number, "# Cores", MOST_VCPU // 2)
        if cores == 0:
            tab.refuse(number, "# Cores", "is 0")
        core_mhz = tab.count(row, number, "Speed", 100_000)
        if core_mhz == 0:
            tab.refuse(number, "Speed", "is 0")
        yield HostRow(
            name=tab.text(row, number, "Host"),
            cluster=row.get("Cluster", "").strip() or None,
            cpu_model=" ".join(tab.text(row, number, "CPU Model").split()),
            core_mhz=core_mhz,
            sockets=tab.count(row, number, "# CPU", 1024),
            cores=cores,
            vcpu=cores * 2 if tab.flag(row, number, "HT Active") else cores,
            busy_percent=tab.count(row, number, "CPU usage %", 100),
            ram_mb=tab.count(row, number, "# Memory"),
        )


def _machines(rows: Sequence[Row], used_mhz: Mapping[str, int], tab: Tab) -> Iterator[MachineRow]:
    for number, row in enumerate(rows, start=2):
        is_template = tab.flag(row, number, "Template")
        if tab.text(row, number, "Powerstate").lower() != "poweredon" or is_template:
            continue
        name, key = tab.text(row, number, "VM"), row.get("VM ID", "").strip() or None
        yield MachineRow(
            name=name,
            key=key,
            uid=row.get("VM UUID", "").strip() or None,
            host=tab.text(row, number, "Host"),
            vcpu=tab.count(row, number, "CPUs", MOST_VCPU),
            ram_mb=tab.count(row, number, "Memory"),
            used_mhz=used_mhz.get(key or name),
        )


def _used(rows: Sequence[Row], tab: Tab) -> Iterator[tuple[str, int]]:
    """By the machine's id, or its name where the tab has no ids; one that is off has no figure."""
    known: set[str] = set()
    for number, row in enumerate(rows, start=2):
        if row.get("Overall", "").strip():
            key = row.get("VM ID", "").strip() or tab.text(row, number, "VM")
            if key in known:
                tab.refuse(number, "VM", f"{key!r} comes twice")
            known.add(key)
            yield key, tab.count(row, number, "Overall", 10**9)


def _of_folder(folder: Path) -> dict[str, list[Row]]:
    tabs = {}
    for tab in NEEDED:
        path = folder / f"RVTools_tab{tab}.csv"
        if tab not in OPTIONAL_TABS or path.exists():
            tabs[tab] = _named(tab, _csv_rows(path))
    return tabs


def _csv_rows(path: Path) -> Iterator[list[str]]:
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise BadExport(f"{path.name} has more than {LARGEST_BYTES >> 20} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    return csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")


def _of_workbook(path: Path) -> dict[str, list[Row]]:
    from openpyxl import load_workbook

    if path.stat().st_size > LARGEST_BYTES:
        raise BadExport(f"has more than {LARGEST_BYTES >> 20} MiB")
    with ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > LARGEST_UNPACKED:
            raise BadExport(f"unpacks to more than {LARGEST_UNPACKED >> 20} MiB")
    book = load_workbook(path, read_only=True, data_only=True)
    try:
        return {
            tab: _named(tab, (_texts(row) for row in book[tab].iter_rows(values_only=True)))
            for tab in NEEDED
            if tab in book.sheetnames
        }
    finally:
        book.close()


def _texts(cells: Iterable[Any]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells]


def _named(tab: str, rows: Iterable[list[str]]) -> list[Row]:
    """The rows below the header, by column."""
    lines = iter(rows)
    header = [name.strip() for name in next(lines, [])]
    named: list[Row] = [
        dict(zip(header, row, strict=False)) for row in lines if any(cell.strip() for cell in row)
    ]
    if not named:
        raise BadExport(f"the tab {tab} has no rows")
    if len(named) > MOST_ROWS:
        raise BadExport(f"the tab {tab} has more than {MOST_ROWS} rows")
    return named
