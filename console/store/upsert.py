"""Insert rows, or update those that exist: the one statement whose dialects differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from console.store.base import Base


def upsert(
    session: Session, model: type[Base], rows: Sequence[dict[str, Any]], update: Sequence[str] = ()
) -> None:
    """Insert `rows` by primary key; where a key exists set the `update` columns, or leave it as it is."""
    if not rows:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    keys = [column.name for column in inspect(model).primary_key]
    statement = insert(model)
    if update:
        new = {name: statement.excluded[name] for name in update}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=new)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    # One statement run for each row is compiled once; one that holds all the rows takes twenty times as long.
    session.execute(statement, list(rows))
