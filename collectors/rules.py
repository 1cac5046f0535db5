"""The rules that name workloads: a TOML file of `[[workload]]` entries, of which the first that matches wins.

    [[workload]]
    name = "{systemd}"          # the unit matched
    systemd = "*.service"

An entry has a `name` and exactly one of: `systemd`, `cgroup`, `container` (its id, or the name of an LXC
one), `container_name`, `pod` (its UID), `pod_name` (`namespace/pod`), `vm`, `user`, `executable` (patterns as
in a shell: `*`, `?`, `[abc]`) and `command` (a regular expression searched in the command line, on this host
only). The name may hold what was matched, in braces, save the command line: that never leaves the host. A
pattern of `executable` without `/` is held against the file's name alone. `container_name` and `pod_name`
hold where a file of the container's runtime tells them (see `collectors.container_names`).
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from collectors.reading import LONGEST_NAME, Kind


class Sign(StrEnum):
    """What a rule may recognise a workload by."""

    SYSTEMD = "systemd"
    CGROUP = "cgroup"
    CONTAINER = "container"
    CONTAINER_NAME = "container_name"
    POD = "pod"
    POD_NAME = "pod_name"
    VM = "vm"
    USER = "user"
    EXECUTABLE = "executable"
    COMMAND = "command"

    @property
    def kind(self) -> Kind:
        """What the console is told of it."""
        return Kind.CONTAINER if self in OF_CONTAINERS else Kind(self.value)


OF_CONTAINERS = frozenset({Sign.CONTAINER, Sign.CONTAINER_NAME, Sign.POD, Sign.POD_NAME})
OF_GROUPS = OF_CONTAINERS | {Sign.SYSTEMD, Sign.CGROUP, Sign.VM}
"""What a control group shows by itself, whatever runs in it."""

Trait = Callable[[Sign], str | None]
"""What is known of a process or a control group, by sign."""

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class BadRules(ValueError):
    """The rules file breaks the format; the message names the file, the entry and the field."""


@dataclass(frozen=True, slots=True)
class Match:
    """A workload recognised; a lower `rank` is an earlier rule."""

    name: str
    kind: Kind
    rank: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the file."""

    name: str
    sign: Sign
    pattern: re.Pattern[str]
    whole_path: bool

    def named(self, value: str) -> str | None:
        """The name of the workload where the value matches."""
        if self.sign is Sign.COMMAND:
            return self.name if self.pattern.search(value) else None
        shown = value.rsplit("/", 1)[-1] if self.sign is Sign.EXECUTABLE else value
        if not self.pattern.fullmatch(value if self.whole_path else shown):
            return None
        return _printable(self.name.replace(f"{{{self.sign}}}", shown))


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in their order."""

    entries: tuple[Rule, ...]

    def match(self, trait: Trait) -> Match | None:
        """The first rule that holds for what has these traits."""
        for rank, rule in enumerate(self.entries):
            value = trait(rule.sign)
            if value and (name := rule.named(value)):
                return Match(name, rule.sign.kind, rank)
        return None

    def ask_of_processes_before(self, rank: int) -> bool:
        """Whether a rule before this one looks at processes, not at their control group."""
        return any(rule.sign not in OF_GROUPS for rule in self.entries[:rank])


def load(path: Path) -> Rules:
    """The rules of a file; raises `BadRules`."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRules(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRules(f"{path}: not TOML: {error}") from None
    try:
        return parse(document)
    except BadRules as error:
        raise BadRules(f"{path}: {error}") from None


def parse(document: dict[str, Any]) -> Rules:
    """The rules of a TOML document; raises `BadRules` with the entry's number and field."""
    if unknown := sorted(document.keys() - {"workload"}):
        raise BadRules(f"{unknown[0]}: unknown; the file holds [[workload]] entries only")
    entries = document.get("workload", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadRules("workload: write each entry as [[workload]]")
    return Rules(tuple(_rule(entry, f"entry {number}") for number, entry in enumerate(entries, start=1)))


def _rule(entry: dict[str, Any], where: str) -> Rule:
    signs = [sign for sign in Sign if sign in entry]
    if unknown := sorted(entry.keys() - {"name", *Sign}):
        raise BadRules(f"{where}, {unknown[0]}: unknown; use name and one of {', '.join(Sign)}")
    if len(signs) != 1:
        raise BadRules(f"{where}: has {len(signs)} of {', '.join(Sign)}; use exactly one")
    sign = signs[0]
    name, pattern = _text(entry, "name", where), _text(entry, sign, where)
    for placeholder in PLACEHOLDER.findall(name):
        if placeholder != sign or sign is Sign.COMMAND:
            allowed = "no placeholder with command" if sign is Sign.COMMAND else f"only {{{sign}}} here"
            raise BadRules(f"{where}, name: {{{placeholder}}} cannot be filled; {allowed}")
    return Rule(name, sign, _compiled(sign, pattern, where), whole_path="/" in pattern)


def _text(entry: dict[str, Any], field: str, where: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise BadRules(f"{where}, {field}: a printable text of 1 to {LONGEST_NAME} characters is missing")
    return value


def _compiled(sign: Sign, pattern: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern if sign is Sign.COMMAND else fnmatch.translate(pattern))
    except re.error as error:
        raise BadRules(f"{where}, {sign}: not a regular expression: {error}") from None


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:LONGEST_NAME]
