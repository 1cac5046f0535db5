"""The HTML fragment is well formed, accessible, and takes texts from elsewhere as texts."""

import itertools
from html.parser import HTMLParser

import pytest

from reports import inr
from reports.document import Document, Paragraph, Section
from reports.figures import Adherent
from reports.formats import FORMATS
from reports.formats.html import fragment
from reports.language import ENGLISH, FRENCH, LANGUAGES, Language
from tests.reports.figures_given import PARIS, a_first_statement, a_line, a_statement

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Outline(HTMLParser):
    """The elements, attributes and headings of a page; an end tag that does not fit fails."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @property
    def headings(self) -> list[int]:
        return [int(tag[1]) for tag in self.tags if tag in ("h1", "h2", "h3", "h4", "h5")]


HOSTILE = '<script>alert(1)</script> " onmouseover="x" {{ 7*7 }} & 😀 مستشفى'


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("top", [1, 2])
def test_headings_go_down_one_level_at_a_time(language: Language, top: int) -> None:
    statement = a_first_statement()
    headings = Outline(fragment(inr.document(statement, language), language, top=top)).headings
    assert headings[0] == top
    assert headings.count(top) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))


def test_a_strict_content_policy_lets_the_fragment_through() -> None:
    outline = Outline(fragment(inr.document(a_statement(), FRENCH), FRENCH))
    assert not {"script", "style", "link", "iframe"} & set(outline.tags)
    assert [name for name, _ in outline.attributes if name == "style" or name.startswith("on")] == []


def test_texts_from_elsewhere_stay_texts() -> None:
    statement = a_statement(
        adherent=Adherent(name=HOSTILE, finess_ej=None, zone=PARIS), lines=(a_line(HOSTILE, 5),)
    )
    made = fragment(inr.document(statement, FRENCH), FRENCH)
    outline = Outline(made)
    assert "script" not in outline.tags
    assert "onmouseover" not in dict(outline.attributes)
    assert made.count("{{ 7*7 }}") == 2
    assert "<bdi>&lt;script&gt;" in made


def test_every_table_has_a_caption_and_headings() -> None:
    outline = Outline(fragment(inr.document(a_statement(), ENGLISH), ENGLISH))
    assert outline.tags.count("table") == outline.tags.count("caption") == outline.tags.count("thead") == 6
    assert ("scope", "col") in outline.attributes
    assert ("scope", "row") in outline.attributes


def test_ids_are_used_once() -> None:
    outline = Outline(fragment(inr.document(a_statement(), ENGLISH), ENGLISH))
    names = [value for name, value in outline.attributes if name == "id"]
    assert names
    assert len(names) == len(set(names))


def test_unknown_is_marked_and_named() -> None:
    made = fragment(inr.document(a_statement(lines=(a_line("paie", None),)), ENGLISH), ENGLISH)
    assert '<td class="number"><span class="unknown">unknown</span></td>' in made


def test_the_standalone_page_names_its_language_and_title() -> None:
    page = FORMATS["html"].render(inr.document(a_statement(), ENGLISH), ENGLISH).decode()
    assert '<html lang="en">' in page
    assert "<title>INR statement: energy and carbon · CHU de Reims — October 2026</title>" in page
    assert "@media print" in page
    Outline(page)


def test_running_text_is_a_paragraph() -> None:
    document = Document("n", "T", "S", (), "a", "f", (Section("H", (Paragraph("a < b"),)),))
    assert "<p>a &lt; b</p>" in fragment(document, FRENCH)
