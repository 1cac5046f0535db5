"""Rows under policies."""

from __future__ import annotations

from migrations.protection import EVERYTHING, allow, free_rows, hold_rows

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

READ_BY_ALL = (
    "service_calendar",
    "sla_plan",
    "service",
    "emission_factor",
    "energy_source",
    "directory_site",
)
ENGINE_ONLY = (
    "account",
    *("host", "workload", "reading", "quarantined_reading", "hour_due"),
    *("host_hour", "workload_hour"),
    *("sign_in", "collector_token", "month_due", "alert_episode", "delivery"),
)
OF_ADHERENTS = (
    *("subscription", "incident", "incident_event"),
    *("energy_line", "coverage_hour", "carbon_line", "statement"),
)


def upgrade() -> None:
    allow("alembic_version", engine="SELECT")
    for table in READ_BY_ALL:
        allow(table, web="SELECT")
    for table in ENGINE_ONLY:
        allow(table)
    for table in OF_ADHERENTS:
        hold_rows(table, web=EVERYTHING)
    hold_rows("adherent", web="SELECT, UPDATE")
    hold_rows("portfolio", web="SELECT")
    hold_rows("workload_claim", web="SELECT")


def downgrade() -> None:
    for table in ("alembic_version", *READ_BY_ALL, *ENGINE_ONLY, *OF_ADHERENTS):
        free_rows(table)
    for table in ("adherent", "portfolio", "workload_claim"):
        free_rows(table)
