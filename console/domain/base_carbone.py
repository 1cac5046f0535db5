"""The Base Carbone of ADEME as it is published: its electricity, by year, with what each kWh is made of.

    bytes -> table -> elements, their posts -> values, what is left out and why, refusals

Each row is an element (`Elément`) or one of its posts (`Poste`: Combustion à la centrale, Amont, Transport et
distribution). Only mean mixes of a year, of the grid, in kgCO2e/kWh are factors here: those by use, those of
power stations and those of no year are left out. Figures have three digits, so that posts and total differ
by their rounding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction

from console.domain.errors import Invalid
from console.domain.factor_registry import PARTS, UNITS, Stated, Told, check, read_milligrams
from console.domain.factors import Perimeter
from console.domain.tables import RefusedRow, Table, normal

PUBLISHER = "ADEME"
LICENCE = "Licence Ouverte 2.0"
NEEDED = (
    "type ligne",
    "identifiant de l'élément",
    "statut de l'élément",
    "nom base français",
    "nom attribut français",
    "nom frontière français",
    "code de la catégorie",
    "unité français",
    "localisation géographique",
    "total poste non décomposé",
)
UNIT = "kgco2e/kwh"
VALID = "valide générique"
KIND = "facteur d'émission"
YEAR = re.compile(r"(?:année )?((?:19|20)\d\d)(?!\d)")
MOST_ROWS = 200_000
PLACES: Mapping[str, str] = {
    "france": "FRA",
    "france continentale": "FRA",
    "guadeloupe": "GLP",
    "martinique": "MTQ",
    "guyane": "GUF",
    "la réunion": "REU",
    "réunion": "REU",
    "mayotte": "MYT",
    "saint-pierre-et-miquelon": "SPM",
    "saint-barthélemy": "BLM",
    "saint-martin": "MAF",
    "nouvelle-calédonie": "NCL",
    "polynésie française": "PYF",
    "wallis-et-futuna": "WLF",
    "allemagne": "DEU",
    "belgique": "BEL",
    "espagne": "ESP",
    "italie": "ITA",
    "luxembourg": "LUX",
    "pays-bas": "NLD",
    "portugal": "PRT",
    "royaume-uni": "GBR",
    "suisse": "CHE",
}
Cells = Mapping[str, str]


class Reason(StrEnum):
    """Why an element is no factor of electricity here."""

    NOT_ELECTRICITY = "not_electricity"
    NOT_A_FACTOR = "not_a_factor"
    STATUS = "status"
    UNIT = "unit"
    NOT_THE_GRID = "not_the_grid"
    BY_USE = "by_use"
    NO_YEAR = "no_year"
    NO_BOUNDARY = "no_boundary"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An element that is left out; rows that are not of electricity are only counted."""

    line: int
    name: str
    reason: Reason


@dataclass(slots=True)
class FactorFile:
    """What a file tells of factors; `counts` are of all that is left out, `left_out` of electricity."""

    rows: int = 0
    told: list[Told] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    counts: Counter[Reason] = field(default_factory=Counter)
    refusals: list[RefusedRow] = field(default_factory=list)


def is_base_carbone(headings: Sequence[str]) -> bool:
    """Whether a table has the columns of the Base Carbone."""
    return {normal(heading) for heading in headings}.issuperset(NEEDED)


def read_base_carbone(table: Table, file_name: str, today: date) -> FactorFile:
    """The mean mixes of electricity of a table, which is known to be of the Base Carbone."""
    elements, posts = [], dict[str, list[Cells]]()
    found = FactorFile()
    for line, cells in _rows(table):
        found.rows += 1
        number = cells["identifiant de l'élément"]
        if normal(cells["type ligne"]) == "poste":
            if _is_electricity(cells):
                posts.setdefault(number, []).append(cells)
            continue
        reason = _left_out(cells)
        if reason is None:
            elements.append((line, cells))
            continue
        found.counts[reason] += 1
        if reason is not Reason.NOT_ELECTRICITY:
            found.left_out.append(LeftOut(line, _name_with_place(cells), reason))
    for line, cells in elements:
        try:
            parts = posts.get(cells["identifiant de l'élément"], [])
            found.told.append(Told(line, check(_stated(cells, parts, file_name, today))))
        except Invalid as error:
            found.refusals.append(RefusedRow(line, error))
    return found


def _rows(table: Table) -> Iterator[tuple[int, Cells]]:
    headings = [normal(heading) for heading in table.headings]
    for number, (line, cells) in enumerate(table.rows):
        if number >= MOST_ROWS:
            raise Invalid("file", "Ce fichier passe %(most)s lignes.", most=MOST_ROWS)
        padded = [*cells, *[""] * (len(headings) - len(cells))]
        yield line, dict(zip(headings, padded, strict=False))


def _is_electricity(cells: Cells) -> bool:
    return normal(cells["code de la catégorie"]).startswith(("electricité", "électricité"))


