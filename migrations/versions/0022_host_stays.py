"""Where hosts stood before they stood where they stand now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "host_stay",
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.CheckConstraint('"until" > since', name=op.f("ck_host_stay_sound")),
        sa.ForeignKeyConstraint(["host_id"], ["host.host_id"], name=op.f("fk_host_stay_host_id_host")),
        sa.PrimaryKeyConstraint("host_id", "since", name=op.f("pk_host_stay")),
    )
    allow("host_stay")


def downgrade() -> None:
    op.drop_table("host_stay")
