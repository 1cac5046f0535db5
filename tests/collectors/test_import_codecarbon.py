"""What CodeCarbon wrote of a machine becomes readings of its host, each energy once."""

from __future__ import annotations

import itertools
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.codecarbon_files import BadEmissions, Emissions, read_emissions
from collectors.import_codecarbon import main
from collectors.reading import (
    Authority,
    Boundary,
    Quality,
    Reading,
    decode_batch,
    decode_reading,
    encode_batch,
)
from console.domain.intervals import LABEL_ERROR_MS
from tests.collectors.consoles import Console, refuse

DATA = Path(__file__).parents[1] / "data" / "codecarbon"
PARIS = ZoneInfo("Europe/Paris")
MJ_PER_KWH = 3_600_000_000

OF_11 = (
    "timestamp,project_name,duration,emissions,energy_consumed,country_name,country_iso_code,region,on_cloud"
)
OF_11 += ",cloud_provider,cloud_region"
POWERS = "emissions_rate,cpu_power,gpu_power,ram_power,cpu_energy,gpu_energy,ram_energy,energy_consumed"
PLACE = "country_name,country_iso_code,region,cloud_provider,cloud_region,os,python_version"
MACHINE = "cpu_count,cpu_model,gpu_count,gpu_model,longitude,latitude,ram_total_size,tracking_mode"
USED = "cpu_utilization_percent,gpu_utilization_percent,ram_utilization_percent,ram_used_gb"
RUN = "timestamp,project_name,run_id"
LAYOUTS = {
    11: OF_11,
    29: f"{RUN},duration,emissions,{POWERS},{PLACE},{MACHINE},on_cloud",
    30: f"{RUN},duration,emissions,{POWERS},{PLACE},codecarbon_version,{MACHINE},on_cloud",
    31: f"{RUN},duration,emissions,{POWERS},{PLACE},codecarbon_version,{MACHINE},on_cloud,pue",
    32: f"{RUN},experiment_id,duration,emissions,{POWERS},{PLACE},codecarbon_version,{MACHINE},on_cloud,pue",
    34: f"{RUN},experiment_id,duration,emissions,{POWERS},water_consumed,{PLACE},codecarbon_version,{MACHINE}"
    ",on_cloud,pue,wue",
    38: f"{RUN},experiment_id,duration,emissions,{POWERS},water_consumed,{PLACE},codecarbon_version,{MACHINE}"
    f",{USED},on_cloud,pue,wue",
}


def row(timestamp: str, duration_s: float, kwh: float, run: str = "run-1", **other: object) -> dict[str, str]:
    """A flush of a run: three fifths of its energy of the CPU, one of the RAM, one of a card."""
    fields = {
        "timestamp": timestamp,
        "run_id": run,
        "duration": duration_s,
        "energy_consumed": kwh,
        "cpu_energy": kwh * 0.6,
        "ram_energy": kwh * 0.2,
        "gpu_energy": kwh * 0.2,
        "cpu_count": 8,
        "tracking_mode": "machine",
        "pue": 1.0,
        "emissions_rate": 1e9,
    }
    return {name: str(value) for name, value in (fields | other).items()}


