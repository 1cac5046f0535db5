"""Prometheus pages: the energy of a host as another exporter on it counts it.

Reads the page of an exporter by `url`, or a `file` that something else writes it to:

    node_exporter  node_rapl_<zone>_joules_total                  packages and their DRAM, or psys alone
    kepler         kepler_node_<zone>_joules_total (to 0.9)       the same, of both modes
                   kepler_node_cpu_joules_total{zone=} (0.10)     the same
    scaphandre     scaph_host_energy_microjoules                  the host
                   scaph_host_power_microwatts                    the host, where there is no energy

or any one `metric` that is named, whose unit is in its name.

Boundary: `package+dram`. Authority: that of RAPL, whose counters these exporters read: run either `rapl` or
this. Quality: measured. Rights: none on this host; a page that wants a token gets it from `token_file`.

Settings: `url` or `file`; `exporter` ("auto", "node_exporter", "kepler", "scaphandre") or `metric`; `labels`
("name=value", to find one host on a page of several), `ca_file`, `token_file`, `timeout_seconds`,
`every_seconds`.

Traps: zones overlap (psys holds the rest; package holds core and uncore, not DRAM), and Kepler's `other` and
`platform` are not of RAPL; Kepler tells idle and dynamic apart, and both are the node; what Kepler estimates
by a model is not measured and is refused; a `_total` that is lower was reset, whatever its name promises
(node_exporter passes the kernel's counter on, which wraps at a maximum that it does not tell); microwatts
where microjoules are expected are told by the name, by the type, and by a power on the same page that the
rise does not agree with; command lines stand in labels of processes, which are not read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from collectors.counter import SOCKET_LIMIT_W, Counter, Snapshot, between
from collectors.exposition import Page, Series, UnreadablePage, read_page
from collectors.fetching import LARGEST, Unfetched, server_at
from collectors.instrument import Missing, Roots, SecretFile
from collectors.polling import EVERY_S, Broken, NoAnswer, Polled, Sample
from collectors.reading import Authority, Boundary, Quality

STALE_S = 60.0
HOST_LIMIT_W = 8 * SOCKET_LIMIT_W
ENERGY_UJ = {"microjoules": 1, "millijoules": 1000, "joules": 1_000_000, "kilojoules": 1_000_000_000}
POWER_MW = {
    "microwatts": Decimal("0.001"),
    "milliwatts": Decimal(1),
    "watts": Decimal(1000),
    "kilowatts": Decimal(1_000_000),
}
ZONES = ("package", "dram", "psys")
NODE_EXPORTER = {zone: f"node_rapl_{zone}_joules_total" for zone in ZONES}
KEPLER = {zone: f"kepler_node_{zone}_joules_total" for zone in ("package", "dram")}
KEPLER_CPU = "kepler_node_cpu_joules_total"
SCAPHANDRE_ENERGY, SCAPHANDRE_POWER = "scaph_host_energy_microjoules", "scaph_host_power_microwatts"
BOOTS = {"node_boot_time_seconds": 60.0, "process_start_time_seconds": 2.0}
"""How far a start may move and still be the same: it is told by the clock of now, which is set at times.

