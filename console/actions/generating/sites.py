"""The sites that adherents are chosen from, as an identification table of the SAE survey lists them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from console.domain.errors import Invalid

SHIPPED = files("console.actions.generating") / "shapes" / "sites.csv"
COLUMNS = ("an", "fi", "rs", "fi_ej", "stj", "cat", "sir", "dep", "libcom")


@dataclass(frozen=True, slots=True)
class Site:
    """A place and the legal entity that runs it."""

    finess_et: str
    finess_ej: str
    name: str
    siret: str | None  # None where the survey gives only the SIREN of the entity
    siren: str
    category: str
    legal_status: str
    department: str
    town: str


def read_sites(content: bytes) -> Sequence[Site]:
    """The sites by key; raises `Invalid` for a file that is no such table."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    header, *rows = csv.reader(text.splitlines(), delimiter=";")
    names = [name.strip().lower() for name in header]
    if missing := [column for column in COLUMNS if column not in names]:
        raise Invalid(
            "directory",
            "Ce fichier n'est pas une table d'identification SAE : il lui manque %(missing)s.",
            missing=", ".join(missing),
        )
    return sorted(
        (_site(dict(zip(names, row, strict=False))) for row in rows), key=lambda site: site.finess_et
    )


def _site(row: dict[str, str]) -> Site:
    return Site(
        finess_et=row["fi"],
        finess_ej=row["fi_ej"],
        name=row["rs"],
        siret=row["sir"] if len(row["sir"]) == 14 else None,
        siren=row["sir"][:9],
        category=row["cat"],
        legal_status=row["stj"],
        department=row["dep"],
        town=row["libcom"],
    )
