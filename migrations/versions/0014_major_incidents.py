"""Outages that touch many adherents, and what the law wants told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow, hold_rows

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OPEN = sa.text("done_at IS NULL AND withdrawn_at IS NULL")


def upgrade() -> None:
    _create_major_incidents()
    _create_steps()
    _create_adherents()
    _create_rules()
    _create_duties()


def downgrade() -> None:
    for table in ("regulatory_duty", "regulatory_rule", "major_adherent", "major_step", "major_incident"):
        op.drop_table(table)


def _create_major_incidents() -> None:
    op.create_table(
        "major_incident",
        sa.Column("major_id", KEY, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("scope_kind", sa.String(40), nullable=False),
        sa.Column("scope_code", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.String(40), nullable=False),
        sa.Column("category", sa.String(40), nullable=True),
        sa.Column("is_security", sa.Boolean(), nullable=False),
        sa.Column("effect", sa.String(40), nullable=False),
        sa.Column("phase", sa.String(40), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("resolved_at", INSTANT, nullable=True),
        sa.Column("last_step", sa.SmallInteger(), nullable=False),
        sa.Column("declared_by", sa.String(length=200), nullable=False),
        sa.Column("declared_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("major_id", name=op.f("pk_major_incident")),
    )
    op.create_index("ix_major_incident_phase", "major_incident", ["phase"])
    allow("major_incident")


def _create_steps() -> None:
    op.create_table(
        "major_step",
        sa.Column("major_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("was", sa.String(length=64), nullable=True),
        sa.Column("value", sa.String(length=64), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("is_mailed", sa.Boolean(), nullable=False),
        sa.Column("is_notice", sa.Boolean(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        _of_major("major_step"),
        sa.PrimaryKeyConstraint("major_id", "position", name=op.f("pk_major_step")),
    )
    allow("major_step")


def _create_adherents() -> None:
    op.create_table(
        "major_adherent",
        sa.Column("major_id", KEY, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subscription", sa.Integer(), nullable=False),
        sa.Column("others", sa.JSON(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("applied", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("refused", sa.JSON(), nullable=True),
        sa.Column("added_by", sa.String(length=200), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("taken_out_by", sa.String(length=200), nullable=True),
        sa.Column("taken_out_at", INSTANT, nullable=True),
        _of_major("major_adherent"),
        sa.PrimaryKeyConstraint("major_id", "tenant_id", name=op.f("pk_major_adherent")),
    )
    op.create_index("ix_major_adherent_due_at", "major_adherent", ["due_at"])
    allow("major_adherent")


def _create_rules() -> None:
    op.create_table(
        "regulatory_rule",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("name_fr", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("capacity", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(40), nullable=False),
        sa.Column("hours", sa.SmallInteger(), nullable=True),
        sa.Column("months", sa.SmallInteger(), nullable=True),
        sa.Column("by_contract", sa.Boolean(), nullable=False),
        sa.Column("after", sa.String(length=64), nullable=True),
        sa.Column("each_adherent", sa.Boolean(), nullable=False),
        sa.Column("own_limit", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_regulatory_rule")),
    )
    allow("regulatory_rule", web="SELECT")


def _create_duties() -> None:
    op.create_table(
        "regulatory_duty",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("major", sa.BigInteger(), nullable=True),
        sa.Column("rule_code", sa.String(length=64), nullable=False),
        sa.Column("rule_version", sa.SmallInteger(), nullable=False),
        sa.Column("aware_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("warn_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("done_by", sa.String(length=200), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident"],
            ["incident.tenant_id", "incident.number"],
            name=op.f("fk_regulatory_duty_tenant_id_incident_incident"),
        ),
        sa.ForeignKeyConstraint(
            ["rule_code", "rule_version"],
            ["regulatory_rule.code", "regulatory_rule.version"],
            name=op.f("fk_regulatory_duty_rule_code_rule_version_regulatory_rule"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_regulatory_duty")),
        sa.UniqueConstraint(
            "tenant_id", "incident", "rule_code", name=op.f("uq_regulatory_duty_tenant_id_incident_rule_code")
        ),
        sa.UniqueConstraint(
            "tenant_id", "major", "rule_code", name=op.f("uq_regulatory_duty_tenant_id_major_rule_code")
        ),
    )
    for column in ("warn_at", "due_at"):
        op.create_index(
            f"ix_regulatory_duty_{column}",
            "regulatory_duty",
            [column],
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        )
    hold_rows("regulatory_duty")


def _of_major(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["major_id"], ["major_incident.major_id"], name=op.f(f"fk_{table}_major_id_major_incident")
    )
