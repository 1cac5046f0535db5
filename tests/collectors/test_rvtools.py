"""RVTools exports: workbooks and CSV files as Windows writes them, rows that make no sense, what is stale.

The columns are those of RVTools 4 (a workbook of 27 tabs); no export of a real site is kept here.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from openpyxl import Workbook

from collectors.hypervisors.rvtools import Rvtools, RvtoolsSettings
from collectors.reading import Facts
from collectors.rvtools_files import BadExport, read_export
from collectors.virtual import FIRST_READ, HostSpan, Unreachable

Rows = list[list[object]]
XEON = "Intel(R) Xeon(R) Gold 6248R  CPU @ 3.00GHz"
HOST_COLUMNS = "Host|Cluster|CPU Model|Speed|HT Active|# CPU|# Cores|CPU usage %|# Memory|Memory usage %"
VHOST: Rows = [
    [*HOST_COLUMNS.split("|")],
    ["esx-01", "PROD", XEON, 2993, True, 2, 48, 25, 785_000, 40],
    ["esx-02", "PROD", XEON, 2993, False, 2, 48, 0, 785_000, 2],
]
VINFO: Rows = [
    ["VM", "Powerstate", "Template", "CPUs", "Memory", "Host", "Cluster", "VM ID", "VM UUID"],
    ["paie-01", "poweredOn", False, 8, 16_384, "esx-01", "PROD", "vm-57", "502e71fa-0001"],
    ["pacs", "poweredOn", False, 4, 8192, "esx-01", "PROD", "vm-60", "502e71fa-0002"],
    ["éteinte", "poweredOff", False, 4, 8192, "esx-01", "PROD", "vm-63", "502e71fa-0003"],
    ["modèle", "poweredOff", True, 4, 8192, "esx-02", "PROD", "vm-64", "502e71fa-0004"],
]
VCPU: Rows = [
    ["VM", "Powerstate", "CPUs", "Overall", "VM ID"],
    ["paie-01", "poweredOn", 8, 5986, "vm-57"],
    ["pacs", "poweredOn", 4, 0, "vm-60"],
    ["éteinte", "poweredOff", 4, None, "vm-63"],
]
TABS = {"vHost": VHOST, "vInfo": VINFO, "vCPU": VCPU}


def changed(tab: str, row: int, column: str, value: object) -> dict[str, Rows]:
    """The export with one cell that is different."""
    rows = [list(line) for line in TABS[tab]]
    rows[row - 1][rows[0].index(column)] = value
    return TABS | {tab: rows}


def workbook(path: Path, tabs: dict[str, Rows]) -> Path:
    book = Workbook()
    for name, rows in tabs.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def csv_files(folder: Path, tabs: dict[str, Rows], separator: str = ",", encoding: str = "utf-8-sig") -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in tabs.items():
        lines = [separator.join("" if cell is None else f'"{cell}"' for cell in row) for row in rows]
        (folder / f"RVTools_tab{name}.csv").write_text("\r\n".join(lines), encoding=encoding)
    return folder


def test_a_workbook_and_csv_files_of_any_windows_tell_the_same(tmp_path: Path) -> None:
    told = [
        read_export(workbook(tmp_path / "export.xlsx", TABS)),
        read_export(csv_files(tmp_path / "comma", TABS)),
        read_export(csv_files(tmp_path / "semicolon", TABS, ";", "cp1252")),
    ]
    assert told[0] == told[1] == told[2]
    found = {one.name: (one.host, one.vcpu, one.ram_mb, one.used_mhz) for one in told[0].machines}
    assert found == {"paie-01": ("esx-01", 8, 16_384, 5986), "pacs": ("esx-01", 4, 8192, 0)}
    assert [(host.cores, host.vcpu) for host in told[0].hosts] == [(48, 96), (48, 48)]


@pytest.mark.parametrize("text", ["5986", "5,986", "5 986", "5\u202f986", "5986.0"])
def test_a_whole_number_is_read_however_windows_groups_it(tmp_path: Path, text: str) -> None:
    export = read_export(csv_files(tmp_path / "csv", changed("vCPU", 2, "Overall", text), ";"))
    assert export.machines[0].used_mhz == 5986


@pytest.mark.parametrize(
    ("tabs", "message"),
    [
        (changed("vInfo", 2, "CPUs", "eight"), "vInfo row 2, CPUs: 'eight' is not a whole number"),
        (changed("vInfo", 3, "Memory", "-1"), "vInfo row 3, Memory: '-1' is not a whole number"),
        (changed("vInfo", 2, "Template", "maybe"), "vInfo row 2, Template: 'maybe' is neither True nor"),
        (changed("vInfo", 2, "Host", ""), "vInfo row 2, Host: is empty"),
        (changed("vInfo", 2, "Host", "esx-09"), "vInfo: 'paie-01' is on 'esx-09', which is not in vHost"),
        (changed("vHost", 2, "# Cores", 0), "vHost row 2, # Cores: is 0"),
        (changed("vHost", 2, "Speed", ""), "vHost row 2, Speed: '' is not a whole number"),
        (changed("vHost", 2, "CPU usage %", 250), "vHost row 2, CPU usage %: '250' is not a whole number"),
        (changed("vHost", 1, "CPU usage %", "CPU"), "vHost: the column 'CPU usage %' is missing"),
        (changed("vCPU", 3, "VM ID", "vm-57"), "vCPU row 3, VM: 'vm-57' comes twice"),
        ({"vInfo": VINFO, "vCPU": VCPU}, "vHost"),
        (TABS | {"vHost": VHOST[:1]}, "the tab vHost has no rows"),
    ],
)
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_what_makes_no_sense_is_told_by_its_row_and_nothing_is_taken(
    tmp_path: Path, tabs: dict[str, Rows], message: str, kind: str
) -> None:
    path = workbook(tmp_path / "a.xlsx", tabs) if kind == "xlsx" else csv_files(tmp_path / "csv", tabs)
    with pytest.raises(BadExport) as caught:
        read_export(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    tabs = changed("vInfo", 2, "CPUs", "x") | {"vHost": changed("vHost", 2, "Speed", "y")["vHost"]}
    with pytest.raises(BadExport, match=r"vHost row 2, Speed: .*; vInfo row 2, CPUs: "):
        read_export(workbook(tmp_path / "a.xlsx", tabs))


def test_a_file_that_is_no_workbook_says_so(tmp_path: Path) -> None:
    (tmp_path / "export.xlsx").write_text("PK but not really")
    with pytest.raises(BadExport, match=r"export\.xlsx: .*zip"):
        read_export(tmp_path / "export.xlsx")


def test_a_cell_that_no_csv_file_holds_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadExport, match="field larger than field limit"):
        read_export(csv_files(tmp_path / "csv", changed("vInfo", 2, "CPUs", "9" * 200_000)))


def told(hypervisor: Rvtools) -> dict[str, HostSpan]:
    assert set(hypervisor.read().values()) == {FIRST_READ}
    time.sleep(0.05)
    return {name: span for name, span in hypervisor.read().items() if isinstance(span, HostSpan)}


def test_the_newest_export_is_the_use_of_hosts_and_machines_until_the_next(tmp_path: Path) -> None:
    old = csv_files(tmp_path / "2026-11-27", changed("vHost", 2, "CPU usage %", 99))
    os.utime(old / "RVTools_tabvInfo.csv", (time.time() - 3600, time.time() - 3600))
    workbook(tmp_path / "export.xlsx", TABS)
    hypervisor = Rvtools(RvtoolsSettings(tmp_path, site="tls"))
    assert hypervisor.available() is None
    spans = told(hypervisor)
    span = spans["esx-01"]
    assert span.facts == Facts("tls", "PROD", "Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz", 2, 785_000)
    assert (span.vcpu, span.utilisation, span.busy_us) == (96, 0.25, span.covered_us * 48 * 25 // 100)
    assert {one.name: (one.uid, one.cpu_us) for one in span.guests} == {
        "paie-01": ("502e71fa-0001", 2 * span.covered_us),
        "pacs": ("502e71fa-0002", 0),
    }
    assert spans["esx-02"].guests == ()


def test_without_the_tab_of_cpus_no_use_is_made_up(tmp_path: Path) -> None:
    workbook(tmp_path / "export.xlsx", {"vHost": VHOST, "vInfo": VINFO})
    guests = told(Rvtools(RvtoolsSettings(tmp_path)))["esx-01"].guests
    assert {(one.cpu_us, one.missing) for one in guests} == {(None, "the export does not say what it used")}


@pytest.mark.parametrize(
    ("age_h", "message"), [(27, r"export\.xlsx: 27 hours old"), (None, "holds no export of RVTools")]
)
def test_an_export_that_is_stale_or_absent_tells_nothing(
    tmp_path: Path, age_h: int | None, message: str
) -> None:
    if age_h is not None:
        path, written_s = workbook(tmp_path / "export.xlsx", TABS), time.time() - age_h * 3600
        os.utime(path, (written_s, written_s))
    with pytest.raises(Unreachable, match=message):
        Rvtools(RvtoolsSettings(tmp_path)).read()


def test_a_folder_that_is_missing_is_a_reason(tmp_path: Path) -> None:
    missing = RvtoolsSettings(tmp_path / "nowhere")
    assert Rvtools(missing).available() == f"folder: {tmp_path}/nowhere: there is no such folder"
    with pytest.raises(ValueError, match="stale_hours: more than 0"):
        RvtoolsSettings(tmp_path, stale_hours=0)
