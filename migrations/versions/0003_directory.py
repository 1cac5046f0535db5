"""Legal entities, hospital groups and their members, more of a site, files on their way in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.folding import add_folded
from migrations.protection import allow

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _more_of_sites()
    op.create_table(
        "legal_entity",
        sa.Column("finess_ej", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("long_name", sa.String(length=200), nullable=True),
        sa.Column("siren", sa.String(length=64), nullable=True),
        sa.Column("legal_status", sa.String(length=64), nullable=True),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("department", sa.String(length=64), nullable=True),
        sa.Column("town", sa.String(length=200), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("closed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("finess_ej", name=op.f("pk_legal_entity")),
    )
    op.create_table(
        "ght",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=200), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ght")),
    )
    op.create_table(
        "ght_membership",
        sa.Column("membership_id", BIG, nullable=False),
        sa.Column("ght_code", sa.String(length=64), nullable=False),
        sa.Column("finess_ej", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["ght_code"], ["ght.code"], name=op.f("fk_ght_membership_ght_code_ght")),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_ght_membership")),
        sa.UniqueConstraint(
            "ght_code",
            "finess_ej",
            "valid_from",
            name=op.f("uq_ght_membership_ght_code_finess_ej_valid_from"),
        ),
    )
    with op.batch_alter_table("ght_membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ght_membership_finess_ej"), ["finess_ej"], unique=False)
    op.create_table(
        "column_mapping",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_column_mapping")),
    )
    op.create_table(
        "directory_import",
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("sent_by", sa.String(length=200), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claims", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_directory_import")),
    )
    for table in ("legal_entity", "ght", "ght_membership"):
        allow(table, web="SELECT")
    for table in ("column_mapping", "directory_import"):
        allow(table)


def downgrade() -> None:
    for table in ("directory_import", "column_mapping", "ght_membership", "ght", "legal_entity"):
        op.drop_table(table)
    _less_of_sites()


def _more_of_sites() -> None:
    with op.batch_alter_table("directory_site", schema=None) as batch_op:
        batch_op.add_column(sa.Column("long_name", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("address", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("opened_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("closed", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("closed_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("as_of", sa.Date(), nullable=True))
        batch_op.alter_column("category", existing_type=sa.String(length=64), nullable=True)
        batch_op.alter_column("legal_status", existing_type=sa.String(length=64), nullable=True)
    site = sa.table("directory_site", sa.column("as_of", sa.Date), sa.column("vintage", sa.SmallInteger))
    # A year's table says how things stood on its last day; SQLite keeps dates as texts.
    last_day = sa.cast(site.c.vintage, sa.String) + "-12-31"
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(site.update().values(as_of=last_day if on_sqlite else sa.cast(last_day, sa.Date)))
    with op.batch_alter_table("directory_site", schema=None) as batch_op:
        batch_op.alter_column("as_of", existing_type=sa.Date(), nullable=False)
        batch_op.drop_column("vintage")
    add_folded("directory_site", "finess_et", ("name", "town"))


def _less_of_sites() -> None:
    with op.batch_alter_table("directory_site", schema=None) as batch_op:
        batch_op.add_column(sa.Column("vintage", sa.SmallInteger(), nullable=True))
    site = sa.table(
        "directory_site",
        sa.column("as_of", sa.Date),
        sa.column("vintage", sa.SmallInteger),
        sa.column("category", sa.String),
        sa.column("legal_status", sa.String),
    )
    op.execute(
        site.update().values(
            vintage=sa.extract("year", site.c.as_of),
            category=sa.func.coalesce(site.c.category, ""),
            legal_status=sa.func.coalesce(site.c.legal_status, ""),
        )
    )
    with op.batch_alter_table("directory_site", schema=None) as batch_op:
        batch_op.alter_column("vintage", existing_type=sa.SmallInteger(), nullable=False)
        batch_op.alter_column("category", existing_type=sa.String(length=64), nullable=False)
        batch_op.alter_column("legal_status", existing_type=sa.String(length=64), nullable=False)
        for name in (
            "folded_town",
            "folded_name",
            "as_of",
            "closed_on",
            "closed",
            "opened_on",
            "address",
            "long_name",
        ):
            batch_op.drop_column(name)
