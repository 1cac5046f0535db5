"""The priority matrix: each change is a version, which holds for the incidents declared from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue
from console.domain.errors import Conflict, Invalid
from console.domain.free_text import one_line
from console.domain.priority import DEFAULT_MATRIX, matrix_of, rows_of
from console.store.models import catalogue as c


def change_matrix(
    session: Session, rows: Sequence[Sequence[int]], reason: str, *, version: int, now: datetime, by: str
) -> int:
    """Add a version of the matrix that follows `version`, which the person saw; its number.

    Raises `Conflict` where another came in between.
    """
    hold_catalogue(session)
    matrix = matrix_of(rows)
    latest = session.scalar(select(func.max(c.PriorityMatrix.version))) or 0
    if latest != version:
        raise Conflict("La matrice a changé entre-temps : rechargez la page.")
    before = session.get(c.PriorityMatrix, latest) if latest else None
    if rows_of(matrix) == (before.cells if before else rows_of(DEFAULT_MATRIX)):
        raise Invalid("reason", "Cette matrice est celle qui vaut déjà.")
    session.add(
        c.PriorityMatrix(
            version=latest + 1,
            cells=rows_of(matrix),
            reason=one_line(reason, "reason"),
            made_by=by,
            made_at=now,
        )
    )
    session.flush()
    return latest + 1
