"""A backup is whole or refused; what is brought back is what was there, on both databases."""

import json
import stat
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from console.store import backup
from console.store.archive import DamagedArchive, pack, read_manifest
from console.store.backup import CannotRestore
from console.store.session import Database, Operator
from tests import given, postgres
from tests.store.copies import FOIX, fill, fingerprints

pytestmark = pytest.mark.both_databases

NOW = datetime.now(UTC)


@pytest.fixture
def filled(database: Database) -> Database:
    fill(database)
    return database


@pytest.fixture
def empty(database: Database, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Another place of the same kind, where nothing is."""
    if database.engine.dialect.name == "sqlite":
        (tmp_path / "other").mkdir()
        other = Database(f"sqlite:///{tmp_path / 'other' / 'console.db'}")
        yield other
        other.close()
        return
    address = request.getfixturevalue("postgres_server")
    other = Database(postgres.create(address, "other"))
    yield other
    other.close()
    postgres.drop(address, "other")


def made(database: Database, tmp_path: Path, secret: Path | None = None) -> Path:
    path = tmp_path / "console.backup"
    backup.make(database, path, secret=secret, now=NOW)
    return path


def test_what_is_brought_back_is_what_was_there(filled: Database, empty: Database, tmp_path: Path) -> None:
    found = backup.restore(made(filled, tmp_path), empty, now=NOW)
    assert found.differences == ()
    assert found.portrait.ledger["residue"] == 0
    assert found.portrait.ledger["hosts"] == found.portrait.ledger["adherents"] == 600_000
    assert str(FOIX) in found.portrait.audit
    assert len(found.portrait.statements) == 1
    assert fingerprints(empty) == fingerprints(filled)


def test_it_goes_on_where_the_backup_ended(filled: Database, empty: Database, tmp_path: Path) -> None:
    backup.restore(made(filled, tmp_path), empty, now=NOW)
    with empty.write(Operator()) as session:
        assert given.an_incident(session, FOIX, title="Un autre", opened_at=NOW) == 2


def test_an_archive_is_for_its_owner_and_holds_a_plain_tar(filled: Database, tmp_path: Path) -> None:
    secret = tmp_path / "secret_key"
    secret.write_text("s3cret")
    path = made(filled, tmp_path, secret)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        names = tar.getnames()
    assert names == ["manifest.json", backup.PARTS[filled.engine.dialect.name], "secret_key", "sha256"]
    assert backup.holds_secret(path)
    backup.put_secret(path, tmp_path / "put")
    assert (tmp_path / "put").read_text() == "s3cret"
    assert stat.S_IMODE((tmp_path / "put").stat().st_mode) == 0o600
    assert not [found.name for found in tmp_path.iterdir() if found.name.startswith(".")]


def test_a_place_that_holds_tables_is_refused(filled: Database, tmp_path: Path) -> None:
    path = made(filled, tmp_path)
    before = fingerprints(filled)
    with pytest.raises(CannotRestore, match="not empty"):
        backup.restore(path, filled, now=NOW)
    assert fingerprints(filled) == before


ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[:-1],
    "cut in half": lambda content: content[: len(content) // 2],
    "nearly all cut off": lambda content: content[:100],
    "empty": lambda content: b"",
    "grown": lambda content: content + b"\0",
    "a byte of its first header": lambda content: b"X" + content[1:],
    "a byte of its middle": lambda content: _flipped(content, len(content) // 2),
    "a byte of its hash": lambda content: _flipped(content, len(content) - 1500),
    "its last byte": lambda content: _flipped(content, len(content) - 1),
    "something else": lambda content: b"SQLite format 3\0" + bytes(10_000),
}


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_a_damaged_archive_is_refused_before_anything_is_written(
    database: Database, empty: Database, tmp_path: Path, alter: Callable[[bytes], bytes]
) -> None:
    path = made(database, tmp_path)
    path.write_bytes(alter(path.read_bytes()))
    with pytest.raises(DamagedArchive):
        backup.restore(path, empty, now=NOW)
    assert not _tables(empty)


def _tables(database: Database) -> int:
    with database.schema() as connection:
        if connection.dialect.name == "sqlite":
            return len(connection.scalars(text("SELECT name FROM sqlite_master")).all())
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        return connection.scalar(text(tables)) or 0


def test_what_was_not_as_it_was_backed_up_is_told(filled: Database, empty: Database, tmp_path: Path) -> None:
    path = made(filled, tmp_path)
    told = json.loads(read_manifest(path))
    told["portrait"]["rows"]["incident"] += 1
    told["portrait"]["statements"]["12/1"] = "0" * 64
    told["portrait"]["audit"]["11"] = "1:0"
    told["portrait"]["ledger"]["hosts"] += 1
    part = tmp_path / "part"
    with tarfile.open(path) as tar, part.open("wb") as file:
        name = backup.PARTS[filled.engine.dialect.name]
        file.write(tar.extractfile(name).read())  # type: ignore[union-attr]
    pack(path, json.dumps(told), {name: part})
    differences = backup.restore(path, empty, now=NOW).differences
    assert [line.split(":")[0] for line in differences] == [
        "table incident",
        "ledger hosts",
        "audit 11",
        "statements 12/1",
    ]


FAULTS = {
    "UPDATE audit_entry SET by = 'nobody' WHERE tenant_id = 11 AND number = 2": "audit log of adherent 11",
    "UPDATE statement SET figures = '{}' WHERE tenant_id = 12": "statement 12/1",
    "UPDATE host_hour SET energy_mj = energy_mj + 1": "ledger",
}


@pytest.mark.parametrize(("statement", "named"), FAULTS.items(), ids=FAULTS.values())
def test_what_did_not_hold_before_is_told_when_it_is_made_and_when_it_is_brought_back(
    filled: Database, empty: Database, tmp_path: Path, statement: str, named: str
) -> None:
    with filled.schema() as connection:
        if connection.dialect.name == "postgresql":
            for table in ("audit_entry", "statement"):
                connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        connection.exec_driver_sql(statement)
    with filled.schema() as connection:
        if connection.dialect.name == "postgresql":
            for table in ("audit_entry", "statement"):
                connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    path = tmp_path / "console.backup"
    (fault,) = backup.make(filled, path, secret=None, now=NOW).portrait.faults
    assert named in fault
    assert backup.restore(path, empty, now=NOW + timedelta(days=1)).differences == (fault,)


def test_a_backup_of_a_newer_version_is_refused(database: Database, empty: Database, tmp_path: Path) -> None:
    path = made(database, tmp_path)
    told = json.loads(read_manifest(path)) | {"revision": "9999"}
    pack(path, json.dumps(told), {})
    with pytest.raises(CannotRestore, match="newer version"):
        backup.restore(path, empty, now=NOW)


def test_a_backup_of_the_other_kind_is_refused(database: Database, empty: Database, tmp_path: Path) -> None:
    path = made(database, tmp_path)
    told = json.loads(read_manifest(path)) | {"engine": "another"}
    pack(path, json.dumps(told), {})
    with pytest.raises(CannotRestore, match="does not go into"):
        backup.restore(path, empty, now=NOW)
