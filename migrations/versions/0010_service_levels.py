"""What is promised and what was kept: incidents in full, outages, planned work, plans with availability."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import hold_rows

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _tell_more_of_incidents()
    _tell_more_of_plans()
    _create_touched_services()
    _create_outages()
    _create_planned_work()
    _promise_a_fifth_priority()


def downgrade() -> None:
    for table in ("planned_work", "outage", "touched_service"):
        op.drop_table(table)
    with op.batch_alter_table("sla_plan") as batch_op:
        for name in (
            *("availability_ppm", "notice_hours", "degraded_percent"),
            *("credit_steps", "escalations", "breach_notice_hours"),
        ):
            batch_op.drop_column(name)
    with op.batch_alter_table("service_calendar") as batch_op:
        batch_op.drop_column("closures")
        batch_op.drop_column("openings")
    with op.batch_alter_table("incident_event") as batch_op:
        batch_op.drop_column("value")
    with op.batch_alter_table("incident") as batch_op:
        batch_op.drop_index("ix_incident_major")
        for name in (
            *("description", "impact", "urgency", "category", "is_security", "effect", "origin", "major"),
        ):
            batch_op.drop_column(name)


def _tell_more_of_incidents() -> None:
    with op.batch_alter_table("incident") as batch_op:
        batch_op.add_column(sa.Column("description", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("impact", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("urgency", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("category", sa.String(40), nullable=True))
        batch_op.add_column(sa.Column("is_security", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("effect", sa.String(40), nullable=True))
        batch_op.add_column(sa.Column("origin", sa.String(40), server_default="console", nullable=False))
        batch_op.add_column(sa.Column("major", sa.BigInteger(), nullable=True))
        batch_op.create_index("ix_incident_major", ["major"])
    with op.batch_alter_table("incident_event") as batch_op:
        batch_op.add_column(sa.Column("value", sa.String(length=64), nullable=True))


def _tell_more_of_plans() -> None:
    with op.batch_alter_table("service_calendar") as batch_op:
        batch_op.add_column(sa.Column("closures", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("openings", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("sla_plan") as batch_op:
        batch_op.add_column(sa.Column("availability_ppm", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("notice_hours", sa.SmallInteger(), server_default="72", nullable=False))
        batch_op.add_column(
            sa.Column("degraded_percent", sa.SmallInteger(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("credit_steps", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("escalations", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("breach_notice_hours", sa.SmallInteger(), nullable=True))


def _create_touched_services() -> None:
    op.create_table(
        "touched_service",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subscription", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident"],
            ["incident.tenant_id", "incident.number"],
            name=op.f("fk_touched_service_tenant_id_incident_incident"),
        ),
        _of_subscription("touched_service"),
        sa.PrimaryKeyConstraint("tenant_id", "incident", "subscription", name=op.f("pk_touched_service")),
    )
    hold_rows("touched_service")


def _create_outages() -> None:
    op.create_table(
        "outage",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("subscription", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("reference", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("effect", sa.String(40), nullable=False),
        _of_subscription("outage"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "subscription", "source", "reference", "began_at", name=op.f("pk_outage")
        ),
    )
    op.create_index("ix_outage_tenant_id_began_at", "outage", ["tenant_id", "began_at"])
    hold_rows("outage")


def _create_planned_work() -> None:
    op.create_table(
        "planned_work",
        sa.Column("tenant_id", KEY, autoincrement=False, nullable=False),
        sa.Column("subscription", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("maintenance_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurrence", INSTANT, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("effect", sa.String(40), nullable=False),
        sa.Column("announced_at", INSTANT, nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        _of_subscription("planned_work"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "subscription", "maintenance_id", "occurrence", name=op.f("pk_planned_work")
        ),
    )
    op.create_index("ix_planned_work_tenant_id_starts_at", "planned_work", ["tenant_id", "starts_at"])
    op.create_index("ix_planned_work_maintenance_id", "planned_work", ["maintenance_id"])
    hold_rows("planned_work")


def _of_subscription(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "subscription"],
        ["subscription.tenant_id", "subscription.number"],
        name=op.f(f"fk_{table}_tenant_id_subscription_subscription"),
    )


def _promise_a_fifth_priority() -> None:
    """The matrix of impact and urgency gives P5, of which no plan told: it gets what P4 has."""
    plan = sa.table(
        "sla_plan",
        sa.column("code", sa.String),
        sa.column("version", sa.SmallInteger),
        sa.column("targets", sa.JSON),
    )
    for code, version, targets in op.get_bind().execute(sa.select(plan)).all():
        if "P4" in targets and "P5" not in targets:
            op.execute(
                sa.update(plan)
                .where(plan.c.code == code, plan.c.version == version)
                .values(targets=targets | {"P5": targets["P4"]})
            )
