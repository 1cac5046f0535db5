"""Lists as files: what a spreadsheet reads is what was written, and never a formula."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import given as whatever
from hypothesis import strategies as st
from openpyxl import load_workbook

from console.web.exports import FORMULA_STARTS, Cell, Kind, send

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def sent(app: Flask, row: Sequence[Cell], kind: Kind, language: str = "fr") -> bytes:
    with app.test_request_context(headers={"Accept-Language": language}):
        return send("liste", [f"c{place}" for place in range(len(row))], [row], kind).get_data()


def csv_row(content: bytes) -> list[str]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))[1]


def sheet_row(content: bytes) -> list[tuple[object, str]]:
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    return [(cell.value, cell.data_type) for cell in list(sheet.iter_rows())[1]]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_text_is_never_a_formula(app: Flask, start: str) -> None:
    assert csv_row(sent(app, [f"{start}1+1"], "csv")) == [f"'{start}1+1"]
    ((_value, data_type),) = sheet_row(
        sent(
            app,
            [
                f"{start}1+1",
            ],
            "xlsx",
        )
    )
    assert data_type in ("s", "inlineStr")


@pytest.mark.parametrize(
    ("cell", "french", "english"),
    [
        (-3, "-3", "-3"),
        (-1.5, "-1,5", "-1.5"),
        (None, "", ""),
        ('a;b\n"c"', 'a;b\n"c"', 'a;b\n"c"'),
        ("007", "007", "007"),
        (date(2026, 11, 25), "2026-11-25", "2026-11-25"),
        (NOON, "2026-11-25T12:00:00+00:00", "2026-11-25T12:00:00+00:00"),
    ],
)
def test_a_cell_of_a_csv_file(app: Flask, cell: Cell, french: str, english: str) -> None:
    assert csv_row(sent(app, ["x", cell], "csv")) == ["x", french]
    assert csv_row(sent(app, ["x", cell], "csv", "en")) == ["x", english]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (-3, (-3, "n")),
        (-1.5, (-1.5, "n")),
        ("007", ("007", "s")),
        ("#N/A", ("#N/A", "s")),
        ("a\x0bb", ("ab", "s")),
        (date(2026, 11, 25), (datetime(2026, 11, 25), "d")),
        (NOON, ("2026-11-25T12:00:00+00:00", "s")),
    ],
)
def test_a_cell_of_a_spreadsheet(app: Flask, cell: Cell, read: tuple[object, str]) -> None:
    assert sheet_row(sent(app, [cell], "xlsx")) == [read]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it only lends a language
@whatever(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_every_text_is_read_back_from_a_csv_file(app: Flask, text: str) -> None:
    (read,) = csv_row(sent(app, ["x", text], "csv"))[1:]
    assert read.removeprefix("'") == text.removeprefix("'")


def test_the_file_is_kept_under_its_name_and_by_nobody_else(app: Flask) -> None:
    with app.test_request_context():
        answer = send("liste", ["a"], [], "xlsx")
    assert answer.headers["Content-Disposition"] == "attachment; filename=liste.xlsx"
    assert (answer.mimetype or "").endswith("spreadsheetml.sheet")
