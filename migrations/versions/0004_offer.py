"""What is offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    *("criticality_calendar", "service_version", "service_dependency"),
    *("hosting_statement", "certificate", "certified_service"),
)


def upgrade() -> None:
    op.create_table(
        "criticality_calendar",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name_fr", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("windows", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_criticality_calendar")),
    )
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.add_column(sa.Column("description_fr", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("description_en", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("criticality_code", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("successor_code", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("sales_end_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("support_ends_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("retired_on", sa.Date(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_service_criticality_code_criticality_calendar"),
            "criticality_calendar",
            ["criticality_code"],
            ["code"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_service_successor_code_service"), "service", ["successor_code"], ["code"]
        )

    op.create_table(
        "service_version",
        sa.Column("service_code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=False),
        sa.Column("support_ends_on", sa.Date(), nullable=True),
        sa.Column("notes", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_service_version_service_code_service")
        ),
        sa.PrimaryKeyConstraint("service_code", "version", name=op.f("pk_service_version")),
    )
    op.create_table(
        "service_dependency",
        sa.Column("dependency_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_code", sa.String(length=64), nullable=False),
        sa.Column("needs_code", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_service_dependency_service_code_service")
        ),
        sa.ForeignKeyConstraint(
            ["needs_code"], ["service.code"], name=op.f("fk_service_dependency_needs_code_service")
        ),
        sa.PrimaryKeyConstraint("dependency_id", name=op.f("pk_service_dependency")),
        sa.UniqueConstraint(
            "service_code",
            "needs_code",
            "since",
            name=op.f("uq_service_dependency_service_code_needs_code_since"),
        ),
    )
    with op.batch_alter_table("service_dependency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_dependency_needs_code"), ["needs_code"], unique=False)

    op.create_table(
        "hosting_statement",
        sa.Column("service_code", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("data_centres", sa.JSON(), nullable=True),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("activities", sa.JSON(), nullable=True),
        sa.Column("subcontractors", sa.JSON(), nullable=True),
        sa.Column("transfers", sa.String(40), nullable=True),
        sa.Column("transfer_details", sa.String(), nullable=True),
        sa.Column("legal_basis", sa.String(), nullable=True),
        sa.Column("reversibility", sa.String(), nullable=True),
        sa.Column("reversibility_days", sa.Integer(), nullable=True),
        sa.Column("stated_by", sa.String(length=200), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_hosting_statement_service_code_service")
        ),
        sa.PrimaryKeyConstraint("service_code", "since", name=op.f("pk_hosting_statement")),
    )
    op.create_table(
        "certificate",
        sa.Column("certificate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("framework", sa.String(40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("body", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("replaces_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("uploaded_by", sa.String(length=200), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["replaces_id"],
            ["certificate.certificate_id"],
            name=op.f("fk_certificate_replaces_id_certificate"),
        ),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_certificate_replaces_id")),
        sa.UniqueConstraint(
            "framework", "number", "sha256", name=op.f("uq_certificate_framework_number_sha256")
        ),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certificate_valid_to"), ["valid_to"], unique=False)

    op.create_table(
        "certified_service",
        sa.Column("certificate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificate.certificate_id"],
            name=op.f("fk_certified_service_certificate_id_certificate"),
        ),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_certified_service_service_code_service")
        ),
        sa.PrimaryKeyConstraint("certificate_id", "service_code", name=op.f("pk_certified_service")),
    )
    with op.batch_alter_table("certified_service", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certified_service_service_code"), ["service_code"], unique=False)

    for table in TABLES:
        allow(table, web="SELECT")


def downgrade() -> None:
    for table in reversed(TABLES[1:]):
        op.drop_table(table)
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_service_successor_code_service"), type_="foreignkey")
        batch_op.drop_constraint(
            batch_op.f("fk_service_criticality_code_criticality_calendar"), type_="foreignkey"
        )
        for column in (
            *("retired_on", "support_ends_on", "sales_end_on", "successor_code"),
            *("criticality_code", "description_en", "description_fr"),
        ):
            batch_op.drop_column(column)
    op.drop_table("criticality_calendar")
