"""The CSV holds what is needed to recompute the statement, and no formula."""

import csv
import io

import pytest

from reports import inr
from reports.document import Column, Document, Section, Table
from reports.figures import InrStatement
from reports.formats import FORMATS
from reports.language import ENGLISH, FRENCH, Language
from reports.quantities import Kind
from tests.reports.figures_given import CONFIRMED, KWH, a_line, a_statement


def rows_of(document: Document, language: Language) -> list[list[str]]:
    made = FORMATS["csv"].render(document, language)
    assert made.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""), delimiter=";"))


def statement_rows(statement: InrStatement, language: Language) -> list[list[str]]:
    return rows_of(inr.document(statement, language), language)


def block(rows: list[list[str]], caption: str) -> tuple[list[str], list[dict[str, str]]]:
    start = next(place for place, row in enumerate(rows) if row == [caption])
    end = next(place for place in range(start, len(rows)) if not rows[place])
    headings = rows[start + 1]
    return headings, [dict(zip(headings, row, strict=True)) for row in rows[start + 2 : end]]


def one_cell(value: str) -> Document:
    table = Table(caption="T", columns=(Column("Name"), Column("Sum", Kind.ENERGY_MJ)), rows=((value, -5),))
    return Document("n", "Title", "Sub", (), "author", "foot", (Section("S", (table,)),))


def test_lines_add_up_to_the_total_and_give_back_the_carbon() -> None:
    statement = a_statement()
    _, lines = block(statement_rows(statement, ENGLISH), "By workload")
    *lines, total = lines
    energies = [int(line["Energy (mJ)"]) for line in lines]
    assert sum(energies) == int(total["Energy (mJ)"]) == statement.energy_mj
    for line in lines:
        qualities = ("Measured energy (mJ)", "Modelled energy (mJ)", "Declared energy (mJ)")
        assert sum(int(line[quality]) for quality in qualities) == int(line["Energy (mJ)"])
        exact_ug = int(line["Energy (mJ)"]) * int(line["Intensity (mg CO2e/kWh)"]) / 3_600_000
        assert int(line["Carbon (µg CO2e)"]) == pytest.approx(exact_ug, abs=1)


def test_unknown_is_an_empty_cell_and_zero_is_zero() -> None:
    lines = (a_line("known", 0, carbon_ug=0), a_line("unknown", None))
    _, rows = block(statement_rows(a_statement(lines=lines), ENGLISH), "By workload")
    assert [row["Energy (mJ)"] for row in rows] == ["0", "", "0"]


@pytest.mark.parametrize(("language", "share"), [(FRENCH, "91,8605"), (ENGLISH, "91.8605")])
def test_shares_take_the_decimal_sign_of_the_language(language: Language, share: str) -> None:
    statement = a_statement(
        lines=(a_line("a", 79 * KWH), a_line("b", 7 * KWH, measured_mj=0, modelled_mj=7 * KWH)),
    )
    caption = language.gettext("Par charge de travail")
    headings, rows = block(statement_rows(statement, language), caption)
    assert rows[-1][next(name for name in headings if name.endswith("(%)"))] == share


def test_days_and_instants_are_iso() -> None:
    rows = statement_rows(a_statement(), ENGLISH)
    assert block(rows, "Energy by day")[1][0] == {"Day": "2026-10-01", "Energy (mJ)": ""}
    _, incidents = block(rows, "All incidents of the period")
    assert "2026-10-06T09:12:00+02:00" in {one["Opened"] for one in incidents}


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_that_looks_like_a_formula_is_neutralised(start: str) -> None:
    row = next(row for row in rows_of(one_cell(start), ENGLISH) if len(row) == 2 and row[1] == "-5")
    assert row == ["'" + start, "-5"]


def test_separators_quotes_and_line_ends_in_a_text_stay_in_its_cell() -> None:
    text = 'a;b"c\nd'
    assert [text, "-5"] in rows_of(one_cell(text), ENGLISH)


def test_its_first_lines_say_what_is_missing() -> None:
    lines = (a_line("nginx", KWH, factor_id=CONFIRMED.factor_id),)
    rows = statement_rows(a_statement(lines=lines, factors=(CONFIRMED,)), FRENCH)
    assert rows[2] == ["Ce que ce relevé ne contient pas encore"]
    assert "carbone incorporé" in rows[3][0]
