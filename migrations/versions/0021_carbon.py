"""Carbon that can be followed: month lines with what the facility takes and what was embodied, three bases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow, free_rows, hold_rows, seeing_rows

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TENANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = ("month", "since", "host_id", "workload_id", "claim_id")
ENGINE_ONLY = ("workload_month", "site_month", "reckoning_due", "embodied_impact", "equipment")
FACTOR_COLUMNS = (
    ("combustion_mg_per_kwh", sa.BigInteger()),
    ("upstream_mg_per_kwh", sa.BigInteger()),
    ("losses_mg_per_kwh", sa.BigInteger()),
    ("valid_from", sa.Date()),
    ("valid_to", sa.Date()),
    ("recorded_by", sa.String(length=200)),
    ("confirmed_by", sa.String(length=200)),
    ("confirmed_at", INSTANT),
)
STATES = ("realtime", "consolidated", "definitive")  # the least final first
AMOUNTS = ("embodied_ug", "embodied_low_ug", "embodied_high_ug", "adpe_ug", "primary_mj")


def upgrade() -> None:
    for name, kind in FACTOR_COLUMNS:
        op.add_column("emission_factor", sa.Column(name, kind, nullable=True))
    with op.batch_alter_table("emission_factor") as batch_op:
        batch_op.add_column(sa.Column("replaces", sa.String(length=64), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_emission_factor_replaces_emission_factor"),
            "emission_factor",
            ["replaces"],
            ["factor_id"],
        )
    _create_lines()
    _create_months()
    _create_equipment()
    _carry_carbon_lines_over()
    hold_rows("month_line")
    hold_rows("carbon_month", web="SELECT, INSERT")
    hold_rows("sharing_change", web="SELECT, INSERT")
    _make_month_lines()
    allow("sharing_key", web="SELECT")
    allow("site_pool", web="SELECT")
    allow("grid_hour", web="SELECT")
    for table in ENGINE_ONLY:
        allow(table)
    _make_grid_hours()
    _make_months_due()


def _create_lines() -> None:
    op.create_table(
        "month_line",
        sa.Column("tenant_id", TENANT, autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workload_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("claim_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("subscription", sa.Integer(), nullable=True),
        sa.Column("service_code", sa.String(length=64), nullable=True),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("hours", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("energy_mj", "measured_mj", "modelled_mj", "declared_mj")
        ),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("low_mj", "high_mj", "overhead_mj", "water_ml", *AMOUNTS)
        ),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("reckoned_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["adherent.tenant_id"], name=op.f("fk_month_line_tenant_id_adherent")
        ),
        sa.PrimaryKeyConstraint("tenant_id", *KEY, "revision", name=op.f("pk_month_line")),
    )
    op.create_index("ix_month_line_site", "month_line", ["site", "month"])
    op.create_index("ix_month_line_service_code", "month_line", ["service_code", "month"])
    op.create_table(
        "reckoning_due",
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("step", "subject", "month", name=op.f("pk_reckoning_due")),
    )
    op.create_index("ix_reckoning_due_due_at", "reckoning_due", ["step", "due_at"])


def _create_months() -> None:
    op.create_table(
        "carbon_month",
        sa.Column("tenant_id", TENANT, autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("inputs", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("energy_mj", sa.BigInteger(), nullable=False),
        sa.Column("overhead_mj", sa.BigInteger(), nullable=True),
        sa.Column("carbon_ug", sa.BigInteger(), nullable=True),
        sa.Column("embodied_ug", sa.BigInteger(), nullable=True),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.Column("closed_at", INSTANT, nullable=False),
        sa.Column("closed_by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["adherent.tenant_id"], name=op.f("fk_carbon_month_tenant_id_adherent")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "month", "revision", name=op.f("pk_carbon_month")),
    )
    op.create_table(
        "sharing_key",
        sa.Column("service_code", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_sharing_key_service_code_service")
        ),
        sa.PrimaryKeyConstraint("service_code", "valid_from", "version", name=op.f("pk_sharing_key")),
    )
    op.create_table(
        "sharing_change",
        sa.Column("tenant_id", TENANT, autoincrement=False, nullable=False),
        sa.Column("service_code", sa.String(length=64), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["adherent.tenant_id"], name=op.f("fk_sharing_change_tenant_id_adherent")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "service_code", "month", "changed_at", name=op.f("pk_sharing_change")
        ),
    )
    op.create_table(
        "site_pool",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.String(40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("service_code", sa.String(length=64), nullable=True),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_site_pool_service_code_service")
        ),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_site_pool_site_site")),
        sa.PrimaryKeyConstraint("site", "quantity", "valid_from", name=op.f("pk_site_pool")),
    )
    op.create_table(
        "site_month",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("hosts_mj", sa.BigInteger(), nullable=False),
        sa.Column("it_mj", sa.BigInteger(), nullable=True),
        sa.Column("category", sa.SmallInteger(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("total_mj", "losses_mj", "overhead_mj", "pue_it_mj")
        ),
        sa.Column("origin", sa.String(length=64), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("water_ml", sa.BigInteger(), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("reckoned_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_site_month_site_site")),
        sa.PrimaryKeyConstraint("site", "month", name=op.f("pk_site_month")),
    )

    op.create_table(
        "grid_hour",
        sa.Column("grid_zone", sa.String(length=64), nullable=False),
        sa.Column("basis", sa.String(40), nullable=False),
        sa.Column("hour", INSTANT, nullable=False),
        sa.Column("intensity_mg_per_kwh", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("grid_zone", "basis", "hour", name=op.f("pk_grid_hour")),
    )


def _create_equipment() -> None:
    op.create_table(
        "equipment",
        sa.Column("equipment_id", TENANT, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("host_name", sa.String(length=64), nullable=True),
        sa.Column("manufacturer", sa.String(length=200), nullable=True),
        sa.Column("model", sa.String(length=200), nullable=True),
        sa.Column("quantity", sa.Integer(), server_default="1", nullable=False),
        sa.Column("cpu_model", sa.String(length=200), nullable=True),
        sa.Column("cpus", sa.SmallInteger(), nullable=True),
        sa.Column("cores", sa.Integer(), nullable=True),
        sa.Column("ram_gb", sa.Integer(), nullable=True),
        sa.Column("disks", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("purchased_on", sa.Date(), nullable=True),
        sa.Column("commissioned_on", sa.Date(), nullable=True),
        sa.Column("planned_months", sa.Integer(), nullable=True),
        sa.Column("extensions", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("end_of_life", sa.String(40), nullable=True),
        sa.Column("is_second_hand", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_equipment_site_site")),
        sa.PrimaryKeyConstraint("equipment_id", name=op.f("pk_equipment")),
        sa.UniqueConstraint("name", name=op.f("uq_equipment_name")),
    )
    op.create_index("ix_equipment_host_name", "equipment", ["host_name"])
    op.create_index("ix_equipment_site", "equipment", ["site"])
    op.create_table(
        "embodied_impact",
        sa.Column("equipment_id", TENANT, autoincrement=False, nullable=False),
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("gwp_ug", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("gwp_low_ug", "gwp_high_ug", "adpe_ug", "primary_mj")
        ),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("confidence_ppm", sa.BigInteger(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["equipment_id"],
            ["equipment.equipment_id"],
            name=op.f("fk_embodied_impact_equipment_id_equipment"),
        ),
        sa.PrimaryKeyConstraint("equipment_id", "version", name=op.f("pk_embodied_impact")),
    )
    op.create_table(
        "workload_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workload_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("energy_mj", "idle_mj", "mcpu_hours", "mb_hours")
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in AMOUNTS),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("month", "host_id", "workload_id", name=op.f("pk_workload_month")),
    )
    op.create_index("ix_workload_month_host", "workload_month", ["host_id", "month"])


def _carry_carbon_lines_over() -> None:
    """What was reckoned until now is carbon of IT energy on one basis, in one stretch of each month."""
    with op.batch_alter_table("carbon_line") as batch_op:
        batch_op.add_column(sa.Column("since", INSTANT, nullable=True))
        batch_op.add_column(sa.Column("kind", sa.String(40), nullable=True))
        batch_op.add_column(sa.Column("counts", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("service_code", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("overhead_mj", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("covered_mj", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("terms", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.alter_column("carbon_ug", existing_type=sa.BigInteger(), nullable=True)
        batch_op.alter_column("factor_id", existing_type=sa.String(length=64), nullable=True)
        batch_op.alter_column("intensity_mg_per_kwh", existing_type=sa.BigInteger(), nullable=True)
    with seeing_rows():
        _fill_carbon_lines()
    with op.batch_alter_table("carbon_line") as batch_op:
        for name, kind in (("since", INSTANT), ("kind", sa.String(40)), ("counts", sa.Boolean())):
            batch_op.alter_column(name, existing_type=kind, nullable=False)
        batch_op.alter_column("covered_mj", existing_type=sa.BigInteger(), nullable=False)
        batch_op.alter_column("terms", existing_type=sa.JSON(), nullable=False, server_default=None)
        batch_op.drop_constraint("pk_carbon_line", type_="primary")
        batch_op.create_primary_key("pk_carbon_line", ["tenant_id", *KEY, "basis", "revision"])
    op.create_index("ix_carbon_line_factor_id", "carbon_line", ["factor_id", "month"])


def _fill_carbon_lines() -> None:
    connection = op.get_bind()
    line = sa.table("carbon_line", *map(sa.column, ("tenant_id", "month", "claim_id", "energy_mj")),
                    sa.column("since", INSTANT), sa.column("kind"), sa.column("counts", sa.Boolean()),
                    sa.column("covered_mj"))  # fmt: skip
    adherent = sa.table("adherent", sa.column("tenant_id"), sa.column("zone"))
    connection.execute(
        line.update().values(
            kind=sa.case((line.c.claim_id > 0, "own"), (line.c.claim_id < 0, "pool"), else_="unclaimed"),
            counts=line.c.claim_id >= 0,
            covered_mj=line.c.energy_mj,
        )
    )
    months = sa.select(line.c.month, adherent.c.zone).distinct().join(
        adherent, adherent.c.tenant_id == line.c.tenant_id
    )  # fmt: skip
    for month, zone in connection.execute(months).all():
        day = date.fromisoformat(month) if isinstance(month, str) else month
        since = datetime(day.year, day.month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if connection.dialect.name == "sqlite":
            since = since.replace(tzinfo=None)
        of_zone = sa.select(adherent.c.tenant_id).where(adherent.c.zone == zone)
        connection.execute(
            line.update().where(line.c.month == month, line.c.tenant_id.in_(of_zone)).values(since=since)
        )


def _make_month_lines() -> None:
    """The energy of the lines there are; how it was come by is known from its hours, where there are any."""
    shared = "tenant_id, month, since, host_id, workload_id, claim_id, revision, kind, counts, subscription"
    with seeing_rows():
        op.execute(
            f"INSERT INTO month_line ({shared}, hours, energy_mj, measured_mj, modelled_mj, declared_mj,"  # noqa: S608
            " terms, reckoned_at)"
            f" SELECT {shared}, 0, energy_mj, 0, 0, energy_mj, '{{}}', reckoned_at FROM carbon_line"
            " WHERE basis = 'yearly_average'"
        )


def _make_grid_hours() -> None:
    """The hours of the figures there are, where all of an hour is known; each figure is within one hour."""
    connection = op.get_bind()
    of_hour = ("grid_zone", "basis", "hour", "intensity_mg_per_kwh", "state")
    hours = sa.table("grid_hour", *map(sa.column, of_hour[:2]), sa.column("hour", INSTANT),
                     *map(sa.column, of_hour[3:]))  # fmt: skip
    known = sa.table("grid_intensity", sa.column("grid_zone"), sa.column("basis"),
                     sa.column("started_at", INSTANT), sa.column("duration_s"),
                     sa.column("intensity_mg_per_kwh"), sa.column("state"))  # fmt: skip
    figures = connection.execute(sa.select(known).order_by(*list(known.c)[:3]))
    rows = []
    for (zone, basis, hour), told in groupby(figures, key=_hour_of):
        held = list(told)
        if sum(one.duration_s for one in held) == 3600:
            weighted = sum(one.duration_s * one.intensity_mg_per_kwh for one in held)
            state = min((one.state for one in held), key=STATES.index)
            rows.append(
                dict(zip(of_hour, (zone, basis, hour, round(Fraction(weighted, 3600)), state), strict=True))
            )
    for place in range(0, len(rows), 10_000):
        connection.execute(hours.insert(), rows[place : place + 10_000])


def _hour_of(figure: sa.Row[Any]) -> tuple[str, str, datetime]:
    hour = figure.started_at.replace(minute=0, second=0, microsecond=0)
    return figure.grid_zone, figure.basis, hour


def _make_months_due() -> None:
    """Months with hours are reckoned again: what the facility takes comes to their lines."""
    connection = op.get_bind()
    with seeing_rows():
        connection.execute(
            sa.text(
                "INSERT INTO month_due (tenant_id, month, due_at)"
                " SELECT DISTINCT tenant_id, month, :now FROM carbon_line WHERE revision = 0"
                " AND NOT EXISTS (SELECT 1 FROM month_due AS due"
                " WHERE due.tenant_id = carbon_line.tenant_id AND due.month = carbon_line.month)"
            ).bindparams(sa.bindparam("now", datetime.now(UTC) - timedelta(minutes=1), INSTANT))
        )


def downgrade() -> None:
    # What is lost: months that were closed, equipment and its impacts, sharing keys, the carbon of other
    # bases and of what sites take besides. A month of several stretches is reckoned again from its hours.
    with seeing_rows():
        connection = op.get_bind()
        for condition in (
            "basis <> 'yearly_average' OR revision <> 0 OR kind NOT IN ('own', 'pool', 'unclaimed')",
            "EXISTS (SELECT 1 FROM carbon_line AS other WHERE other.tenant_id = carbon_line.tenant_id"
            " AND other.month = carbon_line.month AND other.since <> carbon_line.since)",
        ):
            connection.execute(sa.text(f"DELETE FROM carbon_line WHERE {condition}"))  # noqa: S608
        connection.execute(
            sa.text(
                "INSERT INTO month_due (tenant_id, month, due_at)"
                " SELECT DISTINCT tenant_id, month, :now FROM month_line WHERE revision = 0"
                " AND NOT EXISTS (SELECT 1 FROM month_due AS due"
                " WHERE due.tenant_id = month_line.tenant_id AND due.month = month_line.month)"
            ).bindparams(sa.bindparam("now", datetime.now(UTC), INSTANT))
        )
    op.drop_index("ix_carbon_line_factor_id", "carbon_line")
    with op.batch_alter_table("carbon_line") as batch_op:
        batch_op.drop_constraint("pk_carbon_line", type_="primary")
        batch_op.create_primary_key(
            "pk_carbon_line",
            ["tenant_id", "month", "host_id", "workload_id", "claim_id", "basis", "revision"],
        )
        for name in ("since", "kind", "counts", "service_code", "overhead_mj", "covered_mj", "terms"):
            batch_op.drop_column(name)
        batch_op.alter_column("carbon_ug", existing_type=sa.BigInteger(), nullable=False)
        batch_op.alter_column("factor_id", existing_type=sa.String(length=64), nullable=False)
        batch_op.alter_column("intensity_mg_per_kwh", existing_type=sa.BigInteger(), nullable=False)
    held = ("month_line", "carbon_month", "sharing_change")
    for table in held:
        free_rows(table)
    for table in ("sharing_key", "site_pool", "grid_hour", *ENGINE_ONLY, *held):
        op.drop_table(table)
    with op.batch_alter_table("emission_factor") as batch_op:
        batch_op.drop_constraint("fk_emission_factor_replaces_emission_factor", type_="foreignkey")
        batch_op.drop_column("replaces")
        for name, _ in FACTOR_COLUMNS:
            batch_op.drop_column(name)
