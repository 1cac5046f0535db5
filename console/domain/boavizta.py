"""Manufacturers' sheets as Boavizta collects them, and which of them a thing of the inventory is like.

The data is under the ODbL: see `boavizta_datacenter.SOURCE.txt`. A match is by name alone and never certain:
a person confirms it. What use emitted is taken out: its share is told beside the total.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from functools import cache
from pathlib import Path

from console.domain.folding import fold

UG_PER_KG = 1_000_000_000
PPM = 1_000_000
LEAST_PPM = 700_000
OTHER_MAKER = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: what a product emits over its life but its use; the bounds by the error that it states."""

    manufacturer: str
    name: str
    gwp_ug: int
    gwp_low_ug: int | None
    gwp_high_ug: int | None
    reported: str
    address: str


@dataclass(frozen=True, slots=True)
class Match:
    """A sheet that a model is like; 1 000 000 where the names are the same."""

    sheet: Sheet
    confidence_ppm: int


def best_match(manufacturer: str | None, model: str | None) -> Match | None:
    """The sheet that is most like a model; None where none is like it enough, or no use is told apart."""
    if not model:
        return None
    found = [Match(one, _confidence(manufacturer or "", model, one)) for one in _sheets()]
    best = max(found, key=lambda one: (one.confidence_ppm, one.sheet.name))
    return best if best.confidence_ppm >= LEAST_PPM else None


def read_sheets(text: str) -> list[Sheet]:
    """The sheets of a table but those that do not tell use apart; of two alike the last counts."""
    by_name = {}
    for row in csv.DictReader(io.StringIO(text), delimiter=";"):
        total, use, error = (_number(row[name]) for name in ("gwp_total", "gwp_use_ratio", "gwp_error_ratio"))
        if total is None or use is None or not 0 <= use < 1:
            continue
        made = total * (1 - use) * UG_PER_KG
        low, high = (
            (None, None) if not error else (max(0, round(made * (1 - error))), round(made * (1 + error)))
        )
        by_name[_words(row["manufacturer"], row["name"])] = Sheet(
            row["manufacturer"], row["name"], round(made), low, high, row["report_date"], row["sources"]
        )
    return list(by_name.values())


@cache
def _sheets() -> list[Sheet]:
    return read_sheets(Path(__file__).with_name("boavizta_datacenter.csv").read_text(encoding="utf-8"))


def _confidence(manufacturer: str, model: str, sheet: Sheet) -> int:
    """How like two names are; numbers of models that differ are other machines, however alike they read."""
    ours, theirs = _words(sheet.manufacturer, model), _words(sheet.manufacturer, sheet.name)
    alike = Fraction(SequenceMatcher(None, ours, theirs).ratio()).limit_denominator(10_000)
    if re.findall(r"\w*\d\w*", ours) != re.findall(r"\w*\d\w*", theirs):
        alike /= 2
    maker = fold(manufacturer)
    if maker and not maker.startswith(fold(sheet.manufacturer)[:4]):
        alike *= OTHER_MAKER
    return int(alike * PPM)


def _words(manufacturer: str, name: str) -> str:
    """A name as it is compared: without its maker, capitals, hyphens."""
    words = re.findall(r"\w+", fold(name))
    return " ".join(word for word in words if word not in fold(manufacturer).split())


def _number(text: str) -> Fraction | None:
    text = text.strip().replace(",", ".")
    return Fraction(text) if text else None
