"""Migrations and models agree, and every migration can be undone, whole or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, inspect, select, text

from console.actions.grid import take
from console.domain.facility import Basis
from console.domain.grid import Intensity, State
from console.store import schema
from console.store.base import Base
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.portrait import seeing_all
from console.store.session import Database, Operator
from tests import fleet
from tests.fleet import Told
from tests.isolation.world import fill_a, surround
from tests.store.copies import fill, fingerprints

pytestmark = pytest.mark.both_databases


class Interrupted(Exception):
    pass


def interrupt_at(connection: Connection, beginning: str) -> None:
    """Let the first statement that begins so never reach the database."""

    def stop(_connection: Connection, _cursor: object, text: str, *_: object) -> None:
        if text.strip().startswith(beginning):
            raise Interrupted

    event.listen(connection, "before_cursor_execute", stop)


def upgrade_until(database: Database, beginning: str) -> None:
    with database.schema() as connection:
        interrupt_at(connection, beginning)
        schema.upgrade(connection)


def downgrade_until(database: Database, beginning: str) -> None:
    with database.schema() as connection:
        interrupt_at(connection, beginning)
        command.downgrade(schema.settings(connection), "base")


def downgrade(database: Database, revision: str) -> None:
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), revision)


def tables(database: Database) -> dict[str, list[str]]:
    """The columns of every table."""
    with database.schema() as connection:
        found = inspect(connection)
        return {name: [str(c) for c in found.get_columns(name)] for name in found.get_table_names()}


def test_the_migrated_schema_is_that_of_the_models(database: Database) -> None:
    with database.schema() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert schema.present_revision(database) == schema.wanted_revision()


def test_migrations_go_down_to_nothing_and_up_again(database: Database) -> None:
    downgrade(database, "base")
    assert schema.present_revision(database) is None
    with database.schema() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        schema.upgrade(connection)
    assert schema.present_revision(database) == schema.wanted_revision()


@pytest.mark.parametrize("start", ["base", "0004"])
def test_an_upgrade_that_is_interrupted_did_nothing_and_the_next_one_works(
    database: Database, start: str
) -> None:
    downgrade(database, start)
    before = tables(database)
    with pytest.raises(Interrupted):
        upgrade_until(database, "CREATE TABLE audit_head")
    assert tables(database) == before
    with database.schema() as connection:
        schema.upgrade(connection)
    assert schema.present_revision(database) == schema.wanted_revision()


def test_a_downgrade_that_is_interrupted_did_nothing(database: Database) -> None:
    fill(database)
    before = tables(database), fingerprints(database)
    with pytest.raises(Interrupted):
        downgrade_until(database, "DROP TABLE ght_membership")
    assert (tables(database), fingerprints(database)) == before


def test_a_filled_database_goes_down_to_nothing_and_up_again(database: Database) -> None:
    surround(database)
    fill_a(database)
    downgrade(database, "base")
    with database.schema() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        schema.upgrade(connection)
    fill(database)


def test_a_filled_database_goes_back_to_the_first_tables_and_up_again(database: Database) -> None:
    surround(database)
    filled = fill_a(database)
    before = kept_from_the_start(database, filled.tenant_id)
    downgrade(database, "0001")
    with database.schema() as connection:
        schema.upgrade(connection)
    assert kept_from_the_start(database, filled.tenant_id) == before


def kept_from_the_start(database: Database, tenant_id: int) -> list[tuple[object, ...]]:
    """What the first tables hold of subscriptions and incidents."""
    plans = select(t.Subscription.number, t.Subscription.plan_code, t.Subscription.starts_on)
    titles = select(t.Incident.number, t.Incident.title, t.Incident.opened_at)
    with database.read(Operator()) as session:
        rows = [
            *session.execute(plans.where(t.Subscription.tenant_id == tenant_id).order_by("number")),
            *session.execute(titles.where(t.Incident.tenant_id == tenant_id).order_by("number")),
        ]
    return [tuple(row) for row in rows]


def test_before_there_were_subscriptions_without_a_plan_they_have_one_that_promises_nothing(
    database: Database,
) -> None:
    surround(database)
    tenant_id = fill_a(database).tenant_id
    plans = kept_from_the_start(database, tenant_id)
    assert any(row[1] is None for row in plans)
    downgrade(database, "0004")
    with database.schema() as connection, seeing_all(connection):
        promised = connection.execute(
            text(
                "SELECT p.name, p.targets FROM subscription s "
                "JOIN sla_plan p ON p.code = s.plan_code AND p.version = s.plan_version "
                "WHERE s.plan_code = 'without-plan'"
            )
        ).first()
    assert promised is not None
    assert (promised.name, str(promised.targets)) == ("Sans engagement", "{}")
    with database.schema() as connection:
        schema.upgrade(connection)
        assert connection.scalar(text("SELECT count(*) FROM sla_plan WHERE code = 'without-plan'")) == 0
    assert kept_from_the_start(database, tenant_id) == plans


def test_when_a_workload_ran_last_is_known_from_the_hours_of_before(database: Database) -> None:
    surround(database)
    with database.write(Operator()) as session:
        host_id = fleet.heard(session, Told(busy={"payroll": 1.0}))
    before = last_hours(database, host_id)
    assert before["payroll"] is not None
    downgrade(database, "0019")
    with database.schema() as connection:
        schema.upgrade(connection)
    assert last_hours(database, host_id) == before


def last_hours(database: Database, host_id: int) -> dict[str, datetime | None]:
    with database.read(Operator()) as session:
        rows = session.scalars(select(m.Workload).where(m.Workload.host_id == host_id))
        return {row.name: row.last_hour for row in rows}


def test_hours_of_a_grid_are_those_of_the_figures_of_before(database: Database) -> None:
    start, half = datetime(2026, 2, 1, tzinfo=UTC), timedelta(minutes=30)
    told = [
        Intensity(Basis.DIRECT_PRODUCTION, start + place * half, half, mg, "RTE", State.REALTIME)
        for place, mg in enumerate((30_000, 31_001, 40_000, 40_003, 50_000))
    ]
    with database.write(Operator()) as session:
        take(session, "FR", told, now=datetime.now(UTC))
    before = grid_hours(database)
    assert before == [(start, 30_500, "realtime"), (start + 2 * half, 40_002, "realtime")]
    downgrade(database, "0020")
    with database.schema() as connection:
        schema.upgrade(connection)
    assert grid_hours(database) == before


def grid_hours(database: Database) -> list[tuple[datetime, int, str]]:
    with database.read(Operator()) as session:
        rows = session.scalars(select(s.GridHour).order_by(s.GridHour.hour))
        return [(row.hour, row.intensity_mg_per_kwh, row.state) for row in rows]
