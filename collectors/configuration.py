"""The configuration of an agent: one TOML file, checked whole before anything starts.

    [console]
    url = "https://console.example"
    token_file = "/etc/console-inr/token"

    [agent]
    outbox = "/var/lib/console-inr-collector"

    [sources.rapl]                      # presence enables it; no [sources] at all: the default list

    [[hypervisors]]                     # a manager of virtual machines, whose hosts are measured from here
    kind = "proxmox"
    ...
    [hypervisors.hosts."pve-01".sources.redfish]    # the sources of one of its hosts
    ...

Every mistake of the file is told at once, each as `FILE:LINE: KEY: what is wrong, what would be right`; of
values that are out of bounds, or that do not go together, the first of each table.
"""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collectors import registry
from collectors.instrument import Roots, SecretFile
from collectors.power_models.stated import ModelSettings
from collectors.reading import HOST
from collectors.settings import Checker, Key
from collectors.sources.model import Model

DEFAULT_RULES = Path(__file__).with_name("workloads.toml")
LARGEST_FILE = 1 << 20
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_SITE = 64


class BadConfiguration(ValueError):
    """The file cannot be used; the message holds every mistake, one a line."""


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Where the readings go. `allow_plain_http` lets them, and the token, be read on the way."""

    url: str
    token_file: SecretFile
    ca_file: Path | None = None
    allow_plain_http: bool = False

    def __post_init__(self) -> None:
        if reason := unusable_address(self.url, self.allow_plain_http):
            raise ValueError(f"url: {reason}")
        if self.ca_file and not self.ca_file.is_file():
            raise ValueError(
                f"ca_file: {self.ca_file}: there is no such file; certificates in PEM are needed"
            )


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What is measured, how often, and where it is kept; not `this_host` where only managers are read."""

    outbox: Path
    outbox_max_mb: int = 256
    host: str | None = None
    site: str | None = None
    cluster: str | None = None
    this_host: bool = True
    rules: Path = DEFAULT_RULES
    sample_seconds: float = 15.0
    interval_seconds: float = 60.0
    powercap_root: Path = Roots().powercap
    cgroup_root: Path = Roots().cgroup
    proc_root: Path = Roots().proc
    container_logs_root: Path = Roots().container_logs
    docker_root: Path = Roots().docker

    def __post_init__(self) -> None:
        if self.outbox_max_mb < 1:
            raise ValueError("outbox_max_mb: 1 or more is expected")
        if not HOST.fullmatch(self.named):
            raise ValueError(f"host: {self.named!r} is not {HOST_SHAPE}")
        for name, value in (("site", self.site), ("cluster", self.cluster)):
            if value is not None and not (value.isprintable() and 0 < len(value) <= LONGEST_SITE):
                raise ValueError(f"{name}: 1 to {LONGEST_SITE} printable characters are expected")
        if not 0.1 <= self.sample_seconds <= self.interval_seconds <= 3600:
            raise ValueError("sample_seconds: 0.1 <= sample_seconds <= interval_seconds <= 3600 is expected")

    @property
    def named(self) -> str:
        """The name of this host in the console; the machine's own where none is given."""
        return self.host if self.host is not None else socket.gethostname().lower()

    @property
    def roots(self) -> Roots:
        """Where the kernel shows this machine."""
        return Roots(
            self.powercap_root, self.cgroup_root, self.proc_root, self.container_logs_root, self.docker_root
        )


HOST_SHAPE = "made of small letters, digits, '.', '_' and '-' (64 at most)"


