"""The mark of a database whose rows were generated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from console.store.base import CatalogueRow, Small


class Generation(CatalogueRow):
    """What a database was generated from: one row, or none where the data are real.

    The generation is incomplete until it is finished; `began_at` and `finished_at` are real time. Months that
    begin before `ledger_from` are known by their carbon lines alone.
    """

    __tablename__ = "generation"
    generation_id: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    options: Mapped[dict[str, Any]]
    began_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    ledger_from: Mapped[datetime | None]
