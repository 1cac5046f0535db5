"""The wire format between an agent and the console, version 1.

A batch is one JSON object: what every reading in it shares (`version`, `agent`, `host`, `stream`) and a list
of readings. A reading is one closed interval of one host: what each energy source measured, why a source
could not, and how much CPU time each workload used. Energies are integer millijoules, durations are taken on
the monotonic clock, instants are UTC and only label the interval.

A batch whose envelope cannot be understood raises `UnreadableBatch`; a reading that breaks the format raises
`UnreadableReading` with the field and the rule, so that the others of its batch still count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

VERSION = 1
HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
STREAM = re.compile(r"[0-9a-f]{32}")
LONGEST_NAME = 120
LONGEST_SHOWN = 120  # of a wrong value, in the reason for which it is refused
LARGEST = 2**63 - 1
MOST_VCPU = 2**16
MOST_GPUS = 1024


class UnreadableBatch(ValueError):
    """The envelope of a batch is not version 1 of this format."""


class UnreadableReading(ValueError):
    """One reading of a batch breaks the format; the message names the field."""


class Boundary(StrEnum):
    """What an energy figure holds."""

    PACKAGE_DRAM = "package+dram"
    SERVER_INPUT = "server_input"
    PDU = "pdu"
    GPU = "gpu"


class Quality(StrEnum):
    """How an energy figure was come by."""

    MEASURED = "measured"
    MODELLED = "modelled"
    DECLARED = "declared"


class Authority(StrEnum):
    """The kind of instrument, strongest first: one is authoritative, the others only reconcile.

    What measures the graphics cards alone is none of the host: their energy is a part of its own.
    """

    PDU_OUTLET = "pdu_outlet"
    BMC = "bmc"
    RAPL = "rapl"
    MODEL = "model"
    GPU = "gpu"


class Kind(StrEnum):
    """What a rule recognised a workload by."""

    SYSTEMD = "systemd"
    CGROUP = "cgroup"
    CONTAINER = "container"
    USER = "user"
    EXECUTABLE = "executable"
    COMMAND = "command"
    VM = "vm"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The energy of the host over the interval, as one source gives it."""

    source: str
    authority: Authority
    boundary: Boundary
    quality: Quality
    energy_mj: int
    min_mj: int | None = None
    max_mj: int | None = None
    idle_power_mw: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A source that gave nothing for the interval, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Use:
    """What one named workload used over the interval; `reserved_mcpu` in thousandths of a vCPU.

    `steal_ms` is the time in which a virtual machine wanted a CPU and got none: it used no energy then.
    `uid` is what stays the same of a virtual machine that is renamed or moves to another host.
    """

    name: str
    kind: Kind
    cpu_ms: int
    reserved_mcpu: int | None = None
    reserved_mb: int | None = None
    gpu_ms: int | None = None
    steal_ms: int | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One closed interval of one host.

    `busy_cpu_ms` is the busy time of all logical CPUs together, workloads and the rest; `vcpu` their number;
    `ram_mb` what memory the host has, `gpus` how many graphics cards are in what measures them.
    """

    sequence: int
    started_at: datetime
    ended_at: datetime
    duration_ms: int
    vcpu: int
    busy_cpu_ms: int
    measurements: tuple[Measurement, ...]
    gaps: tuple[Gap, ...]
    workloads: tuple[Use, ...]
    ram_mb: int | None = None
    gpus: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a host is: where it stands, the cluster among whose hosts machines move, what it is made of."""

    site: str | None = None
    cluster: str | None = None
    cpu_model: str | None = None
    sockets: int | None = None
    ram_mb: int | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the readings of a batch share; the readings are still as they came.

    `sent_at` is the clock of the sender as the batch left, None where it does not say.
    """

    agent: str
    host: str
    stream: str
    readings: tuple[Any, ...]
    facts: Facts = Facts()
    sent_at: datetime | None = None


def encode_batch(
    agent: str,
    host: str,
    stream: str,
    readings: Iterable[Reading],
    facts: Facts | None = None,
    sent_at: datetime | None = None,
) -> bytes:
    """The JSON text of a batch, UTF-8; what is not known is left out."""
    body = {
        "version": VERSION,
        "agent": agent,
        "host": host,
        "stream": stream,
        "readings": [asdict(reading, dict_factory=_known) for reading in readings],
    }
    if facts is not None and (told := asdict(facts, dict_factory=_known)):
        body["facts"] = told
    if sent_at is not None:
        body["sent_at"] = sent_at
    return json.dumps(body, default=_instant_text, separators=(",", ":"), ensure_ascii=False).encode()


def decode_batch(body: bytes) -> Envelope:
    """The envelope of a batch, its readings not yet looked at; raises `UnreadableBatch`."""
    try:
        batch = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableBatch(f"the body is not JSON: {error}") from None
    if not isinstance(batch, dict):
        raise UnreadableBatch("the body is not a JSON object")
    if batch.get("version") != VERSION:
        raise UnreadableBatch(f"version: {_shown(batch.get('version'))} is not {VERSION}")
    for field, shape in (("host", HOST), ("stream", STREAM)):
        if not isinstance(batch.get(field), str) or not shape.fullmatch(batch[field]):
            raise UnreadableBatch(f"{field}: {_shown(batch.get(field))} does not match {shape.pattern}")
    if not _is_text(batch.get("agent"), LONGEST_NAME):
        raise UnreadableBatch("agent: a version text is missing")
    if not isinstance(batch.get("readings"), list):
        raise UnreadableBatch("readings: a list is missing")
    try:
        facts = _facts(batch.get("facts"))
        sent_at = None if batch.get("sent_at") is None else _instant(batch, "sent_at")
    except UnreadableReading as error:
        raise UnreadableBatch(str(error)) from None
    return Envelope(batch["agent"], batch["host"], batch["stream"], tuple(batch["readings"]), facts, sent_at)


def decode_reading(raw: object) -> Reading:
    """One reading of a decoded batch; raises `UnreadableReading`."""
    fields = _object(raw, "reading")
    reading = Reading(
        sequence=_count(fields, "sequence"),
        started_at=_instant(fields, "started_at"),
        ended_at=_instant(fields, "ended_at"),
        duration_ms=_count(fields, "duration_ms", least=1),
        vcpu=_count(fields, "vcpu", least=1, most=MOST_VCPU),
        busy_cpu_ms=_count(fields, "busy_cpu_ms"),
        measurements=tuple(_measurement(item) for item in _list(fields, "measurements")),
        gaps=tuple(_gap(item) for item in _list(fields, "gaps")),
        workloads=tuple(_use(item) for item in _list(fields, "workloads")),
        ram_mb=_optional_count(fields, "ram_mb"),
        gpus=None if fields.get("gpus") is None else _count(fields, "gpus", least=1, most=MOST_GPUS),
    )
    if reading.ended_at <= reading.started_at:
        raise UnreadableReading("ended_at: not after started_at")
    names = [use.name for use in reading.workloads]
    if len(names) != len(set(names)):
        raise UnreadableReading("workloads: a name comes twice")
    sources = [measurement.source for measurement in reading.measurements]
    if len(sources) != len(set(sources)):
        raise UnreadableReading("measurements: a source comes twice")
    return reading


def _measurement(raw: object) -> Measurement:
    fields = _object(raw, "measurements")
    measurement = Measurement(
        source=_text(fields, "source"),
        authority=_choice(fields, "authority", Authority),
        boundary=_choice(fields, "boundary", Boundary),
        quality=_choice(fields, "quality", Quality),
        energy_mj=_count(fields, "energy_mj"),
        min_mj=_optional_count(fields, "min_mj"),
        max_mj=_optional_count(fields, "max_mj"),
        idle_power_mw=_optional_count(fields, "idle_power_mw"),
    )
    energy_mj, low, high = measurement.energy_mj, measurement.min_mj, measurement.max_mj
    if (low is not None and low > energy_mj) or (high is not None and high < energy_mj):
        raise UnreadableReading("energy_mj: outside min_mj and max_mj")
    return measurement


def _gap(raw: object) -> Gap:
    fields = _object(raw, "gaps")
    return Gap(source=_text(fields, "source"), reason=_text(fields, "reason", longest=500))


def _use(raw: object) -> Use:
    fields = _object(raw, "workloads")
    return Use(
        name=_text(fields, "name"),
        kind=_choice(fields, "kind", Kind),
        cpu_ms=_count(fields, "cpu_ms"),
        reserved_mcpu=_optional_count(fields, "reserved_mcpu"),
        reserved_mb=_optional_count(fields, "reserved_mb"),
        gpu_ms=_optional_count(fields, "gpu_ms"),
        steal_ms=_optional_count(fields, "steal_ms"),
        uid=_optional_text(fields, "uid", longest=64),
    )


def _facts(raw: object) -> Facts:
    if raw is None:
        return Facts()
    fields = _object(raw, "facts")
    return Facts(
        site=_optional_text(fields, "site", longest=64),
        cluster=_optional_text(fields, "cluster"),
        cpu_model=_optional_text(fields, "cpu_model"),
        sockets=None if fields.get("sockets") is None else _count(fields, "sockets", least=1, most=1024),
        ram_mb=_optional_count(fields, "ram_mb"),
    )


def _object(raw: object, field: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise UnreadableReading(f"{field}: not an object")
    return raw


def _list(fields: Mapping[str, Any], field: str) -> list[Any]:
    value = fields.get(field)
    if not isinstance(value, list):
        raise UnreadableReading(f"{field}: a list is missing")
    return value


def _text(fields: Mapping[str, Any], field: str, longest: int = LONGEST_NAME) -> str:
    value = fields.get(field)
    if not isinstance(value, str) or not _is_text(value, longest):
        raise UnreadableReading(f"{field}: a printable text of 1 to {longest} characters is missing")
    return value


def _optional_text(fields: Mapping[str, Any], field: str, longest: int = LONGEST_NAME) -> str | None:
    return None if fields.get(field) is None else _text(fields, field, longest)


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _known(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields if value is not None}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _count(fields: Mapping[str, Any], field: str, least: int = 0, most: int = LARGEST) -> int:
    value = fields.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UnreadableReading(f"{field}: {_shown(value)} is not a whole number from {least} to {most}")
    return value


def _optional_count(fields: Mapping[str, Any], field: str) -> int | None:
    return None if fields.get(field) is None else _count(fields, field)


Choice = TypeVar("Choice", bound=StrEnum)


def _choice(fields: Mapping[str, Any], field: str, choices: type[Choice]) -> Choice:
    try:
        return choices(str(fields.get(field)))
    except ValueError:
        known = ", ".join(choices)
        raise UnreadableReading(f"{field}: {_shown(fields.get(field))} is not one of {known}") from None


def _instant(fields: Mapping[str, Any], field: str) -> datetime:
    value = fields.get(field)
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise UnreadableReading(f"{field}: {_shown(value)} is not an ISO 8601 instant") from None
    if instant.tzinfo is None:
        raise UnreadableReading(f"{field}: {_shown(value)} has no offset from UTC")
    if not 2000 <= instant.year < 2200:
        raise UnreadableReading(f"{field}: {_shown(value)} is not of this century or the next")
    return instant.astimezone(UTC)


def _instant_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(type(value).__name__)
