"""Migrations and models agree, and every migration can be undone."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from console.store import schema
from console.store.base import Base
from console.store.session import Database

pytestmark = pytest.mark.both_databases


def test_the_migrated_schema_is_that_of_the_models(database: Database) -> None:
    with database.schema() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert schema.present_revision(database) == schema.wanted_revision()


def test_migrations_go_down_to_nothing_and_up_again(database: Database) -> None:
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), "base")
    assert schema.present_revision(database) is None
    with database.schema() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        schema.upgrade(connection)
    assert schema.present_revision(database) == schema.wanted_revision()
