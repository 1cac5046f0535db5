"""What is kept of an incident beside its log: sites, comments, files, its review; and texts to write from.

Nothing of it is deleted: a comment or a file is redacted, which takes its content away and leaves the rest.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.attachments import FileKind
from console.store.base import BigId, CatalogueRow, Code, Count, Label, Number, TenantRow
from console.store.models.tenant import INCIDENT


class TouchedSite(TenantRow):
    """A place that an incident touches: a site of the directory, or one that only the adherent tells of."""

    __tablename__ = "touched_site"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),
        ForeignKeyConstraint(["finess_et"], ["directory_site.finess_et"]),
        ForeignKeyConstraint(["tenant_id", "own_site"], ["own_site.tenant_id", "own_site.number"]),
    )
    audited: ClassVar[bool] = True
    incident: Mapped[Number]
    position: Mapped[Number]
    finess_et: Mapped[Code | None]
    own_site: Mapped[int | None]


class Comment(TenantRow):
    """What somebody wrote on an incident: for the operator alone, or for the adherent too."""

    __tablename__ = "incident_comment"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),)
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"text"})
    incident: Mapped[Number]
    number: Mapped[Number]
    text: Mapped[str]
    is_shared: Mapped[bool]
    written_by: Mapped[Label]
    written_at: Mapped[datetime]
    redacted_at: Mapped[datetime | None]
    redacted_by: Mapped[Label | None]


class Attachment(TenantRow):
    """A file of an incident; a redacted one has lost its content, and keeps the hash of what it was."""

    __tablename__ = "incident_attachment"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),)
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"name", "content"})
    incident: Mapped[Number]
    number: Mapped[Number]
    name: Mapped[Label]
    kind: Mapped[FileKind]
    size_bytes: Mapped[Count]
    sha256: Mapped[Code]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    is_shared: Mapped[bool]
    added_by: Mapped[Label]
    added_at: Mapped[datetime]
    redacted_at: Mapped[datetime | None]
    redacted_by: Mapped[Label | None]


class Review(TenantRow):
    """What was learnt of an incident once it was resolved: its cause, and what was done."""

    __tablename__ = "incident_review"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),)
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"cause", "done"})
    fleeting: ClassVar[frozenset[str]] = frozenset({"version"})
    incident: Mapped[Number]
    cause: Mapped[str]
    done: Mapped[str]
    written_by: Mapped[Label]
    written_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as its base declares it


class ReviewAction(TenantRow):
    """What somebody of the operator does so that it does not happen again; open until it is settled."""

    __tablename__ = "review_action"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),
        Index(
            "ix_review_action_open",
            "due_on",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
    )
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"title", "in_charge"})
    incident: Mapped[Number]
    number: Mapped[Number]
    title: Mapped[Label]
    in_charge: Mapped[Label]
    due_on: Mapped[date]
    created_by: Mapped[Label]
    created_at: Mapped[datetime]
    is_done: Mapped[bool]  # once settled: whether it was done, or dropped
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[Label | None]


class MessageTemplate(CatalogueRow):
    """A text from which what adherents read of incidents is written, in both languages."""

    __tablename__ = "message_template"
    audited: ClassVar[bool] = True
    template_id: Mapped[BigId]
    name: Mapped[Label]
    text_fr: Mapped[str]
    text_en: Mapped[str]
    retired_at: Mapped[datetime | None]
