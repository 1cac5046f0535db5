"""Rows of a form that people fill in and leave empty: fields numbered from 0, as `closure-0-first`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EMPTY_ROWS = 2  # after those that are filled


@dataclass(frozen=True, slots=True)
class Rows:
    """A kind of row: the names of its fields, and of those without which a row is left out."""

    kind: str
    names: tuple[str, ...]
    needed: tuple[str, ...]

    def filled(self, typed: Mapping[str, Any]) -> list[dict[str, str]]:
        """The rows of a form that hold something."""
        found: list[dict[str, str]] = []
        while self.field(len(found), self.names[0]) in typed:
            row = len(found)
            found.append({name: str(typed.get(self.field(row, name), "")).strip() for name in self.names})
        return [row for row in found if any(row[name] for name in self.needed)]

    def shown(self, typed: Mapping[str, Any]) -> list[dict[str, str]]:
        """The same, and empty ones after them to fill in."""
        return self.filled(typed) + [dict.fromkeys(self.names, "") for _row in range(EMPTY_ROWS)]

    def values(self, number: int, *told: object) -> dict[str, object]:
        """The fields of a row with what each holds, in the order of `names`."""
        return {self.field(number, name): value for name, value in zip(self.names, told, strict=True)}

    def field(self, number: int, name: str) -> str:
        return f"{self.kind}-{number}-{name}"
