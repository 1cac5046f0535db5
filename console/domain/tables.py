"""Tables as files hold them: their encoding, their separator, their rows with the line each starts on.

Text is UTF-8 (with or without a mark) or Windows-1252; a file that is something else is told for what it is.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from console.domain.errors import Invalid

SEPARATORS = (";", ",", "\t")
LONGEST_HEADING = 200
MOST_COLUMNS = 500
OTHER_FILES = (  # by how they begin, in small letters
    (
        b"version https://git-lfs",
        Invalid("file", "C'est un pointeur Git LFS : téléchargez le fichier qu'il désigne."),
    ),
    (
        b"pk\x03\x04",
        Invalid("file", "C'est un classeur ou une archive ZIP : une table en texte est attendue."),
    ),
    (
        b"\xd0\xcf\x11\xe0",
        Invalid("file", "C'est un classeur Excel d'avant 2007 : enregistrez-le en .xlsx ou en CSV."),
    ),
    (b"%pdf", Invalid("file", "C'est un PDF : une table est attendue.")),
    (b"\x1f\x8b", Invalid("file", "C'est une archive gzip : décompressez-la d'abord.")),
    (b"\xff\xfe", Invalid("file", "C'est un texte UTF-16 : enregistrez-le en CSV UTF-8.")),
    (b"\xfe\xff", Invalid("file", "C'est un texte UTF-16 : enregistrez-le en CSV UTF-8.")),
    (b"<!doctype", Invalid("file", "C'est une page web, souvent celle d'un téléchargement qui a échoué.")),
    (b"<html", Invalid("file", "C'est une page web, souvent celle d'un téléchargement qui a échoué.")),
    (b"{", Invalid("file", "C'est un fichier JSON : une table est attendue.")),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows; `as_of` is the date of the content where it gives one itself, `layout` its name."""

    headings: Sequence[str]
    rows: Iterable[tuple[int, Sequence[str]]]
    layout: str = ""
    as_of: date | None = None

    def fingerprint(self) -> str:
        """What is the same for two tables with the same headings in the same order."""
        told = "\x1f".join(normal(heading) for heading in self.headings)
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot be taken, and why."""

    line: int
    error: Invalid


def every_refusal(
    unread: Iterable[RefusedRow], judged: Iterable[tuple[int, Invalid | None]]
) -> list[RefusedRow]:
    """Rows that cannot be read, and those that are judged with a refusal, in the order of the file."""
    refused = (RefusedRow(line, refusal) for line, refusal in judged if refusal is not None)
    return sorted([*unread, *refused], key=lambda one: one.line)


def normal(heading: str) -> str:
    """A heading as it is compared: small letters, single blanks."""
    return " ".join(heading.lower().split())


def refuse_other_files(content: bytes) -> None:
    """Raise `Invalid` for what is plainly no table of text, with what it looks like."""
    if not content.strip():
        raise Invalid("file", "Ce fichier est vide.")
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    for beginning, told in OTHER_FILES:
        if start.startswith(beginning):
            raise Invalid(told.field, told.message)


def decoded(content: bytes) -> str:
    """The text of a file; raises `Invalid` where it has none."""
    refuse_other_files(content)
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("file", "Ce fichier n'est pas un texte en UTF-8 ou en Windows-1252.")


def rows_of(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            raise Invalid(
                "file",
                "Ligne %(line)s : une cellule y passe %(longest)s caractères, souvent pour un guillemet qui "
                "n'est pas fermé.",
                line=line,
                longest=csv.field_size_limit(),
            ) from None
        if cells is None:
            return
        if any(cells):
            yield line, [cell.strip() for cell in cells]


def read_csv(content: bytes) -> Table:
    """A table with a line of headings; the separator is the one that this line has most of."""
    text = decoded(content)
    return with_headings(rows_of(text, separator_of(text)))


def with_headings(rows: Iterator[tuple[int, list[str]]]) -> Table:
    """The rows under their headings; raises `Invalid` where these cannot be told apart."""
    headings = next(rows, (1, []))[1]
    while headings and not headings[-1]:
        headings.pop()
    if not headings or len(headings) > MOST_COLUMNS or any(len(name) > LONGEST_HEADING for name in headings):
        raise Invalid("file", "La première ligne de ce fichier n'est pas une ligne d'en-têtes.")
    names = [normal(heading) for heading in headings]
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise Invalid("file", "Deux colonnes s'appellent « %(name)s ».", name=twice)
    return Table(headings, rows)


def separator_of(text: str) -> str:
    """`;`, `,` or a tab: what separates the headings."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)
