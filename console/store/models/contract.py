"""What was agreed: dated amendments of subscriptions, monthly volumes, workloads of shared services."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from console.store.base import BigId, CatalogueRow, Code, CoordinationRow, Count, Label, Number, TenantRow

SUBSCRIPTION = ["subscription.tenant_id", "subscription.number"]


class VolumeSource(StrEnum):
    """How a volume was come by."""

    FORM = "form"
    CSV = "csv"
    API = "api"
    ESTIMATE = "estimate"


class SubscriptionAmendment(TenantRow):
    """From a day on, some terms of a subscription are others; it is never changed, a later one corrects it.

    `changes` maps names of terms to their values; `revision` holds what a price was reckoned from. The first
    one is the subscription as it was taken. `recorded_at` is null where it was taken before amendments were
    kept.
    """

    __tablename__ = "subscription_amendment"
    audited: ClassVar[bool] = True
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "subscription"], SUBSCRIPTION),)
    subscription: Mapped[Number]
    number: Mapped[Number]
    effective_on: Mapped[date]
    changes: Mapped[dict[str, Any]]
    revision: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    note: Mapped[str | None]
    recorded_at: Mapped[datetime | None]
    recorded_by: Mapped[Label]


class VolumeMonth(TenantRow):
    """How many units of its service a subscription used in a month; the last revision holds.

    A null volume says that what was told before is withdrawn: the month is unknown again.
    """

    __tablename__ = "volume_month"
    audited: ClassVar[bool] = True
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "subscription"], SUBSCRIPTION),
        Index("ix_volume_month_month", "month"),
    )
    subscription: Mapped[Number]
    month: Mapped[date] = mapped_column(primary_key=True)
    revision: Mapped[Number]
    volume: Mapped[Count | None]
    source: Mapped[VolumeSource]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[Label]


class VolumeFile(CoordinationRow):
    """A file that was looked at, of volumes, meters or machines, kept for its sender until it is stored."""

    __tablename__ = "volume_file"
    file_id: Mapped[BigId]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    account_id: Mapped[Count]
    sent_at: Mapped[datetime]


class ServiceClaim(CatalogueRow):
    """A workload serves every subscriber of a service, from an hour to another; the operator carries it.

    The names are copies, as those of `WorkloadClaim` are, and `follows` is as there.
    """

    __tablename__ = "service_claim"
    audited: ClassVar[bool] = True
    __table_args__ = (Index("ix_service_claim_workload", "host_id", "workload_id", "valid_from"),)
    service_claim_id: Mapped[BigId]
    service_code: Mapped[Code] = mapped_column(ForeignKey("service.code"), index=True)
    host_id: Mapped[Count]
    workload_id: Mapped[Count]
    host_name: Mapped[Label]
    workload_name: Mapped[Label]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    claimed_by: Mapped[Label]
    claimed_at: Mapped[datetime]
    follows: Mapped[Count | None]

    @property
    def claim_id(self) -> int:
        """Its number among all claims: below zero, so that a line of energy tells the two kinds apart."""
        return -self.service_claim_id
