"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.store import models  # noqa: F401 - registers the tables
from console.store.base import Base
from console.store.session import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database with today's tables."""
    database = Database(f"sqlite:///{tmp_path / 'console.db'}")
    with database.schema() as connection:
        Base.metadata.create_all(connection)
    yield database
    database.close()
