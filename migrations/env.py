"""Runs the migrations on a connection given by the caller, or on the configured database."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, Enum

from console.config import read_config
from console.store import models  # noqa: F401 - registers the tables
from console.store.base import Base, Instant
from console.store.session import Database


def plain_type(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Migrations outlive the code: they name the database's types, not ours."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String({item.length})"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=plain_type,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with Database(read_config().database_url).schema() as connection:
        migrate(connection)
