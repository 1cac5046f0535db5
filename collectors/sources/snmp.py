"""SNMP: what a server draws at the outlets of rack PDUs that it is plugged into.

    [sources.snmp]
    vendor = "apc"
    outlets = ["pdu-a.example/12", "pdu-b.example/12"]
    community_file = "/etc/console-inr/community"      # version 2c; or for version 3:
    user = "inr"
    auth_file = "/etc/console-inr/snmp-auth"
    priv_file = "/etc/console-inr/snmp-priv"

An outlet is the address of its PDU (a port may follow: `pdu-a.example:1161/12`) and its number there; where
units are chained, the unit and the number (`pdu-a.example/2.12`): units are counted from 1 as APC and Raritan
do, from 0 as Eaton does, whose second unit is 1. A server with two supplies has an outlet for each, and they
are added: the power is known when all of them answer.

Needs the `snmp` extra. Boundary: `server_input`, for what leaves the outlet enters the server. Authority: the
PDU outlet, the strongest. Quality: measured. Rights: read; version 3 with authentication and privacy where
the PDU has it (SHA-256 and AES-128 unless said otherwise), for version 2c sends its community in clear.

What each table counts in, which is converted here by the column:

    vendor   outlet                                   the unit it is part of
    apc      rPDU2OutletMeteredStatusPower: W         rPDU2DeviceStatusPower: hundredths of kW
    raritan  measurementsOutletSensorValue, type 5:   measurementsInletSensorValue, type 5: same
             W by its sensor's decimal digits
    eaton    outletWatts: W                           inputTotalWatts: W

(raritan: also Legrand's PDUs with PDU2-MIB.) An outlet that seems to draw more than its whole unit is in
another unit than the table says, and is refused.

Traps: the rows of APC are numbered through all units of a chain, so an outlet is found by the columns of its
unit and its number, which are asked again with each power; hundredths of kW beside watts in one walk; an
outlet that is not metered answers "no such instance", a negative number (Eaton) or "not available" (Raritan),
which is no reading; 0 W on one of two outlets is a supply at rest, 0 W on all is no server; counters of
energy step by 0.1 kWh or 1 Wh and tell no minute.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
import threading
from collections import defaultdict
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from collectors.instrument import Roots, SecretFile, Source
from collectors.polling import EVERY_S, NoAnswer, Polled, Sample
from collectors.reading import Authority, Boundary, Quality

if TYPE_CHECKING:
    from pysnmp.hlapi.v3arch.asyncio import SnmpEngine

OUTLET = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>\d{1,5}))?/(?:(?P<unit>\d{1,3})\.)?(?P<number>\d{1,3})"
)
AUTH = {
    "SHA256": "USM_AUTH_HMAC192_SHA256",
    "SHA512": "USM_AUTH_HMAC384_SHA512",
    "SHA": "USM_AUTH_HMAC96_SHA",
}
PRIV = {"AES128": "USM_PRIV_CFB128_AES", "AES256": "USM_PRIV_CFB256_AES"}
SHORTEST_SECRET = 8
RESOLVE_S = 5.0
MOST_MW = 30_000_000
"""What the largest rack PDU may draw; more is in another unit."""
SLACK_MW = 20_000
"""Two steps of a unit that counts in hundredths of kW."""

Oid = str


class Reading(NamedTuple):
    """The column of a table, how many milliwatts one is, and where its decimals and its state are told."""

    column: Oid
    mw: int
    digits: Oid | None = None
    available: Oid | None = None


class Listed(NamedTuple):
    """The columns that say which outlet and which unit a row is of, where its index does not."""

    outlet_unit: Oid
    outlet_number: Oid
    whole_unit: Oid


class Vendor(NamedTuple):
    """The tables of a vendor: of an outlet by `unit.number`, of a unit; and the index of the first unit."""

    outlet: Reading
    whole: Reading
    first_unit: str
    outlet_index: str = ""
    whole_index: str = ""
    listed: Listed | None = None


APC = "1.3.6.1.4.1.318.1.1.26"
RARITAN = "1.3.6.1.4.1.13742.6"
EATON = "1.3.6.1.4.1.534.6.6.7"
VENDORS = {
    "apc": Vendor(
        outlet=Reading(f"{APC}.9.4.3.1.7", 1000),
        whole=Reading(f"{APC}.4.3.1.5", 10_000),
        first_unit="1",
        listed=Listed(f"{APC}.9.4.3.1.2", f"{APC}.9.4.3.1.4", f"{APC}.4.3.1.2"),
    ),
    "raritan": Vendor(
        outlet=Reading(f"{RARITAN}.5.4.3.1.4", 1000, f"{RARITAN}.3.5.4.1.7", f"{RARITAN}.5.4.3.1.2"),
        whole=Reading(f"{RARITAN}.5.2.3.1.4", 1000, f"{RARITAN}.3.3.4.1.7", f"{RARITAN}.5.2.3.1.2"),
        first_unit="1",
        outlet_index="{unit}.{number}.5",
        whole_index="{unit}.1.5",
    ),
    "eaton": Vendor(
        outlet=Reading(f"{EATON}.6.5.1.3", 1000),
        whole=Reading(f"{EATON}.3.5.1.4", 1000),
        first_unit="0",
        outlet_index="{unit}.{number}",
        whole_index="{unit}.1",
    ),
}
AVAILABLE = 1
ROWS_AT_ONCE = 25
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class SnmpSettings:
    """The outlets that a server is plugged into, and who asks."""

    vendor: str
    outlets: tuple[str, ...]
    community_file: SecretFile | None = None
    user: str | None = None
    auth_file: SecretFile | None = None
    priv_file: SecretFile | None = None
    auth_protocol: str = "SHA256"
    priv_protocol: str = "AES128"
    context: str = ""
    timeout_seconds: float = 3.0
    every_seconds: float = EVERY_S

    def __post_init__(self) -> None:
        if self.vendor not in VENDORS:
            raise ValueError(f"vendor: {self.vendor!r} is not one of {', '.join(VENDORS)}")
        if not self.outlets or len(set(self.outlets)) < len(self.outlets):
            raise ValueError("outlets: one or more are expected, each once")
        for outlet in self.outlets:
            if not OUTLET.fullmatch(outlet):
                raise ValueError(f"outlets: {outlet!r} is not an outlet such as pdu-a.example/12")
        self._check_secrets()
        if not 1 <= self.timeout_seconds <= 30:
            raise ValueError("timeout_seconds: 1 to 30 is expected")
        if not 1 <= self.every_seconds <= 300:
            raise ValueError("every_seconds: 1 to 300 is expected")

    def _check_secrets(self) -> None:
        secrets = (self.user, self.auth_file, self.priv_file)
        if (self.community_file is None) == (self.user is None):
            raise ValueError(
                "community_file: either it (version 2c), or user, auth_file and priv_file (version 3)"
            )
        if any(secrets) and not all(secrets):
            raise ValueError("user: version 3 needs user, auth_file and priv_file")
        if self.auth_protocol not in AUTH:
            raise ValueError(f"auth_protocol: {self.auth_protocol!r} is not one of {', '.join(AUTH)}")
        if self.priv_protocol not in PRIV:
            raise ValueError(f"priv_protocol: {self.priv_protocol!r} is not one of {', '.join(PRIV)}")


class Pdu(NamedTuple):
    """A PDU by its address."""

    host: str
    port: int


class Outlet(NamedTuple):
    """An outlet of a PDU: the index of the unit among those that are chained, and the number on it."""

    pdu: Pdu
    unit: str
    number: str

    @property
    def shown(self) -> str:
        return f"outlet {self.number} of {self.pdu.host}"


class Rows(NamedTuple):
    """The index of an outlet in its table, and of its unit in the table of units."""

    outlet: str
    whole: str


class Snmp(Polled):
    """The outlets of one server."""

    name = "snmp"
    authority = Authority.PDU_OUTLET
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MEASURED
    settings = SnmpSettings

    def __init__(self, roots: Roots, settings: SnmpSettings) -> None:
        super().__init__(settings.every_seconds)
        self._settings = settings
        self._vendor = VENDORS[settings.vendor]
        self._outlets: defaultdict[Pdu, list[Outlet]] = defaultdict(list)
        for text in settings.outlets:
            outlet = outlet_of(text, self._vendor.first_unit)
            self._outlets[outlet.pdu].append(outlet)
        self._found: dict[Pdu, dict[Outlet, Rows]] = {}

    def available(self) -> str | None:
        if importlib.util.find_spec("pysnmp") is None:
            return "not installed: pysnmp, the extra 'snmp' of the wheel"
        for field in ("community_file", "auth_file", "priv_file"):
            secret: SecretFile | None = getattr(self._settings, field)
            try:
                if secret is not None:
                    secret.read()
            except OSError as error:
                return f"{field}: {secret and secret.path}: {error.strerror}"
        return None

    def ask(self) -> Sample:
        power_mw = 0
        for pdu, outlets in self._outlets.items():
            rows = self._rows(pdu, outlets)
            told = self._told(pdu, [oid for outlet in outlets for oid in self._oids(rows[outlet])])
            self._still_the_same(rows, told)
            power_mw += sum(self._power_mw(outlet, rows[outlet], told) for outlet in outlets)
        if power_mw == 0:
            raise NoAnswer("0 W on every outlet: no server is plugged in there")
        return Sample(power_mw)

    def leave(self) -> None:
        LINE.leave(self)

    def _rows(self, pdu: Pdu, outlets: list[Outlet]) -> dict[Outlet, Rows]:
        """Where each outlet stands; asked once of a PDU whose indices do not say it. Raises `NoAnswer`."""
        vendor = self._vendor
        if vendor.listed is None:
            return {
                outlet: Rows(_index(vendor.outlet_index, outlet), _index(vendor.whole_index, outlet))
                for outlet in outlets
            }
        if pdu not in self._found:
            units, numbers, wholes = (self._column(pdu, column) for column in vendor.listed)
            by_name = {(units[index], number): index for index, number in numbers.items() if index in units}
            by_unit = {unit: index for index, unit in wholes.items()}
            rows = {}
            for outlet in outlets:
                unit, number = int(outlet.unit), int(outlet.number)
                if (unit, number) not in by_name or unit not in by_unit:
                    raise NoAnswer(f"{outlet.shown} tells no power: its unit {unit} has no such outlet")
                rows[outlet] = Rows(by_name[unit, number], by_unit[unit])
            self._found[pdu] = rows
        return self._found[pdu]

    def _still_the_same(self, rows: Mapping[Outlet, Rows], told: Mapping[Oid, int]) -> None:
        """Raises `NoAnswer` where a row is of another outlet by now, and looks for it the next time."""
        if self._vendor.listed is None:
            return
        unit, number, whole = self._vendor.listed
        for outlet, row in rows.items():
            seen = [told.get(oid) for oid in (f"{unit}.{row.outlet}", f"{number}.{row.outlet}")]
            if [*seen, told.get(f"{whole}.{row.whole}")] != [
                int(outlet.unit),
                int(outlet.number),
                int(outlet.unit),
            ]:
                del self._found[outlet.pdu]
                raise NoAnswer(f"{outlet.shown} stands elsewhere in its table by now")

    def _oids(self, rows: Rows) -> list[Oid]:
        """Everything that one outlet's power is told by."""
        vendor = self._vendor
        oids = [*_columns(vendor.outlet, rows.outlet), *_columns(vendor.whole, rows.whole)]
        if vendor.listed:
            unit, number, whole = vendor.listed
            oids += [f"{unit}.{rows.outlet}", f"{number}.{rows.outlet}", f"{whole}.{rows.whole}"]
        return oids

    def _power_mw(self, outlet: Outlet, rows: Rows, told: Mapping[Oid, int]) -> int:
        """The power of an outlet, held against that of its unit; raises `NoAnswer`."""
        vendor, name = self._vendor, outlet.shown
        power_mw = _read(vendor.outlet, rows.outlet, told)
        if power_mw is None:
            raise NoAnswer(f"{name} tells no power: it is not there, or not metered")
        whole_mw = _read(vendor.whole, rows.whole, told)
        most_mw = MOST_MW if whole_mw is None else whole_mw + SLACK_MW
        if power_mw > most_mw:
            raise NoAnswer(
                f"{name} tells {power_mw / 1000:g} W and all of its unit {most_mw / 1000:g} W: another unit"
            )
        return power_mw

    def _told(self, pdu: Pdu, oids: list[Oid]) -> dict[Oid, int]:
        """What a PDU answers to one question, by the object; raises `NoAnswer`."""
        who = self._who()
        question = self._answer(LINE.engine(self, who), who, pdu, list(dict.fromkeys(oids)))
        return LINE.wait(question, 2 * self._settings.timeout_seconds + RESOLVE_S)

    def _column(self, pdu: Pdu, column: Oid) -> dict[str, int]:
        """A column of a table by the index of its rows; raises `NoAnswer`."""
        who = self._who()
        found: dict[str, int] = {}
        last = column
        while len(found) < MOST_ROWS:
            question = self._answer(LINE.engine(self, who), who, pdu, [last], ROWS_AT_ONCE)
            told = LINE.wait(question, 2 * self._settings.timeout_seconds + RESOLVE_S)
            rows = {oid: value for oid, value in told.items() if oid.startswith(f"{column}.")}
            known = len(found)
            found |= {oid.removeprefix(f"{column}."): value for oid, value in rows.items()}
            if len(rows) < len(told) or len(found) == known:
                break  # beyond the column, or no further; a PDU may answer less at once than it was asked
            last = [*rows][-1]
        return found

    async def _answer(
        self, engine: SnmpEngine, who: Who, pdu: Pdu, oids: list[Oid], following: int = 0
    ) -> dict[Oid, int]:
        """What the objects are, or as many `following` each of them."""
        from pysnmp.hlapi import v3arch
        from pysnmp.hlapi.v3arch import asyncio as hlapi

        seconds = self._settings.timeout_seconds
        try:
            address = (pdu.host, pdu.port)
            target = await hlapi.UdpTransportTarget.create(address, timeout=seconds, retries=1)
        except Exception as error:  # the library wraps what the resolver says in an error of its own
            raise NoAnswer(f"{pdu.host}: {error}") from None
        objects = [hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in oids]
        context = v3arch.ContextData(contextName=self._settings.context.encode())
        if following:
            asked = hlapi.bulk_cmd(
                engine, who.data(), target, context, 0, following, *objects, lookupMib=False
            )
        else:
            asked = hlapi.get_cmd(engine, who.data(), target, context, *objects, lookupMib=False)
        failed, status, place, told = await asked
        if failed:
            raise NoAnswer(f"{pdu.host}: {failed}")
        if status:
            raise NoAnswer(
                f"{pdu.host}: {status.prettyPrint()} at {oids[int(place) - 1] if place else 'none'}"
            )
        return {str(name): int(value) for name, value in told if _is_number(value)}

    def _who(self) -> Who:
        """The community, or the user of version 3; raises `NoAnswer` where a secret cannot be used."""
        settings = self._settings
        if settings.community_file is not None:
            return Who("", _secret("community_file", settings.community_file, 1))
        return Who(
            settings.user or "",
            _secret("auth_file", settings.auth_file, SHORTEST_SECRET),
            _secret("priv_file", settings.priv_file, SHORTEST_SECRET),
            settings.auth_protocol,
            settings.priv_protocol,
        )