def written(path: Path, rows: list[dict[str, str]], columns: int = 31) -> Path:
    names = LAYOUTS[columns].split(",")
    lines = [",".join(names), *(",".join(fields.get(name, "") for name in names) for fields in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(folder: Path, *rows: dict[str, str], columns: int = 31) -> Emissions:
    return read_emissions(written(folder / "emissions.csv", list(rows), columns), PARIS)


def joules(reading: Reading) -> list[float]:
    return [measured.energy_mj / 1000 for measured in reading.measurements]


@pytest.mark.parametrize("columns", LAYOUTS)
def test_every_layout_is_read_by_the_names_of_its_columns(tmp_path: Path, columns: int) -> None:
    assert len(LAYOUTS[columns].split(",")) == columns
    emissions = read(tmp_path, row("2026-01-15T12:00:00", 600, 0.1), columns=columns)
    [reading] = emissions.readings
    assert reading.started_at == datetime(2026, 1, 15, 10, 50, tzinfo=UTC)
    assert reading.ended_at == datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
    assert reading.duration_ms == 600_000
    assert joules(reading) == ([360_000.0] if columns == 11 else [288_000.0, 72_000.0])


def test_energies_are_declared_and_the_cards_are_apart(tmp_path: Path) -> None:
    [reading] = read(tmp_path, row("2026-01-15T12:00:00", 600, 0.1)).readings
    assert [(one.source, one.authority, one.boundary, one.quality) for one in reading.measurements] == [
        ("codecarbon_csv", Authority.MODEL, Boundary.PACKAGE_DRAM, Quality.DECLARED),
        ("codecarbon_csv_gpu", Authority.GPU, Boundary.GPU, Quality.DECLARED),
    ]
    assert reading.vcpu == 8


def test_rows_of_one_run_are_cumulative(tmp_path: Path) -> None:
    emissions = read(
        tmp_path,
        row("2026-01-15T12:00:10", 10, 0.01),
        row("2026-01-15T12:00:20", 20.4, 0.03),
        row("2026-01-15T12:00:30", 30.1, 0.04),
    )
    assert sum(sum(joules(reading)) for reading in emissions.readings) == 0.04 * 3_600_000
    first, second, third = emissions.readings
    assert (first.ended_at, second.ended_at) == (second.started_at, third.started_at)
    assert [reading.duration_ms for reading in emissions.readings] == [10_000, 10_400, 9_700]


def test_energies_hold_the_facilitys_share_and_it_is_taken_out(tmp_path: Path) -> None:
    [reading] = read(tmp_path, row("2026-01-15T12:00:00", 600, 0.112, pue=1.12)).readings
    assert sum(joules(reading)) == 360_000


def test_flushes_without_a_run_are_of_one_run_where_they_began_together(tmp_path: Path) -> None:
    emissions = read(
        tmp_path,
        row("2026-01-15T12:00:10", 10.2, 0.01, run=""),
        row("2026-01-15T12:00:20", 20.9, 0.03, run=""),
        row("2026-01-15T13:00:00", 10, 0.01, run=""),
    )
    assert [sum(joules(reading)) for reading in emissions.readings] == [36_000, 72_000, 36_000]


def test_a_run_longer_than_an_hour_becomes_readings_of_an_hour_at_most(tmp_path: Path) -> None:
    emissions = read(tmp_path, row("2026-01-15T12:00:00", 36_001, 1.0000000001))
    assert len(emissions.readings) == 11
    assert all(reading.duration_ms <= 3_600_000 for reading in emissions.readings)
    assert sum(reading.duration_ms for reading in emissions.readings) == 36_001_000
    assert round(sum(sum(joules(reading)) for reading in emissions.readings) * 1000) == MJ_PER_KWH


def test_the_load_is_told_where_the_file_has_it(tmp_path: Path) -> None:
    busy = row("2026-01-15T12:00:00", 600, 0.1, cpu_utilization_percent=25)
    [reading] = read(tmp_path, busy, columns=38).readings
    assert reading.busy_cpu_ms == 8 * 600_000 // 4


class TestTimes:
    @pytest.mark.parametrize(
        ("timestamp", "hour"),
        [("2026-07-15T12:00:00", 10), ("2026-07-15T12:00:00Z", 12), ("2026-07-15T12:00:00+05:00", 7)],
    )
    def test_timestamps_are_of_the_zone_that_was_given(
        self, tmp_path: Path, timestamp: str, hour: int
    ) -> None:
        [reading] = read(tmp_path, row(timestamp, 60, 0.01)).readings
        assert reading.ended_at == datetime(2026, 7, 15, hour, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("timestamp", "reason"),
        [("2025-10-26T02:30:00", "comes twice"), ("2025-03-30T02:30:00", "comes never")],
    )
    def test_a_time_that_is_not_one_moment_is_left_out_and_its_energy_comes_with_the_next(
        self, tmp_path: Path, timestamp: str, reason: str
    ) -> None:
        emissions = read(tmp_path, row(timestamp, 60, 0.01), row(timestamp[:11] + "04:30:00", 3660, 0.03))
        [(line, why)] = emissions.left_out
        assert line == 2
        assert reason in why
        assert sum(sum(joules(reading)) for reading in emissions.readings) == 108_000


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"energy_consumed": ""}, "energy_consumed: no value"),
        ({"energy_consumed": "nan"}, "energy_consumed: 'nan' is not a number that makes sense"),
        ({"energy_consumed": "-1"}, "energy_consumed: '-1' is not a number that makes sense"),
        ({"energy_consumed": "1e999999999"}, "is not a number that makes sense"),
        ({"duration": "long"}, "duration: 'long' is not a number"),
        ({"duration": "0"}, "duration: not longer than"),
        ({"timestamp": "15/01/2026 12:00"}, "is not a time such as 2025-05-30T00:50:12"),
        ({"timestamp": "2026-13-15T12:00:00"}, "is not a time"),
        ({"tracking_mode": "process"}, "tracking_mode: 'process' is not the host"),
        ({"gpu_energy": "0.5"}, "not the sum of cpu_energy, ram_energy and gpu_energy"),
        ({"pue": "0.9"}, "pue: 0.9 is below 1"),
    ],
)
def test_a_row_that_does_not_count_is_told_with_its_line_and_the_others_count(
    tmp_path: Path, wrong: dict[str, str], reason: str
) -> None:
    good, bad = row("2026-01-15T11:00:00", 60, 0.01), row("2026-01-15T12:00:00", 60, 0.01, run="run-2")
    emissions = read(tmp_path, good, bad | wrong)
    assert len(emissions.readings) == 1
    [(line, told)] = emissions.left_out
    assert line == 3
    assert reason in told


