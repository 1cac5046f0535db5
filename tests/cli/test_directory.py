"""`console import sae` shows what it would do, asks, and does it."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from console.cli import directory
from console.store.models.catalogue import DirectorySite
from console.store.session import Database, Operator
from tests.given import SAE


def run(app: Flask, *arguments: str | Path, answer: str | None = None) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(directory.group, ["sae", *map(str, arguments)], input=answer)
    return done.exit_code, done.output


def sites(database: Database) -> int:
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(DirectorySite)) or 0


def count(output: str, name: str) -> int:
    return next(int(line.split()[1]) for line in output.splitlines() if line.startswith(name))


def test_it_asks_before_it_imports_and_says_what_it_did(app: Flask, database: Database) -> None:
    code, output = run(app, SAE, answer="n\n")
    assert code == 1
    assert (count(output, "new"), count(output, "refused"), sites(database)) == (3975, 0, 0)
    code, output = run(app, SAE, answer="y\n")
    assert (code, sites(database)) == (0, 3975)
    assert output.endswith("3975 sites imported.\n")


def test_a_dry_run_changes_nothing(app: Flask, database: Database) -> None:
    code, output = run(app, SAE, "--dry-run")
    assert (code, count(output, "new"), sites(database)) == (0, 3975, 0)
    assert "Nothing was changed." in output


def test_a_second_import_has_nothing_to_do(app: Flask, database: Database) -> None:
    run(app, SAE, "--yes")
    code, output = run(app, SAE)
    assert (code, count(output, "unchanged")) == (0, 3975)
    assert output.endswith("Nothing to import.\n")


def test_refused_rows_are_told_in_english_and_the_others_are_imported(
    app: Flask, database: Database, tmp_path: Path
) -> None:
    lines = SAE.read_bytes().splitlines()[:4]
    lines[1] = lines[1].replace(b"010000024", b"10000024")
    file = tmp_path / "excel.csv"
    file.write_bytes(b"\n".join(lines))
    code, output = run(app, file, "--yes")
    assert (code, count(output, "refused"), sites(database)) == (0, 1, 2)
    assert "line 2, fi: 10000024 lost its leading zeros: 010000024 expected." in output


@pytest.mark.parametrize("content", [b"", b"a;b\n1;2\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_such_table_is_one_clear_line(
    app: Flask, database: Database, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "other.csv"
    file.write_bytes(content)
    code, output = run(app, file, "--yes")
    assert (code, sites(database)) == (1, 0)
    assert output.startswith(f"Error: {file}: This file is")
    assert len(output.splitlines()) == 1