A program may be started twice in a minute, a machine not.
"""
ZONE_LABELS = ("index", "path", "package", "mode", "source", "zone", "socket_id")
HOST_LABELS = ("instance", "exported_instance", "node_name", "node", "host")
MEASURED_BY = ("rapl", "hmc")
EXPORTERS = ("auto", "node_exporter", "kepler", "scaphandre")
MIRROR = "intel-rapl-mmio"
MOST_APART = 3.0
"""How far a counter and the power beside it may be apart: less than the seconds of a step of an exporter."""
COMPARED_S = 300.0


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """Where the page is, and what of it tells the energy of this host."""

    url: str | None = None
    file: Path | None = None
    exporter: str = "auto"
    metric: str | None = None
    labels: tuple[str, ...] = ()
    ca_file: Path | None = None
    token_file: SecretFile | None = None
    timeout_seconds: float = 5.0
    every_seconds: float = EVERY_S

    def __post_init__(self) -> None:
        if (self.url is None) == (self.file is None):
            raise ValueError("url: either a url or a file is expected")
        if self.url is not None:
            try:
                server = server_at(self.url, schemes=("http", "https"))
            except ValueError as error:
                raise ValueError(f"url: {error}") from None
            if self.token_file is not None and server.scheme != "https":
                raise ValueError("token_file: a token is sent over https only")
        if self.exporter not in EXPORTERS:
            raise ValueError(f"exporter: {self.exporter!r} is not one of {', '.join(EXPORTERS)}")
        if self.metric is not None and unit_of(self.metric) is None:
            known = ", ".join([*ENERGY_UJ, *POWER_MW])
            raise ValueError(f"metric: the name of {self.metric!r} ends with no unit ({known})")
        if any("=" not in label for label in self.labels):
            raise ValueError('labels: each is "name=value"')
        if not 1 <= self.timeout_seconds <= 60:
            raise ValueError("timeout_seconds: 1 to 60 is expected")
        if not 1 <= self.every_seconds <= 40:
            raise ValueError("every_seconds: 1 to 40 is expected, for counters may wrap in 43")


class Boot(NamedTuple):
    """When what counts was started as the page tells it now, and by what that start is known since."""

    name: str = ""
    at_s: float = 0.0
    identity: str = ""


class Read(NamedTuple):
    """A page, and the moment on the monotonic clock that it tells of."""

    text: str
    at_s: float


class Agreement:
    """Whether the rise of a counter is that of the power beside it, over the last minutes.

    A power is of a moment, and what happens between two pages may be far from both; a wrong unit is wrong
    page after page. Microwatts that are added up every 5 s as if they were microjoules are wrong by five.
    """

    def __init__(self) -> None:
        self._counted_mj = 0.0
        self._told_mj = 0.0

    def holds(self, counted_mj: int, told_mj: float, elapsed_s: float) -> bool:
        """With what was counted and told in the last so many seconds."""
        kept = max(1 - elapsed_s / COMPARED_S, 0.0)
        self._counted_mj = self._counted_mj * kept + counted_mj
        self._told_mj = self._told_mj * kept + told_mj
        return (
            self._told_mj <= self._counted_mj * MOST_APART and self._counted_mj <= self._told_mj * MOST_APART
        )


class Prometheus(Polled):
    """One page, read at its own pace."""

    name = "prometheus"
    authority = Authority.RAPL
    boundary = Boundary.PACKAGE_DRAM
    quality = Quality.MEASURED
    settings = PrometheusSettings

    def __init__(self, roots: Roots, settings: PrometheusSettings) -> None:
        super().__init__(settings.every_seconds)
        self._settings = settings
        self._wanted = dict(_pair(label) for label in settings.labels)
        self._last: Snapshot | None = None
        self._power_mw: int | None = None
        self._agreement = Agreement()
        self._written_ns: int | None = None
        self._boot = Boot()

    def available(self) -> str | None:
        if self._settings.token_file is not None:
            try:
                self._settings.token_file.token()
            except OSError as error:
                return f"token_file: {self._settings.token_file.path}: {error.strerror}"
        return None

    def ask(self) -> Sample:
        read = self._from_file(self._settings.file) if self._settings.file else self._from_url()
        metrics = self._metrics()
        try:
            page = read_page(read.text, {*metrics, *BOOTS}, {*ZONE_LABELS, *HOST_LABELS, *self._wanted})
        except UnreadablePage as error:
            raise NoAnswer(str(error)) from None
        series = self._of_this_host(page, metrics)
        _types_agree(page)
        counted = counted_series(series)
        if not counted:
            return Sample(_power_mw(series), at_s=read.at_s)
        self._boot = _boot(page, self._boot)
        return self._since_last(counted, _power_mw(series), self._boot.identity, read.at_s)

    def _metrics(self) -> tuple[str, ...]:
        if self._settings.metric:
            return (self._settings.metric,)
        by_exporter = {
            "node_exporter": tuple(NODE_EXPORTER.values()),
            "kepler": (*KEPLER.values(), KEPLER_CPU),
            "scaphandre": (SCAPHANDRE_ENERGY, SCAPHANDRE_POWER),
        }
        if self._settings.exporter == "auto":
            return tuple(name for names in by_exporter.values() for name in names)
        return by_exporter[self._settings.exporter]

    def _of_this_host(self, page: Page, metrics: Iterable[str]) -> list[Series]:
        """The series of one host; raises `NoAnswer` where there is none, or where there are several."""
        found = [
            series
            for name in metrics
            for series in page.series.get(name, [])
            if all(series.labels.get(label) == value for label, value in self._wanted.items())
        ]
        if not found:
            raise NoAnswer("the page holds no series of the energy of a host that is known here")
        for label in HOST_LABELS:
            hosts = sorted({series.labels[label] for series in found if label in series.labels})
            if len(hosts) > 1:
                raise NoAnswer(f"the page tells of {len(hosts)} hosts ({label}); set labels to one of them")
        exporters = {series.name.partition("_")[0] for series in found}
        if len(exporters) > 1:
            raise NoAnswer(f"the page holds series of {', '.join(sorted(exporters))}; set exporter to one")
        return found

    def _since_last(
        self, counted: Mapping[Counter, int], power_mw: int | None, boot: str, at_s: float
    ) -> Sample:
        now = Snapshot(boot, at_s, counted)
        before, self._last = self._last, now
        power_before_mw, self._power_mw = self._power_mw, power_mw
        if before is None:
            return Sample(power_mw, at_s=at_s)
        energy, elapsed_s = between(before, now), at_s - before.at_s
        if isinstance(energy, Missing):
            self._agreement = Agreement()
            raise Broken(energy.reason)
        if power_mw and power_before_mw:
            told_mj = (power_before_mw + power_mw) / 2 * elapsed_s
            if not self._agreement.holds(energy.energy_mj, told_mj, elapsed_s):
                raise Broken(
                    f"{SCAPHANDRE_ENERGY} rose by {energy.energy_mj / 1000:g} J in {elapsed_s:.0f} s "
                    f"where {SCAPHANDRE_POWER} says {power_mw / 1000:g} W: one of them is in another unit"
                )
        return Sample(power_mw, energy.energy_mj, at_s=at_s)

    def _from_url(self) -> Read:
        settings = self._settings
        headers = {"Accept": "text/plain;version=0.0.4"}
        try:
            if settings.token_file is not None:
                headers["Authorization"] = f"Bearer {settings.token_file.token()}"
            server = server_at(
                settings.url or "",
                schemes=("http", "https"),
                ca_file=settings.ca_file,
                timeout_s=settings.timeout_seconds,
            )
            began_s = time.monotonic()
            answer = server.ask(headers=headers)
        except Unfetched as reason:
            raise NoAnswer(str(reason)) from None
        except OSError as error:
            raise NoAnswer(f"token_file: {error.strerror}") from None
        if answer.status != 200:
            raise NoAnswer(f"the exporter answered {answer.status}")
        return Read(answer.body.decode(errors="replace"), (began_s + time.monotonic()) / 2)

    def _from_file(self, path: Path) -> Read:
        """The page as it was when it was written; raises `NoAnswer` until it is written again."""
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                content = file.read(LARGEST + 1)
        except OSError as error:
            raise NoAnswer(f"{path}: {error.strerror}") from None
        age_s = max(time.time() - status.st_mtime, 0.0)
        if age_s > STALE_S:
            raise NoAnswer(f"{path}: written {age_s:.0f} s ago, no longer true")
        if not content.strip():
            raise NoAnswer(f"{path}: empty")
        if len(content) > LARGEST:
            raise NoAnswer(f"{path}: larger than {LARGEST} bytes")
        if status.st_mtime_ns == self._written_ns:
            raise NoAnswer(f"{path}: not written again yet")
        self._written_ns = status.st_mtime_ns
        return Read(content.decode(errors="replace"), time.monotonic() - age_s)


def unit_of(metric: str) -> str | None:
    """The unit that the name of a metric ends with; None where there is none that is known."""
    unit = metric.removesuffix("_total").rpartition("_")[2]
    return unit if unit in ENERGY_UJ or unit in POWER_MW else None


def counted_series(series: Iterable[Series]) -> dict[Counter, int]:
    """The counters to add, in microjoules: each physical counter once, by zone."""
    energies = [one for one in series if unit_of(one.name) in ENERGY_UJ]
    zoned = {zone: [one for one in energies if _zone(one) == zone] for zone in (*ZONES, "")}
    packages = _without_mirrors(zoned["package"])
    kept = packages + _without_mirrors(zoned["dram"]) if packages else zoned["psys"] or zoned[""]
    if energies and not kept:
        told = ", ".join(sorted({one.name for one in energies}))
        raise NoAnswer(f"the page tells of a part ({told}) and of no package that it goes with")
    for one in kept:
        by = one.labels.get("source", MEASURED_BY[0])
        if not by.startswith(MEASURED_BY):
            raise NoAnswer(f"{one.name}: estimated by {by!r}, not measured")
    return {_counter(one): round(one.value * ENERGY_UJ[unit_of(one.name) or ""]) for one in kept}


def _zone(series: Series) -> str:
    """The zone of RAPL that a series counts; empty for the host as a whole."""
    if series.name == KEPLER_CPU:
        return series.labels.get("zone", "")
    by_name = {name: zone for table in (NODE_EXPORTER, KEPLER) for zone, name in table.items()}
    return by_name.get(series.name, "")


def _without_mirrors(series: list[Series]) -> list[Series]:
    """The memory-mapped mirror of a zone shows the same counter."""
    real = [one for one in series if MIRROR not in one.labels.get("path", "")]
    return real or series


def _counter(series: Series) -> Counter:
    labels = ",".join(f"{name}={series.labels[name]}" for name in ZONE_LABELS if name in series.labels)
    passed_on = series.name in NODE_EXPORTER.values()
    limit_w = SOCKET_LIMIT_W if _zone(series) else HOST_LIMIT_W
    return Counter(f"{series.name}{{{labels}}}", wraps=passed_on, limit_w=limit_w)


def _power_mw(series: Iterable[Series]) -> int | None:
    powers = [one for one in series if unit_of(one.name) in POWER_MW]
    return round(sum(one.value * POWER_MW[unit_of(one.name) or ""] for one in powers)) if powers else None


def _types_agree(page: Page) -> None:
    """A gauge is no counter of energy, and a counter no power: one of them is in another unit."""
    for name, kind in page.types.items():
        unit = unit_of(name)
        if name in page.series and (unit in ENERGY_UJ, kind) == (True, "gauge"):
            raise NoAnswer(f"{name}: a gauge in {unit} is no counter of energy")
        if name in page.series and (unit in POWER_MW, kind) == (True, "counter"):
            raise NoAnswer(f"{name}: a counter in {unit} is no power")


def _boot(page: Page, before: Boot) -> Boot:
    """The start of what counts: the one before where it only moved as far as a clock is set."""
    for name, most_s in BOOTS.items():
        for series in page.series.get(name, []):
            at_s = float(series.value)
            same = before.name == name and abs(at_s - before.at_s) <= most_s
            return Boot(name, at_s, before.identity if same else f"{name} {series.value}")
    return Boot()


def _pair(label: str) -> tuple[str, str]:
    name, _, value = label.partition("=")
    return name, value
