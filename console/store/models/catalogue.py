"""The catalogue plane: adherents and their directory, services, plans, factors, claims."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from console.domain.adherents import Sector
from console.domain.folding import fold
from console.store.base import BigId, CatalogueRow, Code, Count, Label, OwnedRow, Small, folded


class AdherentKind(StrEnum):
    """What kind of body an adherent is."""

    OPERATOR = "operator"
    HOSPITAL = "hospital"
    MEDICO_SOCIAL = "medico_social"
    UNIVERSITY = "university"
    LOCAL_AUTHORITY = "local_authority"
    PRIVATE_PRACTICE = "private_practice"
    OTHER = "other"


class Trade(StrEnum):
    """The four trades of the operator."""

    SOFTWARE = "software"
    PAYROLL = "payroll"
    CONSULTING = "consulting"
    HOSTING = "hosting"


class CalendarKind(StrEnum):
    """`always` has no holidays; `weekly` opens by its segments, not on holidays."""

    ALWAYS = "always"
    WEEKLY = "weekly"


class Adherent(OwnedRow, CatalogueRow):
    """A legal entity that the operator serves: the tenant; `until` is its last day, once it leaves.

    A FINESS number names one entity. A SIREN is unique among those without FINESS only: the directory gives
    that of some entities to several.
    """

    __tablename__ = "adherent"
    __table_args__ = (
        Index(
            "uq_adherent_siren_alone",
            "siren",
            unique=True,
            sqlite_where=text("finess_ej IS NULL"),
            postgresql_where=text("finess_ej IS NULL"),
        ),
    )
    audited: ClassVar[bool] = True
    fleeting: ClassVar[frozenset[str]] = frozenset({"folded_name", "version"})
    tenant_id: Mapped[BigId]
    name: Mapped[Label] = mapped_column(index=True)
    folded_name: Mapped[str] = folded("name")
    kind: Mapped[AdherentKind]
    sector: Mapped[Sector | None]
    finess_ej: Mapped[Code | None] = mapped_column(unique=True)
    siren: Mapped[Code | None]
    zone: Mapped[Code] = mapped_column(default="Europe/Paris")
    agency: Mapped[Label | None]
    convention: Mapped[Label | None]
    since: Mapped[date]
    until: Mapped[date | None]
    version: Mapped[int] = mapped_column(server_default="1")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as its base declares it

    @validates("name")
    def _fold_name(self, _key: str, name: str) -> str:
        self.folded_name = fold(name)
        return name


class ServiceCalendar(CatalogueRow):
    """When a service is open.

    `segments` is a list of [weekday 0-6, "HH:MM", "HH:MM"]; `closures` of {"first", "last": ISO dates, both
    closed, "yearly": bool, "name"}; `openings` of {"on": ISO date, "segments": [["HH:MM", "HH:MM"], ...],
    "name"}: they replace the week and beat a holiday.
    """

    __tablename__ = "service_calendar"
    audited: ClassVar[bool] = True
    code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Label]
    kind: Mapped[CalendarKind]
    zone: Mapped[Code]
    segments: Mapped[list[Any]]
    holidays: Mapped[Code | None]
    closures: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    openings: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")


class SlaPlan(CatalogueRow):
    """What is promised, in a version that is never edited.

    `targets` maps a priority to {"tto": [amount, unit], "ttr": [amount, unit]}, with "end_of_day" as a third
    item where a target in working days has the whole of its last day. `availability_ppm` is the part of the
    service hours of a month in which the service runs, in millionths (999 000 is 99.9 %), null where nothing
    is promised. Planned work counts neither way if it was announced `notice_hours` before. `degraded_percent`
    is how much of a degraded hour counts as an outage. `credit_steps` is a list of [below this availability
    in ppm, percent of the month's price], `escalations` of {"clock": "tto" or "ttr", "amount", "unit",
    "level"}, where an amount below 0 is before the due date. `breach_notice_hours` is how fast the adherent
    is told of a security incident. `made_by` and `made_at` are null for what came with the catalogue.
    """

    __tablename__ = "sla_plan"
    audited: ClassVar[bool] = True
    code: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[Small] = mapped_column(primary_key=True)
    name: Mapped[Label]
    calendar_code: Mapped[str] = mapped_column(ForeignKey("service_calendar.code"))
    targets: Mapped[dict[str, Any]]
    availability_ppm: Mapped[int | None]
    notice_hours: Mapped[Small] = mapped_column(default=72, server_default="72")
    degraded_percent: Mapped[Small] = mapped_column(default=0, server_default="0")
    credit_steps: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    escalations: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    breach_notice_hours: Mapped[Small | None]
    made_by: Mapped[Label | None]
    made_at: Mapped[datetime | None]


class PriorityMatrix(CatalogueRow):
    """A version of the priority matrix, which holds from `made_at` on and is never edited.

    `cells` has five rows, one an impact from 1 to 5; each has the priorities of urgencies 1 to 5.
    """

    __tablename__ = "priority_matrix"
    audited: ClassVar[bool] = True
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    cells: Mapped[list[Any]]
    reason: Mapped[Label]
    made_by: Mapped[Label]
    made_at: Mapped[datetime]


class Service(CatalogueRow):
    """Something the operator sells, until a day included; `retired_on` is the first day without it."""

    __tablename__ = "service"
    audited: ClassVar[bool] = True
    code: Mapped[Code] = mapped_column(primary_key=True)
    trade: Mapped[Trade]
    name_fr: Mapped[Label]
    name_en: Mapped[Label]
    unit_fr: Mapped[Label]
    unit_en: Mapped[Label]
    plan_code: Mapped[Code]
    description_fr: Mapped[str | None]
    description_en: Mapped[str | None]
    criticality_code: Mapped[str | None] = mapped_column(ForeignKey("criticality_calendar.code"))
    successor_code: Mapped[str | None] = mapped_column(ForeignKey("service.code"))
    sales_end_on: Mapped[date | None]
    support_ends_on: Mapped[date | None]
    retired_on: Mapped[date | None]


class EnergySource(CatalogueRow):
    """An instrument as the ledger names it: the same name with another boundary or quality is another one."""

    __tablename__ = "energy_source"
    __table_args__ = (UniqueConstraint("name", "authority", "boundary", "quality"),)
    source_id: Mapped[BigId]
    name: Mapped[Label]
    authority: Mapped[Code]
    boundary: Mapped[Code]
    quality: Mapped[Code]


class WorkloadClaim(OwnedRow, CatalogueRow):
    """A workload belongs to a subscription from an hour to another.

    The names are copies: the measurement plane is out of reach for those who read a claim, and no foreign key
    crosses the two planes. `follows` is the claim that this one carries on where its machine moved to.
    """

    __tablename__ = "workload_claim"
    audited: ClassVar[bool] = True
    __table_args__ = (Index("ix_workload_claim_workload", "host_id", "workload_id", "valid_from"),)
    claim_id: Mapped[BigId]
    tenant_id: Mapped[int] = mapped_column(ForeignKey("adherent.tenant_id"), index=True)
    subscription: Mapped[int]
    host_id: Mapped[Count]
    workload_id: Mapped[Count]
    host_name: Mapped[Label]
    workload_name: Mapped[Label]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    claimed_by: Mapped[Label]
    claimed_at: Mapped[datetime]
    follows: Mapped[Count | None]
