"""PostgreSQL's own programs, which read and write its dumps: where they are, and how they are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, Connection

DEBIAN = Path("/usr/lib/postgresql")
VERSION = re.compile(r"\) (\d+)")


class ProgramMissing(Exception):
    """A program is not there, or too old for the server; the message says what to install."""


class ProgramFailed(Exception):
    """A program ended badly; the message holds what it said, on one line."""


def server_version(connection: Connection) -> int:
    """The major version of the server."""
    return int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000


def find(name: str, oldest: int) -> Path:
    """The newest program of a name, on the PATH or where Debian keeps them; raises `ProgramMissing`."""
    found = {path: _version(path) for path in _candidates(name)}
    best = max(found, key=lambda path: found[path], default=None)
    if best is None or found[best] < oldest:
        have = f"{found[best]} is here" if best else "none is here"
        remedy = f"apt install postgresql-client-{oldest}"
        raise ProgramMissing(f"{name} of PostgreSQL {oldest} or newer is needed, {have}: {remedy}")
    return best


def run(program: Path, url: URL, *arguments: str) -> None:
    """Run a program on a database; the password goes by the environment, where others do not see it."""
    address = url.set(drivername="postgresql", password=None).render_as_string()
    environment = {**os.environ, "PGPASSWORD": url.password} if url.password else dict(os.environ)
    done = subprocess.run(  # noqa: S603 - no shell, and a program that was found
        [program, f"--dbname={address}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProgramFailed(f"{program.name}: {' '.join(done.stderr.split())}")


def _candidates(name: str) -> Iterator[Path]:
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from DEBIAN.glob(f"*/bin/{name}")


def _version(program: Path) -> int:
    told = subprocess.run(  # noqa: S603
        [program, "--version"], capture_output=True, text=True, check=False
    )
    found = VERSION.search(told.stdout)
    return int(found[1]) if found else 0