def _left_out(cells: Cells) -> Reason | None:
    """Why an element is left out; None where it is a mean mix of a year."""
    checks = (
        (Reason.NOT_ELECTRICITY, _is_electricity(cells)),
        (Reason.NOT_A_FACTOR, normal(cells.get("type de l'élément", KIND)) == KIND),
        (Reason.STATUS, normal(cells["statut de l'élément"]) == VALID),
        (Reason.UNIT, normal(cells["unité français"]).replace(" ", "") == UNIT),
        (Reason.BY_USE, "usage" not in _attribute(cells)),
        (Reason.NOT_THE_GRID, "mix" in _attribute(cells) and "mix" in normal(cells["code de la catégorie"])),
        (Reason.NO_YEAR, _year(cells) is not None),
        (Reason.NO_BOUNDARY, _perimeter(cells) is not None),
        (Reason.PLACE, _place(cells) is not None),
    )
    return next((reason for reason, holds in checks if not holds), None)


def _attribute(cells: Cells) -> str:
    return normal(cells["nom attribut français"])


def _year(cells: Cells) -> int | None:
    """The year of the mix, by its name or by the period that it is valid for (`Année 2021`)."""
    validity = normal(cells.get("période de validité", ""))
    found = YEAR.match(_attribute(cells)) or (YEAR.fullmatch(validity) if "année" in validity else None)
    return int(found.group(1)) if found else None


def _perimeter(cells: Cells) -> Perimeter | None:
    if "résiduel" in _attribute(cells):
        return Perimeter.RESIDUAL_MIX
    boundary = normal(cells["nom frontière français"])
    if boundary.startswith("consommation"):
        return Perimeter.CONSUMPTION_LIFE_CYCLE
    return Perimeter.PRODUCTION_LIFE_CYCLE if boundary.startswith("production") else None


def _place(cells: Cells) -> str | None:
    """The country of a row: of the place within another, where one is told."""
    within = normal(cells.get("sous-localisation géographique français", ""))
    return PLACES.get(within or normal(cells["localisation géographique"]))


def _stated(cells: Cells, posts: Sequence[Cells], file_name: str, today: date) -> Stated:
    value = read_milligrams(cells["total poste non décomposé"], UNITS["kg/kWh"], "Total poste non décomposé")
    perimeter, place, year = _perimeter(cells), _place(cells), _year(cells)
    if value is None or perimeter is None or place is None or year is None:
        raise Invalid("Total poste non décomposé", "Une valeur est attendue.")
    low, high = _bounds(value, cells.get("incertitude", ""))
    parts = _parts(posts)
    return Stated(
        publisher=PUBLISHER,
        title=f"Base Carbone, {_name(cells)}",
        vintage=year,
        perimeter=perimeter,
        geography=place,
        intensity_mg_per_kwh=value,
        low_mg_per_kwh=low,
        high_mg_per_kwh=high,
        combustion_mg_per_kwh=parts.get(PARTS[0]),
        upstream_mg_per_kwh=parts.get(PARTS[1]),
        losses_mg_per_kwh=parts.get(PARTS[2]),
        licence=LICENCE,
        source=_source(cells, file_name),
        confirmed=True,
        retrieved_on=today,
    )


def _name(cells: Cells) -> str:
    names = ("nom base français", "nom attribut français", "nom frontière français")
    return " ".join(", ".join(cells[name] for name in names if cells[name]).split())[:150]


def _name_with_place(cells: Cells) -> str:
    within = cells.get("sous-localisation géographique français", "")
    return ", ".join([_name(cells), *([within] if within else [])])


def _source(cells: Cells, file_name: str) -> str:
    number, changed = cells["identifiant de l'élément"], cells.get("date de modification", "")
    told = [f"Base Carbone, élément {number}", f"modifié le {changed}" if changed else "", file_name]
    return ", ".join(part for part in told if part)


def _bounds(value: int, uncertainty: str) -> tuple[int | None, int | None]:
    """The bounds of a value by its uncertainty in percent; none where the publisher states none."""
    try:
        percent = Fraction(uncertainty.replace(",", ".").replace("%", "").strip())
    except (ValueError, ZeroDivisionError):
        return None, None
    if not 0 < percent <= 1_000:
        return None, None
    spread = value * percent / 100
    return max(0, round(value - spread)), round(value + spread)


def _parts(posts: Sequence[Cells]) -> dict[str, int]:
    """The components that the posts of an element tell; none where one of them is another thing."""
    found: dict[str, int] = {}
    for cells in posts:
        part = _part(normal(cells.get("type poste", "")), normal(cells.get("nom poste français", "")))
        value = read_milligrams(
            cells["total poste non décomposé"], UNITS["kg/kWh"], "Total poste non décomposé"
        )
        if part is None or value is None:
            return {}
        found[part] = found.get(part, 0) + value
    return found


def _part(kind: str, name: str) -> str | None:
    if kind.startswith("combustion"):
        return PARTS[0]
    if kind.startswith("amont"):
        return PARTS[1]
    return PARTS[2] if kind.startswith("transport et distribution") or "perte" in name else None
