"""Checks a table of a TOML file against the dataclass of its settings, and says where each mistake stands.

    address = "https://bmc.example"    str
    timeout_seconds = 5                int, float
    password_file = "/etc/…/password"  SecretFile: readable by the agent, and by nobody else
    ca_file = "/etc/ssl/ca.pem"        Path: a file or folder, looked at by who uses it
    outlets = ["3", "4"]               tuple of texts

A mistake is `line: key: what is wrong, what would be right`; all of a table are told at once. A value that
the dataclass itself refuses (`ValueError("field: …")`) is told at the line of that field.
"""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from collectors.instrument import SecretFile

Key = tuple[str | int, ...]
"""Where a value stands: the names of its tables, then its own; entries of `[[tables]]` by number."""

HEADER = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?:\.|$)""")
ASSIGNED = re.compile(r"""\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_.\s-])+?)\s*=(.*)$""")
LONG_TEXT = re.compile("\"\"\"|'''")
TEXT_OR_COMMENT = re.compile(r"""#.*|"(?:[^"\\]|\\.)*"|'[^']*'""")

TYPES = {
    str: "a text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "the path of a file, in quotes",
    SecretFile: "the path of a file that holds the secret, in quotes",
}
OTHERS_MAY_READ = stat.S_IROTH


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong with a line, and what would be right."""

    line: int
    key: str
    message: str


class Lines:
    """Where each key of a TOML text stands; a parser does not say."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Key, int] = {}
        self._scan(text)

    def of(self, key: Key) -> int:
        """The line of a key, or of the nearest table around it."""
        while key and key not in self._lines:
            key = key[:-1]
        return self._lines.get(key, 1)

    def _scan(self, text: str) -> None:
        table: Key = ()
        entries: dict[Key, int] = {}
        delimiter, depth = "", 0
        for number, line in enumerate(text.splitlines(), start=1):
            if delimiter:
                delimiter, line = ("", line.partition(delimiter)[2]) if delimiter in line else (delimiter, "")
                depth += _depth(line)
                continue
            if depth > 0:
                depth += _depth(line)
            elif header := HEADER.match(line):
                table = self._table(header[2], header[1] == "[[", entries)
                self._lines.setdefault(table, number)
            elif assigned := ASSIGNED.match(line):
                self._note(table + _parts(assigned[1]), number)
                depth = _depth(assigned[2])
            delimiter = _left_open(line)

    def _table(self, name: str, repeated: bool, entries: dict[Key, int]) -> Key:
        """The key of a table; below `[[entries]]` it belongs to the last one."""
        key: Key = ()
        parts = _parts(name)
        for place, part in enumerate(parts):
            key = (*key, part)
            if repeated and place == len(parts) - 1:
                entries[key] = entries.get(key, -1) + 1
            if key in entries:
                key = (*key, entries[key])
        return key

    def _note(self, key: Key, number: int) -> None:
        for length in range(1, len(key) + 1):
            self._lines.setdefault(key[:length], number)


def _parts(name: str) -> Key:
    return tuple(quoted or literal or bare for quoted, literal, bare in PART.findall(name))


def _depth(text: str) -> int:
    """How many brackets a line leaves open."""
    bare = TEXT_OR_COMMENT.sub("", text)
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")


def _left_open(line: str) -> str:
    """The quotes of a text of several lines that begins here and does not end here."""
    first = LONG_TEXT.search(line)
    return first[0] if first and line.count(first[0]) % 2 else ""


Settings = TypeVar("Settings")


class Checker:
    """Makes settings of tables, and keeps the mistakes it met."""

    def __init__(self, text: str) -> None:
        self._lines = Lines(text)
        self.mistakes: list[Mistake] = []

    def refuse(self, key: Key, message: str) -> None:
        """A mistake at a key."""
        shown = ".".join(str(part) for part in key if not isinstance(part, int))
        self.mistakes.append(Mistake(self._lines.of(key), shown, message))

    def table(self, value: object, key: Key) -> dict[str, Any] | None:
        """The value if it is a table."""
        if isinstance(value, dict):
            return value
        self.refuse(key, f"a table is expected: write [{'.'.join(map(str, key))}]")
        return None

    def known(self, table: Mapping[str, object], names: Iterable[str], key: Key) -> None:
        """Refuse each key of the table that is none of these, with the nearest that is."""
        known = list(names)
        for name in table.keys() - set(known):
            near = difflib.get_close_matches(name, known, n=1)
            allowed = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known) or 'nothing'}"
            self.refuse((*key, name), f"unknown; {allowed}")

    def settings(self, kind: type[Settings], value: object, key: Key) -> Settings | None:
        """The settings of a table, None where it has mistakes."""
        table = self.table(value, key)
        if table is None:
            return None
        before = len(self.mistakes)
        declared = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
        self.known(table, declared, key)
        hints = get_type_hints(kind)
        values = {
            name: self._value(hints[name], table[name], (*key, name)) for name in declared if name in table
        }
        for name, field in declared.items():
            if name not in table and _is_required(field):
                self.refuse((*key, name), f"missing; {_expected(hints[name])} is needed")
        if len(self.mistakes) > before:
            return None
        try:
            return kind(**values)
        except ValueError as refusal:
            self._refused_by_itself(str(refusal), declared, key)
            return None

    def _refused_by_itself(self, refusal: str, declared: Mapping[str, object], key: Key) -> None:
        name, _, message = refusal.partition(": ")
        if name in declared and message:
            self.refuse((*key, name), message)
        else:
            self.refuse(key, refusal)

    def _value(self, hint: Any, value: object, key: Key) -> Any:
        wanted = _without_none(hint)
        if get_origin(wanted) is tuple:
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return tuple(value)
        elif wanted is bool or isinstance(value, bool):
            if wanted is bool and isinstance(value, bool):
                return value
        elif wanted is float and isinstance(value, int | float):
            return float(value)
        elif wanted in (Path, SecretFile):
            if isinstance(value, str) and value:
                return self._path(wanted, Path(value), key)
        elif isinstance(wanted, type) and isinstance(value, wanted):
            return value
        self.refuse(key, f"{value!r} is not what belongs here; {_expected(hint)} is expected")
        return None

    def _path(self, wanted: type, path: Path, key: Key) -> Path | SecretFile:
        if wanted is Path:
            return path
        if reason := unusable_secret(path):
            self.refuse(key, reason)
        return SecretFile(path)


def unusable_secret(path: Path) -> str | None:
    """Why a file cannot hold a secret: it is not readable, it is empty, or others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return f"{path}: {error.strerror}; a file that the agent can read is needed"
    except UnicodeDecodeError:
        return f"{path}: not a text; one line with the secret is needed"
    if not text.strip() or not text.strip().isprintable():
        return f"{path}: one line with the secret is needed"
    if mode & OTHERS_MAY_READ:
        return f"{path}: others may read it; chmod 600 {path}"
    return None


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        (kept,) = [one for one in get_args(hint) if one is not NoneType]
        return kept
    return hint


def _expected(hint: Any) -> str:
    wanted = _without_none(hint)
    return "a list of texts" if get_origin(wanted) is tuple else TYPES.get(wanted, str(wanted))


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
