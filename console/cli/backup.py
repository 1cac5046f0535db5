"""`console backup`, `restore` and `migrate-to-postgres`: copies that are compared with what they copy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from console.config import BadConfiguration, Config, read_config
from console.store import backup as backups
from console.store import moving
from console.store.archive import DamagedArchive
from console.store.backup import CannotRestore, Restored
from console.store.moving import CannotMove
from console.store.portrait import Portrait
from console.store.postgres_programs import ProgramFailed, ProgramMissing
from console.store.roles import UnsafeRole
from console.store.session import Database

SECRET_FILE = "secret_key"  # noqa: S105 - the name of a file, in CONSOLE_VAR
DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
REFUSALS = (
    BadConfiguration,
    CannotMove,
    CannotRestore,
    DamagedArchive,
    ProgramFailed,
    ProgramMissing,
    UnsafeRole,
    OSError,
)
ARCHIVE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--without-secrets", is_flag=True, help="Leave out the key that is kept in CONSOLE_VAR.")
def backup(target: Path, without_secrets: bool) -> None:
    """Write the whole console to TARGET, a new file, or one with the date in a folder.

    The console may go on meanwhile. The file is for its owner's eyes only: it holds all there is.
    """
    now = datetime.now(UTC)
    with _refusals(), _opened() as (config, database):
        path = target / f"console-{now:%Y%m%dT%H%M%SZ}.backup" if target.is_dir() else target
        if path.exists():
            raise click.ClickException(f"{path} exists already: give another name")
        secret = None if without_secrets else _kept_secret(config)
        manifest = backups.make(database, path.absolute(), secret=secret, now=now)
    click.echo(f"{path}: {_size(path)}, schema {manifest.revision}")
    click.echo("with the secret key" if secret else "without a secret key")
    _show(manifest.portrait)
    for fault in manifest.portrait.faults:
        click.echo(f"already so when it was made: {fault}", err=True)


@click.command("restore")
@click.argument("path", metavar="FILE", type=ARCHIVE)
@click.option("--into", metavar="URL", help="An empty database, in place of the configured one.")
def restore(path: Path, into: str | None) -> None:
    """Bring FILE back into an empty database, and compare it with what was backed up.

    Exit status 1 if anything differs or does not add up.
    """
    with _refusals(), _opened(into) as (config, database):
        found = backups.restore(path, database, now=datetime.now(UTC))
        click.echo(f"made at {found.manifest.made_at:%Y-%m-%d %H:%M:%S}Z, schema {found.manifest.revision}")
        click.echo("the secret key was left out: --into" if into else _put_secret(path, config))
    _show(found.portrait)
    _judge(found)


@click.command("migrate-to-postgres")
@click.argument("url")
def migrate_to_postgres(url: str) -> None:
    """Move the console from SQLite to the empty PostgreSQL database at URL, every row or none.

    Stop the console first: who writes meanwhile waits. The SQLite file stays as it is.
    """
    with _refusals(), _opened() as (_config, source):
        target = Database(_checked(url))
        total = moving.count_all(source)
        with closing(target), click.progressbar(length=total, label=f"{total} rows") as bar:
            moved = moving.move(source, target, bar.update)
    for table in moved:
        click.echo(f"{table.name:24} {table.rows:12} rows  {table.sha256[:16]}")
    click.echo("all rows arrived as they left; now set CONSOLE_DATABASE_URL to that address")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        cause = " ".join(str(error.orig).split())
        raise click.ClickException(f"the database cannot be used: {cause}") from None
    except REFUSALS as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _opened(url: str | None = None) -> Iterator[tuple[Config, Database]]:
    os.umask(0o077)
    config = read_config()
    database = Database(_checked(config.database_url if url is None else url))
    try:
        yield config, database
    finally:
        database.close()


def _checked(url: str) -> str:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):  # the latter of a port that is no number
        address = None
    if address is None or address.drivername not in DRIVERS:
        raise click.ClickException(
            f"{_masked(url)!r} is not an address such as sqlite:///file or postgresql://user@host:5432/name"
        )
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise click.ClickException(f"{_masked(url)!r} is no file: give one, such as sqlite:///file")
    return url


def _masked(url: str) -> str:
    """An address as it may be shown: without who signs in, and with what."""
    scheme, separator, rest = url.rpartition("://")
    if "@" in rest:
        rest = f"***@{rest.rpartition('@')[2]}"
    return scheme + separator + re.sub(r"(?<=password=)[^&]*", "***", rest)


def _kept_secret(config: Config) -> Path | None:
    path = config.var / SECRET_FILE
    return path if path.exists() else None


def _put_secret(path: Path, config: Config) -> str:
    if not backups.holds_secret(path):
        return "without a secret key: what it sealed, such as second factors, needs the one there was"
    if os.environ.get("CONSOLE_SECRET_KEY"):
        return "CONSOLE_SECRET_KEY is set: the secret key of the backup was left out"
    backups.put_secret(path, config.var / SECRET_FILE)
    return f"secret key put in {config.var / SECRET_FILE}"


def _show(portrait: Portrait) -> None:
    click.echo(f"{len(portrait.rows)} tables, {sum(portrait.rows.values())} rows")
    if not portrait.ledger:
        click.echo("the schema is not that of this version: rows were counted, and nothing else was checked")
        return
    click.echo(f"ledger: {portrait.ledger['hosts']} mJ, residue {portrait.ledger['residue']} mJ")
    click.echo(f"audit chains: {len(portrait.audit)}; statements: {len(portrait.statements)}")


def _judge(found: Restored) -> None:
    for difference in found.differences:
        click.echo(difference, err=True)
    if found.differences:
        raise click.ClickException("restored, but not as it was backed up: see above")
    click.echo("restored: rows, ledger, audit chains and statements are as they were")


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1_000_000:.1f} MB"
