"""What was done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import hold_rows, seeing_rows

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TENANT = ("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"))


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column(*TENANT, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("payload_sha256", sa.String(64), nullable=False),
        sa.Column("previous_sha256", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_tenant_id_subject", "audit_entry", ["tenant_id", "subject"])
    op.create_table(
        "audit_payload",
        sa.Column(*TENANT, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.String(64), nullable=True),
        sa.Column("payload", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number"],
            ["audit_entry.tenant_id", "audit_entry.number"],
            name=op.f("fk_audit_payload_tenant_id_number_audit_entry"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_audit_payload")),
    )
    op.create_table(
        "audit_head",
        sa.Column(*TENANT, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("purged_through", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column(*TENANT, autoincrement=False, nullable=False),
        sa.Column("last_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "last_number", name=op.f("pk_audit_checkpoint")),
    )
    hold_rows("audit_entry", web="SELECT, INSERT", engine="SELECT, INSERT")
    hold_rows("audit_payload", web="SELECT, INSERT", engine="SELECT, INSERT, UPDATE")
    hold_rows("audit_head", web="SELECT, INSERT, UPDATE", engine="SELECT, INSERT, UPDATE")
    hold_rows("audit_checkpoint", web="SELECT", engine="SELECT, INSERT")
    # A chain without entries for each adherent from before the log: one that has no chain lost it.
    heads = sa.text(
        "INSERT INTO audit_head (tenant_id, number, at, sha256, purged_through) "
        "SELECT tenant_id, 0, CURRENT_TIMESTAMP, :genesis, 0 FROM adherent WHERE tenant_id <> 1"
    )
    with seeing_rows():
        op.execute(heads.bindparams(genesis="0" * 64))


def downgrade() -> None:
    op.drop_table("audit_checkpoint")
    op.drop_table("audit_head")
    op.drop_table("audit_payload")
    op.drop_index("ix_audit_entry_tenant_id_subject", "audit_entry")
    op.drop_table("audit_entry")
