"""The rules that name workloads: a TOML file of `[[workload]]` entries, of which the first that matches wins.

    [[workload]]
    name = "{systemd}"          # the unit matched
    systemd = "*.service"

An entry has a `name` and exactly one of: `systemd`, `cgroup`, `container`, `user`, `executable` (patterns as
in a shell: `*`, `?`, `[abc]`) and `command` (a regular expression searched in the command line, on this host
only). The name may hold what was matched, in braces, save the command line: that never leaves the host. A
pattern of `executable` without `/` is held against the file's name alone.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.reading import LONGEST_NAME, Kind

Trait = Callable[[Kind], str | None]
"""What is known of a process or a control group, by kind."""

OF_GROUPS = frozenset({Kind.SYSTEMD, Kind.CGROUP, Kind.CONTAINER})
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
    kind: Kind
    pattern: re.Pattern[str]
    whole_path: bool

    def named(self, value: str) -> str | None:
        """The name of the workload where the value matches."""
        if self.kind is Kind.COMMAND:
            return self.name if self.pattern.search(value) else None
        shown = value.rsplit("/", 1)[-1] if self.kind is Kind.EXECUTABLE else value
        if not self.pattern.fullmatch(value if self.whole_path else shown):
            return None
        return _printable(self.name.replace(f"{{{self.kind}}}", shown))


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in their order."""

    entries: tuple[Rule, ...]

    def match(self, trait: Trait) -> Match | None:
        """The first rule that holds for what has these traits."""
        for rank, rule in enumerate(self.entries):
            value = trait(rule.kind)
            if value and (name := rule.named(value)):
                return Match(name, rule.kind, rank)
        return None


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
    kinds = [kind for kind in Kind if kind in entry]
    if unknown := sorted(entry.keys() - {"name", *Kind}):
        raise BadRules(f"{where}, {unknown[0]}: unknown; use name and one of {', '.join(Kind)}")
    if len(kinds) != 1:
        raise BadRules(f"{where}: has {len(kinds)} of {', '.join(Kind)}; use exactly one")
    kind = kinds[0]
    name, pattern = _text(entry, "name", where), _text(entry, kind, where)
    for placeholder in PLACEHOLDER.findall(name):
        if placeholder != kind or kind is Kind.COMMAND:
            allowed = "no placeholder with command" if kind is Kind.COMMAND else f"only {{{kind}}} here"
            raise BadRules(f"{where}, name: {{{placeholder}}} cannot be filled; {allowed}")
    return Rule(name, kind, _compiled(kind, pattern, where), whole_path="/" in pattern)


def _text(entry: dict[str, Any], field: str, where: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise BadRules(f"{where}, {field}: a printable text of 1 to {LONGEST_NAME} characters is missing")
    return value


def _compiled(kind: Kind, pattern: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern if kind is Kind.COMMAND else fnmatch.translate(pattern))
    except re.error as error:
        raise BadRules(f"{where}, {kind}: not a regular expression: {error}") from None


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:LONGEST_NAME]
