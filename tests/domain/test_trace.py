"""What a trace prints is what the figures are reckoned by."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given

from console.domain.carbon import KnownHours, by_contracts, by_hours
from console.domain.carbon_months import CarbonHeld, Inputs, LineHeld, PartHeld
from console.domain.errors import NotFound
from console.domain.facility import Contract, ContractKind
from console.domain.factors import Basis
from console.domain.trace import Formula, Rounding, formulas, key_of, key_text
from tests.carbon_months import KWH, MARCH, PUE_14, SINCE, a_line, months


def by_hand(formula: Formula) -> int:
    """The expression read as a reader would, exactly, and rounded as it says."""
    assert re.fullmatch(r"[0-9()+×÷ ]+", formula.expression)
    exact = re.sub(r"(\d+)", r"Fraction(\1)", formula.expression).replace("×", "*").replace("÷", "/")
    value = eval(exact, {"Fraction": Fraction})  # noqa: S307 - digits and operators only, as matched above
    return floor(value) if formula.rounding is Rounding.DOWN else round(value)


@given(months())
def test_each_formula_gives_its_figure_by_hand(month: Inputs) -> None:
    for line in month.lines:
        for formula in formulas(line):
            assert by_hand(formula) == formula.result


def with_carbon(*held: CarbonHeld) -> LineHeld:
    return replace(a_line(1, KWH + 7, facility=replace(PUE_14, water_ml=3)), water_ml=None, carbon=held)


def test_hours_contracts_and_water_are_told_as_well() -> None:
    contract = Contract(
        ContractKind.GUARANTEE, "F", MARCH, MARCH.replace(month=4), 600_000, 12_345, None, "GO"
    )
    line = with_carbon()
    hourly = by_hours(KnownHours(KWH, KWH * 21_777), line.facility)
    market = by_contracts(line.facility_mj, [(1, contract)], None)
    assert hourly.carbon_ug is not None
    assert market.carbon_ug is not None
    priced = replace(
        line,
        water_ml=line.facility.water_of(line.energy_mj) if line.facility else None,
        carbon=(
            CarbonHeld(
                Basis.HOURLY_DIRECT, hourly.covered_mj, hourly.carbon_ug, None, None, None, None, False,
                known_mj=KWH, mg_mj=KWH * 21_777,
            ),
            CarbonHeld(
                Basis.MARKET_BASED, market.covered_mj, market.carbon_ug, None, None, None, None, True,
                parts=(PartHeld(600_000, 12_345, contract=1), PartHeld(400_000, None)),
            ),
        ),
    )  # fmt: skip
    told = formulas(priced)
    assert [one.what for one in told] == ["overhead_mj", "water_ml", "hourly_direct", "market_based"]
    assert [by_hand(one) for one in told] == [one.result for one in told]
    assert "(600000 × 12345)" in told[-1].expression  # what is unknown is not nought


def test_the_making_on_a_line_is_done_again_from_its_shares_and_its_site() -> None:
    """A workload's 427 ug over 3 of its 7 hours, and 1 234 of 5 000 mJ of what 901 ug serve."""
    told = {
        "share": {"cpu": 300, "ram": 50, "frame": 77}, "hours": 3, "of_hours": 7,
        "technical": {"embodied_ug": 901, "it_mj": 5_000}, "energy_mj": 1_234,
    }  # fmt: skip
    held = 427 * 3 // 7 + 901 * 1_234 // 5_000
    line = replace(with_carbon(), embodied_ug=held, embodied_terms=json.dumps(told))
    making = [one for one in formulas(line) if one.what in ("embodied_ug", "technical_ug")]
    assert [(one.result, by_hand(one)) for one in making] == [(183, 183), (222, 222)]
    assert sum(one.result for one in making) == held


def test_the_key_of_a_line_goes_through_an_address_and_back() -> None:
    key = (SINCE, 12, 34, -5)
    assert key_text(key) == "20260228T230000Z.12.34.-5"
    assert key_of(key_text(key)) == key


@pytest.mark.parametrize(
    "text", ["", "x", "20260228T230000Z", "20260228T230000Z.1.2", "20260228T230000Z.a.b.c"]
)
def test_what_is_no_key_names_no_line(text: str) -> None:
    with pytest.raises(NotFound):
        key_of(text)
