"""Redfish: what a server draws at its input, as its management controller (BMC) tells it.

Asks over HTTPS `Chassis/<id>` and what it links to. The power of the chassis is taken from the first of these
that gives a reading, in this order, which is from what is measured as a whole to what is added up or old:

1. `EnvironmentMetrics`: `PowerWatts`
2. `Sensors`: the sensor of type `Power` whose context is the chassis
3. `PowerSubsystem/PowerSupplies/*/Metrics`: `InputPowerWatts` of all supplies that are there, added
4. `Power` (deprecated): `PowerControl`, `PowerConsumedWatts` of the whole system

Where others of them give another figure, the difference is logged once, and the least and the greatest of
all are told with the energy. A cumulative counter (`EnergyJoules`, `EnergyWh`, `EnergykWh`, in the metrics or
as a sensor) goes before sampled power where its step is fine enough to tell a minute (0.1 Wh); most count
whole kilowatt-hours and are of no use here.

Boundary: `server_input` (losses of the supplies, fans and disks inside). Quality: measured.
Rights: a read-only user of the controller ("ReadOnly"; no right to configure or to switch).
Settings: `address` (https://...), `user`, `password_file`, `ca_file` (the authority, or the certificate of
the controller itself), `server_name` (where the certificate bears another name than the address), `chassis`
(needed where several tell a power, as in an enclosure of blades), `auth` ("session" or "basic"),
`timeout_seconds`, `every_seconds`.

Traps: a supply that is absent has no `Reading` (it is left out; one that is there and says nothing makes the
sum unknown); null, 0 W, 32767 and 65535 are what controllers say for "unknown"; units are those of the sensor
(`W`, `kW`, `kW.h`), and one that is not known is refused; `PowerMetrics` minima are minima of averages; a
session that is not closed stays open for half an hour, and a controller has few: one is used, and closed;
some redirect every path to itself with a slash at the end, which is followed, within the controller.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from collectors.fetching import Answer, Server, Unfetched, server_at
from collectors.instrument import Roots, SecretFile
from collectors.polling import EVERY_S, NoAnswer, Polled, Sample
from collectors.reading import Authority, Boundary, Quality

log = logging.getLogger(__name__)

ROOT = "/redfish/v1"
SESSIONS = f"{ROOT}/SessionService/Sessions"
UNKNOWN_W = frozenset({Decimal(0), Decimal(32767), Decimal(65535)})
MOST_W = 100_000
MW = {"W": 1000, "kW": 1_000_000, "mW": 1}
MJ = {
    "J": 1000,
    "kJ": 1_000_000,
    "W.h": 3_600_000,
    "Wh": 3_600_000,
    "kW.h": 3_600_000_000,
    "kWh": 3_600_000_000,
}
ENERGY_TYPES = frozenset({"EnergyJoules", "EnergyWh", "EnergykWh"})
MOST_DIGITS = 15
FINE_MJ = 360_000
"""A counter that steps by more than 0.1 Wh cannot tell a minute of a server."""
LIKELY = 3
"""How many times more or less than the power a counter may tell."""
NOT_THE_WHOLE = frozenset({"CPU", "Memory", "GPU", "Accelerator", "Fan", "StorageDevice"})
WHOLE = ("total", "consum")
APART = 0.02
MOST_MEMBERS = 200
SURVEY_S = 3600.0
REFUSED_S = 300.0
PATH = re.compile(r"/redfish/v1(/[A-Za-z0-9._~:@!$&'()*+,;=%-]+)*/?")
MOVED = frozenset({301, 302, 307, 308})
NAME = re.compile(r"[A-Za-z0-9._-]+")

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RedfishSettings:
    """Where the controller is, and who asks it."""

    address: str
    user: str
    password_file: SecretFile
    ca_file: Path | None = None
    server_name: str | None = None
    chassis: str | None = None
    auth: str = "session"
    timeout_seconds: float = 10.0
    every_seconds: float = EVERY_S

    def __post_init__(self) -> None:
        try:
            server_at(self.address)
        except ValueError as error:
            raise ValueError(f"address: {error}") from None
        if self.auth not in ("session", "basic"):
            raise ValueError(f"auth: {self.auth!r} is not session or basic")
        if self.chassis is not None and not NAME.fullmatch(self.chassis):
            raise ValueError(
                f"chassis: {self.chassis!r} is not the name of a chassis, such as System.Embedded.1"
            )
        if not 1 <= self.timeout_seconds <= 60:
            raise ValueError("timeout_seconds: 1 to 60 is expected")
        if not 1 <= self.every_seconds <= 300:
            raise ValueError("every_seconds: 1 to 300 is expected")


class Total(NamedTuple):
    """What a counter stands at, and the least it steps by, in millijoules."""

    name: str
    counted_mj: int
    step_mj: int


class Counted:
    """What a counter adds to what was told by the power: controllers bring it up to date when they like.

    While it stands still the power is told. When it moves, it says what was used since it moved last, and
    what the power told of that is taken off. A movement that is nowhere near the power was a reset.
    """

    def __init__(self) -> None:
        self._moved: Total | None = None
        self._moved_at_s = self._last_s = 0.0
        self._power_mw: int | None = None
        self._told_mj = 0.0

    def since_last(self, total: Total | None, power_mw: int | None, at_s: float) -> int | None:
        """What was used since the answer before, or None where the power has to tell it."""
        before, told_mj = self._moved, self._told_mj
        self._told_mj += self._by_power_mj(power_mw, at_s)
        self._power_mw, self._last_s = power_mw, at_s
        if total is None or total.step_mj > FINE_MJ:
            self._moved = None
            return None
        if before is None or before.name != total.name or total.counted_mj < before.counted_mj:
            self._move(total, at_s)
            return None
        counted_mj, elapsed_s = total.counted_mj - before.counted_mj, at_s - self._moved_at_s
        if counted_mj == 0 and power_mw is not None:
            return None
        likely_mj = MOST_W * 1000 * elapsed_s if power_mw is None else self._told_mj
        least_mj = 0.0 if power_mw is None else likely_mj / LIKELY
        self._move(total, at_s)
        if not least_mj - total.step_mj <= counted_mj <= LIKELY * likely_mj + total.step_mj:
            return None
        return round(counted_mj - told_mj)

    def _move(self, total: Total, at_s: float) -> None:
        self._moved, self._moved_at_s, self._told_mj = total, at_s, 0.0

    def _by_power_mj(self, power_mw: int | None, at_s: float) -> float:
        if power_mw is None or self._power_mw is None:
            return 0.0
        return (self._power_mw + power_mw) / 2 * (at_s - self._last_s)


class Power(NamedTuple):
    """One reading of the power of the whole chassis, and where it was read."""

    place: str
    power_mw: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found on a chassis: where its power is read, and what other places said at the same time."""

    chassis: Resource
    powers: tuple[Power, ...]
    counts: bool
    at_s: float

    @property
    def margins(self) -> tuple[Fraction, Fraction] | None:
        """The least and the greatest of all readings, as shares of the one that is believed."""
        powers_mw = [power.power_mw for power in self.powers]
        if not powers_mw or min(powers_mw) == max(powers_mw):
            return None
        return Fraction(min(powers_mw), powers_mw[0]), Fraction(max(powers_mw), powers_mw[0])

    def fresh(self) -> bool:
        """Whether the places need not be compared again yet."""
        return time.monotonic() - self.at_s < SURVEY_S