@dataclass(frozen=True, slots=True)
class Manager:
    """A manager of virtual machines: its kind, its settings, and the sources of its hosts by name.

    `models` is what is stated of a host for its model, which needs no source of its own.
    """

    kind: str
    settings: object
    host_sources: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    models: Mapping[str, ModelSettings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an agent is to do; `sources` holds the settings of each source wanted."""

    console: ConsoleSettings
    agent: AgentSettings
    sources: Mapping[str, object]
    managers: tuple[Manager, ...] = ()


def unusable_address(url: str, allow_plain_http: bool) -> str | None:
    """Why the console cannot be reached at an address, or must not be."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable:
        return f"{url!r} is not an address such as https://console.example"
    if parts.username or parts.password:
        return "an address holds no name and no password; the token is the credential"
    if parts.scheme == "http" and parts.hostname not in LOCAL and not allow_plain_http:
        return f"{url!r} would send the token unencrypted; https:// is expected (or allow_plain_http = true)"
    return None


def load(path: Path) -> Configuration:
    """The configuration of a file; raises `BadConfiguration`."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_FILE + 1).decode("utf-8")
    except OSError as error:
        raise BadConfiguration(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from None
    if len(text) > LARGEST_FILE:
        raise BadConfiguration(f"{path}: more than {LARGEST_FILE} bytes; this is no configuration")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadConfiguration(f"{path}: not TOML: {error}") from None
    checker = Checker(text)
    configuration = _configuration(document, checker)
    if configuration is None or checker.mistakes:
        told = [f"{path}:{one.line}: {one.key}: {one.message}" for one in sorted(set(checker.mistakes))]
        raise BadConfiguration("\n".join(told))
    return configuration


def _configuration(document: dict[str, Any], checker: Checker) -> Configuration | None:
    checker.known(document, ("console", "agent", "sources", "hypervisors"), ())
    console = checker.settings(ConsoleSettings, document.get("console", {}), ("console",))
    agent = checker.settings(AgentSettings, document.get("agent", {}), ("agent",))
    if "sources" in document:
        sources = _sources(document["sources"], ("sources",), checker)
    else:
        sources = registry.unset(registry.DEFAULT)
    own = {socket.gethostname().lower(), *([agent.named] if agent else [])}
    managers = _managers(document.get("hypervisors", []), own, checker)
    if console is None or agent is None:
        return None
    return Configuration(console, agent, sources, managers)


def _sources(value: object, key: Key, checker: Checker) -> dict[str, object]:
    """The settings of each source that has a table."""
    table = checker.table(value, key) or {}
    checker.known(table, registry.SOURCES, key)
    made = {
        name: checker.settings(kind.settings, table[name], (*key, name))
        for name, kind in registry.SOURCES.items()
        if name in table
    }
    return {name: settings for name, settings in made.items() if settings is not None}


def _managers(value: object, own: Set[str], checker: Checker) -> tuple[Manager, ...]:
    key = ("hypervisors",)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        checker.refuse(key, "write each manager of virtual machines as [[hypervisors]]")
        return ()
    made = [_manager(entry, (*key, number), own, checker) for number, entry in enumerate(value)]
    return tuple(manager for manager in made if manager)


def _manager(entry: dict[str, Any], key: Key, own: Set[str], checker: Checker) -> Manager | None:
    """A manager; `own` are the names of this machine."""
    entry = dict(entry)
    kind, hosts = entry.pop("kind", None), entry.pop("hosts", {})
    if kind not in registry.HYPERVISORS:
        known = ", ".join(registry.HYPERVISORS)
        checker.refuse(
            (*key, "kind"), f"{kind!r} is not one of {known}" if kind else f"missing; one of {known}"
        )
        return None
    settings = checker.settings(registry.HYPERVISORS[kind].settings, entry, key)
    host_sources: dict[str, dict[str, object]] = {}
    models: dict[str, ModelSettings] = {}
    for written, host in (checker.table(hosts, (*key, "hosts")) or {}).items():
        where, name = (*key, "hosts", written), written.lower()
        if name in host_sources:
            checker.refuse(where, f"{name!r} has a table already; capitals make no other host")
        table = checker.table(host, where) or {}
        checker.known(table, ("sources",), where)
        sources = _sources(table.get("sources", {}), (*where, "sources"), checker)
        if name not in own and settings is not None and not registry.HYPERVISORS[kind].is_here(settings):
            _not_here(name, sources, (*where, "sources"), checker)
        stated = sources.pop(Model.name, None)
        if isinstance(stated, ModelSettings):
            models[name] = stated
        host_sources[name] = sources
    return None if settings is None else Manager(kind, settings, host_sources, models)


def _not_here(name: str, sources: Mapping[str, object], key: Key, checker: Checker) -> None:
    """Refuse what would measure this machine in the name of another."""
    for source, settings in sources.items():
        if registry.SOURCES[source].only_here(settings):
            checker.refuse(
                (*key, source),
                f"it measures the machine that the agent runs on, and {name!r} is another; "
                "redfish, snmp, prometheus, or ipmi with an address, measure it from here",
            )
