"""The priority matrix: the one that held at an instant, and all there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.priority import DEFAULT_MATRIX, Matrix, matrix_of
from console.store.models import catalogue as c


@dataclass(frozen=True, slots=True)
class MatrixVersion:
    """A version with who made it, when and why; version 0 is the matrix that the console came with."""

    version: int
    matrix: Matrix
    reason: str = ""
    made_by: str | None = None
    made_at: datetime | None = None


def matrix_on(session: Session, at: datetime) -> Matrix:
    """The matrix that held at an instant."""
    row = c.PriorityMatrix
    cells = session.scalar(select(row.cells).where(row.made_at <= at).order_by(row.version.desc()).limit(1))
    return DEFAULT_MATRIX if cells is None else matrix_of(cells)


def matrix_versions(session: Session) -> Sequence[MatrixVersion]:
    """Every version, the one that holds first."""
    rows = session.scalars(select(c.PriorityMatrix).order_by(c.PriorityMatrix.version.desc()))
    return [
        *(
            MatrixVersion(row.version, matrix_of(row.cells), row.reason, row.made_by, row.made_at)
            for row in rows
        ),
        MatrixVersion(0, DEFAULT_MATRIX),
    ]
