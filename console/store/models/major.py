"""One outage that touches many adherents: the operator's record, its steps, and how far each adherent is.

The incidents themselves are the adherents': `Incident.major` is the number of the record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.major_incidents import MajorPhase, ScopeKind, StepKind
from console.domain.outages import Effect
from console.store.base import BigId, Code, CoordinationRow, KeyId, Label, Number, Small
from console.store.models.tenant import Category, Priority


class MajorIncident(CoordinationRow):
    """The record; `last_step` is the position of its last step, 0 before the first."""

    __tablename__ = "major_incident"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"description"})
    major_id: Mapped[BigId]
    title: Mapped[Label]
    description: Mapped[str | None]
    scope_kind: Mapped[ScopeKind]
    scope_code: Mapped[Code]  # a service or a data centre
    priority: Mapped[Priority]
    category: Mapped[Category | None]
    is_security: Mapped[bool]
    effect: Mapped[Effect]
    phase: Mapped[MajorPhase] = mapped_column(index=True)
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    last_step: Mapped[Small] = mapped_column(default=0)
    declared_by: Mapped[Label]
    declared_at: Mapped[datetime]


class MajorStep(CoordinationRow):
    """Something that happened to the record.

    `value` is the kind of an event, or what holds from then on, with what was before it in `was`. A
    communication has a `text`; it may be mailed to the contacts of each adherent, and be the notice that the
    law owes them.
    """

    __tablename__ = "major_step"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"text"})
    major_id: Mapped[int] = mapped_column(ForeignKey("major_incident.major_id"), primary_key=True)
    position: Mapped[Number]
    kind: Mapped[StepKind]
    was: Mapped[Code | None]
    value: Mapped[Code | None]
    text: Mapped[str | None]
    is_mailed: Mapped[bool]
    is_notice: Mapped[bool]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[Label]


class MajorAdherent(CoordinationRow):
    """An adherent of the record: its incident, once that is opened, and how many steps it went through.

    `due_at` says when there is something to pass on, null where there is nothing; `refused` is what its
    incident did not take, for a person to look at: {"message", "values"} of the error, and the "step".
    """

    __tablename__ = "major_adherent"
    audited: ClassVar[bool] = True
    fleeting: ClassVar[frozenset[str]] = frozenset({"applied", "due_at"})
    major_id: Mapped[int] = mapped_column(ForeignKey("major_incident.major_id"), primary_key=True)
    tenant_id: Mapped[KeyId]
    subscription: Mapped[int]
    others: Mapped[list[Any]]
    incident: Mapped[int | None]
    applied: Mapped[Small] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    refused: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    added_by: Mapped[Label]
    added_at: Mapped[datetime]
    taken_out_by: Mapped[Label | None]
    taken_out_at: Mapped[datetime | None]
