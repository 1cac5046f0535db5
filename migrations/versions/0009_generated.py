"""The mark of a generated database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "generation",
        sa.Column("generation_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ledger_from", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("generation_id", name=op.f("pk_generation")),
    )
    allow("generation", web="SELECT")


def downgrade() -> None:
    op.drop_table("generation")
