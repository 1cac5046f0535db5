"""From SQLite to PostgreSQL every row arrives as it left, or nothing does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as over
from hypothesis import strategies as st
from sqlalchemy import text

from console.app import create_app
from console.config import read_config
from console.domain.access import Role
from console.store import backup, moving
from console.store.audit import record
from console.store.moving import CannotMove
from console.store.session import Database, Operator
from console.web import access
from tests import given, postgres
from tests.store.copies import FOIX, PAMIERS, fill, fingerprints

pytestmark = pytest.mark.postgres

NOW = datetime.now(UTC)


@pytest.fixture
def target(postgres_server: str) -> Iterator[Database]:
    """An empty PostgreSQL database."""
    database = Database(postgres.create(postgres_server, "target"))
    yield database
    database.close()
    postgres.drop(postgres_server, "target")


@pytest.fixture
def filled(database: Database) -> Database:
    fill(database)
    return database


def quiet(_rows: int) -> None:
    """Nobody watches the progress."""


def move(source: Database, target: Database) -> None:
    moving.move(source, target, quiet)


def tables(database: Database) -> int:
    with database.schema() as connection:
        return connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) or 0


def test_an_installation_is_backed_up_moved_and_backed_up_again_with_the_same_hashes(
    filled: Database, target: Database, postgres_server: str, tmp_path: Path
) -> None:
    before = fingerprints(filled)
    restored = Database(f"sqlite:///{tmp_path / 'restored.db'}")
    backup.make(filled, tmp_path / "one", secret=None, now=NOW)
    assert backup.restore(tmp_path / "one", restored, now=NOW).differences == ()
    assert fingerprints(restored) == before
    move(restored, target)
    assert fingerprints(target) == before
    assert fingerprints(restored) == before
    restored.close()
    backup.make(target, tmp_path / "two", secret=None, now=NOW)
    again = Database(postgres.create(postgres_server, "again"))
    try:
        assert backup.restore(tmp_path / "two", again, now=NOW).differences == ()
        assert fingerprints(again) == before
        serves(again, tmp_path)
    finally:
        again.close()
        postgres.drop(postgres_server, "again")


def serves(database: Database, var: Path) -> None:
    """The console works on a copy: it shows what was there, and goes on from there."""
    url = database.engine.url.render_as_string(hide_password=False)
    app = create_app(
        read_config(
            {
                "CONSOLE_VAR": str(var),
                "CONSOLE_DATABASE_URL": url,
                "CONSOLE_PUBLIC_URL": "http://localhost",
            }
        )
    )
    with database.write(Operator()) as session:
        token = given.signed_in(session, Role.CIO, [FOIX])
        assert given.an_incident(session, FOIX, title="Un autre", opened_at=NOW) == 2
    browser = app.test_client()
    browser.set_cookie(access.COOKIE, token)
    assert "Épi d'or" not in browser.get(f"/adherents/{FOIX}").text
    assert "CH de Foix" in browser.get(f"/adherents/{FOIX}").text
    assert browser.get(f"/adherents/{PAMIERS}").status_code == 404
    app.extensions["console"].database.close()


def test_numbers_go_on_after_those_that_arrived(filled: Database, target: Database) -> None:
    with filled.read(Operator()) as session:
        last = session.connection().scalar(text("SELECT max(account_id) FROM account"))
    move(filled, target)
    with target.write(Operator()) as session:
        assert given.an_account(session, "paul", Role.OPS, password_allowed=True) == last + 1


def test_a_target_that_holds_something_is_refused(filled: Database, target: Database) -> None:
    with target.schema() as connection:
        connection.execute(text("CREATE TABLE mine (id int)"))
    with pytest.raises(CannotMove, match="not empty"):
        move(filled, target)
    assert tables(target) == 1


def test_the_same_place_is_not_moved_to(filled: Database) -> None:
    with pytest.raises(CannotMove, match="not PostgreSQL"):
        move(filled, filled)


def test_what_is_on_postgresql_already_has_nowhere_to_go(target: Database) -> None:
    with pytest.raises(CannotMove, match="already"):
        moving.count_all(target)


def test_a_move_that_is_interrupted_leaves_nothing_behind(filled: Database, target: Database) -> None:
    before = fingerprints(filled)

    def interrupt(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving.move(filled, target, interrupt)
    assert tables(target) == 0
    assert fingerprints(filled) == before
    move(filled, target)


def test_a_row_that_postgresql_refuses_is_told_with_its_table(filled: Database, target: Database) -> None:
    with filled.schema() as connection:
        connection.execute(
            text("UPDATE adherent SET agency = :long WHERE tenant_id = 11"), {"long": "x" * 201}
        )
    with pytest.raises(CannotMove, match="table adherent is refused"):
        move(filled, target)
    assert tables(target) == 0


def test_every_row_is_counted_for_the_progress(filled: Database, target: Database) -> None:
    told: list[int] = []
    moved = moving.move(filled, target, told.append)
    assert sum(told) == moving.count_all(filled) == sum(table.rows for table in moved)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
facts = st.dictionaries(texts, st.none() | st.booleans() | numbers | texts, max_size=4)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@over(deeds=st.lists(st.tuples(texts, facts), min_size=1, max_size=5))
def test_whatever_was_written_arrives_the_same(
    database: Database, postgres_server: str, deeds: list[tuple[str, dict[str, object]]]
) -> None:
    given.an_empty_database(database)
    with database.write(Operator()) as session:
        for subject, told in deeds:
            record(session, FOIX, "trial.told", subject, told)
    target = Database(postgres.create(postgres_server, "trial"))
    try:
        move(database, target)
        assert fingerprints(target) == fingerprints(database)
    finally:
        target.close()
        postgres.drop(postgres_server, "trial")
