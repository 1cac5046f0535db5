"""The formats a document can be had in, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reports.document import Document
from reports.formats import csv, html, pdf
from reports.language import Language


@dataclass(frozen=True, slots=True)
class Format:
    """How a document becomes a file."""

    name: str
    media_type: str
    extension: str
    render: Callable[[Document, Language], bytes]


FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        Format("html", "text/html; charset=utf-8", "html", html.render),
        Format("pdf", "application/pdf", "pdf", pdf.render),
        Format("csv", "text/csv; charset=utf-8", "csv", csv.render),
    )
}
