"""The tenant plane: what belongs to one adherent; every key is led by its number."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.contract import Status
from console.domain.outages import Effect, Source
from console.domain.price import Indexation, PricePer
from console.domain.renewal import NoticeUnit
from console.store.base import Code, Count, Instant, KeyId, Label, Number, Small, TenantRow

SUBSCRIPTION = ["subscription.tenant_id", "subscription.number"]
INCIDENT = ["incident.tenant_id", "incident.number"]
SubscriptionStatus = Status


class Priority(StrEnum):
    """How much an incident matters: what the matrix makes of its impact and its urgency, or what was set."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    P5 = "P5"


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


class Origin(StrEnum):
    """How an incident came to the console."""

    CONSOLE = "console"
    ADHERENT = "adherent"
    SERVICE_DESK = "service_desk"
    ALERTMANAGER = "alertmanager"
    MAJOR = "major"


class Category(StrEnum):
    """What kind of thing does not work."""

    APPLICATION = "application"
    PAYROLL = "payroll"
    INFRASTRUCTURE = "infrastructure"
    NETWORK = "network"
    ACCESS = "access"
    DATA = "data"
    INTERFACE = "interface"
    OTHER = "other"


class Incident(TenantRow):
    """Something that does not work; its clocks are reckoned from its events and stored where they are due.

    `impact` and `urgency` go from 1 (highest) to 5; they, the category and the effect are null where nobody
    told. `major` is the number of the operator's record of one outage that touches many adherents.
    """

    __tablename__ = "incident"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"title", "description"})
    fleeting: ClassVar[frozenset[str]] = frozenset({"at_risk_at", "remaining_s", "changed_at"})
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "subscription"], SUBSCRIPTION),
        Index("ix_incident_changed_at", "changed_at", "tenant_id", "number"),
        Index("ix_incident_due_at", "due_at"),
        Index("ix_incident_at_risk_at", "at_risk_at"),
        Index("ix_incident_tenant_id_opened_at", "tenant_id", "opened_at"),
        Index("ix_incident_major", "major"),
        Index("ix_incident_resolved_at", "resolved_at", "tenant_id", "number"),
        Index(
            "ix_incident_open_due_at",
            "due_at",
            "tenant_id",
            "number",
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
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
    description: Mapped[str | None]
    priority: Mapped[Priority]
    impact: Mapped[Small | None]
    urgency: Mapped[Small | None]
    category: Mapped[Category | None]
    is_security: Mapped[bool] = mapped_column(default=False, server_default=false())
    effect: Mapped[Effect | None]
    origin: Mapped[Origin] = mapped_column(default=Origin.CONSOLE, server_default=Origin.CONSOLE.value)
    major: Mapped[Count | None]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    phase: Mapped[Code]  # running, waiting, resolved or closed
    tto_due_at: Mapped[datetime | None]
    tto_met_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # null while a wait that moves it is open; kept once resolved
    at_risk_at: Mapped[datetime | None]  # null, too, once resolved: there is nothing left to ask
    remaining_s: Mapped[Count | None]
    outcome: Mapped[Code]  # the state of the time to restore when last reckoned
    changed_at: Mapped[datetime | None] = mapped_column(  # when programs had something new to read of it
        insert_default=lambda context: context.get_current_parameters()["opened_at"]
    )


class IncidentEvent(TenantRow):
    """The interval log of an incident.

    `kind` is what moves its clocks (`domain.clock.EventKind`), or what was changed
    (`domain.incident_log.Change`) with what it was and the value that holds from `at` on.
    """

    __tablename__ = "incident_event"
    audited: ClassVar[bool] = True
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),)
    incident: Mapped[Number]
    position: Mapped[Number]
    kind: Mapped[Code]
    was: Mapped[Code | None]
    value: Mapped[Code | None]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[Label]


class TouchedService(TenantRow):
    """A subscription that an incident touches besides its own, whose plan its clocks follow."""

    __tablename__ = "touched_service"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),
        ForeignKeyConstraint(["tenant_id", "subscription"], SUBSCRIPTION),
    )
    audited: ClassVar[bool] = True
    incident: Mapped[Number]
    subscription: Mapped[Number]


class Outage(TenantRow):
    """A stretch of time in which a subscribed service did not run, or not well.

    `ended_at` is null while it lasts; `reference` is the number of the incident, or of the probe, that tells
    of it. What an incident says is written again from its log whenever that changes.
    """

    __tablename__ = "outage"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "subscription"], SUBSCRIPTION),
        Index("ix_outage_tenant_id_began_at", "tenant_id", "began_at"),
        Index(
            "ix_outage_lasting",
            "source",
            "reference",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    subscription: Mapped[Number]
    source: Mapped[Source] = mapped_column(primary_key=True)
    reference: Mapped[KeyId]
    began_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    ended_at: Mapped[datetime | None]
    effect: Mapped[Effect]


class PlannedWork(TenantRow):
    """One occurrence of planned work on a subscribed service, as it was announced to its adherent.

    `maintenance_id` is the operator's record of it; times that moved were announced again, at `announced_at`.
    """

    __tablename__ = "planned_work"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "subscription"], SUBSCRIPTION),
        Index("ix_planned_work_tenant_id_starts_at", "tenant_id", "starts_at"),
        Index("ix_planned_work_maintenance_id", "maintenance_id"),
    )
    subscription: Mapped[Number]
    maintenance_id: Mapped[KeyId]
    occurrence: Mapped[datetime] = mapped_column(Instant, primary_key=True)  # when the rule has it start
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    title: Mapped[Label]
    effect: Mapped[Effect]
    announced_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    revision: Mapped[Small] = mapped_column(default=0, server_default="0")  # grows at each change


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
