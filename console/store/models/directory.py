"""The national directory and the hospital groups, on the catalogue plane; files on their way into it.

A directory row keeps who said it (`source`) and when it was so (`as_of`), so that an older file never takes
its place. Rows of the directory itself are public facts by the thousand: the audit log keeps their imports,
and each membership of a group, for it opens the figures of a member.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.directory import GroupRole, Kind
from console.store.base import BigId, CatalogueRow, Code, CoordinationRow, Label, folded


class ImportState(StrEnum):
    """How far an import is: it waits for its columns or for a decision, is being stored, or is over."""

    UNMAPPED = "unmapped"
    READY = "ready"
    STORING = "storing"
    STORED = "stored"
    ABANDONED = "abandoned"


class LegalEntity(CatalogueRow):
    """A body that runs sites."""

    __tablename__ = "legal_entity"
    finess_ej: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Label]
    long_name: Mapped[Label | None]
    siren: Mapped[Code | None]
    legal_status: Mapped[Code | None]
    category: Mapped[Code | None]
    department: Mapped[Code | None]
    town: Mapped[Label | None]
    address: Mapped[Label | None]
    closed: Mapped[bool] = mapped_column(default=False, server_default=false())
    closed_on: Mapped[date | None]
    source: Mapped[Label]
    as_of: Mapped[date]


class DirectorySite(CatalogueRow):
    """A site of the national directory: a place an adherent may be chosen from."""

    __tablename__ = "directory_site"
    finess_et: Mapped[Code] = mapped_column(primary_key=True)
    finess_ej: Mapped[Code] = mapped_column(index=True)
    name: Mapped[Label]
    folded_name: Mapped[str] = folded("name")
    long_name: Mapped[Label | None]
    siret: Mapped[Code | None]
    siren: Mapped[Code | None]
    category: Mapped[Code | None]
    legal_status: Mapped[Code | None]
    department: Mapped[Code] = mapped_column(index=True)
    town: Mapped[Label]
    folded_town: Mapped[str] = folded("town")
    address: Mapped[Label | None]
    opened_on: Mapped[date | None]
    closed: Mapped[bool] = mapped_column(default=False, server_default=false())
    closed_on: Mapped[date | None]
    source: Mapped[Label]
    as_of: Mapped[date]


class Ght(CatalogueRow):
    """A hospital group of its territory."""

    __tablename__ = "ght"
    code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Label]
    short_name: Mapped[Label | None]
    source: Mapped[Label]
    as_of: Mapped[date]


class GhtMembership(CatalogueRow):
    """A legal entity in a group, from its first day up to `valid_to`, which is not in it any more."""

    __tablename__ = "ght_membership"
    __table_args__ = (UniqueConstraint("ght_code", "finess_ej", "valid_from"),)
    audited: ClassVar[bool] = True
    membership_id: Mapped[BigId]
    ght_code: Mapped[str] = mapped_column(ForeignKey("ght.code"))
    finess_ej: Mapped[Code] = mapped_column(index=True)
    role: Mapped[GroupRole]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[Label]
    as_of: Mapped[date]


class ColumnMapping(CatalogueRow):
    """How a table was read, found again by the fingerprint of its headings."""

    __tablename__ = "column_mapping"
    audited: ClassVar[bool] = True
    fingerprint: Mapped[Code] = mapped_column(primary_key=True)
    kind: Mapped[Kind]
    columns: Mapped[dict[str, Any]]
    made_by: Mapped[Label]
    made_at: Mapped[datetime]


class DirectoryImport(CoordinationRow):
    """A file that somebody sent, kept until it is decided upon; `shown` is the preview, cut to a page.

    `claims` counts those that set about storing it, one at a time; the last was alive at `claimed_at`.
    """

    __tablename__ = "directory_import"
    import_id: Mapped[BigId]
    file_name: Mapped[Label]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[ImportState]
    kind: Mapped[Kind | None]
    source: Mapped[Label | None]
    as_of: Mapped[date | None]
    complete: Mapped[bool]
    counts: Mapped[dict[str, Any]]
    shown: Mapped[dict[str, Any]]
    sent_by: Mapped[Label]
    sent_at: Mapped[datetime]
    claims: Mapped[int] = mapped_column(default=0, server_default="0")
    claimed_at: Mapped[datetime | None]
    stored_at: Mapped[datetime | None]
