"""Columns that hold names folded, for the rows that are there already."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from console.domain.folding import fold
from migrations.protection import seeing_rows


def add_folded(table: str, key: str, columns: Sequence[str]) -> None:
    """Add `folded_<column>` for each column, and fill it."""
    with op.batch_alter_table(table) as batch_op:
        for column in columns:
            batch_op.add_column(sa.Column(f"folded_{column}", sa.String(), nullable=True))
    with seeing_rows():
        _fill(table, key, columns)
    with op.batch_alter_table(table) as batch_op:
        for column in columns:
            batch_op.alter_column(f"folded_{column}", existing_type=sa.String(), nullable=False)


def _fill(table: str, key: str, columns: Sequence[str]) -> None:
    names = (key, *columns, *(f"folded_{column}" for column in columns))
    described = sa.table(table, *(sa.column(name) for name in names))
    rows = op.get_bind().execute(sa.select(described.c[key], *(described.c[name] for name in columns)))
    filled = [{"of": row[0], **_folded(columns, row[1:])} for row in rows]
    if filled:
        folded = {f"folded_{column}": sa.bindparam(f"new_{column}") for column in columns}
        change = described.update().where(described.c[key] == sa.bindparam("of")).values(folded)
        op.get_bind().execute(change, filled)


def _folded(columns: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    return {f"new_{column}": fold(text) for column, text in zip(columns, texts, strict=True)}
