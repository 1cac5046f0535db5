"""Work that the operator plans: the record, its occurrences, and the private links of calendars.

What reaches an adherent is `PlannedWork`: one row per occurrence and subscription.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.maintenance import MaintenanceState
from console.domain.outages import Effect
from console.store.base import BigId, Code, CoordinationRow, Count, Instant, Label, Small


class Maintenance(CoordinationRow):
    """The record. `first_wall` is a wall time of `zone`, as "2026-12-06T22:00"; `rule` is of RFC 5545.

    `excluded` holds ISO dates, `scope` "service:code" or "data_centre:town", `adherents` the numbers of those
    that it is held for, all that are touched where it is empty; `services` are the codes that it touched when
    that was last worked out. `extends_at` says when its occurrences are to be carried on, null if never.
    """

    __tablename__ = "maintenance"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"description"})
    fleeting: ClassVar[frozenset[str]] = frozenset({"services", "extends_at"})
    maintenance_id: Mapped[BigId]
    title: Mapped[Label]
    description: Mapped[str | None]
    first_wall: Mapped[Code]
    zone: Mapped[Code]
    duration_min: Mapped[int]
    rule: Mapped[Label]
    until_on: Mapped[date | None]
    excluded: Mapped[list[Any]]
    scope: Mapped[list[Any]]
    adherents: Mapped[list[Any]]
    services: Mapped[list[Any]]
    effect: Mapped[Effect]
    state: Mapped[MaintenanceState] = mapped_column(index=True)
    created_by: Mapped[Label]
    created_at: Mapped[datetime]
    announced_by: Mapped[Label | None]
    announced_at: Mapped[datetime | None]
    cancelled_by: Mapped[Label | None]
    cancelled_at: Mapped[datetime | None]
    extends_at: Mapped[datetime | None] = mapped_column(index=True)


class MaintenanceOccurrence(CoordinationRow):
    """One occurrence that was announced, by when the rule has it start; `revision` grows at each change."""

    __tablename__ = "maintenance_occurrence"
    maintenance_id: Mapped[int] = mapped_column(ForeignKey("maintenance.maintenance_id"), primary_key=True)
    occurrence: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    announced_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    changed_by: Mapped[Label | None]
    revision: Mapped[Small] = mapped_column(default=0)


class CalendarFeed(CoordinationRow):
    """A private link to the planned work of an adherent, of every adherent where `tenant_id` is null.

    It opens what its account may see at that moment, and nothing once that is disabled.
    """

    __tablename__ = "calendar_feed"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"token_sha256"})
    feed_id: Mapped[BigId]
    token_sha256: Mapped[Code] = mapped_column(unique=True)
    account_id: Mapped[Count] = mapped_column(index=True)
    tenant_id: Mapped[Count | None]
    locale: Mapped[Code]
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
