"""The priority matrix and its past; who made a version of a plan; clocks to read again under a calendar."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger()
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "priority_matrix",
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_priority_matrix")),
    )
    allow("priority_matrix", web="SELECT")
    op.create_table(
        "clock_due",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("subscription", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "subscription", name=op.f("pk_clock_due")),
    )
    op.create_index("ix_clock_due_due_at", "clock_due", ["due_at"])
    allow("clock_due")
    op.add_column("sla_plan", sa.Column("made_by", sa.String(length=200), nullable=True))
    op.add_column("sla_plan", sa.Column("made_at", INSTANT, nullable=True))


def downgrade() -> None:
    op.drop_column("sla_plan", "made_at")
    op.drop_column("sla_plan", "made_by")
    op.drop_table("clock_due")
    op.drop_table("priority_matrix")
