"""IPMI: what a server draws at its input, as `ipmitool` prints it.

Asks `ipmitool dcmi power reading` first (the standard's own figure), then `ipmitool sdr elist full` for
controllers without DCMI. Of the sensors in watts the one named by `sensor` is taken; else the first whose
name is that of a total (`TOTALS`); else the inputs of all supplies, added.

Boundary: `server_input`. Quality: measured. Rights: on the server itself, to read `/dev/ipmi0` (root, or a
group that owns it); over the network, a user of the controller with the privilege USER.

Settings, all optional: `program` (ipmitool), `sensor`, `text_file` (a file that something else writes the
output of either command to, where the agent may not run programs); for a controller over the network
`address`, `port`, `user`, `password_file` (handed over as a file, so that no password is in a list of
processes) and `interface` ("lanplus"); `timeout_seconds`, `every_seconds`.

Traps: the language of the system may turn 167.5 into 167,5 (the program is run with LC_ALL=C, and a file is
read with either); `ns` and `na` ("not readable", "not specified") are no reading, and 0 W is what a
controller without a meter says; a supply that is absent is left out of a sum, one that is there and does not
say its input makes it unknown; sensors in watts of a part (CPU, memory, fans) are not the server; a file
that nobody writes any more goes on saying the same: one older than a minute is no answer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from collectors.instrument import Roots, SecretFile
from collectors.polling import EVERY_S, NoAnswer, Polled, Sample
from collectors.reading import Authority, Boundary, Quality

LARGEST = 1024 * 1024
STALE_S = 60.0
MOST_W = 100_000
DCMI = ("dcmi", "power", "reading")
SENSORS = ("sdr", "elist", "full")
NOW = re.compile(r"instantaneous power reading\s*:\s*(?P<watts>[\d.,]+)\s*watts", re.IGNORECASE)
STATE = re.compile(r"power reading state is\s*:\s*(?P<state>\w+)", re.IGNORECASE)
WATTS = re.compile(r"(?P<watts>[\d.,]+)\s*(?:\(\+/- [\d.,]+\)\s*)?(?:\|\s*)?watts", re.IGNORECASE)
VERBOSE = re.compile(r"sensor id\s*:\s*(?P<name>.+?)\s*\(0x[0-9a-f]+\)", re.IGNORECASE)
TOTALS = (
    "pwr consumption",
    "power consumption",
    "total power",
    "total_power",
    "sys power",
    "system power",
    "power meter",
    "avg power",
)
OTHER_UNIT = re.compile(r"\d\s*(?:\|\s*)?(volts|amps|degrees|rpm|percent|hz)\b", re.IGNORECASE)
SUPPLY_INPUT = re.compile(
    r"(ps|psu|power supply|pwr supply) ?\d+ ?_?(input|in|pin|power in|input power)\b"
    r"(?!.*(volt|curr|amp|temp|freq|stat)).*"
)
ABSENT = frozenset({"ns", "nr"})
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True)
class IpmiSettings:
    """How to reach the controller, and what to read of it."""

    program: str = "ipmitool"
    sensor: str | None = None
    text_file: Path | None = None
    address: str | None = None
    port: int = 623
    user: str | None = None
    password_file: SecretFile | None = None
    interface: str = "lanplus"
    timeout_seconds: float = 10.0
    every_seconds: float = EVERY_S

    def __post_init__(self) -> None:
        if self.address is not None and (self.user is None or self.password_file is None):
            raise ValueError("address: user and password_file are needed with it")
        if self.address is not None and self.text_file is not None:
            raise ValueError("text_file: a file is read, or an address asked, not both")
        for field in ("address", "user", "interface", "program"):
            if (getattr(self, field) or "x").startswith("-"):
                raise ValueError(f"{field}: it may not begin with '-'")
        if not 1 <= self.port <= 65535:
            raise ValueError("port: 1 to 65535 is expected")
        if not 1 <= self.timeout_seconds <= 60:
            raise ValueError("timeout_seconds: 1 to 60 is expected")
        if not 1 <= self.every_seconds <= 300:
            raise ValueError("every_seconds: 1 to 300 is expected")


class Sensor(NamedTuple):
    """One line of a list of sensors: its power in milliwatts, None where it gives none.

    One that measures something else is as absent as one that is not plugged in.
    """

    name: str
    power_mw: int | None
    absent: bool


class Ipmi(Polled):
    """One controller, asked by the program or read from a file."""

    name = "ipmi"
    authority = Authority.BMC
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MEASURED
    settings = IpmiSettings

    def __init__(self, roots: Roots, settings: IpmiSettings | None = None) -> None:
        self._settings = settings or IpmiSettings()
        super().__init__(self._settings.every_seconds)
        self._dcmi = True

    @classmethod
    def only_here(cls, settings: object) -> bool:
        return isinstance(settings, IpmiSettings) and not (settings.address or settings.text_file)

    def available(self) -> str | None:
        if self._settings.text_file is not None:
            return None
        if shutil.which(self._settings.program) is None:
            return f"no program {self._settings.program!r}: apt install ipmitool"
        if self._settings.password_file is not None:
            return _unreadable(self._settings.password_file)
        return None

    def ask(self) -> Sample:
        if self._settings.text_file is not None:
            return Sample(power_mw(_fresh(self._settings.text_file), self._settings.sensor))
        if self._dcmi and self._settings.sensor is None:
            try:
                return Sample(power_mw(self._printed(DCMI)))
            except NoAnswer:
                sample = Sample(power_mw(self._printed(SENSORS)))
                self._dcmi = False  # where the sensors answer it is DCMI that is missing
                return sample
        return Sample(power_mw(self._printed(SENSORS), self._settings.sensor))

    def _printed(self, command: tuple[str, ...]) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - a program and words of our own; settings begin with no '-'
                [self._settings.program, *self._reached(), *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._settings.timeout_seconds,
                env={**os.environ, "LC_ALL": "C", "LANGUAGE": "C"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NoAnswer(
                f"{self._settings.program} did not end in {self._settings.timeout_seconds:g} s"
            ) from None
        except OSError as error:
            raise NoAnswer(f"{self._settings.program}: {error.strerror}") from None
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise NoAnswer(
                f"{self._settings.program} ended with {done.returncode}: {(said or ['nothing said'])[-1]}"
            )
        return done.stdout[:LARGEST].decode(errors="replace")

    def _reached(self) -> list[str]:
        """The words by which the program finds a controller over the network."""
        settings = self._settings
        if settings.address is None or settings.user is None or settings.password_file is None:
            return []
        return [
            *("-I", settings.interface),
            *("-H", settings.address, "-p", str(settings.port)),
            *("-U", settings.user),
            *("-f", str(settings.password_file.path)),
            *("-L", "USER"),
        ]


def power_mw(text: str, sensor: str | None = None) -> int:
    """The power of the server in what the program printed; raises `NoAnswer`."""
    if sensor is None and (now := NOW.search(text)):
        state = STATE.search(text)
        if state and state["state"].lower() != "activated":
            raise NoAnswer(f"the controller does not measure: its power reading is {state['state']}")
        return _some(_milliwatts(now["watts"]), "DCMI")
    return _of_sensors([*sensors(text)], sensor)


def sensors(text: str) -> Iterator[Sensor]:
    """The sensors of `sdr`, `sdr elist`, `sensor` and `sdr -v`; those in another unit have no power."""
    name = ""
    for line in text.splitlines():
        if match := VERBOSE.search(line):
            name = match["name"]
        elif line.strip().lower().startswith("sensor reading") and name:
            yield Sensor(name, _of_line(line), "no reading" in line.lower() or _is_of_another_unit(line))
        elif "|" in line:
            cells = [cell.strip() for cell in line.split("|")]
            absent = bool(ABSENT & {cell.lower() for cell in cells[1:]}) or _is_of_another_unit(line)
            yield Sensor(cells[0], _of_line(line), absent)


def _of_sensors(found: list[Sensor], wanted: str | None) -> int:
    if wanted is not None:
        return _some(_named(found, wanted), repr(wanted))
    for total in TOTALS:
        if (power := _named(found, total)) is not None:
            return _some(power, repr(total))
    supplies = [one for one in found if SUPPLY_INPUT.fullmatch(one.name.lower()) and not one.absent]
    if supplies and all(one.power_mw is not None for one in supplies):
        return _some(sum(one.power_mw or 0 for one in supplies), "the supplies")
    known = ", ".join(one.name for one in found if one.power_mw is not None)
    raise NoAnswer(
        f"no sensor tells the power of the whole; in watts: {known or 'none'}; set sensor to one of them"
    )


def _named(found: list[Sensor], name: str) -> int | None:
    return next((one.power_mw for one in found if one.name.lower() == name.lower()), None)


def _some(power: int | None, what: str) -> int:
    if not power:
        raise NoAnswer(f"{what} gives no power: {'0 W' if power == 0 else 'no reading'}")
    return power


def _of_line(line: str) -> int | None:
    match = WATTS.search(line)
    return _milliwatts(match["watts"]) if match else None


def _is_of_another_unit(line: str) -> bool:
    return OTHER_UNIT.search(line) is not None


def _milliwatts(text: str) -> int | None:
    """Watts with a point or a comma before the decimals, as the language of the program had it."""
    if not NUMBER.fullmatch(text):
        return None
    watts = float(text.replace(",", "."))
    return round(watts * 1000) if watts < MOST_W else None


def _fresh(path: Path) -> str:
    try:
        with path.open("rb") as file:
            age_s = time.time() - os.fstat(file.fileno()).st_mtime
            text = file.read(LARGEST).decode(errors="replace")
    except OSError as error:
        raise NoAnswer(f"{path}: {error.strerror}") from None
    if age_s > STALE_S:
        raise NoAnswer(f"{path}: written {age_s:.0f} s ago, no longer true")
    if not text.strip():
        raise NoAnswer(f"{path}: empty")
    return text


def _unreadable(secret: SecretFile) -> str | None:
    try:
        secret.read()
    except OSError as error:
        return f"password_file: {secret.path}: {error.strerror}"
    return None
