"""The Base Carbone is read for its mean mixes of electricity; the rest is left out, each with its reason."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from console.domain.base_carbone import FactorFile, Reason, is_base_carbone, read_base_carbone
from console.domain.factor_registry import Stated
from console.domain.factors import Perimeter
from console.domain.tables import read_csv

FILE = Path(__file__).parents[1] / "data" / "base_carbone" / "base_carbone_v22_cut.csv"
TODAY = date(2026, 11, 25)
COLUMNS = (
    "Type Ligne",
    "Identifiant de l'élément",
    "Statut de l'élément",
    "Nom base français",
    "Nom attribut français",
    "Nom frontière français",
    "Code de la catégorie",
    "Unité français",
    "Localisation géographique",
    "Sous-localisation géographique français",
    "Incertitude",
    "Type poste",
    "Nom poste français",
    "Total poste non décomposé",
)
ELEMENT = {
    "Type Ligne": "Elément",
    "Identifiant de l'élément": "1",
    "Statut de l'élément": "Valide générique",
    "Nom base français": "Electricité",
    "Nom attribut français": "2024 - mix moyen",
    "Nom frontière français": "consommation",
    "Code de la catégorie": "Electricité > Mix réseau électrique > France continentale > Moyen",
    "Unité français": "kgCO2e/kWh",
    "Localisation géographique": "France continentale",
    "Total poste non décomposé": "0,05",
}


def row(**changes: str) -> dict[str, str]:
    names = {
        "kind": "Type Ligne",
        "number": "Identifiant de l'élément",
        "status": "Statut de l'élément",
        "attribute": "Nom attribut français",
        "boundary": "Nom frontière français",
        "category": "Code de la catégorie",
        "unit": "Unité français",
        "place": "Localisation géographique",
        "within": "Sous-localisation géographique français",
        "uncertainty": "Incertitude",
        "post": "Type poste",
        "value": "Total poste non décomposé",
    }
    return ELEMENT | {names[name]: text for name, text in changes.items()}


def post(kind: str, value: str) -> dict[str, str]:
    return row(kind="Poste", post=kind, value=value)


def read(rows: Sequence[dict[str, str]], separator: str = ";", encoding: str = "utf-8") -> FactorFile:
    lines = [COLUMNS, *([one.get(name, "") for name in COLUMNS] for one in rows)]
    quoted = [separator.join(f'"{cell}"' for cell in line) for line in lines]
    return read_base_carbone(read_csv("\n".join(quoted).encode(encoding)), "base.csv", TODAY)


def test_the_file_of_ademe_tells_the_mean_mix_of_2021_with_what_it_is_made_of() -> None:
    table = read_csv(FILE.read_bytes())
    assert is_base_carbone(table.headings)
    found = read_base_carbone(table, "base_carbone_v22.csv", TODAY)
    assert (found.rows, found.refusals) == (11, [])
    assert [one.stated for one in found.told] == [
        Stated(
            publisher="ADEME",
            title="Base Carbone, Electricité, 2021 - mix moyen, consommation",
            vintage=2021,
            perimeter=Perimeter.CONSUMPTION_LIFE_CYCLE,
            geography="FRA",
            intensity_mg_per_kwh=56_900,
            licence="Licence Ouverte 2.0",
            source="Base Carbone, élément 37091, modifié le 24/06/2022, base_carbone_v22.csv",
            confirmed=True,
            low_mg_per_kwh=51_210,
            high_mg_per_kwh=62_590,
            combustion_mg_per_kwh=38_000,
            upstream_mg_per_kwh=13_800,
            losses_mg_per_kwh=5_150,
            retrieved_on=TODAY,
        )
    ]
    assert found.counts == Counter({Reason.NOT_ELECTRICITY: 3, Reason.NO_YEAR: 2, Reason.BY_USE: 1})
    assert [(one.line, one.reason) for one in found.left_out] == [
        (4, Reason.BY_USE),
        (10, Reason.NO_YEAR),
        (11, Reason.NO_YEAR),
    ]
    assert found.left_out[2].name == "Électricité, mix moyen, Cuba"


@pytest.mark.parametrize("separator", [";", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_separators_and_encodings_are_told_apart(separator: str, encoding: str) -> None:
    found = read([row(value="0.05")], separator, encoding)
    assert [one.stated.intensity_mg_per_kwh for one in found.told] == [50_000]


LEFT_OUT = (
    ({"category": "Combustibles > Fossiles"}, Reason.NOT_ELECTRICITY),
    ({"status": "Archivé"}, Reason.STATUS),
    ({"status": "Refusé"}, Reason.STATUS),
    ({"status": "Valide spécifique"}, Reason.STATUS),
    ({"unit": "kgCO2e/MJ"}, Reason.UNIT),
    ({"attribute": "2024 - usage : Chauffage"}, Reason.BY_USE),
    ({"attribute": "2024 - éolien", "category": "Electricité > Moyen de production"}, Reason.NOT_THE_GRID),
    ({"attribute": "mix moyen"}, Reason.NO_YEAR),
    ({"boundary": ""}, Reason.NO_BOUNDARY),
    ({"place": "Autre pays du monde", "within": "Kosovo"}, Reason.PLACE),
)


@pytest.mark.parametrize(("changes", "reason"), LEFT_OUT)
def test_what_is_no_mean_mix_of_a_year_and_a_country_is_left_out_with_its_reason(
    changes: dict[str, str], reason: Reason
) -> None:
    found = read([row(**changes)])
    assert (found.told, found.counts) == ([], Counter({reason: 1}))


@pytest.mark.parametrize(
    ("changes", "geography", "perimeter"),
    [
        ({}, "FRA", Perimeter.CONSUMPTION_LIFE_CYCLE),
        ({"boundary": "production"}, "FRA", Perimeter.PRODUCTION_LIFE_CYCLE),
        ({"place": "Outre-mer", "within": "Mayotte"}, "MYT", Perimeter.CONSUMPTION_LIFE_CYCLE),
        ({"attribute": "2024 - mix résiduel"}, "FRA", Perimeter.RESIDUAL_MIX),
    ],
)
def test_each_place_has_its_own_factor_and_each_boundary_its_perimeter(
    changes: dict[str, str], geography: str, perimeter: Perimeter
) -> None:
    (told,) = read([row(**changes)]).told
    assert (told.stated.geography, told.stated.perimeter) == (geography, perimeter)


def test_posts_are_components_where_all_of_them_are_known_and_add_up() -> None:
    parts = [
        post("Combustion à la centrale", "0,03"),
        post("Amont", "0,015"),
        post("Transport et distribution", "5,00E-03"),
    ]
    (told,) = read([*parts, row()]).told
    stated = told.stated
    assert (stated.combustion_mg_per_kwh, stated.upstream_mg_per_kwh, stated.losses_mg_per_kwh) == (
        30_000,
        15_000,
        5_000,
    )
    (other,) = read([row(), *parts, post("Fabrication", "0,001")]).told
    assert other.stated.combustion_mg_per_kwh is None


def test_posts_that_do_not_add_up_are_refused_with_both_sums() -> None:
    parts = [
        post("Combustion à la centrale", "0,03"),
        post("Amont", "0,03"),
        post("Transport et distribution", "0"),
    ]
    (refused,) = read([row(), *parts]).refusals
    assert refused.line == 2
    assert (refused.error.values["total"], refused.error.values["value"]) == (60_000, 50_000)


@pytest.mark.parametrize(
    ("uncertainty", "bounds"), [("10", (45_000, 55_000)), ("", (None, None)), ("400", (0, 250_000))]
)
def test_the_uncertainty_of_the_publisher_makes_the_bounds(
    uncertainty: str, bounds: tuple[int | None, int | None]
) -> None:
    (told,) = read([row(uncertainty=uncertainty)]).told
    assert (told.stated.low_mg_per_kwh, told.stated.high_mg_per_kwh) == bounds


@pytest.mark.parametrize("value", ["", "beaucoup", "-0,05", "9"])
def test_a_value_that_is_none_is_refused_with_its_line(value: str) -> None:
    found = read([row(value=value)])
    assert (found.told, [one.line for one in found.refusals]) == ([], [2])
