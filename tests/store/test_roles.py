"""The console works on a PostgreSQL that keeps adherents apart by itself, and on no other."""

import contextlib
import itertools
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from console.app import create_app
from console.config import read_config
from console.store.roles import UnsafeRole
from console.store.session import Database, Operator
from migrations.protection import IN_SCOPE
from tests import postgres
from tests.running import BIN, ROOT, free_port

pytestmark = pytest.mark.postgres

_numbers = itertools.count()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server of its own: what is done to its roles is done to nobody else."""
    programs = postgres.find_programs()
    assert programs is not None
    with postgres.server(programs) as address:
        postgres.create(address, "prepared")
        prepared(address.format(name="prepared"))
        yield address


@pytest.fixture
def url(address: str) -> Iterator[str]:
    """A prepared database."""
    name = f"own_{next(_numbers)}"
    yield postgres.create(address, name, template="prepared")
    postgres.drop(address, name)


@pytest.fixture
def administer(address: str, url: str) -> Iterator[Callable[..., None]]:
    """An administrator runs a statement on the database; `undo` puts the roles of the server right again."""
    with connected(administrators(url)) as connection, contextlib.ExitStack() as undone:

        def run(statement: str, undo: str = "") -> None:
            connection.execute(statement)
            if undo:
                undone.callback(connection.execute, undo)

        yield run


@contextlib.contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def administrators(url: str) -> str:
    return url.replace("//console@", "//postgres@")


def prepared(url: str) -> None:
    status, lines = console("prepare", url)
    assert status == 0, lines


def console(command: str, url: str) -> tuple[int, list[str]]:
    """How a command ends, and the lines it printed."""
    return run(url, BIN / "console", command)


def run(url: str, *command: str | Path) -> tuple[int, list[str]]:
    with tempfile.TemporaryDirectory() as var:
        settings = {"CONSOLE_DATABASE_URL": url, "CONSOLE_VAR": var, "PATH": os.environ["PATH"]}
        done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def refusal(url: str) -> str:
    database = Database(url)
    with pytest.raises(UnsafeRole) as refused:
        database.check()
    with pytest.raises(UnsafeRole), database.read(Operator()):
        pass
    database.close()
    return str(refused.value)


def test_a_prepared_database_is_safe(url: str) -> None:
    database = Database(url)
    database.check()
    database.close()


SCOPE_ON_INCIDENT = (
    f"CREATE POLICY scope ON incident TO console_web USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE});"
)
UNSAFE = {
    "a superuser": (
        "ALTER ROLE console SUPERUSER",
        "ALTER ROLE console NOSUPERUSER",
        "role console bypasses row policies, use another one: CREATE ROLE console LOGIN PASSWORD '...';",
    ),
    "a login that bypasses": (
        "ALTER ROLE console BYPASSRLS",
        "ALTER ROLE console NOBYPASSRLS",
        "role console bypasses row policies, use another one: CREATE ROLE console LOGIN PASSWORD '...';",
    ),
    "a role that bypasses": (
        "ALTER ROLE console_web BYPASSRLS",
        "ALTER ROLE console_web NOBYPASSRLS",
        "role console_web bypasses row policies: ALTER ROLE console_web NOSUPERUSER NOBYPASSRLS;",
    ),
    "a login that is not a member": (
        "REVOKE console_web FROM console",
        "GRANT console_web TO console",
        "role console cannot become console_web and console_engine: GRANT console_web TO console;",
    ),
    "a role that is missing": (
        "ALTER ROLE console_engine RENAME TO other",
        "ALTER ROLE other RENAME TO console_engine",
        "role console cannot become console_web and console_engine: "
        "CREATE ROLE console_engine; GRANT console_engine TO console;",
    ),
    "a table of the web role": (
        "ALTER TABLE incident OWNER TO console_web",
        "",
        "row policies do not hold on incident: ALTER TABLE incident OWNER TO console;",
    ),
    "a table whose policies are not forced": (
        "ALTER TABLE incident NO FORCE ROW LEVEL SECURITY",
        "",
        "row policies do not hold on incident: "
        "ALTER TABLE incident ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
    ),
    "a table whose policies are off": (
        "ALTER TABLE incident DISABLE ROW LEVEL SECURITY",
        "",
        "row policies do not hold on incident: "
        "ALTER TABLE incident ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
    ),
    "a policy that opens": (
        "CREATE POLICY opening ON incident USING (true)",
        "",
        "row policies do not hold on incident: DROP POLICY opening ON incident;",
    ),
    "a policy that was opened": (
        "ALTER POLICY scope ON incident USING (true)",
        "",
        f"row policies do not hold on incident: DROP POLICY scope ON incident; {SCOPE_ON_INCIDENT}",
    ),
    "a policy that lets rows be written": (
        "ALTER POLICY scope ON incident WITH CHECK (true)",
        "",
        f"row policies do not hold on incident: DROP POLICY scope ON incident; {SCOPE_ON_INCIDENT}",
    ),
    "a policy that is for everyone": (
        "ALTER POLICY engine ON incident TO PUBLIC USING (true)",
        "",
        "row policies do not hold on incident: DROP POLICY engine ON incident; "
        "CREATE POLICY engine ON incident TO console_engine USING (current_user = 'console_engine') "
        "WITH CHECK (current_user = 'console_engine');",
    ),
    "a right on what is not an adherent's": (
        "GRANT SELECT ON account, workload_hour TO console_web",
        "",
        "role console_web has rights beyond its own on account, workload_hour: "
        "REVOKE SELECT ON account FROM console_web, PUBLIC; "
        "REVOKE SELECT ON workload_hour FROM console_web, PUBLIC;",
    ),
    "a right of everyone": (
        "GRANT SELECT ON account TO PUBLIC",
        "",
        "role console_web has rights beyond its own on account: "
        "REVOKE SELECT ON account FROM console_web, PUBLIC;",
    ),
    "a right on one column": (
        "GRANT UPDATE (sha256) ON audit_entry TO console_web",
        "",
        "role console_web has rights beyond its own on audit_entry: "
        "REVOKE UPDATE ON audit_entry FROM console_web, PUBLIC;",
    ),
}


@pytest.mark.parametrize(("change", "undo", "line"), UNSAFE.values(), ids=UNSAFE.keys())
def test_a_database_that_would_not_keep_adherents_apart_is_refused_with_what_mends_it(
    url: str, administer: Callable[..., None], change: str, undo: str, line: str
) -> None:
    administer(change, undo)
    assert refusal(url) == line


MENDED = (
    "a policy that was opened",
    "a policy that is for everyone",
    "a right of everyone",
    "a right on one column",
)


@pytest.mark.parametrize("case", MENDED)
def test_what_the_line_says_is_enough(url: str, administer: Callable[..., None], case: str) -> None:
    administer(UNSAFE[case][0])
    administer(refusal(url).partition(": ")[2])
    database = Database(url)
    database.check()
    database.close()


def test_what_the_line_says_mends_it(url: str, administer: Callable[..., None]) -> None:
    administer(
        "ALTER TABLE incident DISABLE ROW LEVEL SECURITY; CREATE POLICY opening ON incident USING (true)"
    )
    administer("ALTER TABLE statement OWNER TO console_web")
    administer(refusal(url).partition(": ")[2])
    database = Database(url)
    database.check()
    database.close()


def test_what_passed_once_is_not_asked_again(url: str, administer: Callable[..., None]) -> None:
    database = Database(url)
    with database.read(Operator()):
        administer("ALTER TABLE incident NO FORCE ROW LEVEL SECURITY")
    with database.read(Operator()):
        pass
    database.close()


def test_tables_that_are_yet_to_be_made_are_asked_about_again(address: str) -> None:
    url = postgres.create(address, "empty")
    database = Database(url)
    database.check()
    prepared(url)
    with connected(url) as owner:
        owner.execute("ALTER TABLE incident NO FORCE ROW LEVEL SECURITY")
    with pytest.raises(UnsafeRole):
        database.check()
    database.close()
    postgres.drop(address, "empty")


@pytest.mark.parametrize("command", ["prepare", "jobs", "routes"])
def test_a_command_says_it_in_one_line(url: str, administer: Callable[..., None], command: str) -> None:
    administer("ALTER ROLE console BYPASSRLS", "ALTER ROLE console NOBYPASSRLS")
    status, lines = console(command, url)
    assert (status, len(lines)) == (1, 1)
    assert "role console bypasses row policies, use another one: CREATE ROLE" in lines[0]


def test_a_refused_login_makes_no_table(address: str, administer: Callable[..., None]) -> None:
    url = postgres.create(address, "untouched")
    administer("ALTER ROLE console SUPERUSER", "ALTER ROLE console NOSUPERUSER")
    assert console("prepare", url)[0] == 1
    with connected(administrators(url)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == []
    postgres.drop(address, "untouched")


def test_the_web_server_says_it_in_a_line_and_gives_up(url: str, administer: Callable[..., None]) -> None:
    administer("ALTER ROLE console BYPASSRLS", "ALTER ROLE console NOBYPASSRLS")
    bind = f"--bind=127.0.0.1:{free_port()}"
    status, lines = run(url, BIN / "gunicorn", "--workers=1", bind, "--log-level=error", "wsgi:app")
    assert status != 0
    assert any(line.startswith("role console bypasses row policies") for line in lines)
    assert not any("Traceback" in line for line in lines)


def test_a_database_out_of_reach_at_the_start_is_checked_before_it_serves(
    address: str, tmp_path: Path, administer: Callable[..., None]
) -> None:
    url = address.format(name="late")
    app = create_app(read_config({"CONSOLE_VAR": str(tmp_path), "CONSOLE_DATABASE_URL": url}))
    browser = app.test_client()
    assert browser.get("/healthz").text == "the database does not answer: OperationalError\n"

    postgres.create(address, "late", template="prepared")
    administer("ALTER ROLE console BYPASSRLS", "ALTER ROLE console NOBYPASSRLS")
    unsafe = browser.get("/healthz")
    assert (unsafe.status_code, unsafe.text) == (
        503,
        "the database does not keep adherents apart: run console prepare\n",
    )
    browser.set_cookie("sign_in", "anything")
    assert browser.get("/adherents").status_code == 500
    administer("ALTER ROLE console NOBYPASSRLS")
    assert browser.get("/healthz").text == "ok\n"
    app.extensions["console"].database.close()
    postgres.drop(address, "late")
