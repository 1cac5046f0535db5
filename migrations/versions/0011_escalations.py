"""When each incident is escalated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import hold_rows

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WAITS_TO_BE_TOLD = sa.text("told_at IS NULL AND due_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "escalation",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("promise", sa.String(40), nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("told_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident"],
            ["incident.tenant_id", "incident.number"],
            name=op.f("fk_escalation_tenant_id_incident_incident"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "incident", "promise", "level", name=op.f("pk_escalation")),
    )
    op.create_index(
        "ix_escalation_due_at",
        "escalation",
        ["due_at"],
        sqlite_where=WAITS_TO_BE_TOLD,
        postgresql_where=WAITS_TO_BE_TOLD,
    )
    hold_rows("escalation")


def downgrade() -> None:
    op.drop_table("escalation")
