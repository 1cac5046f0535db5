"""The two databases of the walk, filled once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from console.store.session import Database
from tests import postgres
from tests.isolation.world import World, console, fill_a, fill_b, people_of_a


@pytest.fixture(scope="package", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A and B, and A alone, on SQLite and on PostgreSQL."""
    var = tmp_path_factory.mktemp("isolation")
    with ExitStack() as at_end:
        if request.param == "postgresql":
            alone = _on_postgres(request.getfixturevalue("postgres_server"), "a_alone", "ready", at_end)
        else:
            alone = _on_sqlite(request.getfixturevalue("sqlite_template"), var / "alone.db", at_end)
        a = fill_a(alone)
        tokens = people_of_a(alone)
        alone.engine.dispose()
        if request.param == "postgresql":
            both = _on_postgres(request.getfixturevalue("postgres_server"), "a_and_b", "a_alone", at_end)
        else:
            both = _on_sqlite(var / "alone.db", var / "both.db", at_end)
        b = fill_b(both)
        world = World(console(both, tokens, var), console(alone, tokens, var), a, b)
        at_end.callback(world.both.close)
        at_end.callback(world.alone.close)
        yield world


def _on_sqlite(template: Path, path: Path, at_end: ExitStack) -> Database:
    shutil.copy(template, path)
    database = Database(f"sqlite:///{path}")
    at_end.callback(database.close)
    return database


def _on_postgres(address: str, name: str, template: str, at_end: ExitStack) -> Database:
    database = Database(postgres.create(address, name, template))
    at_end.callback(postgres.drop, address, name)
    at_end.callback(database.close)
    return database
