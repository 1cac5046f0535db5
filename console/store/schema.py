"""Bringing the tables to the schema of this version, and telling whether they are there."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing."""
    settings = _settings()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def is_current(connection: Connection) -> bool:
    """Whether every migration has run."""
    heads = ScriptDirectory.from_config(_settings()).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


def _settings() -> Config:
    spec = find_spec("migrations")
    if spec is None or spec.origin is None:
        raise RuntimeError("the migrations package is not installed")
    settings = Config()
    settings.set_main_option("script_location", str(Path(spec.origin).parent))
    return settings
