"""What is told of an incident around its due dates, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.escalation import Promise
from console.store.base import Number, TenantRow
from console.store.models.tenant import INCIDENT

WAITS_TO_BE_TOLD = text("told_at IS NULL AND due_at IS NOT NULL")


class Escalation(TenantRow):
    """A level of one clock of an incident; `due_at` is null while a wait moves it.

    It is reckoned again with the clocks. Once it was told it stays, and is told again only if it moves to a
    later instant, as under another plan or priority.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),
        Index(
            "ix_escalation_due_at",
            "due_at",
            sqlite_where=WAITS_TO_BE_TOLD,
            postgresql_where=WAITS_TO_BE_TOLD,
        ),
    )
    incident: Mapped[Number]
    promise: Mapped[Promise] = mapped_column(primary_key=True)
    level: Mapped[Number]
    due_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
