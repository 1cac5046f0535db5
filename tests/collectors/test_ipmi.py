"""The power of a server in what ipmitool prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from collectors.instrument import Energy, Roots, SecretFile
from collectors.polling import NoAnswer, Sample
from collectors.sources.ipmi import Ipmi, IpmiSettings, power_mw
from tests.collectors.instruments import read_as_it_goes
from tests.running import free_port

DATA = Path(__file__).parents[1] / "data" / "ipmi"
SUPPLIES = "PS1 Input Power  | 120 Watts | ok\nPS2 Input Power  | {second}\nCPU1 Power | 90 Watts | ok\n"


def text_of(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected_mw"),
    [
        pytest.param(text_of("dcmi_power_reading.txt"), 167_000, id="dcmi: what is now, not the mean"),
        pytest.param(text_of("sdr.txt"), 210_000, id="sdr"),
        pytest.param(text_of("ipmitool_sensor_current_data.txt"), 154_000, id="a verbose list"),
        pytest.param("Pwr Consumption  | 76h | ok  |  7.1 | 168 Watts\n", 168_000, id="sdr elist"),
        pytest.param("Pwr Consumption  | 168.000 | Watts | ok | na | na\n", 168_000, id="sensor"),
        pytest.param("Pwr Consumption  | 168,5 Watts | ok\n", 168_500, id="a comma before the decimals"),
        pytest.param(SUPPLIES.format(second="80 Watts | ok"), 200_000, id="supplies are added"),
        pytest.param(SUPPLIES.format(second="no reading | ns"), 120_000, id="an absent supply is left out"),
        pytest.param("Instantaneous power reading:  90 Watts\n", 90_000, id="no state told"),
        pytest.param(
            SUPPLIES.format(second="80 Watts | ok")
            + "PS1 Input Voltage | 230 Volts | ok\nPS1 Input Current | no reading | ok\n",
            200_000,
            id="the volts and amperes of a supply are no power that is missing",
        ),
        pytest.param(
            "PS1 Input        | 230.000 | Volts | ok | na\nPS1 Input Power | 144.000 | Watts | ok | na\n",
            144_000,
            id="nor is what the name does not tell from a power",
        ),
    ],
)
def test_the_power_of_the_whole_server_is_found(text: str, expected_mw: int) -> None:
    assert power_mw(text) == expected_mw


def test_a_named_sensor_goes_before_any_other() -> None:
    assert power_mw(text_of("sdr.txt") + "Node 2 Power | 35 Watts | ok\n", "node 2 power") == 35_000


@pytest.mark.parametrize(
    ("text", "sensor", "reason"),
    [
        ("Instantaneous power reading: 0 Watts\n", None, "DCMI gives no power: 0 W"),
        (text_of("dcmi_power_reading.txt").replace("activated", "deactivated"), None, "does not measure"),
        ("Avg Power        | na | Watts | na\n", "Avg Power", "'Avg Power' gives no power: no reading"),
        ("Avg Power        | no reading | ns\n", "Avg Power", "'Avg Power' gives no power: no reading"),
        ("Avg Power        | 0 Watts | ok\n", None, "'avg power' gives no power: 0 W"),
        (SUPPLIES.format(second="na | ok"), None, "in watts: PS1 Input Power, CPU1 Power; set sensor"),
        ("CPU1 Power | 90 Watts | ok\n", None, "no sensor tells the power of the whole"),
        (text_of("ipmitool_sensor_temperature_data.txt"), None, "in watts: none"),
        ("", None, "no sensor tells"),
        ("Avg Power | 1.2.3 Watts | ok\n", None, "no sensor tells"),
    ],
)
def test_what_is_no_reading_is_a_reason_and_never_zero(text: str, sensor: str | None, reason: str) -> None:
    with pytest.raises(NoAnswer, match=reason):
        power_mw(text, sensor)


def ipmitool(folder: Path, *, dcmi: bool) -> Path:
    """A program in the place of ipmitool that prints real texts, only under LC_ALL=C, and keeps its words."""
    program = folder / "ipmitool"
    reading = f"cat {DATA}/dcmi_power_reading.txt" if dcmi else "echo 'DCMI request failed' >&2; exit 1"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {folder}/words\n[ "$LC_ALL" = C ] || exit 3\n'
        f'case "$*" in *dcmi*) {reading} ;; *sdr*) cat {DATA}/sdr.txt ;; esac\n'
    )
    program.chmod(0o755)
    return program


def test_dcmi_is_asked_and_then_the_sensors_where_there_is_none(tmp_path: Path) -> None:
    with_dcmi = Ipmi(Roots(), IpmiSettings(program=str(ipmitool(tmp_path, dcmi=True))))
    assert with_dcmi.available() is None
    assert with_dcmi.ask() == Sample(167_000)
    (tmp_path / "words").unlink()
    without = Ipmi(Roots(), IpmiSettings(program=str(ipmitool(tmp_path, dcmi=False))))
    assert [without.ask(), without.ask()] == [Sample(210_000), Sample(210_000)]
    words = (tmp_path / "words").read_text().splitlines()
    assert words == ["dcmi power reading", "sdr elist full", "sdr elist full"]


def test_no_password_is_in_the_words_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret")
    settings = IpmiSettings(
        program=str(ipmitool(tmp_path, dcmi=True)),
        address="bmc.example",
        user="inr",
        password_file=SecretFile(tmp_path / "password"),
    )
    assert Ipmi(Roots(), settings).ask() == Sample(167_000)
    words = (tmp_path / "words").read_text()
    assert (
        words
        == f"-I lanplus -H bmc.example -p 623 -U inr -f {tmp_path}/password -L USER dcmi power reading\n"
    )


def test_a_program_that_is_missing_fails_or_hangs_is_a_reason(tmp_path: Path) -> None:
    missing = Ipmi(Roots(), IpmiSettings(program=str(tmp_path / "none")))
    assert "apt install ipmitool" in str(missing.available())
    with pytest.raises(NoAnswer, match="No such file"):
        missing.ask()
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 5\n")
    slow.chmod(0o755)
    began_s = time.monotonic()
    with pytest.raises(NoAnswer, match="did not end in 1 s"):
        Ipmi(Roots(), IpmiSettings(program=str(slow), sensor="x", timeout_seconds=1.0)).ask()
    assert time.monotonic() - began_s < 3


SENSOR = [0x20, 0, 1, 7, 1, 0x7F, 0x68, 0x0B, 1, *[0] * 7, 6, 0, 0, 2, *[0] * 9, 0xFF, *[0] * 12]
"""A full sensor record of type 1: sensor 1 of the system board, in watts, two for each step."""


@contextmanager
def simulated(folder: Path, name: str = "Pwr Consumption") -> Iterator[int]:
    """The port of OpenIPMI's simulator of a controller, with one sensor that stands at 84 steps."""
    port = free_port()
    record = [*SENSOR, 0xC0 | len(name), *name.encode()]
    (folder / "state").mkdir()
    (folder / "sim.emu").write_text(
        "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nsel_enable 0x20 1000 0x0a\n"
        f"main_sdr_add 0x20 0 0 0x51 1 {len(record)} {' '.join(map(hex, record))}\n"
        "sensor_add 0x20 0 1 0x0b 0x01\n"
        f"sensor_set_event_support 0x20 0 1 enable scanning per-state {' '.join(['0' * 15] * 4)}\n"
        "sensor_set_value 0x20 0 1 84 0\nmc_enable 0x20\n"
    )
    levels = "".join(
        f"allowed_auths_{level} none md5\n" for level in ("callback", "user", "operator", "admin")
    )
    (folder / "lan.conf").write_text(
        f'name "sim"\nset_working_mc 0x20\nstartlan 1\naddr 127.0.0.1 {port}\npriv_limit admin\n{levels}'
        'endlan\nuser 2 true "inr" "s3cret" user 10 none md5\n'
    )
    words = [str(shutil.which("ipmi_sim")), "-n", "-c", "lan.conf", "-f", "sim.emu", "-s", "state"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    simulator = subprocess.Popen(words, cwd=folder, **quiet)
    yield port
    simulator.kill()
    simulator.wait()


@pytest.mark.ipmi
def test_ipmitool_itself_reads_the_sensors_of_a_simulated_controller(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret")
    with simulated(tmp_path) as port:
        source = Ipmi(
            Roots(),
            IpmiSettings(
                address="127.0.0.1",
                port=port,
                user="inr",
                password_file=SecretFile(tmp_path / "password"),
                interface="lan",
            ),
        )
        assert source.available() is None
        deadline_s = time.monotonic() + 10
        while True:
            with suppress(NoAnswer):
                assert source.ask() == Sample(168_000)
                break
            assert time.monotonic() < deadline_s


def test_a_file_is_read_while_it_is_fresh(tmp_path: Path) -> None:
    file = tmp_path / "power.txt"
    source = Ipmi(Roots(), IpmiSettings(text_file=file))
    assert source.available() is None
    with pytest.raises(NoAnswer, match="No such file"):
        source.ask()
    file.write_text("")
    with pytest.raises(NoAnswer, match="empty"):
        source.ask()
    file.write_text(text_of("dcmi_power_reading.txt"))
    assert source.ask() == Sample(167_000)
    os.utime(file, (time.time() - 300, time.time() - 300))
    with pytest.raises(NoAnswer, match="written 300 s ago"):
        source.ask()


def test_the_energy_of_a_server_is_read_as_it_goes(tmp_path: Path) -> None:
    source = Ipmi(Roots(), IpmiSettings(program=str(ipmitool(tmp_path, dcmi=True))))
    energy = read_as_it_goes(source)
    assert isinstance(energy, Energy)
    assert energy.energy_mj == pytest.approx(167 * energy.duration_ms, abs=200)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"address": "bmc.example"}, "address: user and password_file are needed"),
        ({"program": "-x"}, "program: it may not begin with '-'"),
        (
            {
                "address": "a",
                "user": "u",
                "password_file": SecretFile(Path("p")),
                "text_file": Path("t"),
            },
            "text_file: ",
        ),
        ({"port": 0}, "port: 1 to 65535"),
        ({"timeout_seconds": 0.5}, "timeout_seconds: 1 to 60"),
        ({"every_seconds": 1000.0}, "every_seconds: 1 to 300"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_would_be_right(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        IpmiSettings(**wrong)