class Redfish(Polled):
    """One chassis, asked at its own pace."""

    name = "redfish"
    authority = Authority.BMC
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MEASURED
    settings = RedfishSettings

    def __init__(self, roots: Roots, settings: RedfishSettings) -> None:
        super().__init__(settings.every_seconds)
        self._settings = settings
        self._door = Door(settings)
        self._survey: Survey | None = None
        self._counted = Counted()
        self._said: tuple[str, ...] = ()
        self._refusals: list[str] = []

    def available(self) -> str | None:
        """The controller itself may be away, which is a gap; a password that cannot be read is not."""
        try:
            self._settings.password_file.read()
        except OSError as error:
            return f"password_file: {self._settings.password_file.path}: {error.strerror}"
        return None

    def ask(self) -> Sample:
        self._door.forget()
        if self._survey is None or not self._survey.fresh():
            self._survey = self._surveyed()
        survey, self._survey = self._survey, None  # surveyed again where anything below fails
        power_mw = self._places()[survey.powers[0].place](survey.chassis) if survey.powers else None
        total = self._finest(survey.chassis) if survey.counts else None
        counted_mj = self._counted.since_last(total, power_mw, time.monotonic())
        if survey.powers and power_mw is None:
            raise NoAnswer(f"{survey.powers[0].place} gives no power any more")
        self._survey = survey
        if power_mw is None or survey.margins is None:
            return Sample(power_mw, counted_mj)
        low, high = survey.margins
        return Sample(power_mw, counted_mj, round(power_mw * low), round(power_mw * high))

    def leave(self) -> None:
        self._door.sign_out()

    def _surveyed(self) -> Survey:
        """The one chassis that tells a power, or the one that was named; raises `NoAnswer`."""
        self._refusals.clear()
        if self._settings.chassis:
            path = f"{ROOT}/Chassis/{self._settings.chassis}"
            return self._told(self._chassis(path), f"{path} tells no power")
        paths = [*_links(self._door.get(f"{ROOT}/Chassis"))]
        surveys = [survey for path in paths if (survey := self._chassis(path)).powers or survey.counts]
        if len(surveys) > 1:
            names = ", ".join(str(survey.chassis.get("Id")) for survey in surveys)
            raise NoAnswer(f"several chassis tell a power: {names}; set chassis to one of them")
        return self._told(surveys[0] if surveys else None, f"none of {len(paths)} chassis tells a power")

    def _told(self, survey: Survey | None, otherwise: str) -> Survey:
        if survey is None or not (survey.powers or survey.counts):
            raise NoAnswer("; ".join((otherwise, *self._refusals)))
        self._tell_apart(survey.powers)
        return survey

    def _chassis(self, path: str) -> Survey:
        chassis = self._door.get(path)
        powers, counts = [], False
        for place, read in self._places().items():
            with self._refused():
                power_mw = read(chassis)
                powers += [Power(place, power_mw)] if power_mw is not None else []
        with self._refused():
            counts = any(total.step_mj <= FINE_MJ for total in self._totals(chassis))
        return Survey(chassis, tuple(powers), counts, time.monotonic())

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """What one place cannot tell is kept, and said where no other tells anything."""
        try:
            yield
        except NoAnswer as reason:
            self._refusals.append(str(reason))

    def _places(self) -> dict[str, Callable[[Resource], int | None]]:
        """Where the power of the whole may be read, the one to believe first."""
        return {
            "EnvironmentMetrics": self._environment_mw,
            "Sensors": self._sensor_mw,
            "PowerSupplies": self._supplies_mw,
            "Power": self._legacy_mw,
        }

    def _environment_mw(self, chassis: Resource) -> int | None:
        metrics = self._door.linked(chassis, "EnvironmentMetrics")
        return _power_mw(metrics.get("PowerWatts"), "W")

    def _sensor_mw(self, chassis: Resource) -> int | None:
        for sensor in self._chassis_sensors(chassis):
            if sensor.get("ReadingType") == "Power":
                return _power_mw(sensor, str(sensor.get("ReadingUnits", "W")))
        return None

    def _supplies_mw(self, chassis: Resource) -> int | None:
        supplies = self._door.linked(self._door.linked(chassis, "PowerSubsystem"), "PowerSupplies")
        present = [supply for supply in map(self._door.get, _links(supplies)) if _state(supply) != "Absent"]
        powers_mw = [
            _power_mw(self._door.linked(supply, "Metrics").get("InputPowerWatts"), "W") for supply in present
        ]
        known = [power_mw for power_mw in powers_mw if power_mw is not None]
        return sum(known) if known and len(known) == len(present) else None

    def _legacy_mw(self, chassis: Resource) -> int | None:
        for control in _objects(self._door.linked(chassis, "Power").get("PowerControl")):
            if control.get("PhysicalContext") not in NOT_THE_WHOLE:
                return _power_mw({**control, "Reading": control.get("PowerConsumedWatts")}, "W")
        return None

    def _totals(self, chassis: Resource) -> Iterator[Total]:
        """Counters of the energy of the whole."""
        metrics = self._door.linked(chassis, "EnvironmentMetrics")
        for name, unit in (("EnergyJoules", "J"), ("EnergykWh", "kW.h")):
            if total := _total(metrics.get(name), unit, name):
                yield total
        for sensor in self._chassis_sensors(chassis):
            if sensor.get("ReadingType") in ENERGY_TYPES:
                total = _total(sensor, str(sensor.get("ReadingUnits")), str(sensor.get("Id")))
                if total:
                    yield total

    def _chassis_sensors(self, chassis: Resource) -> Iterator[Resource]:
        """The sensors of the chassis as a whole: those whose names say so are asked."""
        for path in _links(self._door.linked(chassis, "Sensors")):
            if any(word in path.rstrip("/").rpartition("/")[2].lower() for word in WHOLE):
                sensor = self._door.get(path)
                if sensor.get("PhysicalContext") in ("Chassis", "SystemBoard"):
                    yield sensor

    def _finest(self, chassis: Resource) -> Total | None:
        return min(self._totals(chassis), key=lambda total: total.step_mj, default=None)

    def _tell_apart(self, powers: tuple[Power, ...]) -> None:
        """Log that places differ, once for the same places."""
        first = powers[0] if powers else None
        others = [other for other in powers[1:] if first and _apart(first.power_mw, other.power_mw)]
        places = tuple(other.place for other in others)
        if first and places and places != self._said:
            log.warning(
                "%s: %s says %g W, and %s: the first is believed",
                self._settings.address,
                first.place,
                first.power_mw / 1000,
                ", ".join(f"{other.place} {other.power_mw / 1000:g} W" for other in others),
            )
        self._said = places


