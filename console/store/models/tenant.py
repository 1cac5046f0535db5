"""The tenant plane: what belongs to one adherent; every key is led by its number."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.contract import Status
from console.domain.factors import Basis
from console.domain.price import Indexation, PricePer
from console.domain.renewal import NoticeUnit
from console.store.base import Code, Count, Instant, KeyId, Label, Number, Small, TenantRow

SUBSCRIPTION = ["subscription.tenant_id", "subscription.number"]
SubscriptionStatus = Status


class Priority(StrEnum):
    """How much an incident matters."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Subscription(TenantRow):
    """An adherent takes a service, from a day to another, under a version of a plan.

    But for its service and its first day it says what its amendments make of today: `term_ends_on` is the end
    of the term that runs, `notice_by` the last day to give notice of it, `changes_on` the next day on which
    something here will be another.
    """

    __tablename__ = "subscription"
    audited: ClassVar[bool] = True
    fleeting: ClassVar[frozenset[str]] = frozenset({"term_ends_on", "notice_by", "changes_on"})
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),
        ForeignKeyConstraint(["plan_code", "plan_version"], ["sla_plan.code", "sla_plan.version"]),
    )
    number: Mapped[Number]
    service_code: Mapped[str] = mapped_column(ForeignKey("service.code"))
    plan_code: Mapped[Code | None]
    plan_version: Mapped[Small | None]
    status: Mapped[Status]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    volume: Mapped[Count | None]
    contract: Mapped[Label | None]
    price_cents: Mapped[Count | None]
    price_per: Mapped[PricePer | None]
    indexation: Mapped[Indexation | None]
    indexation_rate: Mapped[int | None]
    revise_on: Mapped[date | None]
    service_version: Mapped[Label | None]
    term_ends_on: Mapped[date | None] = mapped_column(index=True)
    tacit: Mapped[bool | None]
    renewal_months: Mapped[int | None]
    notice: Mapped[int | None]
    notice_unit: Mapped[NoticeUnit | None]
    notice_by: Mapped[date | None] = mapped_column(index=True)
    changes_on: Mapped[date | None] = mapped_column(index=True)


class Incident(TenantRow):
    """Something that does not work; its clocks are reckoned from its events and stored where they are due."""

    __tablename__ = "incident"
    audited: ClassVar[bool] = True
    fleeting: ClassVar[frozenset[str]] = frozenset({"at_risk_at", "remaining_s"})
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "subscription"], SUBSCRIPTION),
        Index("ix_incident_due_at", "due_at"),
        Index("ix_incident_at_risk_at", "at_risk_at"),
        Index("ix_incident_tenant_id_opened_at", "tenant_id", "opened_at"),
        Index(
            "ix_incident_open",
            "tenant_id",
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )
    number: Mapped[Number]
    subscription: Mapped[int]
    title: Mapped[Label]
    priority: Mapped[Priority]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    phase: Mapped[Code]  # running, waiting, resolved or closed
    tto_due_at: Mapped[datetime | None]
    tto_met_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # null while a wait that moves it is open; kept once resolved
    at_risk_at: Mapped[datetime | None]  # null, too, once resolved: there is nothing left to ask
    remaining_s: Mapped[Count | None]
    outcome: Mapped[Code]  # the state of the time to restore when last reckoned


class IncidentEvent(TenantRow):
    """The interval log of an incident."""

    __tablename__ = "incident_event"
    audited: ClassVar[bool] = True
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "incident"], ["incident.tenant_id", "incident.number"]),
    )
    incident: Mapped[Number]
    position: Mapped[Number]
    kind: Mapped[Code]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[Label]


class EnergyLine(TenantRow):
    """An hour of a workload as its adherent carries it.

    The operator carries what no one claims, `claim_id` 0, and what serves a shared service, `claim_id` < 0.
    """

    __tablename__ = "energy_line"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),
        ForeignKeyConstraint(["source_id"], ["energy_source.source_id"]),
        Index("ix_energy_line_workload", "tenant_id", "host_id", "workload_id", "hour"),
        Index("ix_energy_line_hour_host_id", "hour", "host_id"),
    )
    hour: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    host_id: Mapped[KeyId]
    workload_id: Mapped[KeyId]
    source_id: Mapped[KeyId]
    claim_id: Mapped[Count]
    subscription: Mapped[int | None]
    service_code: Mapped[Code | None]  # of a shared service, which the operator carries for its subscribers
    energy_mj: Mapped[Count]
    low_mj: Mapped[Count | None]
    high_mj: Mapped[Count | None]


class CoverageHour(TenantRow):
    """How much of an hour a host of the adherent's workloads told of, and how its energy was shared."""

    __tablename__ = "coverage_hour"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    hour: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    host_id: Mapped[KeyId]
    covered_ms: Mapped[Count]
    policy: Mapped[Code]


class CarbonLine(TenantRow):
    """The carbon of one workload for one local month, with its factor: the atom of all sums."""

    __tablename__ = "carbon_line"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),
        ForeignKeyConstraint(["factor_id"], ["emission_factor.factor_id"]),
    )
    month: Mapped[date] = mapped_column(primary_key=True)
    host_id: Mapped[KeyId]
    workload_id: Mapped[KeyId]
    claim_id: Mapped[KeyId]
    basis: Mapped[Basis] = mapped_column(primary_key=True)
    revision: Mapped[Number]
    subscription: Mapped[int | None]
    energy_mj: Mapped[Count]
    carbon_ug: Mapped[Count]
    low_ug: Mapped[Count | None]
    high_ug: Mapped[Count | None]
    factor_id: Mapped[Code]
    intensity_mg_per_kwh: Mapped[Count]
    provisional: Mapped[bool]
    reckoned_at: Mapped[datetime]


class Statement(TenantRow):
    """A statement as it was issued: its figures are frozen and hashed, and rendered from here only."""

    __tablename__ = "statement"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"figures"})  # their sha256 says all
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    number: Mapped[Number]
    month: Mapped[date]
    status: Mapped[Code]
    figures: Mapped[str]  # canonical JSON, of which sha256 is the hash
    sha256: Mapped[Code]
    issued_at: Mapped[datetime]
    issued_by: Mapped[Label]
