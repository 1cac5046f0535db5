"""Emission factors from any table: a person says which column is what, and what all rows share.

    table + mapping -> values, refusals

A fact that no column holds is the same for every row: the publisher, a licence, a country.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from console.domain.base_carbone import MOST_ROWS, FactorFile
from console.domain.countries import alpha3
from console.domain.errors import Invalid
from console.domain.factor_registry import UNITS, Stated, Told, check, read_milligrams
from console.domain.factors import Perimeter
from console.domain.spreadsheets import day_of
from console.domain.tables import RefusedRow, Table, normal

FACTS = (
    *("vintage", "value", "low", "high", "combustion", "upstream", "losses"),
    *("publisher", "title", "perimeter", "geography", "licence", "source", "valid_from", "valid_to"),
)
FIXABLE = ("vintage", "publisher", "title", "perimeter", "geography", "licence", "source")
NEEDED = ("vintage", "value", "publisher", "title", "perimeter", "geography", "licence", "source")
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "vintage": ("année", "annee", "year", "millésime", "vintage"),
    "value": ("valeur", "value", "facteur", "facteur d'émission", "g/kwh", "gco2e/kwh", "kgco2e/kwh"),
    "low": ("min", "borne basse", "low"),
    "high": ("max", "borne haute", "high"),
    "combustion": ("combustion", "direct"),
    "upstream": ("amont", "upstream"),
    "losses": ("pertes", "losses"),
    "publisher": ("éditeur", "publisher", "organisme"),
    "title": ("titre", "title", "nom", "name", "libellé"),
    "perimeter": ("périmètre", "perimetre", "perimeter"),
    "geography": ("territoire", "pays", "country", "geography", "zone"),
    "licence": ("licence", "license"),
    "source": ("source", "url"),
    "valid_from": ("valable du", "valid from"),
    "valid_to": ("valable jusqu'au", "valid to"),
}
PERIMETERS: Mapping[str, Perimeter] = {
    **{one.value: one for one in Perimeter},
    "mix de consommation, cycle de vie": Perimeter.CONSUMPTION_LIFE_CYCLE,
    "consommation, cycle de vie": Perimeter.CONSUMPTION_LIFE_CYCLE,
    "mix de production, cycle de vie": Perimeter.PRODUCTION_LIFE_CYCLE,
    "production, cycle de vie": Perimeter.PRODUCTION_LIFE_CYCLE,
    "mix de production, émissions directes": Perimeter.PRODUCTION_DIRECT,
    "production, direct": Perimeter.PRODUCTION_DIRECT,
    "mix résiduel": Perimeter.RESIDUAL_MIX,
    "residual mix": Perimeter.RESIDUAL_MIX,
}


@dataclass(frozen=True, slots=True)
class FactorMapping:
    """Which column is what, what is the same for all rows, the unit, and whose file it is."""

    columns: Mapping[str, str]
    fixed: Mapping[str, str] = field(default_factory=dict)
    unit: str = "g/kWh"
    official: bool = False  # the file is the publisher's own


def likely_columns(headings: Sequence[str]) -> dict[str, str]:
    """The columns whose heading is a usual name of a fact, to start from."""
    by_name = {normal(heading): heading for heading in headings}
    found: dict[str, str] = {}
    for fact in FACTS:
        usual = next((by_name[name] for name in USUAL_NAMES[fact] if name in by_name), None)
        if usual is not None and usual not in found.values():
            found[fact] = usual
    return found


def check_mapping(mapping: FactorMapping, headings: Sequence[str]) -> None:
    """Raise `Invalid` for a needed fact that nothing tells, and for what is no column, fact or unit."""
    known = {normal(heading) for heading in headings}
    for fact, heading in mapping.columns.items():
        if fact not in FACTS or normal(heading) not in known:
            raise Invalid(fact, "Un choix de la liste est attendu.")
    for fact in NEEDED:
        if fact not in mapping.columns and not mapping.fixed.get(fact):
            raise Invalid(fact, "Il faut dire quelle colonne le donne, ou la valeur pour toutes les lignes.")
    if mapping.unit not in UNITS:
        raise Invalid("unit", "« %(value)s » n'est pas l'une de : %(choices)s.", value=mapping.unit[:40],
                      choices=", ".join(UNITS))  # fmt: skip


def read_factors(table: Table, mapping: FactorMapping, today: date) -> FactorFile:
    """The values of a table by a mapping; raises `Invalid` where that does not fit it."""
    check_mapping(mapping, table.headings)
    places = {normal(heading): place for place, heading in enumerate(table.headings)}
    found = FactorFile()
    for line, cells in table.rows:
        found.rows += 1
        if found.rows > MOST_ROWS:
            raise Invalid("file", "Ce fichier passe %(most)s lignes.", most=MOST_ROWS)
        texts = dict(mapping.fixed)
        for fact, heading in mapping.columns.items():
            place = places[normal(heading)]
            texts[fact] = (cells[place] if place < len(cells) else "") or mapping.fixed.get(fact, "")
        try:
            found.told.append(Told(line, check(_stated(texts, mapping, today))))
        except Invalid as error:
            found.refusals.append(RefusedRow(line, error))
    return found


def _stated(texts: Mapping[str, str], mapping: FactorMapping, today: date) -> Stated:
    unit = UNITS[mapping.unit]
    amounts = {
        name: read_milligrams(texts.get(name, ""), unit, mapping.columns.get(name, name))
        for name in ("value", "low", "high", "combustion", "upstream", "losses")
    }
    value = amounts["value"]
    if value is None:
        raise Invalid(mapping.columns.get("value", "value"), "Une valeur est attendue.")
    return Stated(
        publisher=texts["publisher"],
        title=texts["title"],
        vintage=_year(texts["vintage"]),
        perimeter=perimeter_of(texts["perimeter"]),
        geography=alpha3(texts["geography"], "geography"),
        intensity_mg_per_kwh=value,
        licence=texts["licence"],
        source=texts["source"],
        confirmed=mapping.official,
        low_mg_per_kwh=amounts["low"],
        high_mg_per_kwh=amounts["high"],
        combustion_mg_per_kwh=amounts["combustion"],
        upstream_mg_per_kwh=amounts["upstream"],
        losses_mg_per_kwh=amounts["losses"],
        retrieved_on=today,
        valid_from=day_of(texts.get("valid_from", ""), "valid_from"),
        valid_to=day_of(texts.get("valid_to", ""), "valid_to"),
    )


def perimeter_of(text: str) -> Perimeter:
    """A perimeter by its code or its French name; raises `Invalid` naming those there are."""
    found = PERIMETERS.get(normal(text))
    if found is None:
        raise Invalid(
            "perimeter",
            "« %(value)s » n'est pas l'un de : %(choices)s.",
            value=text[:80],
            choices=", ".join(one.value for one in Perimeter),
        )
    return found


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise Invalid("vintage", "« %(value)s » n'est pas une année ; par exemple 2024.", value=text[:40])
    return int(text)
