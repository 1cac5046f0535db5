"""Factors from any table: its columns are told by a person, and what they lack holds for every row."""

from datetime import date

import pytest

from console.domain.base_carbone import FactorFile
from console.domain.errors import Invalid
from console.domain.factor_tables import FactorMapping, likely_columns, read_factors
from console.domain.factors import Perimeter
from console.domain.tables import read_csv

TODAY = date(2026, 11, 25)
FIXED = {
    "publisher": "AIB",
    "title": "Mix résiduel",
    "perimeter": "residual_mix",
    "geography": "fr",
    "licence": "-",
    "source": "rapport 2025",
}
COLUMNS = {"vintage": "An", "value": "Taux"}


def read(rows: str, **changes: object) -> FactorFile:
    told: dict[str, object] = {"columns": COLUMNS, "fixed": FIXED} | changes
    mapping = FactorMapping(**told)  # type: ignore[arg-type]
    return read_factors(read_csv(f"An;Taux;Pays\n{rows}\n".encode()), mapping, TODAY)


@pytest.mark.parametrize(
    ("unit", "text", "mg_per_kwh"),
    [("g/kWh", "40,3", 40_300), ("kg/kWh", "0.0403", 40_300), ("t/MWh", "0,0403", 40_300)],
)
def test_a_value_is_in_the_unit_that_is_told(unit: str, text: str, mg_per_kwh: int) -> None:
    (told,) = read(f"2024;{text};FR", unit=unit).told
    assert told.stated.intensity_mg_per_kwh == mg_per_kwh
    assert (told.stated.vintage, told.stated.perimeter, told.stated.geography) == (
        2024,
        Perimeter.RESIDUAL_MIX,
        "FRA",
    )
    assert not told.stated.confirmed


def test_the_publishers_own_file_confirms_its_values() -> None:
    (told,) = read("2024;40;FR", official=True).told
    assert told.stated.confirmed


def test_a_column_goes_before_what_holds_for_all_and_an_empty_cell_after_it() -> None:
    columns = COLUMNS | {"geography": "Pays"}
    found = read("2024;40;DEU\n2024;40;", columns=columns)
    assert [one.stated.geography for one in found.told] == ["DEU", "FRA"]


WRONG = (
    ("demain;40;FR", {}, "vintage"),
    ("2024;;FR", {}, "Taux"),
    ("2024;beaucoup;FR", {}, "Taux"),
    ("2024;40;XXX", {"columns": COLUMNS | {"geography": "Pays"}}, "geography"),
    ("2024;40;FR", {"fixed": FIXED | {"perimeter": "tout"}}, "perimeter"),
)


@pytest.mark.parametrize(("row", "changes", "field"), WRONG)
def test_a_wrong_row_is_refused_with_its_line_and_the_others_are_read(
    row: str, changes: dict[str, object], field: str
) -> None:
    found = read(f"{row}\n2023;41;FR", **changes)
    first = found.refusals[0]
    assert (first.line, first.error.field) == (2, field)
    assert len(found.told) == (0 if "fixed" in changes else 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"columns": {"value": "Taux"}}, "vintage"),
        ({"columns": COLUMNS | {"value": "Autre"}}, "value"),
        ({"columns": COLUMNS | {"colour": "Pays"}}, "colour"),
        ({"fixed": {}}, "publisher"),
        ({"unit": "lb/MWh"}, "unit"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_before_any_row(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as error:
        read("2024;40;FR", **changes)
    assert error.value.field == field


def test_usual_headings_are_known() -> None:
    found = likely_columns(["Année", "Pays", "Valeur", "Source", "Autre"])
    assert found == {"vintage": "Année", "value": "Valeur", "geography": "Pays", "source": "Source"}
