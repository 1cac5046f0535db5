"""Amounts read in a unit that suits them; unknown is never zero."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.language import ENGLISH, FRENCH
from reports.quantities import Kind, Value, cell, column_scale, text

WH = 3_600_000


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (Kind.ENERGY_MJ, 3 * WH, "3.00 Wh"),
        (Kind.ENERGY_MJ, 1, "0.000000278 Wh"),
        (Kind.ENERGY_MJ, 999 * WH, "999 Wh"),
        (Kind.ENERGY_MJ, 1_234 * 1000 * WH, "1,234 kWh"),
        (Kind.ENERGY_MJ, 12_345 * 1000 * WH, "12.3 MWh"),
        (Kind.ENERGY_MJ, 0, "0 Wh"),
        (Kind.CARBON_UG, 156_000, "156 mg CO₂e"),
        (Kind.CARBON_UG, 4_472_000_000, "4.47 kg CO₂e"),
        (Kind.CARBON_UG, 2 * 10**12, "2.00 t CO₂e"),
        (Kind.INTENSITY_MG_PER_KWH, 52_000, "52.0 g CO₂e/kWh"),
        (Kind.HOURS, 745, "745 h"),
        (Kind.COUNT, 1500, "1,500"),
        (Kind.SHARE, Fraction(1, 4), "25.0%"),
        (Kind.TEXT, "<b>", "<b>"),
    ],
)
def test_one_value_reads_in_the_unit_of_its_size(kind: Kind, value: Value, wanted: str) -> None:
    assert text(kind, value, ENGLISH).replace("\u00a0", " ") == wanted


@pytest.mark.parametrize("kind", list(Kind))
def test_unknown_is_said_in_every_kind(kind: Kind) -> None:
    assert text(kind, None, FRENCH) == "inconnu"
    assert text(kind, None, ENGLISH) == "unknown"


def test_a_column_has_one_unit_and_one_number_of_decimals() -> None:
    values = (61_000 * WH, 7_000 * WH, 1)
    scale = column_scale(Kind.ENERGY_MJ, values)
    assert scale is not None
    assert scale.unit.symbol == "kWh"
    assert [cell(Kind.ENERGY_MJ, value, ENGLISH, scale) for value in values] == [
        "61.000",
        "7.000",
        "<\u00a00.001",
    ]


@given(st.lists(st.integers(min_value=1, max_value=10**18), min_size=1))
def test_what_is_more_than_zero_never_reads_zero(amounts: list[int]) -> None:
    scale = column_scale(Kind.ENERGY_MJ, amounts)
    for amount in amounts:
        alone, among = text(Kind.ENERGY_MJ, amount, ENGLISH), cell(Kind.ENERGY_MJ, amount, ENGLISH, scale)
        assert any(digit in alone for digit in "123456789")
        assert any(digit in among for digit in "123456789")
