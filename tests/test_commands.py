"""The two commands of the README, where the machine is not as they need it: one clear line each."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import free_port

ROOT = Path(__file__).parent.parent
NEEDED = ("Makefile", "pyproject.toml", ".requirements")


def make(folder: Path, *arguments: str, user: str | None = None, **environment: str):
    """What `make` says on standard error, without make's own last line."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | environment
    done = subprocess.run(
        ["make", *arguments], cwd=folder, env=env, user=user, capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    return done.returncode, lines


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("target", ["run", "test"])
def test_a_python_that_is_too_old_is_named(clone: Path, target: str) -> None:
    old = clone / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    status, lines = make(clone, target, f"PYTHON={old}")
    assert status != 0
    assert lines == [f"Python 3.11 or newer is needed; {old} is Python 3.9.2. Set PYTHON=/path/to/python3."]


@pytest.mark.parametrize("target", ["run", "test"])
def test_a_clone_that_cannot_be_written_is_named(clone: Path, target: str) -> None:
    clone.chmod(0o555)
    for parent in clone.parents[:3]:
        if parent.owner() == pwd.getpwuid(os.geteuid()).pw_name:
            parent.chmod(0o755)
    user = "nobody" if os.geteuid() == 0 else None
    status, lines = make(clone, target, user=user)
    clone.chmod(0o755)
    assert status != 0
    assert lines == [f"{clone} cannot be written: clone the project where you may write."]


def start(**environment: str) -> tuple[int, list[str]]:
    console = Path(sys.executable).parent / "console"
    env = {"PATH": f"{console.parent}:{os.environ['PATH']}"} | environment
    done = subprocess.run([console, "start"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_port_that_is_taken_is_named_with_another_to_try(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, lines = start(CONSOLE_VAR=str(tmp_path), CONSOLE_PORT=str(port))
    assert status == 1
    assert lines == [
        f"CONSOLE_PORT: port {port} cannot be used (Address already in use); try CONSOLE_PORT={port + 1}"
    ]


def test_a_path_without_honcho_is_named_before_anything_is_made(tmp_path: Path) -> None:
    status, lines = start(PATH="/nowhere", CONSOLE_VAR=str(tmp_path / "var"), CONSOLE_PORT=str(free_port()))
    found = Path(sys.executable).parent
    assert (status, lines) == (1, [f"PATH: honcho is not found; try PATH={found}:$PATH"])
    assert (found / "honcho").is_file()
    assert [one.name for one in (tmp_path / "var").iterdir()] == ["secret_key"]


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"CONSOLE_PORT": "http"}, "CONSOLE_PORT: 'http' is not a whole number from 1 to 65535"),
        ({"CONSOLE_PORT": "0"}, "CONSOLE_PORT: '0' is not a whole number from 1 to 65535"),
        ({"CONSOLE_VAR": "/proc/var"}, "CONSOLE_VAR: /proc/var cannot be made: No such file or directory"),
        ({"CONSOLE_PUBLIC_URL": "console"}, "CONSOLE_PUBLIC_URL: 'console' is not an http or https address"),
        (
            {"CONSOLE_SMTP_URL": "mail.example"},
            "CONSOLE_SMTP_URL: expected smtp://host:port, smtp+starttls://user:password@host:port or smtps://...",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    tmp_path: Path, environment: dict[str, str], line: str
) -> None:
    status, lines = start(**{"CONSOLE_VAR": str(tmp_path / "var")} | environment)
    assert (status, lines) == (1, [line])


def test_a_database_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/console?connect_timeout=2"
    status, lines = start(
        CONSOLE_VAR=str(tmp_path), CONSOLE_DATABASE_URL=nowhere, CONSOLE_PORT=str(free_port())
    )
    assert (status, len(lines)) == (1, 1)
    assert lines[0].startswith("CONSOLE_DATABASE_URL: the database cannot be used: ")
