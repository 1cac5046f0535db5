"""Planned work and its feed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_maintenance()
    _create_occurrences()
    _create_feeds()
    op.add_column(
        "planned_work", sa.Column("revision", sa.SmallInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    with op.batch_alter_table("planned_work") as table:
        table.drop_column("revision")
    for table_name in ("calendar_feed", "maintenance_occurrence", "maintenance"):
        op.drop_table(table_name)


def _create_maintenance() -> None:
    op.create_table(
        "maintenance",
        sa.Column("maintenance_id", KEY, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("first_wall", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("duration_min", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("excluded", sa.JSON(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("adherents", sa.JSON(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("effect", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("announced_by", sa.String(length=200), nullable=True),
        sa.Column("announced_at", INSTANT, nullable=True),
        sa.Column("cancelled_by", sa.String(length=200), nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("extends_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("maintenance_id", name=op.f("pk_maintenance")),
    )
    op.create_index("ix_maintenance_state", "maintenance", ["state"])
    op.create_index("ix_maintenance_extends_at", "maintenance", ["extends_at"])
    allow("maintenance")


def _create_occurrences() -> None:
    op.create_table(
        "maintenance_occurrence",
        sa.Column("maintenance_id", KEY, nullable=False),
        sa.Column("occurrence", INSTANT, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("announced_at", INSTANT, nullable=False),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("changed_by", sa.String(length=200), nullable=True),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["maintenance_id"],
            ["maintenance.maintenance_id"],
            name=op.f("fk_maintenance_occurrence_maintenance_id_maintenance"),
        ),
        sa.PrimaryKeyConstraint("maintenance_id", "occurrence", name=op.f("pk_maintenance_occurrence")),
    )
    op.create_index("ix_maintenance_occurrence_starts_at", "maintenance_occurrence", ["starts_at"])
    allow("maintenance_occurrence")


def _create_feeds() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("feed_id", KEY, nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("locale", sa.String(length=64), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_calendar_feed_token_sha256")),
    )
    op.create_index("ix_calendar_feed_account_id", "calendar_feed", ["account_id"])
    allow("calendar_feed")
