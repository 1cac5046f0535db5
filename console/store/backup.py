"""A backup of the whole console, and the way back onto an empty place.

    database -> copy of one moment -> portrait -> archive
    archive, whole -> empty place -> rows counted -> migrations -> portrait compared

SQLite is copied by its own online backup, PostgreSQL by `pg_dump` in the role that sees every adherent.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text

from console.store import archive, postgres_programs, roles, schema
from console.store.portrait import Portrait, count_rows, draw, seeing_all
from console.store.queries.audit import hold_still
from console.store.session import Database, Operator

FORMAT = 1
SECRET = "secret_key"  # noqa: S105 - the name of a part, not a key
PARTS = {"sqlite": "console.db.gz", "postgresql": "console.dump"}


class CannotRestore(Exception):
    """The archive does not go there; the message is one line that says why and what would."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds; `revision` is that of its schema."""

    made_at: datetime
    engine: str
    revision: str
    portrait: Portrait
    format: int = FORMAT

    def to_json(self) -> str:
        told = {
            "format": self.format,
            "made_at": self.made_at.isoformat(),
            "engine": self.engine,
            "revision": self.revision,
            "portrait": self.portrait.to_plain(),
        }
        return json.dumps(told, sort_keys=True, indent=1, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restoration found: the portrait of the copy, and in words what is not as it was."""

    manifest: Manifest
    portrait: Portrait
    differences: tuple[str, ...]


def make(database: Database, target: Path, *, secret: Path | None, now: datetime) -> Manifest:
    """Write a backup of a database, with the file of a secret key where one is given.

    Raises `ProgramMissing`, `ProgramFailed`.
    """
    engine = database.engine.dialect.name
    copy = _copy_sqlite if engine == "sqlite" else _copy_postgres
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
        part = Path(folder) / PARTS[engine]
        portrait = copy(database, part, now)
        manifest = Manifest(now, engine, schema.present_revision(database) or "", portrait)
        secrets = {SECRET: secret} if secret is not None else {}
        archive.pack(target, manifest.to_json(), {PARTS[engine]: part, **secrets})
    return manifest


def restore(path: Path, database: Database, *, now: datetime) -> Restored:
    """Bring back a backup into an empty database, and compare it with its portrait.

    Raises `DamagedArchive`, `CannotRestore`, before anything is written; `ProgramMissing`, `ProgramFailed`.
    """
    manifest = _manifest(path)
    _refuse_what_cannot_be(manifest, database)
    if manifest.engine == "sqlite":
        _bring_back_sqlite(path, Path(database.engine.url.database or ""))
    else:
        _bring_back_postgres(path, database)
    with database.schema() as connection:
        with seeing_all(connection):
            differences = list(_miscounts(manifest.portrait.rows, count_rows(connection)))
        schema.upgrade(connection)
    database.check()
    with database.read(Operator()) as session:
        portrait = draw(session, now=now)
    if manifest.portrait.ledger:
        differences += manifest.portrait.differences(portrait)
    return Restored(manifest, portrait, (*differences, *portrait.faults))


def holds_secret(path: Path) -> bool:
    """Whether a secret key is in an archive."""
    return SECRET in archive.names(path)


def put_secret(path: Path, target: Path) -> None:
    """Put the secret key of an archive in its place."""
    with archive.part(path, SECRET) as source, archive.whole_file(target) as file:
        shutil.copyfileobj(source, file)


def _copy_sqlite(database: Database, part: Path, now: datetime) -> Portrait:
    plain = part.with_suffix("")
    if not Path(database.engine.url.database or "").exists():
        raise FileNotFoundError(f"there is no database at {database.engine.url.database}")
    source = sqlite3.connect(f"file:{database.engine.url.database}?mode=ro", uri=True)
    with closing(source), closing(sqlite3.connect(plain)) as copy:
        source.backup(copy)
    copied = Database(f"sqlite:///{plain}")
    portrait = _portrait(copied, now)
    copied.close()
    with plain.open("rb") as file, gzip.open(part, "wb", compresslevel=6) as packed:
        shutil.copyfileobj(file, packed)
    return portrait


def _copy_postgres(database: Database, part: Path, now: datetime) -> Portrait:
    with database.read(Operator()) as session:
        hold_still(session)
        connection = session.connection()
        program = postgres_programs.find("pg_dump", postgres_programs.server_version(connection))
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        postgres_programs.run(
            program,
            database.engine.url,
            "--format=custom",
            "--no-owner",
            "--enable-row-security",
            f"--role={roles.ENGINE}",
            f"--snapshot={snapshot}",
            f"--file={part}",
        )
        return _portrait_of(session, database, now)


def _portrait(database: Database, now: datetime) -> Portrait:
    with database.read(Operator()) as session:
        return _portrait_of(session, database, now)


def _portrait_of(session: Any, database: Database, now: datetime) -> Portrait:
    """The portrait, or the rows alone where the schema is not that of this version."""
    if schema.present_revision(database) == schema.wanted_revision():
        return draw(session, now=now)
    return Portrait(count_rows(session.connection()))


def _manifest(path: Path) -> Manifest:
    told = json.loads(archive.read_manifest(path))
    if told["format"] != FORMAT:
        raise CannotRestore(f"{path}: made in format {told['format']}; this version reads format {FORMAT}")
    return Manifest(
        datetime.fromisoformat(told["made_at"]),
        told["engine"],
        told["revision"],
        Portrait.from_plain(told["portrait"]),
    )


def _refuse_what_cannot_be(manifest: Manifest, database: Database) -> None:
    engine = database.engine.dialect.name
    if manifest.engine != engine:
        raise CannotRestore(f"a backup of {manifest.engine} does not go into {engine}: give another address")
    if not schema.knows(manifest.revision):
        raise CannotRestore(f"made by a newer version: this one does not know schema {manifest.revision}")
    if engine == "sqlite" and not _is_there(Path(database.engine.url.database or "")):
        return
    with database.engine.connect() as connection:
        roles.check_login(connection)
        if tables := inspect(connection).get_table_names():
            raise CannotRestore(f"the database is not empty, it has {len(tables)} tables: give an empty one")
    database.close()  # the file is about to be another one


def _is_there(path: Path) -> bool:
    """Whether a file holds anything; a log that lost its database would be played back into the new one."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and not path.exists():
        raise CannotRestore(f"{log} was left by a database that is gone: move it away")
    return path.exists() and path.stat().st_size > 0


def _bring_back_sqlite(path: Path, target: Path) -> None:
    with (
        archive.part(path, PARTS["sqlite"]) as packed,
        gzip.open(packed) as source,
        archive.whole_file(target) as file,
    ):
        shutil.copyfileobj(source, file)


def _bring_back_postgres(path: Path, database: Database) -> None:
    with database.engine.connect() as connection:
        program = postgres_programs.find("pg_restore", postgres_programs.server_version(connection))
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        dump = Path(folder) / PARTS["postgresql"]
        with archive.part(path, dump.name) as source, dump.open("wb") as file:
            shutil.copyfileobj(source, file)
        postgres_programs.run(
            program, database.engine.url, "--single-transaction", "--exit-on-error", "--no-owner", str(dump)
        )


def _miscounts(told: Any, found: Any) -> Iterator[str]:
    for name in sorted({*told, *found}):
        if told.get(name) != found.get(name):
            yield f"table {name}: {told.get(name)} rows in the backup, {found.get(name)} here"
