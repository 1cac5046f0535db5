"""Formats are found by name, and each makes the file it says."""

import pytest

from reports import inr
from reports.formats import FORMATS
from reports.language import LANGUAGES, Language
from tests.reports.figures_given import a_first_statement


@pytest.mark.parametrize(
    ("name", "media_type", "start"),
    [
        ("html", "text/html; charset=utf-8", b"<!doctype html>"),
        ("pdf", "application/pdf", b"%PDF-1."),
        ("csv", "text/csv; charset=utf-8", b"\xef\xbb\xbf"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_each_format_makes_its_file(name: str, media_type: str, start: bytes, language: Language) -> None:
    made = FORMATS[name]
    assert (made.extension, made.media_type) == (name, media_type)
    assert made.render(inr.document(a_first_statement(), language), language).startswith(start)
