"""What a difference between two revisions of a month is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from console.domain.carbon_causes import ENERGY, TARGETS, Cause, causes, totals
from console.domain.carbon_months import Inputs, LineHeld
from console.domain.factors import Basis
from console.domain.month_lines import LineKind
from tests.carbon_months import KWH, PUE_14, SINCE, a_line, a_month, a_share, months

USUAL = Basis.YEARLY_AVERAGE.value


@given(months(), months())
def test_causes_add_up_to_the_difference_whatever_changed(before: Inputs, after: Inputs) -> None:
    found, was, value = causes(before, after), totals(before), totals(after)
    assert set(found) == set(TARGETS)
    for target in TARGETS:
        assert sum(found[target].values()) == value[target] - was[target]


@given(months())
def test_what_did_not_change_has_no_cause(month: Inputs) -> None:
    assert all(not amount for told in causes(month, month).values() for amount in told.values())


def a_shared(weight: int, weights: int) -> Any:
    """The share of 1000 kWh, with 3 kg embodied."""
    energy_mj = 1000 * KWH * weight // weights
    return a_line(
        5, energy_mj, kind=LineKind.SHARE, share=a_share(weight, weights),
        embodied_ug=3_000_000_001 * weight // weights,
    )  # fmt: skip


ONE_GROUP = (
    (a_line(1, KWH), a_line(1, 3 * KWH + 1), Cause.ENERGY),
    (a_line(1, KWH), a_line(1, KWH, intensity=56_000, factor="f2027"), Cause.INTENSITY),
    (a_line(1, KWH), a_line(1, KWH, facility=replace(PUE_14, overhead_mj=3)), Cause.FACILITY),
    (a_line(1, KWH), a_line(1, KWH, facility=None), Cause.FACILITY),
    (a_line(1, KWH, embodied_ug=7), a_line(1, KWH, embodied_ug=9), Cause.EMBODIED),
    (a_shared(100, 300), a_shared(101, 307), Cause.KEYS),
    (a_line(1, KWH), None, Cause.ENERGY),
    (None, a_shared(1, 3), Cause.KEYS),
)


@pytest.mark.parametrize(("was", "value", "cause"), ONE_GROUP)
def test_where_one_group_changed_it_is_the_only_cause(was: Any, value: Any, cause: Cause) -> None:
    found = causes(a_month(*filter(None, [was])), a_month(*filter(None, [value])))
    moved = {one for told in found.values() for one, amount in told.items() if amount}
    assert moved == {cause.value}


def test_a_new_factor_and_late_hours_are_told_apart() -> None:
    before, after = a_month(a_line(1, KWH)), a_month(a_line(1, 2 * KWH, intensity=50_000))
    found = causes(before, after)
    assert found[ENERGY] == {"energy": KWH, "keys": 0, "facility": 0, "intensity": 0, "embodied": 0}
    assert found[USUAL]["energy"] == 52_000_000 * 14 // 10
    assert found[USUAL]["intensity"] == -2 * 2_000_000 * 14 // 10


LATER = SINCE + timedelta(days=14)


def _cut(line: LineHeld, first_mj: int, **later: Any) -> list[LineHeld]:
    """A line in two stretches of its month; `later` is of the second one."""
    of_first = {"kind": line.kind, "share": line.share}
    return [
        a_line(line.workload_id, first_mj, **of_first),
        a_line(line.workload_id, line.energy_mj - first_mj, since=LATER, **of_first, **later),
    ]


@pytest.mark.parametrize("line", [a_line(1, 3 * KWH), replace(a_shared(1, 3), embodied_ug=None)])
def test_a_contract_that_cuts_a_month_in_two_is_no_change_of_hours(line: LineHeld) -> None:
    whole, cut = a_month(line), a_month(*_cut(line, KWH, intensity=20_000, factor="f2027"))
    for before, after in ((whole, cut), (cut, whole)):
        found = causes(before, after)
        moved = {one for told in found.values() for one, amount in told.items() if abs(amount) > 1}
        assert moved == {Cause.INTENSITY.value}
        for target in TARGETS:
            assert sum(found[target].values()) == totals(after)[target] - totals(before)[target]


def test_a_key_that_changes_with_the_cut_of_a_month_is_told_apart_from_hours() -> None:
    before, after = a_shared(1, 2), replace(a_shared(1, 4), embodied_ug=None)
    found = causes(a_month(replace(before, embodied_ug=None)), a_month(*_cut(after, 100 * KWH)))
    assert (found[ENERGY]["energy"], found[ENERGY]["keys"]) == (0, -250 * KWH)
