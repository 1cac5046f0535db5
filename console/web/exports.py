"""A list as a file for a spreadsheet: CSV (UTF-8 with BOM, `;`) or XLSX; texts are never formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Literal

from flask import Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from console.web.languages import current_language

Cell = str | int | float | date | None
Kind = Literal["csv", "xlsx"]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MIME_TYPES: dict[Kind, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LONGEST_TITLE = 31  # characters of the name of a sheet


def send(name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]], kind: Kind) -> Response:
    """A file `name` to keep, its headings in the first row; None is an empty cell.

    Days are ISO 8601 in CSV and dates in XLSX; instants are ISO 8601 with their offset in both. Decimal
    numbers of a CSV take the comma in French, as spreadsheets of that language read them.
    """
    content = _csv(headings, rows) if kind == "csv" else _xlsx(name, headings, rows)
    answer = Response(content, mimetype=MIME_TYPES[kind])
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.{kind}")
    return answer


def _csv(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    point = "," if current_language().code == "fr" else "."
    writer.writerows([_plain(cell, point) for cell in row] for row in (headings, *rows))
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _plain(cell: Cell, point: str) -> str:
    match cell:
        case None:
            return ""
        case str():
            return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
        case date():
            return cell.isoformat()
        case float():
            return str(cell).replace(".", point)
    return str(cell)


def _xlsx(name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    book = Workbook(write_only=True)
    sheet: WriteOnlyWorksheet = book.create_sheet(name[:LONGEST_TITLE])
    sheet.freeze_panes = "A2"
    for row in (headings, *rows):
        sheet.append(list(_typed(sheet, row)))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _typed(sheet: WriteOnlyWorksheet, row: Sequence[Cell]) -> Iterator[object]:
    for cell in row:
        if isinstance(cell, datetime):
            cell = cell.isoformat()
        if isinstance(cell, str):
            written = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", cell))
            written.data_type = "s"  # it would take a text that starts with = for a formula
            yield written
        else:
            yield cell
