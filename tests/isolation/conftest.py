"""The databases of the walk, filled once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from console.store.session import Database
from tests import postgres
from tests.isolation.world import Console, World, console, fill_a, fill_b, people_of_a, surround

Copy = Callable[[str, str], Database]


@pytest.fixture(scope="package", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def copy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """Makes a database of a name from another, on SQLite and on PostgreSQL; `ready` holds empty tables."""
    folder = tmp_path_factory.mktemp("databases")
    with ExitStack() as at_end:

        def copied(name: str, origin: str) -> Database:
            if request.param == "postgresql":
                address = request.getfixturevalue("postgres_server")
                database = Database(postgres.create(address, name, origin))
                at_end.callback(postgres.drop, address, name)
            else:
                known = request.getfixturevalue("sqlite_template") if origin == "ready" else folder / origin
                database = Database(f"sqlite:///{shutil.copy(known, folder / name)}")
            at_end.callback(database.close)
            return database

        yield copied


@pytest.fixture(scope="package")
def world(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A and B, and A alone."""
    var = tmp_path_factory.mktemp("isolation")
    alone = copy("a_alone", "ready")
    surround(alone)
    a = fill_a(alone)
    tokens = people_of_a(alone)
    alone.close()
    both = copy("a_and_b", "a_alone")
    b = fill_b(both)
    world = World(console(both, tokens, var), console(alone, tokens, var), a, b, tokens, var)
    yield world
    world.both.rest()
    world.alone.rest()


@pytest.fixture
def spent(copy: Copy, world: World, request: pytest.FixtureRequest) -> Iterator[Console]:
    """A copy of the console with A and B, for one test that changes much."""
    world.both.rest()
    name = f"spent_{abs(hash(request.node.nodeid))}"
    spent = console(copy(name, "a_and_b"), world.tokens, world.var)
    yield spent
    spent.rest()