class Door:
    """The controller's resources, with a session or the password at each request.

    A password that was refused is not tried again for a while, unless its file holds another: controllers
    lock an account after a few attempts.
    """

    def __init__(self, settings: RedfishSettings) -> None:
        self._settings = settings
        self._server: Server = server_at(
            settings.address,
            ca_file=settings.ca_file,
            server_name=settings.server_name,
            timeout_s=settings.timeout_seconds,
        )
        self._token: str | None = None
        self._session: str | None = None
        self._refused: tuple[str, float] | None = None
        self._read: dict[str, Resource] = {}

    def forget(self) -> None:
        """Let every resource be read again."""
        self._read.clear()

    def linked(self, resource: Resource, name: str) -> Resource:
        """The resource that another links to; an empty one where there is no link or nothing behind it."""
        link = resource.get(name)
        path = link.get("@odata.id") if isinstance(link, dict) else None
        return self.get(path, missing={}) if isinstance(path, str) else {}

    def get(self, path: str, missing: Resource | None = None) -> Resource:
        """One resource of this controller; raises `NoAnswer`."""
        path = _inside(path.partition("#")[0])
        if path not in self._read:
            self._read[path] = self._fetched(path, missing)
        return self._read[path]

    def sign_out(self) -> None:
        """Close the session, for a controller has few."""
        if self._token and self._session:
            try:
                self._server.ask(self._session, method="DELETE", headers={"X-Auth-Token": self._token})
            except Unfetched as reason:
                log.info("%s: the session stays open: %s", self._settings.address, reason)
        self._token = self._session = None

    def _fetched(self, path: str, missing: Resource | None) -> Resource:
        answer = self._asked(path)
        if answer.status == 401 and self._token is not None:  # the session has ended
            self._token = self._session = None
            answer = self._asked(path)
        if answer.status == 404 and missing is not None:
            return missing
        if answer.status == 401:
            raise self._refusal(self._password(), answer.status)
        if answer.status != 200:
            raise NoAnswer(f"{path}: the controller answered {answer.status}")
        return _object(answer.body, path)

    def _asked(self, path: str, method: str = "GET", body: bytes | None = None) -> Answer:
        headers = {"Accept": "application/json"}
        if body is None:
            headers |= self._credentials()
        else:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._server.ask(path, method=method, headers=headers, body=body)
            if answer.status in MOVED:  # some want a slash at the end of every path
                place = _inside(self._place(answer))
                answer = self._server.ask(place, method=method, headers=headers, body=body)
        except Unfetched as reason:
            raise NoAnswer(str(reason)) from None
        return answer

    def _place(self, answer: Answer) -> str:
        """The path that an answer points to, which some write with their address before it."""
        return answer.headers.get("location", "").removeprefix(self._settings.address.rstrip("/"))

    def _credentials(self) -> dict[str, str]:
        if self._settings.auth == "basic":
            pair = f"{self._settings.user}:{self._password()}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        if self._token is None:
            self._sign_in()
        return {"X-Auth-Token": self._token or ""}

    def _sign_in(self) -> None:
        password = self._password()
        body = json.dumps({"UserName": self._settings.user, "Password": password}).encode()
        answer = self._asked(SESSIONS, "POST", body)
        token, place = answer.headers.get("x-auth-token"), self._place(answer)
        if answer.status in (400, 401, 403):
            raise self._refusal(password, answer.status)
        if answer.status not in (200, 201) or not token:
            raise NoAnswer(f"{SESSIONS}: the controller answered {answer.status} and gave no token")
        self._token = token
        self._session = place if PATH.fullmatch(place) else None

    def _refusal(self, password: str, status: int) -> NoAnswer:
        self._refused = password, time.monotonic()
        return NoAnswer(
            f"the controller refuses {self._settings.user!r} with the password of the file: {status}"
        )

    def _password(self) -> str:
        try:
            password = self._settings.password_file.read()
        except OSError as error:
            raise NoAnswer(f"password_file: {error.strerror}") from None
        if self._refused and self._refused[0] == password and time.monotonic() - self._refused[1] < REFUSED_S:
            raise NoAnswer(f"the password of {self._settings.user!r} was refused; waits for another")
        return password


