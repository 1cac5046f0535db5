"""The text that exporters answer for Prometheus: the series that are asked for, and nothing else of the page.

    # TYPE node_rapl_package_joules_total counter
    node_rapl_package_joules_total{index="0",path="/sys/..."} 240422.366267

Pages hold command lines and other people's names in their labels. A line is looked at only if its metric was
asked for, and only its named labels are kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

LINE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?\s*"
)
LABEL = re.compile(r'\s*(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*,?')
ESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
ESCAPE = re.compile(r'\\[\\"n]')
MOST_DIGITS = 40


class UnreadablePage(ValueError):
    """A line that was asked for cannot be understood; the message names the metric, never its labels."""


@dataclass(frozen=True, slots=True)
class Series:
    """One value of one series, with the labels that were asked for."""

    name: str
    labels: Mapping[str, str]
    value: Decimal


@dataclass(slots=True)
class Page:
    """The series that were asked for, by metric, and what the page says that each is."""

    series: dict[str, list[Series]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


def read_page(text: str, metrics: Collection[str], labels: Collection[str]) -> Page:
    """The wanted metrics of a page; raises `UnreadablePage`."""
    page = Page()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, _, kind = line[7:].strip().partition(" ")
            if name in metrics:
                page.types[name] = kind.strip()
        elif (name := _name(line)) in metrics:
            page.series.setdefault(name, []).append(_series(name, line, labels))
    return page


def _name(line: str) -> str:
    end = next((place for place, letter in enumerate(line) if letter in "{ \t"), len(line))
    return line[:end]


def _series(name: str, line: str, labels: Collection[str]) -> Series:
    match = LINE.fullmatch(line)
    if match is None:
        raise UnreadablePage(f"{name}: a line that is not of the text format")
    kept = {label: value for label, value in _labels(name, match["labels"] or "") if label in labels}
    return Series(name, kept, _value(name, match["value"]))


def _labels(name: str, text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text.rstrip()):
        match = LABEL.match(text, place)
        if match is None:
            raise UnreadablePage(f"{name}: labels that are not of the text format")
        yield match["name"], ESCAPE.sub(lambda part: ESCAPED[part[0]], match["value"])
        place = match.end()


def _value(name: str, text: str) -> Decimal:
    """A finite number; NaN and the infinities are what exporters write for unknown."""
    try:
        value = Decimal(text) if len(text) <= MOST_DIGITS else Decimal("NaN")
    except InvalidOperation:
        raise UnreadablePage(f"{name}: a value that is not a number") from None
    if not value.is_finite() or value.adjusted() > MOST_DIGITS:
        raise UnreadablePage(f"{name}: a value that is not finite: the exporter does not know it")
    return value
