"""Which manufacturer's sheet a model is like."""

from __future__ import annotations

import pytest

from console.domain.boavizta import best_match, read_sheets

KG = 1_000_000_000
HEAD = "manufacturer;name;subcategory;gwp_total;gwp_use_ratio;gwp_error_ratio;lifetime;report_date;sources\n"


@pytest.mark.parametrize(
    ("manufacturer", "model", "name"),
    [
        ("Dell", "PowerEdge R740", "PowerEdge R740"),
        ("DELL Inc.", "Dell PowerEdge R740", "PowerEdge R740"),
        (None, "poweredge r640", "PowerEdge R640"),
        ("Dell", "PowerEdge R999", None),
        ("IBM", "PowerEdge R740", None),
        ("Dell", "", None),
        (None, None, None),
    ],
)
def test_a_model_is_matched_by_its_name_and_number(
    manufacturer: str | None, model: str | None, name: str | None
) -> None:
    found = best_match(manufacturer, model)

    assert (found.sheet.name if found else None) == name


def test_use_is_taken_out_and_the_error_gives_bounds() -> None:
    (sheet,) = read_sheets(HEAD + "Dell;X 1;Server;1000;0,8000;0,5;4;May 2019;https://x\n")

    assert (sheet.gwp_low_ug, sheet.gwp_ug, sheet.gwp_high_ug) == (100 * KG, 200 * KG, 300 * KG)


def test_what_tells_no_use_is_left_out_and_of_two_alike_the_last_counts() -> None:
    rows = "Dell;X 1;Server;1000;;;4;;\nDell;X 2;Server;1000;0,5;;4;;\nDell;X-2;Server;1200;0,5;;4;;\n"

    (sheet,) = read_sheets(HEAD + rows)
    assert sheet.gwp_ug == 600 * KG
    assert sheet.gwp_high_ug is None
