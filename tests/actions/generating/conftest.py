"""A generated past for tests that only look at it: made once, then copied."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator

import pytest

from console.store.session import Database
from tests import postgres
from tests.actions.generating.generated import Past, generate

_names = (f"past_{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def past_in_sqlite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Past:
    path = tmp_path_factory.mktemp("past") / "console.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    database = Database(f"sqlite:///{path}")
    world = generate(database)
    database.close()
    return Past(database, world)


@pytest.fixture(scope="session")
def past_in_postgres(postgres_server: str) -> Past:
    database = Database(postgres.create(postgres_server, "past", template="ready"))
    world = generate(database)
    database.close()
    return Past(database, world)


@pytest.fixture
def past(request: pytest.FixtureRequest) -> Iterator[Past]:
    """A small generated past, on SQLite or on PostgreSQL."""
    if request.param == "postgresql":
        made: Past = request.getfixturevalue("past_in_postgres")
        address, name = request.getfixturevalue("postgres_server"), next(_names)
        database = Database(postgres.create(address, name, template="past"))
        yield Past(database, made.world)
        database.close()
        postgres.drop(address, name)
    else:
        made = request.getfixturevalue("past_in_sqlite")
        path = request.getfixturevalue("tmp_path") / "past.db"
        shutil.copy(str(made.database.engine.url.database), path)
        database = Database(f"sqlite:///{path}")
        yield Past(database, made.world)
        database.close()