def test_a_run_that_is_lower_than_before_is_told(tmp_path: Path) -> None:
    rows = [row("2026-01-15T12:00:10", 10, 0.05), row("2026-01-15T12:00:20", 20, 0.03)]
    assert read(tmp_path, *rows).left_out == ((3, "energy_consumed: lower than the row before of its run"),)


def test_two_runs_at_one_time_measure_the_same_machine_once(tmp_path: Path) -> None:
    rows = [row("2026-01-15T12:00:00", 600, 0.1), row("2026-01-15T12:05:00", 600, 0.1, run="run-2")]
    emissions = read(tmp_path, *rows)
    assert len(emissions.readings) == 1
    assert emissions.left_out == ((3, "timestamp: at one time with line 2"),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n", "empty: CodeCarbon wrote nothing"),
        (b"", "empty: CodeCarbon wrote nothing"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:46\nsize 887\n", "a pointer of Git LFS"),
        (b"a,b\n1,2\n", "not an emissions.csv of CodeCarbon: the column 'timestamp' is missing"),
    ],
)
def test_a_file_that_is_none_is_told_for_what_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "emissions.csv"
    path.write_bytes(content)
    with pytest.raises(BadEmissions, match=message):
        read_emissions(path, PARIS)


@pytest.mark.parametrize(
    ("name", "readings", "left_out"),
    [
        ("v11_codecarbon_2021_old.csv", 1, 0),
        ("v31a_codecarbon_examples.csv", 19, 9),
        ("v38_codecarbon_current.csv", 1, 0),
    ],
)
def test_real_files_are_read_whole(name: str, readings: int, left_out: int) -> None:
    emissions = read_emissions(DATA / name, PARIS)
    assert (len(emissions.readings), len(emissions.left_out)) == (readings, left_out)


def test_a_real_run_of_six_flushes_is_what_its_last_row_says() -> None:
    emissions = read_emissions(DATA / "v31a_codecarbon_examples.csv", PARIS)
    begins, ends = datetime(2024, 5, 31, 9, 9, tzinfo=UTC), datetime(2024, 5, 31, 9, 11, tzinfo=UTC)
    run = [reading for reading in emissions.readings if begins <= reading.started_at < ends]
    assert len(run) == 6
    assert sum(sum(joules(reading)) for reading in run) == pytest.approx(6.403828e-05 * 3_600_000, rel=1e-5)


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.csv")))
def test_what_is_told_keeps_the_rules_of_the_console(name: str) -> None:
    readings = read_emissions(DATA / name, PARIS).readings
    body = encode_batch("import", "srv-12", "0" * 32, readings)
    assert [decode_reading(raw) for raw in decode_batch(body).readings] == [*readings]
    for reading in readings:
        label_ms = (reading.ended_at - reading.started_at) / timedelta(milliseconds=1)
        assert label_ms <= 3_600_000
        assert abs(label_ms - reading.duration_ms) <= LABEL_ERROR_MS
    assert all(before.ended_at <= after.started_at for before, after in itertools.pairwise(readings))


