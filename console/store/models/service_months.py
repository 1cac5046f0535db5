"""Months of service, closed with what they were reckoned from."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.store.base import Code, Count, Label, Number, Small, TenantRow
from console.store.models.tenant import SUBSCRIPTION


class ServiceMonth(TenantRow):
    """A local month of a subscription as it was closed; the last revision holds, none is ever changed.

    `inputs` is the canonical JSON of `domain.service_months.MonthInputs`, `sha256` its hash after that of the
    revision before; the figures are what they make, `target_ppm` and `credit_percent` the highest of those of
    its plans. `lost` is in hundredths of a second. `reason` says why a month was closed anew, and is null in
    revision 1.
    """

    __tablename__ = "service_month"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"inputs"})  # their sha256 says all
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "subscription"], SUBSCRIPTION),
        Index("ix_service_month_tenant_id_month", "tenant_id", "month"),
    )
    subscription: Mapped[Number]
    month: Mapped[date] = mapped_column(primary_key=True)
    revision: Mapped[Number]
    inputs: Mapped[str]
    sha256: Mapped[Code]
    availability_ppm: Mapped[int | None]
    target_ppm: Mapped[int | None]
    counted_s: Mapped[Count]
    outage_s: Mapped[Count]
    degraded_s: Mapped[Count]
    excused_s: Mapped[Count]
    lost: Mapped[Count]
    credit_percent: Mapped[Small | None]
    credit_cents: Mapped[Count | None]
    closed_at: Mapped[datetime]
    closed_by: Mapped[Label]
    reason: Mapped[Label | None]
