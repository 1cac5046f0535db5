"""Services asked from outside whether they run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "probe",
        sa.Column("probe_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("expected_status", sa.SmallInteger(), nullable=False),
        sa.Column("expected_text", sa.String(length=200), nullable=True),
        sa.Column("timeout_s", sa.SmallInteger(), nullable=False),
        sa.Column("every_s", sa.SmallInteger(), nullable=False),
        sa.Column("effect", sa.String(40), nullable=False),
        sa.Column("service_code", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("subscription", sa.Integer(), nullable=True),
        sa.Column("stopped_at", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("last_slot", INSTANT, nullable=True),
        sa.Column("down_since", INSTANT, nullable=True),
        sa.Column("against", sa.SmallInteger(), nullable=False),
        sa.Column("against_since", INSTANT, nullable=True),
        sa.Column("certificate_ends_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("probe_id", name=op.f("pk_probe")),
        sa.UniqueConstraint("name", name=op.f("uq_probe_name")),
    )
    op.create_index("ix_probe_due_at", "probe", ["due_at"])
    op.create_table(
        "probe_answer",
        sa.Column("probe_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", INSTANT, nullable=False),
        sa.Column("fault", sa.String(40), nullable=True),
        sa.Column("took_ms", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["probe_id"], ["probe.probe_id"], name=op.f("fk_probe_answer_probe_id_probe")
        ),
        sa.PrimaryKeyConstraint("probe_id", "slot", name=op.f("pk_probe_answer")),
    )
    op.create_index("ix_probe_answer_slot", "probe_answer", ["slot"])
    op.create_index(
        "ix_outage_lasting",
        "outage",
        ["source", "reference"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    allow("probe")
    allow("probe_answer")


def downgrade() -> None:
    op.drop_index("ix_outage_lasting", "outage")
    op.drop_table("probe_answer")
    op.drop_table("probe")
