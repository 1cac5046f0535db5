"""Insert rows, or update those that exist: the one statement whose dialects differ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from console.store.base import Base


def upsert(
    session: Session, model: type[Base], rows: Sequence[dict[str, Any]], update: Sequence[str] = ()
) -> None:
    """Insert `rows` by primary key; where a key exists set the `update` columns, or leave it as it is."""
    if not rows:
        return
    # One statement run for each row is compiled once; one that holds all the rows takes twenty times as long.
    session.execute(_statement(session.get_bind().dialect.name, model, tuple(update)), list(rows))


@lru_cache(maxsize=256)
def _statement(dialect: str, model: type[Base], update: tuple[str, ...]) -> Executable:
    """Made once: to put it together costs more than to run it for a row."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    keys = [column.name for column in inspect(model).primary_key]
    statement = insert(model)
    if not update:
        return statement.on_conflict_do_nothing(index_elements=keys)
    new = {name: statement.excluded[name] for name in update}
    return statement.on_conflict_do_update(index_elements=keys, set_=new)
