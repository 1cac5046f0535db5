"""A document as CSV to recompute from: UTF-8 with BOM, `;`, one block after another, stored units.

Each block is its caption alone on a line, its headings with their units, its rows, an empty line. Energies
and carbon are the stored whole numbers (mJ, ug), so that sums are exact; the few decimal numbers (shares in
percent) take the comma in French and the point in English, as spreadsheets of those languages read them.
Days and instants are ISO 8601. An unknown value is an empty cell. A text that a spreadsheet would take for a
formula gets an apostrophe before it; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction

from reports.document import (
    Block,
    Chart,
    Column,
    Document,
    Fact,
    Facts,
    KeyFigures,
    Notice,
    Paragraph,
    Table,
)
from reports.language import Language
from reports.quantities import STORED_UNITS, Kind, Value

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render(document: Document, language: Language) -> bytes:
    """The CSV file of a document."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerows(_rows(document, language))
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _rows(document: Document, language: Language) -> Iterator[list[str]]:
    yield [_safe(document.title), _safe(document.subtitle), *map(_safe, document.marks)]
    yield []
    for section in document.sections:
        for block in section.blocks:
            yield from _block(block, section.title, language)
            yield []


def _block(block: Block, heading: str, language: Language) -> Iterator[list[str]]:
    match block:
        case Paragraph(text):
            yield [_safe(text)]
        case Notice(_, title, items):
            yield [_safe(title)]
            yield from ([_safe(item)] for item in items)
        case KeyFigures(facts):
            yield [_safe(heading or language.gettext("Chiffres clés"))]
            yield from (_fact(fact, language) for fact in facts)
        case Facts(caption, facts):
            yield [_safe(caption)]
            yield from (_fact(fact, language) for fact in facts)
        case Chart():
            yield from _table(block.table(), language)
        case Table():
            yield from _table(block, language)


def _fact(fact: Fact, language: Language) -> list[str]:
    return [
        _safe(fact.label),
        _cell(fact.kind, fact.value, language),
        STORED_UNITS.get(fact.kind, ""),
        _safe(fact.note),
    ]


def _table(table: Table, language: Language) -> Iterator[list[str]]:
    yield [_safe(table.caption)]
    yield [_heading(column) for column in table.columns]
    for row in table.body():
        yield [_cell(column.kind, value, language) for column, value in zip(table.columns, row, strict=True)]
    if not table.body():
        yield [_safe(table.empty)]


def _heading(column: Column) -> str:
    unit = STORED_UNITS.get(column.kind)
    return _safe(f"{column.title} ({unit})" if unit else column.title)


def _cell(kind: Kind, value: Value, language: Language) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _safe(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return _decimal(Fraction(value) * 100, language) if kind == Kind.SHARE else str(value)


def _decimal(number: Fraction, language: Language) -> str:
    """At most four decimals, without grouping."""
    plain = f"{float(round(number, 4)):.4f}".rstrip("0").rstrip(".")
    return plain.replace(".", ",") if language.code == "fr" else plain


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
