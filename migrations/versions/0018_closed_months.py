"""Months of service, closed with what they were reckoned from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import hold_rows

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "service_month",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("subscription", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("inputs", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("availability_ppm", sa.Integer(), nullable=True),
        sa.Column("target_ppm", sa.Integer(), nullable=True),
        sa.Column("counted_s", sa.BigInteger(), nullable=False),
        sa.Column("outage_s", sa.BigInteger(), nullable=False),
        sa.Column("degraded_s", sa.BigInteger(), nullable=False),
        sa.Column("excused_s", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("credit_percent", sa.SmallInteger(), nullable=True),
        sa.Column("credit_cents", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", INSTANT, nullable=False),
        sa.Column("closed_by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "subscription"],
            ["subscription.tenant_id", "subscription.number"],
            name=op.f("fk_service_month_tenant_id_subscription_subscription"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "subscription", "month", "revision", name=op.f("pk_service_month")
        ),
    )
    op.create_index("ix_service_month_tenant_id_month", "service_month", ["tenant_id", "month"])
    hold_rows("service_month", web="SELECT, INSERT")


def downgrade() -> None:
    op.drop_table("service_month")
