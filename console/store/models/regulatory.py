"""What the law wants told of security incidents: the rules, in versions, and the duties that follow."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.regulatory import Capacity, Recipient
from console.store.base import CatalogueRow, Code, Count, Label, Number, Small, TenantRow
from console.store.models.tenant import INCIDENT

OPEN = text("done_at IS NULL AND withdrawn_at IS NULL")


class RegulatoryRule(CatalogueRow):
    """A version of a rule, which holds for what becomes known from a day on; it is never edited.

    `domain.regulatory.Rule` says what the columns mean; a version with `is_retired` ends the rule.
    """

    __tablename__ = "regulatory_rule"
    audited: ClassVar[bool] = True
    code: Mapped[Code] = mapped_column(primary_key=True)
    version: Mapped[Small] = mapped_column(primary_key=True)
    since: Mapped[date]
    name_fr: Mapped[Label]
    name_en: Mapped[Label]
    capacity: Mapped[Capacity]
    recipient: Mapped[Recipient]
    hours: Mapped[Small | None]
    months: Mapped[Small | None]
    by_contract: Mapped[bool]
    after: Mapped[Code | None]
    each_adherent: Mapped[bool]
    own_limit: Mapped[bool]
    basis: Mapped[Label]
    source: Mapped[str]
    is_retired: Mapped[bool]
    made_by: Mapped[Label]
    made_at: Mapped[datetime]


class RegulatoryDuty(TenantRow):
    """What a rule wants for one incident, or, of the operator, for one major incident.

    `aware_at` is when the operator became aware. A withdrawn duty does not apply, for a `reason`, which is
    null where the incident is no longer one of security.
    """

    __tablename__ = "regulatory_duty"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),
        ForeignKeyConstraint(
            ["rule_code", "rule_version"], ["regulatory_rule.code", "regulatory_rule.version"]
        ),
        UniqueConstraint("tenant_id", "incident", "rule_code"),
        UniqueConstraint("tenant_id", "major", "rule_code"),
        Index("ix_regulatory_duty_warn_at", "warn_at", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_regulatory_duty_due_at", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),
    )
    audited: ClassVar[bool] = True
    fleeting: ClassVar[frozenset[str]] = frozenset({"warn_at"})
    number: Mapped[Number]
    incident: Mapped[int | None]
    major: Mapped[Count | None]
    rule_code: Mapped[Code]
    rule_version: Mapped[Small]
    aware_at: Mapped[datetime]
    due_at: Mapped[datetime]
    warn_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[Label | None]
    reference: Mapped[Label | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[Label | None]
    reason: Mapped[Label | None]
