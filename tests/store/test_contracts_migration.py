"""Subscriptions from before amendments were kept get their first one from their row."""

import json
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import Connection, text

from console.actions.amendments import turn_subscriptions
from console.store import schema
from console.store.models import contract as k
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given

pytestmark = pytest.mark.both_databases

CH = 11
OLD = text(
    """
    INSERT INTO subscription
        (tenant_id, number, service_code, plan_code, plan_version, status, starts_on, ends_on,
         volume, contract)
    VALUES (11, 7, 'payroll', 'standard', 1, :status, '2024-01-01', :ends_on, 2400, 'M-18')
    """
)


def as_engine(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL ROLE console_engine"))


@pytest.mark.parametrize(
    ("status", "ends_on", "first", "now_is"),
    [
        ("active", None, "active", "active"),
        ("suspended", None, "suspended", "suspended"),
        ("active", "2026-06-30", "active", "ended"),
        ("ended", "2026-06-30", "active", "ended"),
    ],
)
def test_what_was_there_has_its_first_amendment(
    database: Database, status: str, ends_on: str | None, first: str, now_is: str
) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), "0004")
    with database.schema() as connection:
        as_engine(connection)
        connection.execute(OLD, {"status": status, "ends_on": ends_on})
    with database.schema() as connection:
        schema.upgrade(connection)
    with database.write(Operator()) as session:
        written = session.get_one(k.SubscriptionAmendment, (CH, 7, 1))
        assert written.recorded_at is None
        assert json.loads(json.dumps(written.changes)) == {
            "status": first,
            "plan_code": "standard",
            "plan_version": 1,
            "volume": 2400,
            "contract": "M-18",
            "ends_on": ends_on,
        }
        turn_subscriptions(session, now=datetime(2026, 11, 25, 12, tzinfo=UTC))
        session.flush()
        assert session.get_one(t.Subscription, (CH, 7)).status.value == now_is
