"""Workbooks as tables."""

import io
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from console.actions.imports import open_table
from console.actions.workbooks import is_workbook
from console.domain.errors import Invalid


def workbook(*rows: tuple[object, ...]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def test_cells_are_the_texts_that_a_csv_would_hold() -> None:
    content = workbook(
        ("FINESS", "SIRET", "Nom", "Ouverture", "Lits"),
        ("010000024", 26010004500012, " CŒUR ", date(1979, 2, 13), 12.5),
        (10000024, 26010004500012.0, None, datetime(1979, 2, 13), 3),
        (None, None, None, None, None),
        ("2A0000030",),
    )
    table = open_table(content)
    assert list(table.headings) == ["FINESS", "SIRET", "Nom", "Ouverture", "Lits"]
    assert list(table.rows) == [
        (2, ["010000024", "26010004500012", "CŒUR", "1979-02-13", "12.5"]),
        (3, ["10000024", "26010004500012", "", "1979-02-13", "3"]),
        (5, ["2A0000030", "", "", "", ""]),
    ]


def test_a_formula_counts_by_its_value_and_is_never_run() -> None:
    table = open_table(workbook(("a", "b"), ("=1+1", "x")))
    assert list(table.rows) == [(2, ["", "x"])]  # nobody has calculated it


def test_a_workbook_with_the_name_of_a_csv_is_read_as_what_it_is() -> None:
    assert is_workbook(workbook(("a",)))
    assert not is_workbook(b"a;b\n1;2\n")
    assert not is_workbook(b"PK\x03\x04 and then nothing")


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("a.csv", "a;b\n")
    with pytest.raises(Invalid, match="archive"):
        open_table(file.getvalue())


def test_an_empty_workbook_has_no_headings() -> None:
    with pytest.raises(Invalid, match="en-têtes"):
        open_table(workbook())


def test_a_damaged_workbook_is_told() -> None:
    whole, file = workbook(("a", "b"), ("1", "2")), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as parts, zipfile.ZipFile(file, "w") as damaged:
        for part in parts.namelist():
            content = parts.read(part)
            damaged.writestr(part, content[:60] if part.startswith("xl/worksheets/sheet") else content)
    with pytest.raises(Invalid, match="illisible"):
        open_table(file.getvalue())


def test_a_small_file_that_unpacks_into_a_very_large_one_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", "<workbook/>")
        with parts.open("xl/sharedStrings.xml", "w") as part:
            for _ in range(401):
                part.write(b"\0" * 1024 * 1024)
    assert len(file.getvalue()) < 1024 * 1024
    with pytest.raises(Invalid, match="trop grand"):
        open_table(file.getvalue())


@pytest.mark.parametrize(("row", "cell"), [(250_001, "x"), (1_048_576, 0)])
def test_a_workbook_of_too_many_rows_is_refused_with_the_number(row: int, cell: object) -> None:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(("a", "b"))
    book.active.cell(250_000, 1, "last")
    book.active.cell(row, 2, cell)
    book.save(file)
    with pytest.raises(Invalid, match=rf"250000 lignes \(ligne {row}\)"):
        open_table(file.getvalue())


def test_blank_rows_below_the_last_one_do_not_count() -> None:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(("a",))
    book.active.cell(250_000, 1, "last")
    book.active.row_dimensions[250_002].height = 20
    book.save(file)
    assert [line for line, _cells in open_table(file.getvalue()).rows] == [250_000]
