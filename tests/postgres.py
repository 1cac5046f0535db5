"""A PostgreSQL server of our own for the length of a test run."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from console.store import roles

OLDEST = 15
MEMORY, DISK = Path("/dev/shm"), Path("/tmp")  # noqa: S108 - where a folder of its own is made
ROOM_BYTES = 4 << 30
FOR_TESTS = {"full_page_writes": "off", "autovacuum": "off", "jit": "off", "shared_buffers": "32MB"}
LOGIN = "console"  # as in production, neither above the row policies nor allowed to make databases


def find_programs() -> Path | None:
    """The folder of the server programs: on the PATH, or where Debian keeps them."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if _version(folder) >= OLDEST), None)


def _version(folder: Path) -> int:
    programs = (folder / "initdb", folder / "postgres")
    if not all(program.exists() for program in programs):
        return 0
    told = subprocess.run([programs[1], "--version"], capture_output=True, text=True, check=True)
    return int(told.stdout.split()[2].split(".")[0])


def _memory() -> Path:
    """Where there is room in memory: each test copies hundreds of files, which a disk takes its time for."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    return MEMORY if has_room else DISK


@contextlib.contextmanager
def server(programs: Path, *, for_tests: bool = False) -> Iterator[str]:
    """The address of a server without databases of its own; stopped and removed at the end.

    One for tests lives in memory and tidies nothing up; what is measured is measured on a disk.
    """
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_memory() if for_tests else DISK))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def run(program: str, *arguments: str) -> None:
        command = [programs / program, "-D", folder / "data", *arguments]
        done = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    try:
        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
        settings |= FOR_TESTS if for_tests else {}
        told = " ".join(f"-c {name}={value}" for name, value in settings.items())
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "-o", told)
        address = f"postgresql://{LOGIN}@/{{name}}?host={folder}"
        with _administrator(address) as connection:
            connection.execute(f"CREATE ROLE {LOGIN} LOGIN; {roles.TO_CREATE.format(login=LOGIN)}")
        yield address
        run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder)


def create(address: str, name: str, template: str = "template1") -> str:
    """A new database of the server, a copy of `template`; its address."""
    with _administrator(address) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {LOGIN} STRATEGY FILE_COPY")
    return address.format(name=name)


def drop(address: str, name: str) -> None:
    with _administrator(address) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _administrator(address: str) -> psycopg.Connection:
    own = address.replace(f"//{LOGIN}@", "//postgres@").format(name="postgres")
    return psycopg.connect(own, autocommit=True)
