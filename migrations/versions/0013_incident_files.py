"""Comments, files and reviews of incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow, hold_rows

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OPEN = sa.text("settled_at IS NULL")


def upgrade() -> None:
    op.add_column("incident_event", sa.Column("was", sa.String(length=64), nullable=True))
    _create_touched_sites()
    _create_comments()
    _create_attachments()
    _create_reviews()
    _create_review_actions()
    _create_message_templates()


def downgrade() -> None:
    for table in (
        *("message_template", "review_action", "incident_review"),
        *("incident_attachment", "incident_comment", "touched_site"),
    ):
        op.drop_table(table)
    op.drop_column("incident_event", "was")


def _create_touched_sites() -> None:
    op.create_table(
        "touched_site",
        *_of_incident("touched_site", "position"),
        sa.Column("finess_et", sa.String(length=64), nullable=True),
        sa.Column("own_site", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["finess_et"],
            ["directory_site.finess_et"],
            name=op.f("fk_touched_site_finess_et_directory_site"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "own_site"],
            ["own_site.tenant_id", "own_site.number"],
            name=op.f("fk_touched_site_tenant_id_own_site_own_site"),
        ),
    )
    hold_rows("touched_site")


def _create_comments() -> None:
    op.create_table(
        "incident_comment",
        *_of_incident("incident_comment", "number"),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("written_by", sa.String(length=200), nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("redacted_at", INSTANT, nullable=True),
        sa.Column("redacted_by", sa.String(length=200), nullable=True),
    )
    hold_rows("incident_comment", web="SELECT, INSERT, UPDATE")


def _create_attachments() -> None:
    op.create_table(
        "incident_attachment",
        *_of_incident("incident_attachment", "number"),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(length=200), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("redacted_at", INSTANT, nullable=True),
        sa.Column("redacted_by", sa.String(length=200), nullable=True),
    )
    hold_rows("incident_attachment", web="SELECT, INSERT, UPDATE")


def _create_reviews() -> None:
    op.create_table(
        "incident_review",
        *_of_incident("incident_review"),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("done", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(length=200), nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    )
    hold_rows("incident_review", web="SELECT, INSERT, UPDATE")


def _create_review_actions() -> None:
    op.create_table(
        "review_action",
        *_of_incident("review_action", "number"),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("in_charge", sa.String(length=200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("settled_by", sa.String(length=200), nullable=True),
    )
    op.create_index(
        "ix_review_action_open", "review_action", ["due_on"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    hold_rows("review_action", web="SELECT, INSERT, UPDATE")


def _create_message_templates() -> None:
    op.create_table(
        "message_template",
        sa.Column("template_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("text_fr", sa.String(), nullable=False),
        sa.Column("text_en", sa.String(), nullable=False),
        sa.Column("retired_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("template_id", name=op.f("pk_message_template")),
    )
    allow("message_template", web="SELECT")


def _of_incident(table: str, *more_keys: str) -> list[sa.schema.SchemaItem]:
    """The keys of what belongs to an incident."""
    return [
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        *(
            sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)
            for name in ("incident", *more_keys)
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident"],
            ["incident.tenant_id", "incident.number"],
            name=op.f(f"fk_{table}_tenant_id_incident_incident"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "incident", *more_keys, name=op.f(f"pk_{table}")),
    ]
