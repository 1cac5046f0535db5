"""Numbers of the things of one adherent: 1, 2, 3, given once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session


def next_number(session: Session, column: InstrumentedAttribute[int], tenant_id: int, *within: Any) -> int:
    """The number after the last one of an adherent, and of more where conditions say so.

    The caller holds the adherent until its transaction ends.
    """
    model = column.class_
    last = session.scalar(select(func.max(column)).where(model.tenant_id == tenant_id, *within))
    return (last or 0) + 1
