"""Where incidents come from: service desks and the alerts of monitors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow, hold_rows, seeing_rows

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _date_changes()
    op.create_table(
        "desk_ticket",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(40), nullable=True),
        sa.Column("since", INSTANT, nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("comments", sa.JSON(), nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident"],
            ["incident.tenant_id", "incident.number"],
            name=op.f("fk_desk_ticket_tenant_id_incident_incident"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "desk", "external_id", name=op.f("pk_desk_ticket")),
    )
    op.create_index("ix_desk_ticket_incident", "desk_ticket", ["tenant_id", "incident"])
    op.create_index("ix_desk_ticket_external", "desk_ticket", ["desk", "external_id"])
    hold_rows("desk_ticket")
    op.create_table(
        "alert_route",
        sa.Column("route_id", KEY, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("matchers", sa.JSON(), nullable=False),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("subscription", sa.Integer(), nullable=True),
        sa.Column("service_code", sa.String(length=64), nullable=True),
        sa.Column("priority", sa.String(40), nullable=True),
        sa.Column("effect", sa.String(40), nullable=True),
        sa.PrimaryKeyConstraint("route_id", name=op.f("pk_alert_route")),
        sa.UniqueConstraint("name", name=op.f("uq_alert_route_name")),
    )
    allow("alert_route")
    op.create_table(
        "alert_signal",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("annotations", sa.JSON(), nullable=False),
        sa.Column("fate", sa.String(40), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("refusal", sa.JSON(), nullable=True),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "started_at", name=op.f("pk_alert_signal")),
    )
    op.create_index("ix_alert_signal_fate", "alert_signal", ["fate", "last_at"])
    op.create_index("ix_alert_signal_last_at", "alert_signal", ["last_at"])
    allow("alert_signal")


def downgrade() -> None:
    for table in ("alert_signal", "alert_route", "desk_ticket"):
        op.drop_table(table)
    op.drop_index("ix_incident_changed_at", "incident")
    op.drop_column("incident", "changed_at")


def _date_changes() -> None:
    """Incidents that are there already changed for the last time when they were resolved, or opened."""
    op.add_column("incident", sa.Column("changed_at", INSTANT, nullable=True))
    with seeing_rows():
        op.execute("UPDATE incident SET changed_at = coalesce(resolved_at, opened_at)")
    op.create_index("ix_incident_changed_at", "incident", ["changed_at", "tenant_id", "number"])
