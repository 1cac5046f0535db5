"""`console prepare` and `console start`: from a fresh clone to a running console."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
from sqlalchemy.exc import OperationalError

from console.actions.accounts import ensure_first_administrator
from console.actions.api_tokens import opens, renew_token
from console.actions.catalogue import seed_catalogue
from console.config import BadConfiguration, Config, read_config
from console.store import roles, schema
from console.store.session import Database, Operator

TOKEN_NAME = "this machine"  # noqa: S105 - the name of a token, not a token
TOKEN_FILE = "collector.token"  # noqa: S105


@click.command("prepare")
def prepare() -> None:
    """Create or bring up to date the database, the catalogue, the first account and the collector's token."""
    config = _config()
    _greet(config, _prepared(config))


@click.command("start")
@click.option(
    "--procfile", type=click.Path(exists=True, path_type=Path), default="Procfile", show_default=True
)
def start(procfile: Path) -> None:
    """Prepare, then run web, jobs and collector together until Ctrl-C."""
    config = _config()
    _refuse_a_path_without_honcho()
    _refuse_a_taken_port(config.port)
    _greet(config, _prepared(config))
    os.environ |= {"CONSOLE_PORT": str(config.port), "CONSOLE_VAR": str(config.var)}
    os.execvp("honcho", ["honcho", "--procfile", str(procfile), "start"])  # noqa: S606, S607


def _config() -> Config:
    os.umask(0o077)  # what is kept here is for this user only
    try:
        return read_config()
    except BadConfiguration as error:
        _stop(str(error))


def _stop(line: str) -> NoReturn:
    click.echo(line, err=True)
    raise SystemExit(1)


def _refuse_a_path_without_honcho() -> None:
    """It runs the processes, and finds their programs by the same path."""
    if shutil.which("honcho") is not None:
        return
    beside = Path(sys.executable).parent
    if (beside / "honcho").is_file():
        _stop(f"PATH: honcho is not found; try PATH={beside}:$PATH")
    _stop("honcho is not installed; try pip install 'console-inr[run]'")


def _refuse_a_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            _stop(f"CONSOLE_PORT: port {port} cannot be used ({error.strerror}); try CONSOLE_PORT={port + 1}")


def _prepared(config: Config) -> tuple[str, str | None]:
    try:
        return _prepare(config)
    except OperationalError as error:
        _stop(f"CONSOLE_DATABASE_URL: the database cannot be used: {' '.join(str(error.orig).split())}")
    except roles.UnsafeRole as error:
        _stop(f"CONSOLE_DATABASE_URL: {error}")


def _prepare(config: Config) -> tuple[str, str | None]:
    """The login of the first administrator, and its one-time password until it was used."""
    database = Database(config.database_url)
    now = datetime.now(UTC)
    with database.schema() as connection:
        roles.check_login(connection)
        schema.upgrade(connection)
    database.check()
    with database.write(Operator()) as session:
        seed_catalogue(session, now.date())
    with database.write(Operator()) as session:
        first = ensure_first_administrator(session, now=now)
    _keep_token(config.var / TOKEN_FILE, database, now)
    database.close()
    return first


def _keep_token(path: Path, database: Database, now: datetime) -> None:
    """A token file that opens the console, renewed where it is missing or no longer does."""
    with database.write(Operator()) as session:
        if path.exists() and opens(session, path.read_text().strip(), now):
            return
        token = renew_token(session, TOKEN_NAME, now=now)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{token}\n")


def _greet(config: Config, first: tuple[str, str | None]) -> None:
    login, password = first
    click.echo(f"Console INR: {config.public_url}")
    if password is not None:
        click.echo(
            f"First sign-in: login {login}, one-time password {password} (the last one printed counts)"
        )
