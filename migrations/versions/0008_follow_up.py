"""Who is followed and how."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.folding import add_folded
from migrations.protection import hold_rows

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEPT = "SELECT, INSERT, UPDATE"  # nothing that was written is deleted
TABLES = ("contact", "own_site", "note", "committee", "addendum", "follow_up_task")


def upgrade() -> None:
    with op.batch_alter_table("adherent") as batch_op:
        batch_op.add_column(sa.Column("sector", sa.String(40), nullable=True))
        batch_op.add_column(sa.Column("convention", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch_op.create_index(
            "uq_adherent_siren_alone",
            ["siren"],
            unique=True,
            sqlite_where=sa.text("finess_ej IS NULL"),
            postgresql_where=sa.text("finess_ej IS NULL"),
        )
    add_folded("adherent", "tenant_id", ("name",))
    with op.batch_alter_table("incident") as batch_op:
        batch_op.create_index(
            "ix_incident_open",
            ["tenant_id"],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
    _make_contacts()
    _make_committees()
    for table in TABLES:
        hold_rows(table, web=KEPT)
    hold_rows("committee_member", web="SELECT, INSERT, DELETE")


def downgrade() -> None:
    for table in (
        "follow_up_task",
        "addendum",
        "committee_member",
        "committee",
        "note",
        "own_site",
        "contact",
    ):
        op.drop_table(table)
    with op.batch_alter_table("incident") as batch_op:
        batch_op.drop_index("ix_incident_open")
    with op.batch_alter_table("adherent") as batch_op:
        batch_op.drop_index("uq_adherent_siren_alone")
        for column in ("folded_name", "version", "until", "convention", "sector"):
            batch_op.drop_column(column)


def _make_contacts() -> None:
    op.create_table(
        "contact",
        *_key("contact", "number"),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=200), nullable=True),
        sa.Column("mail", sa.String(length=200), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _of_adherent("contact"),
    )
    op.create_table(
        "own_site",
        *_key("own_site", "number"),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("town", sa.String(length=200), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=True),
        sa.Column("siret", sa.String(length=64), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        _of_adherent("own_site"),
    )
    op.create_table(
        "note",
        *_key("note", "number"),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(length=200), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=200), nullable=True),
        sa.Column("redacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redacted_by", sa.String(length=200), nullable=True),
        _of_adherent("note"),
    )


def _make_committees() -> None:
    op.create_table(
        "committee",
        *_key("committee", "number"),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_min", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("guests", sa.String(), nullable=False),
        sa.Column("agenda", sa.String(), nullable=False),
        sa.Column("minutes", sa.String(), nullable=False),
        sa.Column("decisions", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.String(length=200), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _of_adherent("committee"),
    )
    with op.batch_alter_table("committee") as batch_op:
        batch_op.create_index("ix_committee_tenant_id_starts_at", ["tenant_id", "starts_at"], unique=False)
    op.create_table(
        "committee_member",
        *_key("committee_member", "committee", "contact"),
        _within("committee_member", "committee", "committee"),
        _within("committee_member", "contact", "contact"),
    )
    op.create_table(
        "addendum",
        *_key("addendum", "committee", "position"),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(length=200), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        _within("addendum", "committee", "committee"),
    )
    op.create_table(
        "follow_up_task",
        *_key("follow_up_task", "number"),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("committee", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("contact", sa.Integer(), nullable=True),
        sa.Column("in_charge", sa.String(length=200), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _of_adherent("follow_up_task"),
        _within("follow_up_task", "committee", "committee"),
        _within("follow_up_task", "contact", "contact"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_follow_up_task_account_id_account")
        ),
    )
    with op.batch_alter_table("follow_up_task") as batch_op:
        batch_op.create_index(
            "ix_follow_up_task_tenant_id_state_due_on", ["tenant_id", "state", "due_on"], unique=False
        )


def _key(table: str, *numbers: str) -> list[sa.schema.SchemaItem]:
    """The columns of a key that the adherent leads, and the key."""
    return [
        sa.Column(
            "tenant_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        *(sa.Column(number, sa.Integer(), autoincrement=False, nullable=False) for number in numbers),
        sa.PrimaryKeyConstraint("tenant_id", *numbers, name=op.f(f"pk_{table}")),
    ]


def _of_adherent(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id"], ["adherent.tenant_id"], name=op.f(f"fk_{table}_tenant_id_adherent")
    )


def _within(table: str, column: str, referred: str) -> sa.ForeignKeyConstraint:
    """A reference to another row of the same adherent."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{referred}.tenant_id", f"{referred}.number"],
        name=op.f(f"fk_{table}_tenant_id_{column}_{referred}"),
    )
