"""What every test may ask for, and what it needs of the machine."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from console.app import create_app
from console.config import Config, read_config
from console.domain.access import Role
from console.store import schema
from console.store.session import Database, Operator
from console.web import access
from tests import given, hypervisors, made_once, postgres
from tests.browser import Browser

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (  # a browser that opens the pages of the test and calls nobody
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = {
    "chromium": None if CHROMIUM else "no Chromium: apt install chromium, or set CHROMIUM",
    "compiler": None if shutil.which("cc") else "no C compiler: apt install gcc libc6-dev",
    "ipmi": None
    if shutil.which("ipmitool") and shutil.which("ipmi_sim")
    else "no ipmitool or no simulator of a controller: apt install ipmitool openipmi",
    "libvirt": None if hypervisors.libvirt_files() else "no libvirt: apt install python3-libvirt",
    "postgres": None if postgres.find_programs() else "no PostgreSQL 15+: apt install postgresql",
    "vcsim": None
    if hypervisors.can_simulate_vcenter()
    else "no vCenter simulator: apt install golang-go golang-github-vmware-govmomi-dev",
}
LONGEST = {"test_outage.py", "test_first_run.py", "test_routes.py", "test_incidents.py", "test_jobs.py"}
REQUIRED = {name for name in os.environ.get("REQUIRE", "").split(",") if name}


# A time limit on an example says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
made_once.install()


def pytest_configure() -> None:
    """`REQUIRE=chromium,postgres` stops the run where one of them is missing."""
    if unknown := REQUIRED - MISSING.keys():
        raise pytest.UsageError(f"REQUIRE: {', '.join(sorted(unknown))} is not one of {', '.join(MISSING)}")
    if absent := [MISSING[name] for name in sorted(REQUIRED) if MISSING[name]]:
        raise pytest.UsageError(f"REQUIRE: {'; '.join(map(str, absent))}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, reason in MISSING.items():
        if reason and item.get_closest_marker(name):
            pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: workers end together."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked `both_databases` runs on SQLite and on PostgreSQL."""
    if not metafunc.definition.get_closest_marker("both_databases"):
        return
    engines = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
    for fixture in ("database", "past"):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, engines, indirect=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server with a database `ready` that holds our tables."""
    programs = postgres.find_programs()
    assert programs is not None
    with postgres.server(programs, for_tests=True) as address:
        prepared = Database(postgres.create(address, "ready"))
        with prepared.schema() as connection:
            schema.upgrade(connection)
        prepared.close()
        yield address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that holds our tables."""
    path = tmp_path_factory.mktemp("template") / "console.db"
    prepared = Database(f"sqlite:///{path}")
    with prepared.schema() as connection:
        schema.upgrade(connection)
    prepared.close()
    return path


_names = (f"test_{number}" for number in itertools.count())


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with our tables: SQLite, or what a mark asks for."""
    if getattr(request, "param", "sqlite") == "postgresql":
        address, name = request.getfixturevalue("postgres_server"), next(_names)
        database = Database(postgres.create(address, name, template="ready"))
        yield database
        database.close()
        postgres.drop(address, name)
    else:
        path = request.getfixturevalue("tmp_path") / "console.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.close()


@pytest.fixture
def config(database: Database, tmp_path: Path) -> Config:
    """The settings of a console on the test's own database."""
    return read_config(
        {
            "CONSOLE_VAR": str(tmp_path),
            "CONSOLE_DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
            "CONSOLE_PUBLIC_URL": "http://localhost",
        }
    )


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once for all the consoles of a run."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(config: Config, compiled_templates: FileSystemBytecodeCache) -> Iterator[Flask]:
    """The console, with a browser for its test client."""
    app = create_app(config)
    app.test_client_class = Browser
    app.jinja_env.bytecode_cache = compiled_templates
    yield app
    app.extensions["console"].database.close()


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A browser where nobody is signed in."""
    return app.test_client()


@pytest.fixture
def sign_in_as(app: Flask, database: Database) -> Callable[..., FlaskClient]:
    """A browser where somebody of a role is signed in, with some adherents in their portfolio."""

    def sign_in(role: Role, *tenants: int, locale: str = "fr") -> FlaskClient:
        browser = app.test_client()
        with database.write(Operator()) as session:
            token = given.signed_in(session, role, tenants, locale)
        browser.set_cookie(access.COOKIE, token)
        return browser

    return sign_in


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A real browser; each test opens a context of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()
