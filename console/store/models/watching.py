"""Who follows what: the views of lists that an account keeps, and who is told of a status by mail."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.outages import Effect
from console.store.base import BigId, Code, CoordinationRow, Count, Instant, KeyId, Label, Number, TenantRow


class SavedView(CoordinationRow):
    """What an account asks of the list of incidents again and again: `query` is that of the address."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("account_id", "name"),)
    view_id: Mapped[BigId]
    account_id: Mapped[Count]
    name: Mapped[Label]
    query: Mapped[str]


class StatusReader(TenantRow):
    """An address that is told of the status of the services, once that was confirmed from there."""

    __tablename__ = "status_reader"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    audited: ClassVar[bool] = True
    number: Mapped[Number]
    email: Mapped[Label]
    locale: Mapped[Code]
    asked_by: Mapped[Label]
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class IncidentNotice(TenantRow):
    """What the readers of a status were last told that an incident does: `none` once it is over."""

    __tablename__ = "incident_notice"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "incident"], ["incident.tenant_id", "incident.number"]),
    )
    incident: Mapped[Number]
    effect: Mapped[Effect]
    told_at: Mapped[datetime]


class News(StrEnum):
    """What becomes of planned work."""

    ANNOUNCED = "announced"
    CANCELLED = "cancelled"


class WorkNotice(TenantRow):
    """The readers of a status were told of planned work that was announced, or cancelled, at an instant."""

    __tablename__ = "work_notice"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    maintenance_id: Mapped[KeyId]
    news: Mapped[News] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    told_at: Mapped[datetime]
