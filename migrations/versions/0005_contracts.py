"""What was agreed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow, hold_rows, seeing_rows

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TERMS = (
    ("price_cents", sa.BigInteger()),
    ("price_per", sa.String(40)),
    ("indexation", sa.String(40)),
    ("indexation_rate", sa.Integer()),
    ("revise_on", sa.Date()),
    ("service_version", sa.String(length=200)),
    ("term_ends_on", sa.Date()),
    ("tacit", sa.Boolean()),
    ("renewal_months", sa.Integer()),
    ("notice", sa.Integer()),
    ("notice_unit", sa.String(40)),
    ("notice_by", sa.Date()),
    ("changes_on", sa.Date()),
)
INDEXED = ("term_ends_on", "notice_by", "changes_on")
TAKEN = ("status", "plan_code", "plan_version", "ends_on", "volume", "contract")  # terms there were before
NO_PLAN = "without-plan"  # the code of a plan that promises nothing
BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.alter_column("plan_code", existing_type=sa.String(length=64), nullable=True)
        batch_op.alter_column("plan_version", existing_type=sa.SmallInteger(), nullable=True)
        for name, kind in TERMS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        for name in INDEXED:
            batch_op.create_index(batch_op.f(f"ix_subscription_{name}"), [name], unique=False)
    with op.batch_alter_table("energy_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("service_code", sa.String(length=64), nullable=True))
    _create_amendments()
    _create_volumes()
    _create_volume_files()
    _create_service_claims()
    _forget_what_promises_nothing()
    _amend_what_is_there()


def downgrade() -> None:
    op.drop_table("service_claim")
    op.drop_table("volume_file")
    op.drop_table("volume_month")
    op.drop_table("subscription_amendment")
    with op.batch_alter_table("energy_line", schema=None) as batch_op:
        batch_op.drop_column("service_code")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        for name in INDEXED:
            batch_op.drop_index(batch_op.f(f"ix_subscription_{name}"))
        for name, _kind in TERMS:
            batch_op.drop_column(name)
    _promise_nothing()
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.alter_column("plan_version", existing_type=sa.SmallInteger(), nullable=False)
        batch_op.alter_column("plan_code", existing_type=sa.String(length=64), nullable=False)


def _promise_nothing() -> None:
    """Before this migration a subscription had a plan: those without get one that promises nothing."""
    with seeing_rows():
        if op.get_bind().scalar(sa.text("SELECT count(*) FROM subscription WHERE plan_code IS NULL")):
            op.execute(
                "INSERT INTO sla_plan (code, version, name, calendar_code, targets) "  # noqa: S608 - our name
                f"SELECT '{NO_PLAN}', 1, 'Sans engagement', min(code), '{{}}' FROM service_calendar"
            )
        op.execute(
            f"UPDATE subscription SET plan_code = '{NO_PLAN}', plan_version = 1 "  # noqa: S608
            "WHERE plan_code IS NULL"
        )


def _forget_what_promises_nothing() -> None:
    """The other way: those subscriptions are without a plan again."""
    with seeing_rows():
        op.execute(
            "UPDATE subscription SET plan_code = NULL, plan_version = NULL "  # noqa: S608
            f"WHERE plan_code = '{NO_PLAN}'"
        )
        op.execute(
            f"DELETE FROM sla_plan WHERE code = '{NO_PLAN}' "  # noqa: S608
            "AND code NOT IN (SELECT plan_code FROM service)"
        )


def _create_amendments() -> None:
    op.create_table(
        "subscription_amendment",
        sa.Column("tenant_id", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("subscription", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("revision", sa.JSON(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        _of_subscription("subscription_amendment"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "subscription", "number", name=op.f("pk_subscription_amendment")
        ),
    )
    hold_rows("subscription_amendment", web="SELECT, INSERT", engine="SELECT, INSERT, DELETE")


def _create_volumes() -> None:
    op.create_table(
        "volume_month",
        sa.Column("tenant_id", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("subscription", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        _of_subscription("volume_month"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "subscription", "month", "revision", name=op.f("pk_volume_month")
        ),
    )
    with op.batch_alter_table("volume_month", schema=None) as batch_op:
        batch_op.create_index("ix_volume_month_month", ["month"], unique=False)
    hold_rows("volume_month", web="SELECT, INSERT", engine="SELECT, INSERT, DELETE")


def _create_volume_files() -> None:
    op.create_table(
        "volume_file",
        sa.Column("file_id", BIG_KEY, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_volume_file")),
    )
    allow("volume_file")


def _create_service_claims() -> None:
    op.create_table(
        "service_claim",
        sa.Column("service_claim_id", BIG_KEY, nullable=False),
        sa.Column("service_code", sa.String(length=64), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("workload_id", sa.BigInteger(), nullable=False),
        sa.Column("host_name", sa.String(length=200), nullable=False),
        sa.Column("workload_name", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=200), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_service_claim_service_code_service")
        ),
        sa.PrimaryKeyConstraint("service_claim_id", name=op.f("pk_service_claim")),
    )
    with op.batch_alter_table("service_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_claim_service_code"), ["service_code"], unique=False)
        batch_op.create_index(
            "ix_service_claim_workload", ["host_id", "workload_id", "valid_from"], unique=False
        )
    allow("service_claim", web="SELECT")


def _of_subscription(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "subscription"],
        ["subscription.tenant_id", "subscription.number"],
        name=op.f(f"fk_{table}_tenant_id_subscription_subscription"),
    )


def _amend_what_is_there() -> None:
    """The first amendment of each subscription there is: the terms of its row, from its first day on.

    `changes_on` makes the job that turns the day read them once.
    """
    columns = ("tenant_id", "number", "starts_on", *TAKEN)
    subscription = sa.table("subscription", *(sa.column(name) for name in columns))
    amendment = sa.table(
        "subscription_amendment",
        *(sa.column(name) for name in ("tenant_id", "subscription", "number", "recorded_by")),
        sa.column("effective_on", sa.Date()),
        sa.column("changes", sa.JSON()),
    )
    starts_on = sa.type_coerce(subscription.c.starts_on, sa.Date())
    ends_on = sa.type_coerce(subscription.c.ends_on, sa.Date())
    with seeing_rows():
        rows = op.get_bind().execute(
            sa.select(subscription, starts_on.label("first_day"), ends_on.label("last_day"))
        )
        amendments = [_first_amendment(row) for row in rows]
        if amendments:
            op.bulk_insert(amendment, amendments)
        op.execute("UPDATE subscription SET changes_on = starts_on WHERE status <> 'ended'")


def _first_amendment(row: sa.Row[Any]) -> dict[str, Any]:
    changes = {name: getattr(row, name) for name in TAKEN}
    status = "active" if changes["status"] == "ended" else changes["status"]  # its last day ends it
    changes |= {"status": status, "ends_on": row.last_day and row.last_day.isoformat()}
    return {
        "tenant_id": row.tenant_id,
        "subscription": row.number,
        "number": 1,
        "effective_on": row.first_day,
        "changes": changes,
        "recorded_by": "console",
    }
