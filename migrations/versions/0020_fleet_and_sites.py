"""Hosts with their instruments and what is declared of them; data centres, their meters, contracts and grid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.protection import allow

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
FLEET = ("host_source", "host_terms", "calibration", "source_hour")
SITES = ("site", "site_measure", "site_pue", "power_contract", "grid_intensity")
SITE = ("code", "name", "zone", "country", "grid_zone")
CENTRES = [
    ("tls", "Toulouse", "Europe/Paris", "FR", "FR"),
    ("ami", "Amiens", "Europe/Paris", "FR", "FR"),
]


def upgrade() -> None:
    op.create_table(
        "grid_intensity",
        sa.Column("grid_zone", sa.String(length=64), nullable=False),
        sa.Column("basis", sa.String(40), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("intensity_mg_per_kwh", sa.BigInteger(), nullable=False),
        sa.Column("publisher", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("retrieved_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("grid_zone", "basis", "started_at", name=op.f("pk_grid_intensity")),
    )
    op.create_table(
        "site",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("grid_zone", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_site")),
    )
    op.create_table(
        "calibration",
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("boundary", sa.String(length=64), nullable=False),
        sa.Column("slope_ppm", sa.BigInteger(), nullable=False),
        sa.Column("offset_mw", sa.BigInteger(), nullable=False),
        sa.Column("error_ppm", sa.BigInteger(), nullable=False),
        sa.Column("beside_gpu", sa.Boolean(), nullable=False),
        sa.Column("intervals", sa.BigInteger(), nullable=False),
        sa.Column("fitted_from", INSTANT, nullable=False),
        sa.Column("fitted_to", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.host_id"], name=op.f("fk_calibration_host_id_host")),
        sa.PrimaryKeyConstraint("host_id", "source", "valid_from", name=op.f("pk_calibration")),
    )
    op.create_table(
        "host_source",
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=True),
        sa.Column("boundary", sa.String(length=64), nullable=True),
        sa.Column("quality", sa.String(length=64), nullable=True),
        sa.Column("last_at", INSTANT, nullable=True),
        sa.Column("last_energy_mj", sa.BigInteger(), nullable=True),
        sa.Column("last_duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("gap_reason", sa.String(), nullable=True),
        sa.Column("gap_since", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["host_id"], ["host.host_id"], name=op.f("fk_host_source_host_id_host")),
        sa.PrimaryKeyConstraint("host_id", "name", name=op.f("pk_host_source")),
    )
    op.create_table(
        "host_terms",
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("idle_power_mw", sa.BigInteger(), nullable=True),
        sa.Column("idle_policy", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.host_id"], name=op.f("fk_host_terms_host_id_host")),
        sa.PrimaryKeyConstraint("host_id", "valid_from", name=op.f("pk_host_terms")),
    )
    op.create_table(
        "power_contract",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("supplier", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("share_ppm", sa.BigInteger(), nullable=False),
        sa.Column("intensity_mg_per_kwh", sa.BigInteger(), nullable=True),
        sa.Column("renewable_ppm", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_power_contract_site_site")),
        sa.PrimaryKeyConstraint("site", "number", name=op.f("pk_power_contract")),
    )
    op.create_table(
        "site_measure",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.String(40), nullable=False),
        sa.Column("category", sa.SmallInteger(), nullable=False),
        sa.Column("meter", sa.String(length=64), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("quality", sa.String(length=64), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint("ended_at > started_at AND amount >= 0", name=op.f("ck_site_measure_sound")),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_site_measure_site_site")),
        sa.PrimaryKeyConstraint(
            "site", "quantity", "category", "meter", "started_at", name=op.f("pk_site_measure")
        ),
    )
    op.create_index("ix_site_measure_site", "site_measure", ["site", "quantity", "ended_at"], unique=False)
    op.create_table(
        "site_pue",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("pue_ppm", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.SmallInteger(), nullable=False),
        sa.Column("window_from", sa.Date(), nullable=False),
        sa.Column("window_to", sa.Date(), nullable=False),
        sa.Column("is_provisional", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_site_pue_site_site")),
        sa.PrimaryKeyConstraint("site", "valid_from", name=op.f("pk_site_pue")),
    )
    op.create_table(
        "source_hour",
        sa.Column("hour", INSTANT, nullable=False),
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("energy_mj", sa.BigInteger(), nullable=False),
        sa.Column("covered_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.host_id"], name=op.f("fk_source_hour_host_id_host")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["energy_source.source_id"], name=op.f("fk_source_hour_source_id_energy_source")
        ),
        sa.PrimaryKeyConstraint("hour", "host_id", "source_id", name=op.f("pk_source_hour")),
    )
    op.create_index("ix_source_hour_host", "source_hour", ["host_id", "hour"], unique=False)
    op.add_column("host", sa.Column("site", sa.String(length=64), nullable=True))
    op.add_column("host", sa.Column("cluster", sa.String(length=200), nullable=True))
    op.add_column("host", sa.Column("cpu_model", sa.String(length=200), nullable=True))
    op.add_column("host", sa.Column("sockets", sa.SmallInteger(), nullable=True))
    op.add_column("host", sa.Column("ram_mb", sa.BigInteger(), nullable=True))
    op.add_column("host", sa.Column("clock_ahead_ms", sa.BigInteger(), nullable=True))
    op.add_column("host", sa.Column("retired_at", INSTANT, nullable=True))
    op.add_column("host_hour", sa.Column("gpu_mj", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("host_hour", sa.Column("stretches", sa.JSON(), nullable=True))
    op.add_column("quarantined_reading", sa.Column("decision", sa.String(length=64), nullable=True))
    op.add_column("quarantined_reading", sa.Column("decided_at", INSTANT, nullable=True))
    op.add_column("quarantined_reading", sa.Column("decided_by", sa.String(length=200), nullable=True))
    op.add_column(
        "quarantined_reading", sa.Column("rule", sa.String(length=64), nullable=False, server_default="other")
    )
    op.add_column("quarantined_reading", sa.Column("note", sa.String(), nullable=True))
    op.add_column("reading", sa.Column("ram_mb", sa.BigInteger(), nullable=True))
    op.add_column("reading", sa.Column("gpus", sa.SmallInteger(), nullable=True))
    op.add_column("service_claim", sa.Column("follows", sa.BigInteger(), nullable=True))
    op.add_column("workload", sa.Column("uid", sa.String(length=64), nullable=True))
    op.add_column("workload", sa.Column("reserved_mcpu", sa.BigInteger(), nullable=True))
    op.add_column("workload", sa.Column("reserved_mb", sa.BigInteger(), nullable=True))
    op.add_column("workload", sa.Column("last_hour", INSTANT, nullable=True))
    op.execute(
        "UPDATE workload SET last_hour = (SELECT max(line.hour) FROM workload_hour AS line WHERE"
        " line.host_id = workload.host_id AND line.workload_id = workload.workload_id)"
        " WHERE workload_id > 2"  # the two lines that are no workload
    )
    op.add_column("workload_claim", sa.Column("follows", sa.BigInteger(), nullable=True))
    op.add_column("workload_hour", sa.Column("gpu_mj", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("workload_hour", sa.Column("reserved_mcpu", sa.BigInteger(), nullable=True))
    op.add_column("workload_hour", sa.Column("reserved_mb", sa.BigInteger(), nullable=True))
    op.create_index("ix_workload_uid", "workload", ["uid"])
    for table in FLEET:
        allow(table)
    for table in SITES:
        allow(table, web="SELECT")
    op.bulk_insert(
        sa.table("site", *map(sa.column, SITE)), [dict(zip(SITE, row, strict=True)) for row in CENTRES]
    )


def downgrade() -> None:
    # What is lost and does not come back with an upgrade: what was decided of quarantined readings (they wait
    # again, and those let in could be let in twice), which claims carry others on (they stay as claims of
    # their own), and which minutes of an hour are covered.
    op.drop_index("ix_workload_uid", "workload")
    with op.batch_alter_table("workload_hour") as table:
        table.drop_column("gpu_mj")
        table.drop_column("reserved_mcpu")
        table.drop_column("reserved_mb")
    with op.batch_alter_table("workload_claim") as table:
        table.drop_column("follows")
    with op.batch_alter_table("workload") as table:
        table.drop_column("uid")
        table.drop_column("reserved_mcpu")
        table.drop_column("reserved_mb")
        table.drop_column("last_hour")
    with op.batch_alter_table("service_claim") as table:
        table.drop_column("follows")
    with op.batch_alter_table("reading") as table:
        table.drop_column("ram_mb")
        table.drop_column("gpus")
    with op.batch_alter_table("quarantined_reading") as table:
        table.drop_column("rule")
        table.drop_column("note")
        table.drop_column("decision")
        table.drop_column("decided_at")
        table.drop_column("decided_by")
    with op.batch_alter_table("host_hour") as table:
        table.drop_column("gpu_mj")
        table.drop_column("stretches")
    with op.batch_alter_table("host") as table:
        table.drop_column("site")
        table.drop_column("cluster")
        table.drop_column("cpu_model")
        table.drop_column("sockets")
        table.drop_column("ram_mb")
        table.drop_column("clock_ahead_ms")
        table.drop_column("retired_at")
    for table in (*reversed(SITES), *FLEET):
        op.drop_table(table)
