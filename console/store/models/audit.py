"""What was done, by whom and when: one chain of entries for each adherent.

Nothing here points to the adherent's own row: what is written about something outlives it.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.store.base import Code, Label, Number, TenantRow


class AuditEntry(TenantRow):
    """A deed; never changed, never deleted."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_tenant_id_subject", "tenant_id", "subject"),)
    number: Mapped[Number]
    at: Mapped[datetime]
    by: Mapped[Label]
    kind: Mapped[Code]
    subject: Mapped[Label]
    payload_sha256: Mapped[Code]
    previous_sha256: Mapped[Code]
    sha256: Mapped[Code]


class AuditPayload(TenantRow):
    """The facts of an entry, as canonical JSON; both columns are null once they are erased."""

    __tablename__ = "audit_payload"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "number"], ["audit_entry.tenant_id", "audit_entry.number"]),
    )
    number: Mapped[Number]
    salt: Mapped[Code | None]
    payload: Mapped[str | None]


class AuditHead(TenantRow):
    """The last entry of a chain; who is to write the next one holds this row, at the very end.

    Payloads up to `purged_through` are erased.
    """

    __tablename__ = "audit_head"
    number: Mapped[int]
    at: Mapped[datetime]
    sha256: Mapped[Code]
    purged_through: Mapped[int] = mapped_column(default=0)


class AuditCheckpoint(TenantRow):
    """A month of a chain up to an entry, sealed once it has passed; what comes late is sealed after it."""

    __tablename__ = "audit_checkpoint"
    last_number: Mapped[Number]
    month: Mapped[date]
    sha256: Mapped[Code]
    sealed_at: Mapped[datetime]
