"""What a file is: the published formats that are known by their content, and any other table.

bytes -> table -> format -> listing
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, islice

from console.domain import finess, sae
from console.domain.columns import read_records
from console.domain.directory import Kind, Listing
from console.domain.errors import Invalid
from console.domain.tables import Table, normal, read_csv

STOCK = re.compile(r"stock[_-](\d{4})(\d{2})(\d{2})")
CLOSING = frozenset({"closed", "closed_on"})
VINTAGE = re.compile(r"_(\d{4})r?\.")
MEMBERSHIPS: Mapping[str, tuple[str, ...]] = {
    "ght_code": ("code_ght",),
    "finess_ej": ("finess_ej",),
    "role": ("role",),
    "valid_from": ("du",),
    "valid_to": ("au",),
}


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a table; `name` is what the command line and the forms call it.

    It is known by the columns of `marks`, or by the `layout` of its content; the column `year` dates it.
    """

    name: str
    kind: Kind
    source: str
    mapping: Mapping[str, tuple[str, ...]]
    marks: tuple[str, ...] = ()
    layout: str = ""
    year: str = ""
    only_open: bool = False  # what it holds was open on its day

    def missing(self, table: Table) -> list[str]:
        """The marks that a table lacks."""
        known = {normal(heading) for heading in table.headings}
        return [column for column in self.marks if column not in known]

    def fits(self, table: Table) -> bool:
        return self.layout == table.layout and not self.missing(table)


FORMATS = (
    Format("sae", Kind.SITES, sae.SOURCE, sae.SITES, marks=sae.MARKS_OF_SITES, year=sae.YEAR),
    Format("ght", Kind.GROUPS, sae.SOURCE, sae.GROUPS, marks=sae.MARKS_OF_GROUPS),
    Format("ght-members", Kind.MEMBERSHIPS, "GHT", MEMBERSHIPS, marks=("code_ght", "finess_ej")),
    Format(
        "finess",
        Kind.SITES,
        "FINESS, cs1100502",
        finess.SITES_OF_EXTRACT,
        layout=finess.EXTRACT,
        only_open=True,
    ),
    Format("finess-xml", Kind.SITES, "FINESS, cs1400102", finess.SITES_OF_FEED, layout=finess.SITE_FEED),
    Format(
        "finess-xml",
        Kind.LEGAL_ENTITIES,
        "FINESS, cs1400101",
        finess.ENTITIES_OF_FEED,
        layout=finess.ENTITY_FEED,
    ),
)


def read_table(content: bytes) -> Table:
    """The table of a file of text or XML; raises `Invalid` for a file that holds none."""
    if finess.is_extract(content):
        return finess.read_extract(content)
    if finess.is_feed(content):
        return finess.read_feed(content)
    return read_csv(content)


def format_of(table: Table) -> Format | None:
    """The published format that a table is in, None where it is some other table."""
    return next((known for known in FORMATS if known.fits(table)), None)


def known_as(name: str, table: Table) -> Format:
    """The format of that name; raises `Invalid` where the table is not in it, with what is missing."""
    wanted = [known for known in FORMATS if known.name == name]
    if fitting := next((known for known in wanted if known.fits(table)), None):
        return fitting
    if not wanted[0].marks or table.layout:
        raise Invalid("file", "Ce fichier n'est pas au format « %(name)s ».", name=name)
    raise Invalid(
        "file",
        "Ce fichier n'est pas au format « %(name)s » : il lui manque %(missing)s (colonnes attendues : "
        "%(expected)s).",
        name=name,
        missing=", ".join(wanted[0].missing(table)),
        expected=", ".join(wanted[0].marks),
    )


def read_as(known: Format, table: Table, as_of: date | None = None) -> Listing:
    """The records of a table in a format, as of the day that its content says, or else `as_of`."""
    table, said = _dated(known, table)
    day = said or as_of
    if day is None:
        raise Invalid("as_of", "Rien dans ce fichier ni dans son nom ne le date : donnez sa date.")
    headings = {normal(heading) for heading in table.headings}
    mapping = {
        name: tuple(column for column in columns if column in headings)
        for name, columns in known.mapping.items()
    }
    listing = read_records(table, known.kind, mapping, source=known.source, as_of=day)
    if not (known.only_open or "closed_on" in known.mapping):
        return listing
    return replace(listing, says=listing.says | CLOSING, states=CLOSING)


def read_sae(content: bytes) -> Listing:
    """The sites of an SAE identification table; raises `Invalid` for a file that is none."""
    table = read_table(content)
    return read_as(known_as("sae", table), table)


def day_of_name(name: str) -> date | None:
    """The day that the name of a published file says: that of an extract, or the last one of its year."""
    try:
        if match := STOCK.search(name):
            return date(*map(int, match.groups()))
        if match := VINTAGE.search(name):
            return date(int(match.group(1)), 12, 31)
    except ValueError:
        return None
    return None


def _dated(known: Format, table: Table) -> tuple[Table, date | None]:
    """The table, and the day that it says; its first row says the year of all."""
    if not known.year:
        return table, table.as_of
    rows = iter(table.rows)
    first = list(islice(rows, 1))
    place = [normal(heading) for heading in table.headings].index(known.year)
    table = replace(table, rows=chain(first, rows))
    for _line, cells in first:
        year = cells[place] if place < len(cells) else ""
        if not re.fullmatch(r"20\d\d", year):
            raise Invalid(known.year, "« %(value)s » n'est pas une année.", value=year)
        return table, date(int(year), 12, 31)
    return table, None
