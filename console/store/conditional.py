"""Statements whose effect is known by the rows they touch: who touches the row of a state has won it."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Update
from sqlalchemy.orm import Session


def rows_touched(session: Session, statement: Update | Delete) -> int:
    """Run an UPDATE or a DELETE; how many rows it touched."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
