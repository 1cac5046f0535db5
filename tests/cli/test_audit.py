"""`console audit verify` says what it checked, and names the first entry that does not fit."""

import pytest
from click.testing import CliRunner

from console.cli import audit
from console.store.session import Database, Operator
from tests import given

pytestmark = pytest.mark.both_databases


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator(), by="claire") as session:
        given.an_adherent(session, 11, "CH de Foix")
        given.an_adherent(session, 12, "CH de Pamiers")
    given.a_short_log(database, 11, 12)
    return database


def verify(shell: CliRunner, *arguments: str) -> tuple[int, list[str]]:
    done = shell.invoke(audit.group, ["verify", *arguments])
    return done.exit_code, done.output.splitlines()


def test_chains_that_hold_are_listed(two: Database, shell: CliRunner) -> None:
    assert verify(shell) == (
        0,
        [
            "adherent 11: 2 entries, 0 purged, 0 redacted; holds",
            "adherent 12: 2 entries, 0 purged, 0 redacted; holds",
        ],
    )
    assert verify(shell, "--adherent", "12")[1] == ["adherent 12: 2 entries, 0 purged, 0 redacted; holds"]


def test_an_entry_that_does_not_fit_is_named(two: Database, shell: CliRunner) -> None:
    with two.schema() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE audit_entry DISABLE ROW LEVEL SECURITY")
        connection.exec_driver_sql("UPDATE audit_entry SET by = 'paul' WHERE tenant_id = 11 AND number = 2")
    with two.schema() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY")
    code, lines = verify(shell)
    assert code == 1
    assert lines[0].endswith("entry 2 was altered: its hash is not that of its fields")
    assert verify(shell, "--adherent", "12")[0] == 0


def test_an_adherent_without_a_log_is_told(two: Database, shell: CliRunner) -> None:
    code, lines = verify(shell, "--adherent", "99")
    assert (code, lines) == (1, ["Error: adherent 99 has no audit log"])
