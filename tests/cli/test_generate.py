"""`console generate`, as an operator types it."""

import re
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from console.store import schema
from console.store.session import Database
from tests.running import BIN, ROOT, Installation

SMALL = (
    *("--adherents=6", "--subscriptions=20", "--incidents=20", "--hosts=2", "--workloads=6"),
    *("--years=1", "--ledger-days=1"),
)


def generated_hash(printed: str) -> str:
    return re.findall(r"sha256 ([0-9a-f]{64})", printed)[0]


def test_a_past_is_generated_alike_whatever_the_process_and_its_zone(tmp_path: Path) -> None:
    one = Installation(tmp_path / "one", settings={"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"})
    other = Installation(tmp_path / "other", settings={"PYTHONHASHSEED": "2", "TZ": "America/Lima"})
    printed = one.console("generate", "--seed=5", "--hash", *SMALL)
    again = other.console("generate", "--seed=5", "--hash", *SMALL)
    assert generated_hash(printed) == generated_hash(again)
    roles = re.findall(r"^(\w+) +login \S+ +one-time password (\S+)$", printed, re.MULTILINE)
    assert [role for role, _ in roles] == ["administrator", "account_manager", "ops", "cio", "auditor"]
    assert len({password for _, password in roles}) == 5
    assert one.ledger()["residue_mj"] == 0


def test_a_prepared_database_may_be_generated_once(tmp_path: Path) -> None:
    installed = Installation(tmp_path)
    installed.console("prepare")
    installed.console("generate", "--seed=5", *SMALL)
    refused = run(installed, "generate", "--seed=5", *SMALL)
    assert refused.returncode == 1
    assert refused.stderr == "Error: This database is generated already: delete it, or give another one.\n"


def dump(path: Path) -> list[str]:
    """Every table and every row of a SQLite file."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_a_filled_database_of_an_older_revision_is_left_exactly_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "console.db"
    database = Database(f"sqlite:///{path}")
    with database.schema() as connection:
        command.upgrade(schema.settings(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO adherent (tenant_id, name, kind, zone, since) "
            "VALUES (2, 'CH de Foix', 'hospital', 'Europe/Paris', '2020-01-01')"
        )
    database.close()
    before = dump(path)
    refused = run(Installation(tmp_path), "generate", "--seed=5", *SMALL)
    assert refused.returncode == 1
    assert "revision 0001" in refused.stderr
    assert dump(path) == before


def test_a_filled_database_is_left_exactly_as_it_was(tmp_path: Path) -> None:
    installed = Installation(tmp_path)
    installed.console("prepare")
    path = tmp_path / "console.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM emission_factor")  # which seeding would bring back
        connection.execute(
            "INSERT INTO contact (tenant_id, number, role, name, is_primary, starts_on) "
            "VALUES (1, 1, 'cio', 'Ana Roy', 1, '2020-01-01')"
        )
        connection.commit()
    before = dump(path)
    refused = run(installed, "generate", "--seed=5", *SMALL)
    assert refused.returncode == 1
    assert "contact" in refused.stderr
    assert dump(path) == before


def test_a_directory_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a;b\n1;2\n")
    refused = run(Installation(tmp_path), "generate", "--seed=5", f"--directory={table}", *SMALL)
    assert refused.returncode == 1
    assert "it lacks an, fi" in refused.stderr
    assert not (tmp_path / "console.db").exists()


def test_a_past_that_no_factor_reaches_is_refused_in_one_line_of_english(tmp_path: Path) -> None:
    refused = run(Installation(tmp_path), "generate", "--seed=5", "--until=0010-01-01", "--years=20")
    assert refused.returncode == 1
    assert refused.stderr == "Error: A generated past lies between 2011 and 2100.\n"
    assert not (tmp_path / "console.db").exists()


def test_a_generated_database_is_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "console.db"
    Installation(tmp_path).console("generate", "--seed=5", *SMALL)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("option", ["--until=2026", "--years=0", "--seed=x"])
def test_an_option_that_cannot_be_is_refused_with_its_name(tmp_path: Path, option: str) -> None:
    refused = run(Installation(tmp_path), "generate", "--seed=5", option)
    assert refused.returncode == 2
    assert option.partition("=")[0] in refused.stderr


def test_an_interrupted_generation_is_not_served(tmp_path: Path) -> None:
    installed = Installation(tmp_path)
    process = subprocess.Popen(
        [BIN / "console", "generate", "--seed=5"],
        cwd=ROOT,
        env=installed.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while "adherents" not in process.stdout.readline():
        time.sleep(0.01)
    process.kill()
    process.wait()
    process.stdout.close()
    refused = run(installed, "jobs")
    assert refused.returncode == 1
    assert "the generation of this database was not finished" in refused.stderr


def run(installed: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "console", *arguments],
        cwd=ROOT,
        env=installed.environment,
        capture_output=True,
        text=True,
        check=False,
    )
