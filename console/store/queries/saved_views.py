"""The views of the list of incidents that an account keeps."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.store.models import watching as w


@dataclass(frozen=True, slots=True)
class View:
    """A name, and the query of the address that it stands for."""

    view_id: int
    name: str
    query: str


def views_of(session: Session, account_id: int) -> list[View]:
    """The views of an account, by name."""
    rows = session.scalars(
        select(w.SavedView).where(w.SavedView.account_id == account_id).order_by(w.SavedView.name)
    )
    return [View(row.view_id, row.name, row.query) for row in rows]
