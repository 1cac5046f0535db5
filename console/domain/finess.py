"""The FINESS files of the ministry: the extract cs1100502 (CSV) and the feeds cs1400101 and cs1400102 (XML).

The extract has no headings but a first line with its name and its date; `structureet` begins the line of a
site, and lines of other sections are passed over. One that went through a spreadsheet may have headings. The
feeds hold one element a body, whose children are its facts; closed bodies are in them too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final
from xml.etree import ElementTree

from console.domain.errors import Invalid
from console.domain.tables import Table, decoded, rows_of

EXTRACT: Final = "cs1100502"
ENTITY_FEED: Final = "cs1400101"
SITE_FEED: Final = "cs1400102"
FEEDS: Mapping[str, str] = {"structureej": ENTITY_FEED, "structureet": SITE_FEED}
HEADINGS = (
    "section",
    "nofinesset",
    "nofinessej",
    "rs",
    "rslongue",
    "complrs",
    "compldistrib",
    "numvoie",
    "typvoie",
    "voie",
    "compvoie",
    "lieuditbp",
    "commune",
    "departement",
    "libdepartement",
    "ligneacheminement",
    "telephone",
    "telecopie",
    "categetab",
    "libcategetab",
    "categagretab",
    "libcategagretab",
    "siret",
    "codeape",
    "codemft",
    "libmft",
    "codesph",
    "libsph",
    "dateouv",
    "dateautor",
    "datemaj",
)
ADDRESS = ("numvoie", "typvoie", "voie", "lieuditbp", "ligneacheminement")
SITES_OF_EXTRACT: Mapping[str, tuple[str, ...]] = {
    "finess_et": ("nofinesset",),
    "finess_ej": ("nofinessej",),
    "name": ("rs",),
    "department": ("departement",),
    "town": ("ligneacheminement",),
    "long_name": ("rslongue",),
    "siret": ("siret",),
    "category": ("categetab",),
    "address": ADDRESS,
    "opened_on": ("dateouv",),
}
SITES_OF_FEED = {**SITES_OF_EXTRACT, "town": ("libcommune",), "closed_on": ("datefermeture",)}
ENTITIES_OF_FEED: Mapping[str, tuple[str, ...]] = {
    "finess_ej": ("nofiness",),
    "name": ("rs",),
    "long_name": ("rslongue",),
    "siren": ("siren",),
    "legal_status": ("statutjuridique",),
    "category": ("categetab",),
    "department": ("departement",),
    "town": ("libcommune",),
    "address": ADDRESS,
    "closed_on": ("datefermeture",),
}
FACTS_OF_FEED = {
    ENTITY_FEED: sorted({column for columns in ENTITIES_OF_FEED.values() for column in columns}),
    SITE_FEED: sorted({column for columns in SITES_OF_FEED.values() for column in columns}),
}
START = re.compile(rb"\s*(?:finess;|structureet;)")
ROOT = re.compile(rb"<fluxfiness[\s>]")
DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def is_extract(content: bytes) -> bool:
    return START.match(content.removeprefix(b"\xef\xbb\xbf")) is not None


def is_feed(content: bytes) -> bool:
    return ROOT.search(content[:2000]) is not None


def read_extract(content: bytes) -> Table:
    """The sites of an extract; its date where its first line says it."""
    text = decoded(content)
    first = text.split("\n", 1)[0].strip().split(";")
    as_of = _day(first[3]) if len(first) == 4 and first[1] == "etalab" else None
    return Table(HEADINGS, _sites(text), EXTRACT, as_of)


def read_feed(content: bytes) -> Table:
    """The bodies of an XML feed; raises `Invalid` where it is not well formed or holds something else."""
    if DECLARATION.search(content):
        raise Invalid("file", "Ce fichier XML déclare un type ou des entités : un flux FINESS n'en a pas.")
    section = next((name for name in FEEDS if f"<{name}>".encode() in content), None)
    if section is None:
        raise Invalid(
            "file",
            "Ce flux FINESS ne porte ni entités juridiques (cs1400101) ni établissements (cs1400102).",
        )
    layout = FEEDS[section]
    return Table(FACTS_OF_FEED[layout], _bodies(content, section, FACTS_OF_FEED[layout]), layout)


def _sites(text: str) -> Iterator[tuple[int, list[str]]]:
    for line, cells in rows_of(text, ";"):
        if cells[0] == "structureet":
            yield line, cells


def _bodies(content: bytes, section: str, facts: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Bodies are numbered by their place: the parser keeps no lines."""
    place = 0
    try:
        for _event, element in ElementTree.iterparse(io.BytesIO(content)):  # noqa: S314 - entities are refused
            if element.tag != section:
                continue
            place += 1
            yield place, [(element.findtext(name) or "").strip() for name in facts]
            element.clear()
    except ElementTree.ParseError as error:
        raise Invalid("file", "Ce fichier XML est mal formé : %(why)s.", why=error) from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
