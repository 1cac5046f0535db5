"""Performance statistics of vSphere as PowerCLI writes them to a CSV file: one value a row.

    Get-Stat -Entity (Get-VMHost; Get-VM) -Start $start -Finish $end -IntervalMins 5 `
        -Stat cpu.usage.average, cpu.ready.summation, power.power.average |
      Where-Object Instance -eq '' |
      Select-Object @{n='Timestamp'; e={$_.Timestamp.ToUniversalTime().ToString('o')}},
        MetricId, Value, Entity, EntityId, IntervalSecs, Instance |
      Export-Csv -NoTypeInformation -Encoding utf8 statistics.csv

A timestamp is the end of its interval, and must say its offset from UTC: that of `Export-Csv` by itself does
not, and is written as Windows is set (11/12 is a day of November or of December). The fraction of a value
may stand behind a comma. `cpu.usage.average` is in percent, of the cores of a host or the vCPUs of a machine.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

USAGE, USED, READY = "cpu.usage.average", "cpu.used.summation", "cpu.ready.summation"
POWER, ENERGY = "power.power.average", "power.energy.summation"
KNOWN = frozenset({USAGE, USED, READY, POWER, ENERGY})
COLUMNS = ("Timestamp", "MetricId", "Value", "Entity", "IntervalSecs")
SHORTEST_S, LONGEST_S = 20, 3600
MOST_ROWS = 5_000_000
MOST_TOLD = 20
HIGHEST = 1e12


class BadStatistics(ValueError):
    """The file cannot be used; the message names it, and each row and column that is wrong."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """An interval by its end (seconds since 1970) and its length."""

    end_s: int
    length_s: int

    @property
    def start_s(self) -> int:
        return self.end_s - self.length_s


@dataclass(slots=True)
class Statistics:
    """Values by entity and counter, then by span; and how many rows each counter had that is not used."""

    series: defaultdict[tuple[str, str], dict[Span, float]] = field(default_factory=lambda: defaultdict(dict))
    passed_over: Counter[str] = field(default_factory=Counter)

    def of(self, entities: Iterable[str | None], counter: str) -> Mapping[Span, float]:
        """The series of a counter under the first of these names that has one."""
        for entity in entities:
            if entity is not None and (entity, counter) in self.series:
                return self.series[entity, counter]
        return {}


def read_statistics(path: Path) -> Statistics:
    """The values of a file; raises `BadStatistics`, with nothing taken."""
    found, mistakes = Statistics(), []
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(_rows(lines), start=2):
                try:
                    _add(found, row)
                except ValueError as reason:
                    mistakes.append(f"row {number}, {reason}")
                if len(mistakes) > MOST_TOLD:
                    break
    except (OSError, UnicodeDecodeError, csv.Error, BadStatistics) as error:
        raise BadStatistics(f"{path}: {error}") from None
    if mistakes:
        more = "; and more" if len(mistakes) > MOST_TOLD else ""
        raise BadStatistics(f"{path}: {'; '.join(mistakes[:MOST_TOLD])}{more}")
    if not found.series:
        raise BadStatistics(f"{path}: holds none of {', '.join(sorted(KNOWN))}")
    return found


def _rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows by column, below the header and the line that names a type of Windows."""
    below = iter(lines)
    header = next(below, "")
    if header.startswith("#TYPE"):
        header = next(below, "")
    separator = ";" if header.count(";") > header.count(",") else ","
    [columns] = list(csv.reader([header], delimiter=separator)) or [[]]
    if missing := [name for name in COLUMNS if name not in columns]:
        raise BadStatistics(f"the column {missing[0]!r} is missing")
    for number, cells in enumerate(csv.reader(below, delimiter=separator)):
        if number >= MOST_ROWS:
            raise BadStatistics(f"has more than {MOST_ROWS} rows: export fewer days at a time")
        if cells:
            yield dict(zip(columns, cells, strict=False))


def _add(found: Statistics, row: Mapping[str, str]) -> None:
    counter = row.get("MetricId", "")
    if counter not in KNOWN or row.get("Instance", ""):
        found.passed_over[counter] += 1
        return
    span = Span(_end_s(row.get("Timestamp", "")), _length_s(row.get("IntervalSecs", "")))
    value = _value(row.get("Value", ""))
    names = {row.get("Entity", ""), _moref(row.get("EntityId", ""))} - {""}
    if not names:
        raise ValueError("Entity: is empty")
    for name in names:
        series = found.series[name, counter]
        if series.setdefault(span, value) != value:
            raise ValueError(f"Entity: {name!r} has two values of {counter} for one time")


def _moref(entity_id: str) -> str:
    """`vm-57` of `VirtualMachine-vm-57`, as RVTools writes it."""
    return entity_id.partition("-")[2]


def _end_s(text: str) -> int:
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        end = None
    if end is None or end.tzinfo is None:
        raise ValueError(
            f"Timestamp: {text!r} is not an instant with its offset, such as 2026-11-28T10:05:00Z"
        ) from None
    return round(end.timestamp())


def _length_s(text: str) -> int:
    if not text.isdecimal() or not SHORTEST_S <= int(text) <= LONGEST_S:
        raise ValueError(f"IntervalSecs: {text!r} is not from {SHORTEST_S} to {LONGEST_S} (an hour)")
    return int(text)


def _value(text: str) -> float:
    try:
        value = float(text.replace(",", ".") if "." not in text else text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= HIGHEST:
        raise ValueError(f"Value: {text!r} is not a number from 0")
    return value