@given(
    flushes=st.lists(st.tuples(st.integers(2, 4000), st.integers(0, 10**7)), min_size=1, max_size=6),
    pue=st.sampled_from([1.0, 1.25, 2.0]),
)
def test_the_readings_of_a_run_add_up_to_its_last_row(
    tmp_path_factory: pytest.TempPathFactory, flushes: list[tuple[int, int]], pue: float
) -> None:
    at, total_s, total_uwh, rows = datetime(2026, 1, 15, 12), 0, 0, []
    for more_s, more_uwh in flushes:
        total_s, total_uwh = total_s + more_s, total_uwh + more_uwh
        stamp = datetime.fromtimestamp(at.timestamp() + total_s).isoformat()  # noqa: DTZ006 - local, as theirs
        kwh = f"{total_uwh}e-9"
        rows.append(row(stamp, total_s, 0, energy_consumed=kwh, cpu_energy=kwh, pue=pue))
    emissions = read(tmp_path_factory.mktemp("run"), *rows)
    told_mj = sum(one.energy_mj for reading in emissions.readings for one in reading.measurements)
    assert not emissions.left_out
    assert told_mj == pytest.approx(total_uwh * 3.6 / pue, abs=len(flushes))
    assert sum(reading.duration_ms for reading in emissions.readings) == total_s * 1000


@pytest.mark.parametrize("broken", ["a" * 200_000, "broken"])
def test_a_cell_that_no_csv_file_holds_is_told_and_nothing_is_taken(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "emissions.csv"
    header = broken if broken == "broken" else "timestamp,duration,energy_consumed,project_name"
    path.write_text(f"{header}\n2025-01-01T00:00:00,15,0.001,{broken}\n")
    with pytest.raises(BadEmissions, match=r"emissions\.csv: not "):
        read_emissions(path, PARIS)


class TestProgram:
    def imported(self, tmp_path: Path, url: str, *, host: str = "srv-12", zone: str = "Europe/Paris") -> int:
        (tmp_path / "token").write_text("a-token")
        (tmp_path / "token").chmod(0o600)
        config = (
            f'[console]\nurl = "{url}"\ntoken_file = "{tmp_path}/token"\n[agent]\noutbox = "{tmp_path}/o"\n'
        )
        (tmp_path / "collector.toml").write_text(config)
        file = str(DATA / "v31a_codecarbon_examples.csv")
        words = [
            "--config",
            str(tmp_path / "collector.toml"),
            "--host",
            host,
            "--zone",
            zone,
            "--site",
            "tls",
        ]
        return main([*words, file])

    def test_importing_again_sends_the_same_stream_and_sequences(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Console() as console, caplog.at_level(logging.INFO):
            assert self.imported(tmp_path, console.url) == 0
            assert self.imported(tmp_path, console.url) == 0
        first, second = console.batches
        assert (first["host"], first["facts"]) == ("srv-12", {"site": "tls"})
        assert first["stream"] == second["stream"]
        assert first["readings"] == second["readings"]
        sequences = [reading["sequence"] for reading in first["readings"]]
        assert len(set(sequences)) == 19
        assert "line 6 is left out: energy_consumed: no value" in caplog.text
        assert "srv-12: 19 accepted" in caplog.text

    def test_a_console_that_refuses_is_told(self, tmp_path: Path) -> None:
        with Console(refuse(403, "no")) as console:
            assert self.imported(tmp_path, console.url) == 1

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"host": "SRV 12"}, "--host"),
            ({"zone": "Mars/Olympus"}, "--zone: 'Mars/Olympus'"),
            ({"zone": "Europe"}, "--zone: 'Europe' is not a zone such as Europe/Paris"),
        ],
    )
    def test_what_is_asked_wrongly_is_told(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong: dict[str, str], message: str
    ) -> None:
        assert self.imported(tmp_path, "http://127.0.0.1:9", **wrong) == 2
        assert message in caplog.text
