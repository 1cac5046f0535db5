"""What is offered beside the services themselves: versions, dependencies, hosting facts, certificates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.certificates import Framework, MediaType
from console.domain.hosting import Transfers
from console.store.base import BigId, CatalogueRow, Code, Count, Label


class CriticalityCalendar(CatalogueRow):
    """Days of every month on which a service matters most; `windows` is a list of [first day, last day]."""

    __tablename__ = "criticality_calendar"
    audited: ClassVar[bool] = True
    code: Mapped[Code] = mapped_column(primary_key=True)
    name_fr: Mapped[Label]
    name_en: Mapped[Label]
    windows: Mapped[list[Any]]


class ServiceVersion(CatalogueRow):
    """A version of a service, supported to a day included, or as long as the service is."""

    __tablename__ = "service_version"
    audited: ClassVar[bool] = True
    service_code: Mapped[str] = mapped_column(ForeignKey("service.code"), primary_key=True)
    version: Mapped[Code] = mapped_column(primary_key=True)
    released_on: Mapped[date]
    support_ends_on: Mapped[date | None]
    notes: Mapped[str | None]


class ServiceDependency(CatalogueRow):
    """A service needs another from a day to another, both included; never deleted, so never seeded again."""

    __tablename__ = "service_dependency"
    __table_args__ = (UniqueConstraint("service_code", "needs_code", "since"),)
    audited: ClassVar[bool] = True
    dependency_id: Mapped[BigId]
    service_code: Mapped[str] = mapped_column(ForeignKey("service.code"))
    needs_code: Mapped[str] = mapped_column(ForeignKey("service.code"), index=True)
    since: Mapped[date]
    until: Mapped[date | None]


class HostingStatement(CatalogueRow):
    """What is stated of the hosting of a service from a day on; null is unknown, an empty list is none."""

    __tablename__ = "hosting_statement"
    audited: ClassVar[bool] = True
    service_code: Mapped[str] = mapped_column(ForeignKey("service.code"), primary_key=True)
    since: Mapped[date] = mapped_column(primary_key=True)
    data_centres: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    country: Mapped[Code | None]
    activities: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    subcontractors: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    transfers: Mapped[Transfers | None]
    transfer_details: Mapped[str | None]
    legal_basis: Mapped[str | None]
    reversibility: Mapped[str | None]
    reversibility_days: Mapped[int | None]
    stated_by: Mapped[Label]
    stated_at: Mapped[datetime]


class Certificate(CatalogueRow):
    """A certificate with its file; another replaces it, nothing overwrites it."""

    __tablename__ = "certificate"
    __table_args__ = (UniqueConstraint("framework", "number", "sha256"),)
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"content"})
    certificate_id: Mapped[BigId]
    framework: Mapped[Framework]
    name: Mapped[Label]
    body: Mapped[Label]
    number: Mapped[Label]
    scope: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date] = mapped_column(index=True)
    withdrawn_on: Mapped[date | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.certificate_id"), unique=True)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    media_type: Mapped[MediaType]
    size_bytes: Mapped[Count]
    sha256: Mapped[Code]
    uploaded_by: Mapped[Label]
    uploaded_at: Mapped[datetime]


class CertifiedService(CatalogueRow):
    """A certificate names a service."""

    __tablename__ = "certified_service"
    audited: ClassVar[bool] = True
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.certificate_id"), primary_key=True)
    service_code: Mapped[str] = mapped_column(ForeignKey("service.code"), primary_key=True, index=True)