def _inside(path: str) -> str:
    """A path of this controller's own resources; raises `NoAnswer`."""
    if not PATH.fullmatch(path) or ".." in path:
        raise NoAnswer(f"a link leads away from {ROOT}")
    return path


def _apart(one_mw: int, other_mw: int) -> bool:
    return abs(one_mw - other_mw) > APART * one_mw


def _power_mw(reading: object, unit: str) -> int | None:
    """A reading of power in milliwatts; None where there is none, or a number that stands for unknown."""
    value = _reading(reading)
    if value is None or value in UNKNOWN_W:
        return None
    if unit not in MW:
        raise NoAnswer(f"a power in {unit!r} is not understood: one of {', '.join(MW)} is")
    return round(value * MW[unit]) if 0 < value * MW[unit] < MOST_W * 1000 else None


def _total(reading: object, unit: str, name: str) -> Total | None:
    value = _reading(reading)
    if value is None or value < 0:
        return None
    if unit not in MJ:
        raise NoAnswer(f"{name}: an energy in {unit!r} is not understood: one of {', '.join(MJ)} is")
    exponent = value.as_tuple().exponent
    step = Decimal(1).scaleb(min(exponent, 0)) if isinstance(exponent, int) else Decimal(1)
    return Total(name, round(value * MJ[unit]), round(step * MJ[unit]))


def _reading(reading: object) -> Decimal | None:
    """The number of a sensor that is there and works."""
    if not isinstance(reading, dict) or _state(reading) not in ("Enabled", None):
        return None
    value = reading.get("Reading")
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return None
    return Decimal(value) if Decimal(value).adjusted() < MOST_DIGITS else None


def _state(resource: Resource) -> str | None:
    status = resource.get("Status")
    state = status.get("State") if isinstance(status, dict) else None
    return state if isinstance(state, str) else None


def _links(collection: Resource) -> Iterator[str]:
    for member in _objects(collection.get("Members"))[:MOST_MEMBERS]:
        path = member.get("@odata.id")
        if isinstance(path, str):
            yield path


def _objects(value: object) -> list[Resource]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _object(body: bytes, path: str) -> Resource:
    try:
        resource = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise NoAnswer(f"{path}: the answer is not JSON") from None
    if not isinstance(resource, dict):
        raise NoAnswer(f"{path}: the answer is not a resource")
    return resource
