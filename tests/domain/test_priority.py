"""Priorities from impact and urgency."""

from __future__ import annotations

import pytest

from console.domain.errors import Invalid
from console.domain.priority import DEFAULT_MATRIX, priority

LEVELS = range(1, 6)


def test_the_default_matrix_never_lowers_a_priority_for_more_impact_or_urgency() -> None:
    for impact in LEVELS:
        for urgency in LEVELS:
            assert priority(impact, urgency) in LEVELS
            assert priority(impact, urgency) == priority(urgency, impact)
            if impact > 1:
                assert priority(impact - 1, urgency) <= priority(impact, urgency)
    assert set(DEFAULT_MATRIX) == set(LEVELS)


@pytest.mark.parametrize(
    ("impact", "urgency", "field"), [(0, 3, "impact"), (6, 3, "impact"), (3, 6, "urgency")]
)
def test_a_level_outside_the_matrix_is_refused(impact: int, urgency: int, field: str) -> None:
    with pytest.raises(Invalid, match="n'est pas dans la matrice") as refusal:
        priority(impact, urgency)
    assert refusal.value.field == field
