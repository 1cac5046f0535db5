"""Saved views of lists, and who is told of a status by mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow, hold_rows

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NOT_RESOLVED = sa.text("resolved_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_incident_open_due_at",
        "incident",
        ["due_at", "tenant_id", "number"],
        sqlite_where=NOT_RESOLVED,
        postgresql_where=NOT_RESOLVED,
    )
    op.create_index("ix_incident_resolved_at", "incident", ["resolved_at", "tenant_id", "number"])
    op.create_table(
        "saved_view",
        sa.Column("view_id", KEY, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_saved_view_account_id_name")),
    )
    allow("saved_view")
    _create_status_readers()
    _create_notices()
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.add_column(sa.Column("unsubscribe", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.drop_column("unsubscribe")
    for table in ("work_notice", "incident_notice", "status_reader", "saved_view"):
        op.drop_table(table)
    op.drop_index("ix_incident_resolved_at", "incident")
    op.drop_index("ix_incident_open_due_at", "incident")


def _create_status_readers() -> None:
    op.create_table(
        "status_reader",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("locale", sa.String(length=64), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        _of_adherent("status_reader"),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_status_reader")),
    )
    hold_rows("status_reader", web="SELECT, INSERT, UPDATE")


def _create_notices() -> None:
    op.create_table(
        "incident_notice",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effect", sa.String(40), nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident"],
            ["incident.tenant_id", "incident.number"],
            name=op.f("fk_incident_notice_tenant_id_incident_incident"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "incident", name=op.f("pk_incident_notice")),
    )
    op.create_table(
        "work_notice",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("maintenance_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("news", sa.String(40), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        _of_adherent("work_notice"),
        sa.PrimaryKeyConstraint("tenant_id", "maintenance_id", "news", "at", name=op.f("pk_work_notice")),
    )
    for table in ("incident_notice", "work_notice"):
        hold_rows(table, web="SELECT")


def _of_adherent(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["adherent.tenant_id"], name=op.f(f"fk_{table}_tenant_id_adherent")
    )
