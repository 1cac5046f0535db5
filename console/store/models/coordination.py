"""The coordination plane: what is due, alerts and their deliveries."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.store.base import BigId, Code, CoordinationRow, Count, Label, Number, Small


class DeliveryState(StrEnum):
    """Where a mail is; `uncertain`: the connection broke after the text was sent, so no one knows."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


class MonthDue(CoordinationRow):
    """A month of an adherent whose carbon must be reckoned again."""

    __tablename__ = "month_due"
    tenant_id: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[date] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)


class ClockDue(CoordinationRow):
    """A subscription under a calendar that changed: the clocks of its unresolved incidents are read again."""

    __tablename__ = "clock_due"
    tenant_id: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False)
    subscription: Mapped[Number]
    due_at: Mapped[datetime] = mapped_column(index=True)


class AlertEpisode(CoordinationRow):
    """A state that lasts: one row from its start to its end, at most one open for each fingerprint."""

    __tablename__ = "alert_episode"
    __table_args__ = (
        Index(
            "uq_alert_episode_open",
            "fingerprint",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    episode_id: Mapped[BigId]
    fingerprint: Mapped[Label] = mapped_column(index=True)
    kind: Mapped[Code]
    facts: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Delivery(CoordinationRow):
    """One message to send, with one Message-ID for its whole life."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_due", "state", "due_at"),)
    delivery_id: Mapped[BigId]
    episode_id: Mapped[int | None] = mapped_column(ForeignKey("alert_episode.episode_id"))
    transition: Mapped[Code]
    channel: Mapped[Code]
    recipients: Mapped[list[Any]]
    subject: Mapped[Label]
    body: Mapped[str]
    unsubscribe: Mapped[str | None]  # the address of the page on which its reader leaves a list
    message_id: Mapped[Label] = mapped_column(unique=True)
    state: Mapped[DeliveryState]
    due_at: Mapped[datetime]
    attempts: Mapped[Small] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
