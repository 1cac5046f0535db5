"""Many rows at once: a deed is a short transaction of its own that tells how much it has done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from console.store.base import Base

Deed = Callable[[Session], int]
Row = dict[str, Any]


def continue_numbers(session: Session, model: type[Base]) -> None:
    """After rows with numbers of their own: what is born next must not get one of these again."""
    if session.get_bind().dialect.name != "postgresql":
        return  # SQLite goes on from the greatest
    (key,) = inspect(model).primary_key
    last = session.scalar(select(func.max(key)))
    if last is None:
        return
    session.execute(select(func.setval(func.pg_get_serial_sequence(key.table.name, key.name), last)))
