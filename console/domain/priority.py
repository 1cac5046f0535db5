"""Priority of an incident: what its impact and its urgency make together.

All three go from 1 (highest) to 5 (lowest), so that a priority of 1 is "P1". Impact is how much stands still:
1 several establishments or a vital service, 2 one establishment, 3 a department, 4 a team, 5 one person.
Urgency is how soon it hurts: 1 now, 2 within the hour, 3 within the day, 4 within the week, 5 later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.domain.errors import Invalid

# Priorities by impact, then by urgency; each row is one impact, urgency 1 to 5 from left to right.
Matrix = Mapping[int, Mapping[int, int]]
DEFAULT_MATRIX: Matrix = {
    impact: dict(enumerate(row, start=1))
    for impact, row in enumerate(
        [
            (1, 1, 2, 3, 4),
            (1, 2, 2, 3, 4),
            (2, 2, 3, 4, 4),
            (3, 3, 4, 4, 5),
            (4, 4, 4, 5, 5),
        ],
        start=1,
    )
}

LEVELS = range(1, 6)


def priority(impact: int, urgency: int, matrix: Matrix = DEFAULT_MATRIX) -> int:
    """The priority the matrix gives; raises `Invalid` for a level it does not know."""
    if impact not in matrix:
        raise Invalid("impact", "L'impact %(level)s n'est pas dans la matrice.", level=impact)
    if urgency not in matrix[impact]:
        raise Invalid("urgency", "L'urgence %(level)s n'est pas dans la matrice.", level=urgency)
    return matrix[impact][urgency]


def matrix_of(rows: Sequence[Sequence[int]]) -> Matrix:
    """The matrix of five rows of five priorities: impacts from 1 to 5, in each urgencies from 1 to 5.

    Raises `Invalid` at the cell that has no priority, or gives a lower one to more impact or urgency.
    """
    matrix = {impact: dict(enumerate(row, start=1)) for impact, row in enumerate(rows, start=1)}
    for impact in LEVELS:
        for urgency in LEVELS:
            _check_cell(matrix, impact, urgency)
    return matrix


def rows_of(matrix: Matrix) -> list[list[int]]:
    """The priorities of a matrix as it is written: a row an impact, in it a column an urgency."""
    return [[matrix[impact][urgency] for urgency in LEVELS] for impact in LEVELS]


def _check_cell(matrix: Matrix, impact: int, urgency: int) -> None:
    field = f"cell-{impact}-{urgency}"
    level = matrix.get(impact, {}).get(urgency)
    if level is None or level not in LEVELS:
        raise Invalid(field, "Une priorité de 1 à 5 est attendue.")
    above = [matrix[i][u] for i, u in ((impact - 1, urgency), (impact, urgency - 1)) if i and u]
    if any(higher > level for higher in above):
        raise Invalid(
            field,
            "Impact %(impact)s et urgence %(urgency)s : plus d'impact ou d'urgence ne peut pas donner une "
            "priorité plus basse.",
            impact=impact,
            urgency=urgency,
        )
