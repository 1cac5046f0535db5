"""Tables from Excel workbooks: the first sheet, its cells as the texts that a CSV of it would hold."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from console.domain.errors import Invalid
from console.domain.tables import MOST_COLUMNS, Table, with_headings

MOST_BYTES: Final = 400 * 1024 * 1024  # of the parts, unpacked: a small file can hold a very large one
MOST_ROWS: Final = 250_000
LAST_ROW: Final = 1_048_576  # of a sheet
START: Final = b"PK\x03\x04"
SHEETS: Final = "xl/workbook.xml"


def is_workbook(content: bytes) -> bool:
    """Whether a file is an Excel workbook, whatever its name says."""
    if not content.startswith(START):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            return SHEETS in parts.namelist()
    except zipfile.BadZipFile:
        return False


def read_workbook(content: bytes) -> Table:
    """The table of the first sheet; raises `Invalid` for a workbook that is damaged or too large."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        if sum(part.file_size for part in parts.infolist()) > MOST_BYTES:
            raise Invalid("file", "Ce classeur est trop grand une fois décompressé : envoyez-le en CSV.")
    try:
        rows = list(_rows(content))
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise Invalid("file", "Ce classeur est illisible : %(why)s.", why=error) from None
    width = max((len(cells) for _line, cells in rows), default=0)
    return with_headings((line, cells + [""] * (width - len(cells))) for line, cells in rows)


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # a row is as wide as its cells, whatever the sheet says of itself
        rows = sheet.iter_rows(max_row=LAST_ROW, values_only=True)
        for line, cells in enumerate(rows, start=1):
            if line > MOST_ROWS:
                if any(cell is not None for cell in cells):
                    raise Invalid(
                        "file",
                        "Ce classeur passe %(most)s lignes (ligne %(line)s) : envoyez-le en CSV.",
                        most=MOST_ROWS,
                        line=line,
                    )
                continue
            texts = [_text(cell) for cell in cells[:MOST_COLUMNS]]
            while texts and not texts[-1]:
                texts.pop()
            if texts:
                yield line, texts
    finally:
        workbook.close()


def _text(cell: object) -> str:
    """A number without decimals is written whole: a workbook keeps fifteen digits, a SIRET has fourteen."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
