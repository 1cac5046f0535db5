"""Which migration the database is at, which one the code asks for, and the way from one to the other."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from console.store.session import Database


@cache
def wanted_revision() -> str | None:
    """The last migration that ships with the code."""
    return ScriptDirectory(str(files("migrations"))).get_current_head()


def knows(revision: str) -> bool:
    """Whether a migration ships with the code."""
    scripts = ScriptDirectory(str(files("migrations")))
    return revision in {script.revision for script in scripts.walk_revisions()}


def present_revision(database: Database) -> str | None:
    """The migration the database is at; None before the first one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing."""
    command.upgrade(settings(connection), "head")


def settings(connection: Connection) -> Config:
    """What Alembic's commands need to work on a connection of ours."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(files("migrations")))
    return config
