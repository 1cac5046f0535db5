"""A document as HTML: a fragment for a page of the console, or a standalone page to keep.

The fragment has no inline style and no script. Its classes: `report`, `report-head`, `report-mark`,
`report-section`, `report-notice` with `is-warning` or `is-information`, `report-figures`, `report-figure`,
`report-facts`, `report-table` (inside a scrolling `report-scroll`), `report-chart`, `report-note`,
`report-foot`, `number`, `unknown`, and those of `reports.drawing`.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.document import Block, Chart, Column, Document, Fact, Table
from reports.drawing import svg
from reports.language import Language
from reports.quantities import NUMERIC, Kind, Scale, Value, cell, text

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(document: Document, language: Language) -> bytes:
    """A standalone page, its style inside."""
    page = TEMPLATES.get_template("page.html.jinja")
    return page.render(document=document, language=language, body=fragment(document, language)).encode()


def fragment(document: Document, language: Language, *, top: int = 1) -> Markup:
    """One `article`, for a page that has its own frame; `top` is the level of its first heading."""
    template = TEMPLATES.get_template("fragment.html.jinja")
    text = template.render(
        document=document, shown=_Shown(language, document), gettext=language.gettext, top=top
    )
    return Markup(text)  # noqa: S704 - the template has escaped what it was given


class _Shown:
    """What the template asks of the blocks it meets, in one language."""

    def __init__(self, language: Language, document: Document) -> None:
        self.language = language
        self.numbers = {id(chart): number for number, chart in enumerate(document.charts(), start=1)}

    def kind(self, block: Block) -> str:
        return type(block).__name__

    def fact(self, fact: Fact) -> str | Markup:
        return _marked(fact.value, fact.kind, text(fact.kind, fact.value, self.language))

    def printed(self, table: Table) -> list[tuple[int, Column, Scale | None]]:
        """The columns to show, with their place and scale."""
        scales = table.scales()
        return [
            (place, column, scales[place]) for place, column in enumerate(table.columns) if column.printed
        ]

    def cell(self, value: Value, column: Column, scale: Scale | None) -> str | Markup:
        return _marked(value, column.kind, cell(column.kind, value, self.language, scale))

    def is_number(self, column: Column) -> bool:
        return column.kind in NUMERIC

    def svg(self, chart: Chart) -> Markup:
        return svg(chart, self.language, prefix=f"chart-{self.numbers[id(chart)]}")


def _marked(value: Value, kind: Kind, shown: str) -> str | Markup:
    """The text of a value: unknown in its class, free text kept from turning its neighbours around."""
    if value is None:
        return Markup('<span class="unknown">{}</span>').format(shown)
    return Markup("<bdi>{}</bdi>").format(shown) if kind == Kind.TEXT else shown
