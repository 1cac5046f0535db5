"""Statistics of a vCenter for a time that is past: what they become, what is refused, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from collectors.import_statistics import main, readings
from collectors.reading import Quality, Reading
from collectors.rvtools_files import Export, HostRow, MachineRow
from collectors.statistics_files import BadStatistics, read_statistics
from tests.collectors.consoles import Batch, Console, Reply, accept, refuse
from tests.collectors.test_rvtools import TABS, workbook

ESX = HostRow("esx-01", "PROD", "Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz", 2993, 2, 48, 96, 25, 785_000)
WEB = MachineRow("web", "vm-57", "502e71fa-0001", "esx-01", 8, 16_384, None)
INVENTORY = Export((ESX,), (WEB,))
HEADER = "Timestamp,MetricId,Value,Entity,EntityId,IntervalSecs,Instance"


def row(minute: int, counter: str, value: object, host: bool = True, seconds: int = 300) -> str:
    entity = "esx-01,HostSystem-host-21" if host else "web,VirtualMachine-vm-57"
    return f"2026-11-28T10:{minute:02}:00.0000000Z,{counter},{value},{entity},{seconds},"


def minutes(*ends: int) -> list[str]:
    """A host at 25 % and 400 W with a machine at half of its 8 vCPUs, over so many five minutes."""
    return [
        line
        for end in ends
        for line in (
            row(end, "cpu.usage.average", 25),
            row(end, "power.power.average", 400),
            row(end, "cpu.usage.average", 50, host=False),
            row(end, "cpu.ready.summation", 1500, host=False),
        )
    ]


def written(tmp_path: Path, lines: Iterable[str], header: str = HEADER) -> Path:
    path = tmp_path / "statistics.csv"
    path.write_text("\n".join([header, *lines]), encoding="utf-8-sig")
    return path


def of_host(tmp_path: Path, lines: Iterable[str]) -> list[Reading]:
    [(facts, found)] = readings(INVENTORY, read_statistics(written(tmp_path, lines)), "tls").values()
    assert (facts.site, facts.cluster, facts.sockets) == ("tls", "PROD", 2)
    return found


def test_five_minutes_of_a_host_are_a_reading_with_its_declared_and_its_modelled_energy(
    tmp_path: Path,
) -> None:
    first, second = of_host(tmp_path, minutes(5, 10))
    assert (first.started_at.minute, first.ended_at.minute, first.duration_ms) == (0, 5, 300_000)
    assert (second.started_at, second.vcpu, second.busy_cpu_ms) == (first.ended_at, 96, 3_600_000)
    assert [(one.source, one.quality) for one in first.measurements] == [
        ("statistics", Quality.DECLARED),
        ("model", Quality.MODELLED),
    ]
    assert first.measurements[0].energy_mj == 400 * 300 * 1000
    [use] = first.workloads
    assert (use.cpu_ms, use.steal_ms, use.reserved_mcpu, use.uid) == (1_200_000, 1500, 8000, WEB.uid)


def test_samples_of_twenty_seconds_become_intervals_of_five_minutes(tmp_path: Path) -> None:
    lines = [
        f"2026-11-28T10:{20 * n // 60:02}:{20 * n % 60:02}Z,{counter},{value},esx-01,HostSystem-host-21,20,"
        for n in range(1, 31)
        for counter, value in (("cpu.usage.average", 25), ("power.energy.summation", 8000))
    ]
    found = of_host(tmp_path, lines)
    assert [reading.duration_ms for reading in found] == [300_000, 300_000]
    assert found[0].measurements[0].energy_mj == 15 * 8_000_000


def test_a_hole_in_the_statistics_is_no_reading(tmp_path: Path) -> None:
    found = of_host(tmp_path, minutes(5, 10, 30))
    assert [(one.started_at.minute, one.ended_at.minute) for one in found] == [(0, 5), (5, 10), (25, 30)]


def test_power_that_is_missing_for_a_part_is_missing_for_its_interval(tmp_path: Path) -> None:
    lines = [line for line in minutes(5, 10) if "10:10:00" not in line or "power" not in line]
    found = of_host(tmp_path, lines)
    assert [[one.source for one in reading.measurements] for reading in found] == [
        ["statistics", "model"],
        ["model"],
    ]


def test_a_power_of_0_is_that_of_no_sensor(tmp_path: Path) -> None:
    lines = [row(5, "cpu.usage.average", 25), row(5, "power.power.average", 0)]
    [reading] = of_host(tmp_path, lines)
    assert [one.source for one in reading.measurements] == ["model"]


def test_a_machine_without_statistics_is_missing_and_not_idle(tmp_path: Path) -> None:
    [reading] = of_host(tmp_path, [row(5, "cpu.usage.average", 25)])
    assert [gap.reason for gap in reading.gaps if gap.source == "workloads"] == ["web: no statistics of it"]


@pytest.mark.parametrize(("text", "value"), [("23.45", 23.45), ("23,45", 23.45), ("0", 0.0), ("1E1", 10.0)])
def test_a_value_is_read_however_windows_writes_its_fraction(tmp_path: Path, text: str, value: float) -> None:
    line = row(5, "cpu.usage.average", f'"{text}"')
    [series] = [read_statistics(written(tmp_path, [line])).of(["esx-01"], "cpu.usage.average")]
    assert list(series.values()) == [value]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            row(5, "cpu.usage.average", 25).replace("2026-11-28T10:05:00.0000000Z", "28/11/2026 10:05:00"),
            "row 2, Timestamp: '28/11/2026 10:05:00' is not an instant with its offset",
        ),
        (row(5, "cpu.usage.average", 25).replace("Z", ""), "row 2, Timestamp: '2026-11-28T10:05:00.0000000'"),
        (row(5, "cpu.usage.average", -1), "row 2, Value: '-1' is not a number from 0"),
        (row(5, "cpu.usage.average", "nan"), "row 2, Value: 'nan' is not a number from 0"),
        (row(5, "cpu.usage.average", ""), "row 2, Value: '' is not a number from 0"),
        (row(5, "cpu.usage.average", 25, seconds=7200), "row 2, IntervalSecs: '7200' is not from 20 to 3600"),
        (row(5, "mem.usage.average", 25), "holds none of cpu.ready.summation, "),
        (row(5, "cpu.usage.average", "9" * 200_000), "field larger than field limit"),
    ],
    ids=[
        *("local time", "no offset", "negative", "not a number", "empty", "two hours", "nothing of use"),
        "a cell without an end",
    ],
)
def test_a_row_that_makes_no_sense_is_told_and_nothing_is_taken(
    tmp_path: Path, line: str, message: str
) -> None:
    path = written(tmp_path, [line])
    with pytest.raises(BadStatistics) as caught:
        read_statistics(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*minutes(5), row(10, "cpu.usage.average", 9, seconds=600)], "overlap"),
        ([*minutes(5), row(5, "cpu.usage.average", 26)], "two values of cpu.usage.average for one time"),
        ([row(5, "cpu.usage.average", 50, host=False)], "no host of the inventory has cpu.usage.average"),
    ],
)
def test_statistics_that_contradict_themselves_or_the_inventory_are_refused(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(BadStatistics, match=message):
        readings(INVENTORY, read_statistics(written(tmp_path, lines)), None)


def test_the_line_that_names_a_type_and_semicolons_are_understood(tmp_path: Path) -> None:
    lines = [line.replace(",", ";") for line in [HEADER, *minutes(5)]]
    path = written(tmp_path, lines, header="#TYPE Selected.VMware.VimAutomation")
    assert len(read_statistics(path).series) == 8


def imported(tmp_path: Path, url: str) -> int:
    (tmp_path / "token").write_text("token")
    (tmp_path / "token").chmod(0o600)
    config = tmp_path / "collector.toml"
    config.write_text(
        f'[console]\nurl = "{url}"\ntoken_file = "{tmp_path}/token"\n[agent]\noutbox = "{tmp_path}/outbox"\n'
    )
    paths = {"--config": config, "--inventory": workbook(tmp_path / "a.xlsx", TABS)}
    paths["--statistics"] = written(tmp_path, minutes(5, 10))
    return main([part for name, path in paths.items() for part in (name, str(path))])


def test_importing_again_sends_the_same_stream_and_sequences(tmp_path: Path) -> None:
    with Console() as console:
        assert imported(tmp_path, console.url) == 0
        assert imported(tmp_path, console.url) == 0
    first, second = console.batches
    assert (first["host"], first["stream"]) == (second["host"], second["stream"])
    assert first["readings"] == second["readings"]
    assert console.sequences == [1_795_860_000, 1_795_860_300] * 2


def test_a_console_that_asks_to_come_again_is_asked_again(tmp_path: Path) -> None:
    calls: list[str] = []

    def at_second_try(batch: Batch) -> Reply:
        calls.append(batch["host"])
        return accept(batch) if len(calls) > 1 else refuse(503, "later")(batch)

    with Console(reply=at_second_try) as console:
        assert imported(tmp_path, console.url) == 0
    assert calls == ["esx-01", "esx-01"]


def test_a_console_that_refuses_is_said_and_the_status_is_1(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Console(reply=refuse(403, "not this host")) as console:
        assert imported(tmp_path, console.url) == 1
    assert "esx-01: the console answered 403: not this host; import again" in caplog.text