class Who(NamedTuple):
    """Who asks: a user with two secrets, or nobody with a community."""

    user: str
    secret: str
    private: str = ""
    auth_protocol: str = ""
    priv_protocol: str = ""

    def data(self) -> Any:
        """The same as the library knows it."""
        from pysnmp.hlapi.v3arch import asyncio as hlapi

        if not self.user:
            return hlapi.CommunityData(self.secret, mpModel=1)  # noqa: S508 - where a PDU has nothing better
        return hlapi.UsmUserData(
            self.user,
            self.secret,
            self.private,
            authProtocol=getattr(hlapi, AUTH[self.auth_protocol]),
            privProtocol=getattr(hlapi, PRIV[self.priv_protocol]),
        )


class Line:
    """The one thread in which the library works for every source: an engine costs a second and megabytes.

    An engine keeps what it knows of a user by the user's name, so there is one for each set of secrets, for
    as long as a source asks with these.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engines: dict[Who, SnmpEngine] = {}
        self._askers: WeakKeyDictionary[Source, Who] = WeakKeyDictionary()

    def engine(self, asker: Source, who: Who) -> SnmpEngine:
        """The engine for the secrets that a source asks with from now on."""
        from pysnmp.hlapi.v3arch.asyncio import SnmpEngine

        with self._lock:
            former = self._askers.get(asker)
            self._askers[asker] = who
            if who not in self._engines:
                self._engines[who] = SnmpEngine()
            engine = self._engines[who]
        self._close_unused(former)
        return engine

    def leave(self, asker: Source) -> None:
        """A source that asks no more."""
        with self._lock:
            former = self._askers.pop(asker, None)
        self._close_unused(former)

    def _close_unused(self, who: Who | None) -> None:
        """Close the engine of secrets with which no source asks any more."""
        with self._lock:
            if who is None or who in self._askers.values():
                return
            engine = self._engines.pop(who, None)
        if engine is not None:
            self._running().call_soon_threadsafe(engine.close_dispatcher)

    def wait(self, question: Coroutine[Any, Any, dict[Oid, int]], patience_s: float) -> dict[Oid, int]:
        """The answer to a question; raises `NoAnswer`."""
        asked = asyncio.run_coroutine_threadsafe(question, self._running())
        try:
            return asked.result(patience_s)
        except TimeoutError:
            asked.cancel()
            raise NoAnswer(f"no answer within {patience_s:g} s") from None

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="snmp", daemon=True).start()
            return self._loop


LINE = Line()


def outlet_of(text: str, first_unit: str) -> Outlet:
    """An outlet from what the settings call it."""
    match = OUTLET.fullmatch(text)
    if match is None:
        raise ValueError(f"outlets: {text!r} is not an outlet such as pdu-a.example/12")
    return Outlet(Pdu(match["host"], int(match["port"] or 161)), match["unit"] or first_unit, match["number"])


def _index(pattern: str, outlet: Outlet) -> str:
    return pattern.format(unit=outlet.unit, number=outlet.number)


def _columns(reading: Reading, index: str) -> list[Oid]:
    columns = (reading.column, reading.digits, reading.available)
    return [f"{column}.{index}" for column in columns if column is not None]


def _read(reading: Reading, index: str, told: Mapping[Oid, int]) -> int | None:
    """A power in milliwatts, by the unit of its column; None where there is no reading."""
    value = told.get(f"{reading.column}.{index}")
    if value is None or value < 0:
        return None
    if reading.available is not None and told.get(f"{reading.available}.{index}") != AVAILABLE:
        return None
    if reading.digits is None:
        return value * reading.mw
    digits = told.get(f"{reading.digits}.{index}")
    return round(value * reading.mw / 10**digits) if digits is not None and 0 <= digits <= 9 else None


def _is_number(value: Any) -> bool:
    """False for what stands for no value: no such object, no such instance, end of the table."""
    try:
        int(value)
    except (TypeError, ValueError):
        return False
    return True


def _secret(field: str, secret: SecretFile | None, shortest: int) -> str:
    try:
        text = secret.read() if secret is not None else ""
    except OSError as error:
        raise NoAnswer(f"{field}: {error.strerror}") from None
    if len(text) < shortest:
        raise NoAnswer(f"{field}: at least {shortest} characters are expected")
    return text
