"""An installation that has services and subscriptions keeps them as the offer gets its tables."""

import pytest
from alembic import command
from sqlalchemy import Connection, text

from console.store import schema
from console.store.session import Database

pytestmark = pytest.mark.both_databases

ROWS = (
    "INSERT INTO adherent (tenant_id, name, kind, zone, since)"
    " VALUES (2, 'CH de Foix', 'hospital', 'Europe/Paris', '2026-01-01')",
    "INSERT INTO service_calendar (code, name, kind, zone, segments)"
    " VALUES ('24x7', 'Toujours', 'always', 'Europe/Paris', '[]')",
    "INSERT INTO sla_plan (code, version, name, calendar_code, targets)"
    " VALUES ('critical', 1, 'Critique', '24x7', '{}')",
    "INSERT INTO service (code, trade, name_fr, name_en, unit_fr, unit_en, plan_code)"
    " VALUES ('payroll', 'payroll', 'Paie', 'Payroll', 'bulletin', 'payslip', 'critical')",
    "INSERT INTO subscription (tenant_id, number, service_code, plan_code, plan_version, status, starts_on)"
    " VALUES (2, 1, 'payroll', 'critical', 1, 'active', '2026-01-01')",
)


def test_services_and_their_subscriptions_outlive_the_way_up_and_down(database: Database) -> None:
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), "0001")
        for row in ROWS:
            connection.execute(text(row))
        command.upgrade(schema.settings(connection), "0004")
        assert connection.execute(text("SELECT code, successor_code, retired_on FROM service")).all() == [
            ("payroll", None, None)
        ]
        connection.execute(text("UPDATE service SET successor_code = 'payroll'"))
        assert broken(connection) == []
        command.downgrade(schema.settings(connection), "0003")
        held = connection.execute(text("SELECT code, name_fr, unit_en FROM service")).all()
        assert held == [("payroll", "Paie", "payslip")]
        assert broken(connection) == []


def broken(connection: Connection) -> list[object]:
    """Rows that point to nothing: SQLite checks none of them while it rebuilds a table."""
    if connection.dialect.name == "postgresql":
        return []
    return list(connection.execute(text("PRAGMA foreign_key_check")).all())
