"""A document as an accessible PDF (PDF/UA-1), laid out by `pdf.typ` with the fonts typst embeds.

Texts reach typst as JSON and never as markup. A character that no embedded font can draw is written as its
code point, `[U+1F600]`, so that nothing disappears from a report. The values of charts stand in an annex.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

import typst

from reports.document import (
    Block,
    Chart,
    Document,
    Fact,
    Facts,
    KeyFigures,
    Notice,
    Paragraph,
    Section,
    Table,
)
from reports.drawing import svg
from reports.language import Language
from reports.quantities import NUMERIC, cell, text

TEMPLATE = Path(__file__).with_name("pdf.typ")
CHART_WIDTH = 720
LONGEST_RUNNING_TITLE = 60
UNDRAWABLE = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
JOINERS = (0x200C, 0x200D, *range(0xFE00, 0xFE10))  # of no use once emoji are spelt out
DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # they make a text read as another
INVISIBLE = dict.fromkeys((*JOINERS, *DIRECTIONS))
CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x0A}
MOST_ATTEMPTS = 4

Laid = Mapping[str, Any]


def render(document: Document, language: Language) -> bytes:
    """The PDF file of a document; raises `typst.TypstError` when it cannot be laid out."""
    laid = _translated(_document(document, language), INVISIBLE | CONTROLS)
    for _ in range(MOST_ATTEMPTS):
        try:
            return _compiled(laid)
        except typst.TypstError as error:
            undrawable = _undrawable(error.diagnostic)
            if not undrawable:
                raise
            laid = _translated(laid, undrawable)
    return _compiled(laid)


def _compiled(laid: Laid) -> bytes:
    compiler = typst.Compiler(
        TEMPLATE, font_paths=_fonts(), sys_inputs={"document": json.dumps(laid, ensure_ascii=False)}
    )
    made = compiler.compile(format="pdf", pdf_standards=["ua-1"])
    if not isinstance(made, bytes):
        raise TypeError(f"typst gave {type(made).__name__} for a PDF")
    return made


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)


def _undrawable(message: str) -> dict[int, str]:
    """The characters that a font error names, each with its code point in brackets."""
    named = "".join(UNDRAWABLE.findall(message))
    plain = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda match: chr(int(match[1], 16)), named)
    return {ord(character): f"[U+{ord(character):04X}]" for character in plain if ord(character) > 0x7F}


def _translated(value: Any, table: Mapping[int, str | None]) -> Any:
    """The same structure with every text translated."""
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, list):
        return [_translated(item, table) for item in value]
    if isinstance(value, dict):
        return {key: _translated(item, table) for key, item in value.items()}
    return value


def _document(document: Document, language: Language) -> Laid:
    _ = language.gettext
    sections = [*document.sections, *_annex(document, language)]
    return {
        "language": language.code,
        "title": document.title,
        "subtitle": document.subtitle,
        "running": shorten(document.subtitle, LONGEST_RUNNING_TITLE, placeholder="…"),
        "marks": list(document.marks),
        "author": document.author,
        "footer": document.footer,
        "page": _("Page"),
        "sections": [
            {"title": section.title, "blocks": [_block(block, language) for block in section.printed()]}
            for section in sections
        ],
    }


def _annex(document: Document, language: Language) -> Iterator[Section]:
    tables = tuple(chart.table() for chart in document.charts() if chart.moments)
    if tables:
        yield Section(language.gettext("Annexe : les valeurs des graphiques"), tables)


def _block(block: Block, language: Language) -> Laid:
    match block:
        case Paragraph(content):
            return {"kind": "paragraph", "text": content}
        case Notice(tone, title, items):
            return {"kind": "notice", "tone": tone.value, "title": title, "items": list(items)}
        case KeyFigures(facts):
            return {"kind": "figures", "facts": [_fact(fact, language) for fact in facts]}
        case Facts(caption, facts):
            return {"kind": "facts", "caption": caption, "facts": [_fact(fact, language) for fact in facts]}
        case Chart():
            return _chart(block, language)
        case Table():
            return _table(block, language)


def _fact(fact: Fact, language: Language) -> Laid:
    return {
        "label": fact.label,
        "value": text(fact.kind, fact.value, language),
        "note": fact.note,
        "unknown": fact.value is None,
    }


def _chart(chart: Chart, language: Language) -> Laid:
    return {
        "kind": "chart",
        "svg": str(svg(chart, language, width=CHART_WIDTH, prefix="chart")),
        "alt": f"{chart.title}. {chart.description}",
        "caption": chart.description,
    }


def _table(table: Table, language: Language) -> Laid:
    columns = [_column(table, place, language) for place, one in enumerate(table.columns) if one.printed]
    rows = [list(cells) for cells in zip(*(column["cells"] for column in columns), strict=True)]
    return {
        "kind": "table",
        "caption": table.caption,
        "headings": [column["heading"] for column in columns],
        "numeric": [column["numeric"] for column in columns],
        "weights": [column["weight"] for column in columns],
        "rows": rows[: len(table.rows)],
        "total": rows[-1] if table.total is not None else [],
        "empty": table.empty,
    }


def _column(table: Table, place: int, language: Language) -> Laid:
    column, scale = table.columns[place], table.scales()[place]
    values = [row[place] for row in table.body()]
    texts = [cell(column.kind, value, language, scale) for value in values]
    heading = column.title + (f" ({scale.unit.symbol})" if scale else "")
    return {
        "heading": heading,
        "numeric": column.kind in NUMERIC,
        "weight": _weight(heading, texts),
        "cells": [
            {"text": text, "unknown": value is None} for text, value in zip(texts, values, strict=True)
        ],
    }


def _weight(heading: str, texts: list[str]) -> int:
    """How wide a column asks to be, from its texts, within what keeps the others readable.

    A heading is in bold and its words are not cut: the longest has its place.
    """
    longest, word = max(map(len, (heading, *texts))), max(map(len, heading.split()), default=0)
    return max(8, min(40, longest + 1), word * 4 // 3 + 3)
