"""The national directory of health sites, as the SAE survey publishes it: one checked site for each row.

The file has `;` between its cells and a header; its text is UTF-8 (with or without a mark) or Windows-1252.
A row that breaks a rule is told with its line, its field and what would be right; the others still count.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid
from console.domain.identifiers import finess, siren, siret

COLUMNS = ("an", "fi", "rs", "fi_ej", "stj", "cat", "sir", "dep", "libcom")
LONGEST_NAME = 200
DEPARTMENT = re.compile(r"0[1-9]|1\d|2[1-9AB]|[3-8]\d|9[0-5A-J]")
ZONES: Mapping[str, str] = {
    "9A": "America/Guadeloupe",
    "9B": "America/Martinique",
    "9C": "America/Cayenne",
    "9D": "Indian/Reunion",
    "9E": "America/Miquelon",
    "9F": "Indian/Mayotte",
}
MAINLAND = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Site:
    """A place of the directory; `siret` is None where the file gives only the SIREN of its legal entity."""

    finess_et: str
    finess_ej: str
    name: str
    siret: str | None
    siren: str
    category: str
    legal_status: str
    department: str
    town: str
    vintage: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was left out: the line of the file it starts on, and why."""

    line: int
    error: Invalid


@dataclass(frozen=True, slots=True)
class Listing:
    """What a file holds: its sites by their key, and the rows that were refused."""

    sites: Mapping[str, Site]
    refusals: Sequence[Refusal]


def read_sae(content: bytes) -> Listing:
    """Read an SAE identification table ("ID"); raises `Invalid` for a file that is none."""
    rows = _rows(_text(content))
    header = next(rows, (1, []))[1]
    names = [name.strip().lower() for name in header]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise Invalid(
            "file",
            "Ce fichier n'est pas une table d'identification SAE : il lui manque %(missing)s "
            "(colonnes attendues, séparées par « ; » : %(expected)s).",
            missing=", ".join(missing),
            expected=", ".join(COLUMNS),
        )
    sites: dict[str, Site] = {}
    lines: dict[str, int] = {}
    refusals = []
    for line, cells in rows:
        try:
            site = _site(names, cells)
            _refuse_second(site, lines)
        except Invalid as error:
            refusals.append(Refusal(line, error))
        else:
            sites[site.finess_et], lines[site.finess_et] = site, line
    return Listing(sites, refusals)


def zone_of(department: str) -> ZoneInfo:
    """The zone of a department; raises `Invalid` for an overseas one that is not known here."""
    if department[0] == "9" and department[1:].isalpha():
        if department not in ZONES:
            raise Invalid(
                "department",
                "Le fuseau du département %(department)s n'est pas connu (connus : %(known)s).",
                department=department,
                known=", ".join(ZONES),
            )
        return ZoneInfo(ZONES[department])
    return ZoneInfo(MAINLAND)


def _text(content: bytes) -> str:
    if not content.strip():
        raise Invalid("file", "Ce fichier est vide.")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("file", "Ce fichier n'est pas un texte en UTF-8 ou en Windows-1252.")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Invalid("file", "Ligne %(line)s illisible : %(why)s.", line=line, why=error) from None
        if cells is None:
            return
        if any(cells):
            yield line, cells


def _site(names: Sequence[str], cells: Sequence[str]) -> Site:
    if len(cells) != len(names):
        raise Invalid(
            "row",
            "Cette ligne a %(found)s cellules ; l'en-tête en annonce %(expected)s.",
            found=len(cells),
            expected=len(names),
        )
    row = dict(zip(names, (cell.strip() for cell in cells), strict=True))
    whole_siret, of_entity = _siret_or_siren(row["sir"])
    return Site(
        finess_et=finess(row["fi"], "fi"),
        finess_ej=finess(row["fi_ej"], "fi_ej"),
        name=_name(row["rs"], "rs"),
        siret=whole_siret,
        siren=of_entity,
        category=_code(row["cat"], "cat", 3),
        legal_status=_code(row["stj"], "stj", 2),
        department=_department(row["dep"]),
        town=_name(row["libcom"], "libcom"),
        vintage=int(_code(row["an"], "an", 4)),
    )


def _siret_or_siren(text: str) -> tuple[str | None, str]:
    """The column of the SIRET holds a SIREN where a site has none of its own."""
    if len(text) == 9:
        return None, siren(text, "sir")
    whole = siret(text, "sir")
    return whole, whole[:9]


def _refuse_second(site: Site, lines: Mapping[str, int]) -> None:
    if site.finess_et in lines:
        raise Invalid(
            "fi",
            "%(value)s est déjà à la ligne %(line)s.",
            value=site.finess_et,
            line=lines[site.finess_et],
        )


def _name(text: str, field: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
        raise Invalid(
            field, "Un texte lisible de 1 à %(longest)s caractères est attendu.", longest=LONGEST_NAME
        )
    return text


def _code(text: str, field: str, length: int) -> str:
    if not (text.isascii() and text.isdigit() and len(text) == length):
        raise _misshapen(field, text, text.zfill(length) if text.isdigit() else None, "0" * length)
    return text


def _department(text: str) -> str:
    department = text.upper()
    if not DEPARTMENT.fullmatch(department):
        raise _misshapen("dep", text, text.zfill(2) if len(text) == 1 else None, "31, 2A, 9D")
    return department


def _misshapen(field: str, value: str, whole: str | None, example: str) -> Invalid:
    if whole is not None and len(whole) > len(value):
        return Invalid(
            field, "%(value)s a perdu ses zéros de tête : %(whole)s attendu.", value=value, whole=whole
        )
    return Invalid(
        field,
        "« %(value)s » n'a pas la forme attendue (exemple : %(example)s).",
        value=value,
        example=example,
    )
