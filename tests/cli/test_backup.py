"""`console backup`, `restore`, `migrate-to-postgres` and `audit verify`, as an operator types them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from console.cli import backup
from console.store.session import Database
from tests import postgres
from tests.store.copies import fill, fingerprints

Run = Callable[..., Result]


@pytest.fixture
def filled(database: Database) -> Database:
    fill(database)
    return database


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Types a command on a server whose data is in a folder of the test's."""

    def typed(command: click.Command, *arguments: str | Path, var: Path = tmp_path) -> Result:
        environment = {"CONSOLE_VAR": str(var), "CONSOLE_DATABASE_URL": None, "CONSOLE_SECRET_KEY": None}
        return CliRunner(env=environment).invoke(command, [str(argument) for argument in arguments])

    return typed


def test_a_backup_is_restored_in_an_empty_folder_with_its_key(
    filled: Database, run: Run, tmp_path: Path
) -> None:
    done = run(backup.backup, tmp_path / "one.backup")
    assert done.exit_code == 0, done.output
    assert "with the secret key" in done.output
    assert "residue 0 mJ" in done.output
    other = tmp_path / "other"
    done = run(backup.restore, tmp_path / "one.backup", var=other)
    assert done.exit_code == 0, done.output
    assert "audit chains and statements are as they were" in done.output
    assert (other / "secret_key").read_text() == (tmp_path / "secret_key").read_text()
    copy = Database(f"sqlite:///{other / 'console.db'}")
    assert fingerprints(copy) == fingerprints(filled)
    copy.close()


def test_a_backup_in_a_folder_bears_its_date(filled: Database, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    assert run(backup.backup, folder, "--without-secrets").exit_code == 0
    (made,) = folder.iterdir()
    assert made.name.startswith("console-20")
    done = run(backup.restore, made, "--into", f"sqlite:///{tmp_path / 'trial.db'}")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "trial.db").exists()


def test_nothing_is_written_over(filled: Database, run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    done = run(backup.backup, kept)
    assert (done.exit_code, "exists already" in done.output) == (1, True)
    assert kept.read_text() == "mine"
    run(backup.backup, tmp_path / "one.backup")
    done = run(backup.restore, tmp_path / "one.backup")
    assert (done.exit_code, "not empty" in done.output) == (1, True)


@pytest.mark.parametrize("content", [b"", b"not a backup", bytes(5000)])
def test_what_is_no_backup_is_refused_in_a_line(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    done = run(backup.restore, tmp_path / "file", var=tmp_path / "other")
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert len(done.output.splitlines()) == 1
    assert not (tmp_path / "other" / "console.db").exists()


def test_there_must_be_something_to_back_up(run: Run, tmp_path: Path) -> None:
    done = run(backup.backup, tmp_path / "one.backup", var=tmp_path / "other")
    assert (done.exit_code, "no database" in done.output) == (1, True)
    assert not (tmp_path / "one.backup").exists()


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "postgresql://nobody@localhost:1/none"])
def test_an_address_that_cannot_be_is_refused_in_a_line(filled: Database, run: Run, url: str) -> None:
    done = run(backup.migrate_to_postgres, url)
    assert done.exit_code == 1
    assert "Error: " in done.output


@pytest.mark.postgres
def test_an_installation_moves_to_postgresql(filled: Database, run: Run, postgres_server: str) -> None:
    url = postgres.create(postgres_server, "moved")
    target = Database(url)
    try:
        done = run(backup.migrate_to_postgres, url)
        assert done.exit_code == 0, done.output
        assert "set CONSOLE_DATABASE_URL" in done.output
        assert fingerprints(target) == fingerprints(filled)
        done = run(backup.migrate_to_postgres, url)
        assert (done.exit_code, "not empty" in done.output) == (1, True)
    finally:
        target.close()
        postgres.drop(postgres_server, "moved")


ADDRESSES = {
    "postgresql://u@h:abc/x": "'postgresql://***@h:abc/x' is not an address",
    "postgres://user:secret@h/x": "'postgres://***@h/x' is not an address",
    "user:secret@h": "'***@h' is not an address",
    "mysql+none://user:se@cret@h:1/x": "'mysql+none://***@h:1/x' is not an address",
    "postgres://h/x?user=u&password=secret": "'postgres://h/x?user=u&password=***' is not an address",
    "postgresql+asyncpg://u:secret@h/x": "'postgresql+asyncpg://***@h/x' is not an address",
    "sqlite://": "'sqlite://' is no file",
    "sqlite:///:memory:": "'sqlite:///:memory:' is no file",
}


@pytest.mark.parametrize(("address", "line"), ADDRESSES.items(), ids=ADDRESSES.keys())
@pytest.mark.parametrize("command", ["restore", "migrate-to-postgres"])
def test_a_wrong_address_is_told_in_a_line_without_its_password(
    run: Run, tmp_path: Path, command: str, address: str, line: str
) -> None:
    if command == "restore":
        (tmp_path / "file").touch()
        done = run(backup.restore, tmp_path / "file", "--into", address)
    else:
        done = run(backup.migrate_to_postgres, address)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {line}")
    assert done.output.count("\n") == 1
    assert "cret" not in done.output
