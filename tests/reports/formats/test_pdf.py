"""The PDF is tagged, titled and readable, and prints texts from elsewhere as they are."""

import csv
import io
import re

import pytest
from pypdf import PdfReader

from reports import inr
from reports.document import Document, Paragraph, Section
from reports.figures import Adherent, Coverage, InrStatement
from reports.formats import FORMATS
from reports.language import ENGLISH, FRENCH, LANGUAGES, Language
from reports.quantities import Kind, text
from tests.reports.figures_given import KWH, PARIS, a_first_statement, a_line, a_statement


def opened(document: Document, language: Language) -> PdfReader:
    return PdfReader(io.BytesIO(FORMATS["pdf"].render(document, language)))


def statement_pdf(statement: InrStatement, language: Language = ENGLISH) -> PdfReader:
    return opened(inr.document(statement, language), language)


def plain(reader: PdfReader) -> str:
    """Its text on one line, with plain spaces."""
    return re.sub(r"[\s\u200b]+", " ", " ".join(page.extract_text() for page in reader.pages))


def squeezed(reader: PdfReader) -> str:
    """Its text without any space: names may be broken over lines."""
    return re.sub(r"[\s\u200b]+", "", plain(reader))


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_it_is_tagged_titled_and_in_its_language(language: Language) -> None:
    reader = statement_pdf(a_statement(), language)
    catalogue = reader.root_object
    assert catalogue["/MarkInfo"]["/Marked"].value is True
    assert catalogue["/Lang"].startswith(language.code)
    assert "/StructTreeRoot" in catalogue
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert "CHU de Reims" in (reader.metadata.title or "")  # type: ignore[union-attr]
    assert b"pdfuaid:part" in catalogue["/Metadata"].get_object().get_data()


def tags(reader: PdfReader) -> list[str]:
    found: list[str] = []

    def walk(node: object) -> None:
        element = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(element, list):
            for child in element:
                walk(child)
        elif isinstance(element, dict):
            found.append(str(element.get("/S", "")))
            walk(element.get("/K", []))

    walk(reader.root_object["/StructTreeRoot"])
    return found


def test_headings_table_headings_and_figures_are_tagged() -> None:
    found = tags(statement_pdf(a_statement()))
    assert {"/Title", "/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= set(found)


def test_the_total_it_prints_is_the_sum_of_the_lines_of_the_csv() -> None:
    document = inr.document(a_statement(), ENGLISH)
    rows = list(
        csv.reader(io.StringIO(FORMATS["csv"].render(document, ENGLISH).decode("utf-8-sig")), delimiter=";")
    )
    start = rows.index(["By workload"]) + 1
    energy, carbon = rows[start].index("Energy (mJ)"), rows[start].index("Carbon (µg CO2e)")
    lines = rows[start + 1 : rows.index([], start) - 1]
    printed = plain(opened(document, ENGLISH)).replace(" ", "")
    for kind, place in ((Kind.ENERGY_MJ, energy), (Kind.CARBON_UG, carbon)):
        total = text(kind, sum(int(line[place]) for line in lines), ENGLISH)
        assert total.replace("\u00a0", "") in printed


HOSTILE = [
    '#link("https://example.org")[click]',
    '#eval("1+1") $x^2$ `code` *bold* _low_ @ref <label> \\ // /* ]',
    "<script>alert(1)</script>",
    '=HYPERLINK("https://example.org")',
    "x" * 120,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_texts_from_elsewhere_are_printed_as_they_are(name: str) -> None:
    statement = a_statement(
        adherent=Adherent(name=name, finess_ej=None, zone=PARIS), lines=(a_line(name, KWH),)
    )
    reader = statement_pdf(statement)
    assert squeezed(reader).count(name.replace(" ", "")) >= 2
    assert not any("/Annots" in page for page in reader.pages)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("CHU 🏥 Sud", "CHU[U+1F3E5]Sud"),
        ("famille 👨‍👩‍👧", "famille[U+1F468][U+1F469][U+1F467]"),
        ("❤️ cœur", "cœur"),
        ("日本", "[U+65E5][U+672C]"),
        ("a\x00b\x07c\x85d", "a\ufffdb\ufffdc\ufffdd"),
        ("exe\u202efdp", "exefdp"),
    ],
)
def test_what_no_font_draws_is_spelt_out(name: str, printed: str) -> None:
    assert printed in squeezed(statement_pdf(a_statement(lines=(a_line(name, KWH),))))


@pytest.mark.parametrize("name", ["مستشفى الجامعة", "בית חולים"])
def test_scripts_from_right_to_left_are_printed(name: str) -> None:
    printed = plain(statement_pdf(a_statement(lines=(a_line(name, KWH),))))
    assert "[U+" not in printed
    assert set(name) <= set(printed)


def test_a_draft_says_so_on_every_page() -> None:
    reader = statement_pdf(a_first_statement())
    assert len(reader.pages) > 1
    assert all("Draft" in page.extract_text() for page in reader.pages)
    assert f"Page {len(reader.pages)} / {len(reader.pages)}" in plain(reader)


def test_unknown_values_are_said_in_french_too() -> None:
    printed = plain(statement_pdf(a_statement(lines=(a_line("paie", None),)), FRENCH))
    assert "inconnu" in printed
    assert "Aucune énergie n'est connue" in printed.replace("’", "'")


def test_a_statement_of_nothing_is_still_a_file() -> None:
    statement = a_statement(
        lines=(), days=(), factors=(), sources=(), incidents=(),
        coverage=Coverage(covered_hours=0, elapsed_hours=0),
    )  # fmt: skip
    assert "No incident in the period." in plain(statement_pdf(statement))


def test_a_long_statement_repeats_its_table_headings() -> None:
    statement = a_statement(lines=tuple(a_line(f"workload-{number}", KWH) for number in range(120)))
    reader = statement_pdf(statement)
    holding = [page.extract_text() for page in reader.pages if "workload-" in page.extract_text()]
    assert len(holding) >= 3
    assert all("Measured share" in " ".join(page.split()) for page in holding)


def test_running_text_is_printed() -> None:
    document = Document("n", "T", "S", (), "a", "f", (Section("Heading", (Paragraph("Plain *words*."),)),))
    assert "Plain *words*." in plain(opened(document, ENGLISH))
