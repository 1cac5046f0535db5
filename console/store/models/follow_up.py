"""How an adherent is followed: its contacts, its own sites, notes, committees and tasks.

Nothing of it is deleted: a contact, a site and a note end, a committee is cancelled, a task is dropped.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.committees import CommitteeKind, TaskState
from console.domain.contacts import ContactRole
from console.store.base import Code, Label, Number, Small, TenantRow

COMMITTEE = ["committee.tenant_id", "committee.number"]
CONTACT = ["contact.tenant_id", "contact.number"]


class Contact(TenantRow):
    """Somebody to call, for a role, from a day to another."""

    __tablename__ = "contact"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    audited: ClassVar[bool] = True
    fleeting: ClassVar[frozenset[str]] = frozenset({"version"})
    number: Mapped[Number]
    role: Mapped[ContactRole]
    name: Mapped[Label]
    phone: Mapped[Label | None]
    mail: Mapped[Label | None]
    is_primary: Mapped[bool]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(server_default="1")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as its base declares it


class OwnSite(TenantRow):
    """A place of an adherent that the national directory does not hold."""

    __tablename__ = "own_site"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    audited: ClassVar[bool] = True
    number: Mapped[Number]
    name: Mapped[Label]
    town: Mapped[Label]
    department: Mapped[Code | None]
    siret: Mapped[Code | None]
    ended_on: Mapped[date | None]


class Note(TenantRow):
    """What the operator writes for itself about an adherent; a redacted one has lost its text."""

    __tablename__ = "note"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"text"})
    number: Mapped[Number]
    text: Mapped[str]
    written_by: Mapped[Label]
    written_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[Label | None]
    redacted_at: Mapped[datetime | None]
    redacted_by: Mapped[Label | None]


class Committee(TenantRow):
    """A meeting with an adherent; once approved, its minutes and decisions no longer change."""

    __tablename__ = "committee"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),
        Index("ix_committee_tenant_id_starts_at", "tenant_id", "starts_at"),
    )
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"agenda", "minutes", "decisions"})
    fleeting: ClassVar[frozenset[str]] = frozenset({"version"})
    number: Mapped[Number]
    kind: Mapped[CommitteeKind]
    starts_at: Mapped[datetime]
    duration_min: Mapped[Small]
    place: Mapped[Label | None]
    link: Mapped[str | None]
    guests: Mapped[str]  # names of those who are no contact, one a line
    agenda: Mapped[str]
    minutes: Mapped[str]
    decisions: Mapped[str]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[Label | None]
    cancelled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as its base declares it


class CommitteeMember(TenantRow):
    """A contact of the adherent who is asked to a committee."""

    __tablename__ = "committee_member"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "committee"], COMMITTEE),
        ForeignKeyConstraint(["tenant_id", "contact"], CONTACT),
    )
    audited: ClassVar[bool] = True
    committee: Mapped[Number]
    contact: Mapped[Number]


class Addendum(TenantRow):
    """What corrects or completes approved minutes."""

    __tablename__ = "addendum"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "committee"], COMMITTEE),)
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"text"})
    committee: Mapped[Number]
    position: Mapped[Number]
    text: Mapped[str]
    written_by: Mapped[Label]
    written_at: Mapped[datetime]


class Task(TenantRow):
    """Something that somebody has to do for an adherent, of a committee or not.

    An account of the operator or a contact of the adherent is in charge; `in_charge` is a copy of the name,
    for those who read tasks may not read accounts.
    """

    __tablename__ = "follow_up_task"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),
        ForeignKeyConstraint(["tenant_id", "committee"], COMMITTEE),
        ForeignKeyConstraint(["tenant_id", "contact"], CONTACT),
        Index("ix_follow_up_task_tenant_id_state_due_on", "tenant_id", "state", "due_on"),
    )
    audited: ClassVar[bool] = True
    fleeting: ClassVar[frozenset[str]] = frozenset({"version"})
    number: Mapped[Number]
    title: Mapped[Label]
    committee: Mapped[int | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.account_id"))
    contact: Mapped[int | None]
    in_charge: Mapped[Label | None]
    due_on: Mapped[date | None]
    state: Mapped[TaskState]
    created_by: Mapped[Label]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[Label | None]
    version: Mapped[int] = mapped_column(server_default="1")
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as its base declares it
