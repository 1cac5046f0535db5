"""A month of carbon as it is frozen: one order, figures from the inputs alone, and why it is not final."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.carbon_months import Doubt, Inputs, contradictions, doubts, figures
from console.domain.factors import Basis
from console.domain.month_lines import LineKind
from reports import canonical
from tests.carbon_months import KWH, PUE_14, a_factor, a_line, a_month, a_share, months


@given(months(), st.randoms(use_true_random=False))
def test_one_month_has_one_text_however_it_was_read(month: Inputs, random: Any) -> None:
    shuffled = list(month.lines)
    random.shuffle(shuffled)
    assert canonical.encode(replace(month, lines=tuple(shuffled))) == canonical.encode(month)
    assert canonical.decode(Inputs, canonical.encode(month)) == month


@given(months())
def test_figures_are_sums_of_the_lines(month: Inputs) -> None:
    made = figures(canonical.decode(Inputs, canonical.encode(month)))
    assert made.energy_mj == sum(line.energy_mj for line in month.lines)
    told = [line.on(Basis.YEARLY_AVERAGE) for line in month.lines]
    usual = made.on(Basis.YEARLY_AVERAGE)
    assert (usual.carbon_ug if usual else 0) == sum(one.carbon_ug or 0 for one in told if one)


def test_what_is_known_of_no_line_is_unknown_and_of_some_is_told_with_what_lacks_it() -> None:
    made = figures(a_month(a_line(1, KWH, facility=None), a_line(2, KWH, embodied_ug=5)))
    assert (made.overhead_mj, made.without_overhead_mj) == (KWH * 2 // 5, KWH)
    assert (made.embodied_ug, made.without_embodied_mj) == (5, KWH)
    assert made.water_ml is None
    assert figures(a_month()).on(Basis.YEARLY_AVERAGE) is None


def test_a_share_lacks_the_making_of_the_hosts_of_which_it_is_unknown() -> None:
    split = replace(a_share(1, 4), pool_mj=4 * KWH)
    share = a_line(1, KWH, kind=LineKind.SHARE, share=split, embodied_ug=5)
    half = replace(share, embodied_terms=f'{{"known_mj": {2 * KWH}, "pool_lines": 1}}')
    whole = replace(share, embodied_terms=f'{{"known_mj": {4 * KWH}, "pool_lines": 2}}')
    assert figures(a_month(half)).without_embodied_mj == KWH // 2
    assert figures(a_month(whole)).without_embodied_mj == 0


@pytest.mark.parametrize(
    ("embodied_ug", "terms", "pool_mj", "unknown"),
    [
        (5, "", None, False),
        (None, "", None, True),
        (5, '{"unknown": []}', None, False),
        (5, '{"unknown": ["Bay 2"]}', None, True),
        (5, f'{{"known_mj": {4 * KWH}, "unknown": []}}', 4 * KWH, False),
        (5, f'{{"known_mj": {4 * KWH - 1}, "unknown": []}}', 4 * KWH, True),
        (5, f'{{"known_mj": {4 * KWH}, "unknown": ["Bay 2"]}}', 4 * KWH, True),
    ],
)
def test_a_line_says_that_the_making_of_some_of_what_it_used_is_unknown(
    embodied_ug: int | None, terms: str, pool_mj: int | None, unknown: bool
) -> None:
    share = replace(a_share(1, 4), pool_mj=pool_mj) if pool_mj else None
    line = a_line(1, KWH, embodied_ug=embodied_ug, embodied_terms=terms, share=share)
    assert line.embodied_unknown is unknown


def test_a_line_that_its_own_terms_do_not_make_is_found() -> None:
    sound, priced = a_line(1, KWH), a_line(2, KWH)
    (usual,) = priced.carbon
    wrong = replace(priced, carbon=(replace(usual, carbon_ug=1),))
    lighter = a_line(3, KWH, overhead_mj=7)
    assert contradictions(a_month(sound, wrong, lighter)) == [wrong.key, lighter.key]


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        (a_month(a_line(1, KWH)), []),
        (a_month(), []),
        (a_month(a_line(1, KWH), factors=(a_factor("f2026", 52_000, vintage=2025),)), [Doubt.FACTOR]),
        (a_month(a_line(1, KWH, facility=replace(PUE_14, provisional=True))), [Doubt.PUE]),
        (a_month(a_line(1, KWH, facility=None)), [Doubt.FACILITY]),
        (a_month(a_line(1, KWH, carbon=())), [Doubt.NO_FACTOR]),
        (a_month(a_line(1, KWH), covered_hours=594), [Doubt.COVERAGE]),
        (a_month(a_line(1, KWH), covered_hours=595), []),
        (a_month(a_line(1, KWH), missing_volumes=(2,)), [Doubt.VOLUME]),
        (a_month(a_line(1, KWH, kind=LineKind.SHARE, share=a_share(1, 4))), []),
        (
            a_month(a_line(1, KWH, kind=LineKind.SHARE, share=replace(a_share(1, 4), missing=1))),
            [Doubt.VOLUME],
        ),
        (
            a_month(a_line(1, KWH, kind=LineKind.UNALLOCATED, share=replace(a_share(1, 4), missing=1))),
            [Doubt.VOLUME],
        ),
    ],
)
def test_why_a_month_is_not_final(month: Inputs, expected: list[Doubt]) -> None:
    assert doubts(month) == expected
