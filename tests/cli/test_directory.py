"""`console import` shows what it would do, asks, and does it."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from console.cli import directory
from console.store.models import directory as d
from console.store.models.audit import AuditEntry
from console.store.session import Database, Operator
from tests.domain.test_formats import ENTITIES, EXTRACT, GROUPS, MANGLED, SITES
from tests.given import SAE


def run(
    shell: CliRunner, *arguments: str | Path, command: str = "sae", answer: str | None = None
) -> tuple[int, str]:
    done = shell.invoke(directory.group, [command, *map(str, arguments)], input=answer)
    return done.exit_code, done.output


def rows(database: Database, model: type = d.DirectorySite) -> int:
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def count(output: str, name: str) -> int:
    return next(int(line.split()[1]) for line in output.splitlines() if line.startswith(name))


def test_it_asks_before_it_imports_and_says_what_it_did(shell: CliRunner, database: Database) -> None:
    code, output = run(shell, SAE, answer="n\n")
    assert code == 1
    assert (count(output, "new"), count(output, "refused"), rows(database)) == (3975, 0, 0)
    code, output = run(shell, SAE, answer="y\n")
    assert (code, rows(database)) == (0, 3975)
    assert output.endswith("3975 sites imported.\n")


def test_a_dry_run_changes_nothing(shell: CliRunner, database: Database) -> None:
    code, output = run(shell, SAE, "--dry-run")
    assert (code, count(output, "new"), rows(database)) == (0, 3975, 0)
    assert "Nothing was changed." in output


@pytest.mark.parametrize(
    ("command", "file", "model", "many"),
    [
        ("sae", SAE, d.DirectorySite, 3975),
        ("ght", GROUPS, d.Ght, 135),
        ("finess", EXTRACT, d.DirectorySite, 14),
        ("finess-xml", SITES, d.DirectorySite, 14),
        ("finess-xml", ENTITIES, d.LegalEntity, 3),
        ("table", GROUPS, d.Ght, 135),
    ],
)
def test_a_second_import_has_nothing_to_do(
    shell: CliRunner, database: Database, command: str, file: Path, model: type, many: int
) -> None:
    code, output = run(shell, file, "--yes", command=command)
    assert (code, rows(database, model)) == (0, many), output
    code, output = run(shell, file, command=command)
    assert (code, count(output, "unchanged"), rows(database, model)) == (0, many, many)
    assert output.endswith("Nothing to import.\n")


def test_an_import_is_written_down(shell: CliRunner, database: Database) -> None:
    run(shell, GROUPS, "--yes", command="ght")
    with database.read(Operator()) as session:
        (entry,) = session.scalars(select(AuditEntry))
    assert (entry.kind, entry.subject, entry.by) == ("directory.imported", "import/GHT_2023r.csv", "console")


def test_refused_and_repaired_rows_are_told_and_the_others_are_imported(
    shell: CliRunner, database: Database, tmp_path: Path
) -> None:
    lines = SAE.read_bytes().splitlines()[:4]
    lines[1] = lines[1].replace(b"010000024", b"10000024")
    lines[2] = lines[2].replace(b"26010011200012", b"26010011200013").replace(b";010000", b";010009", 1)
    file = tmp_path / "excel.csv"
    file.write_bytes(b"\n".join(lines))
    code, output = run(shell, file, "--yes")
    assert (code, count(output, "refused"), count(output, "repaired"), rows(database)) == (0, 1, 1, 2)
    assert "line 2, fi: 10000024 -> 010000024" in output
    assert "line 3, fi: 010009" in output


def test_a_file_without_a_day_asks_for_one(shell: CliRunner, database: Database) -> None:
    code, output = run(shell, MANGLED, "--yes", command="finess")
    assert (code, rows(database)) == (1, 0)
    assert "give its date" in output
    code, output = run(shell, MANGLED, "--yes", "--as-of", "2016-12-31", command="finess")
    assert (code, rows(database), count(output, "unknown")) == (0, 5, 5)
    assert "line 2, siret: 2,601E+13 -> unknown" in output


def test_a_file_from_tomorrow_is_refused(shell: CliRunner, database: Database) -> None:
    code, output = run(shell, MANGLED, "--yes", "--as-of", "2199-01-01", command="finess")
    assert (code, rows(database)) == (1, 0)
    assert "2199-01-01" in output


@pytest.mark.parametrize("content", [b"", b"a;b\n1;2\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_such_table_is_one_clear_line(
    shell: CliRunner, database: Database, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "other.csv"
    file.write_bytes(content)
    code, output = run(shell, file, "--yes")
    assert (code, rows(database)) == (1, 0)
    assert output.startswith(f"Error: {file}: ")
    assert len(output.splitlines()) == 1


def test_any_table_is_read_by_its_columns_which_are_remembered(
    shell: CliRunner, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "sites.csv"
    file.write_text("Numéro,Entité,Nom,Dépt,Commune\n010000024,010780054,CH,01,VIRIAT\n", encoding="utf-8")
    code, output = run(shell, file, "--yes", command="table")
    assert code == 1
    assert "the headings are Numéro, Entité, Nom, Dépt, Commune" in output
    columns = {
        "finess_et": "Numéro",
        "finess_ej": "Entité",
        "name": "Nom",
        "department": "Dépt",
        "town": "Commune",
    }
    chosen = [part for fact, heading in columns.items() for part in ("--column", f"{fact}={heading}")]
    by_columns = [file, "--yes", "--kind", "sites", *chosen]
    code, output = run(shell, *by_columns, command="table")
    assert (code, rows(database)) == (1, 0)
    assert "give its date" in output
    code, output = run(shell, *by_columns, "--as-of", "2199-01-01", command="table")
    assert (code, rows(database), rows(database, d.ColumnMapping)) == (1, 0, 0)
    assert "2199-01-01" in output
    code, output = run(shell, *by_columns, "--as-of", "2025-01-01", command="table")
    assert (code, rows(database)) == (0, 1), output
    again = tmp_path / "more.csv"
    again.write_text("Numéro,Entité,Nom,Dépt,Commune\n970300026,970302022,CHC,9C,CAYENNE\n", encoding="utf-8")
    code, output = run(shell, again, "--yes", "--as-of", "2026-01-01", command="table")
    assert (code, rows(database)) == (0, 2), output


def test_the_day_in_the_name_of_a_table_counts(shell: CliRunner, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "groups_2023r.csv"
    file.write_text("Numéro,Nom\nA1,GHT A\n", encoding="utf-8")
    columns = ("--column", "code=Numéro", "--column", "name=Nom")
    code, output = run(shell, file, "--yes", "--kind", "groups", *columns, command="table")
    assert code == 0, output
    with database.read(Operator()) as session:
        assert str(session.get_one(d.Ght, "A1").as_of) == "2023-12-31"


def test_members_of_a_complete_file_end_those_it_does_not_hold(
    shell: CliRunner, database: Database, tmp_path: Path
) -> None:
    run(shell, GROUPS, "--yes", command="ght")
    file = tmp_path / "members.csv"
    file.write_text("CODE_GHT;FINESS_EJ;ROLE\n84103;010780054;support\n84103;010008407;membre\n")
    code, output = run(shell, file, "--yes", "--as-of", "2026-01-01", command="ght-members")
    assert (code, count(output, "new"), rows(database, d.GhtMembership)) == (0, 2, 2), output
    file.write_text("CODE_GHT;FINESS_EJ;ROLE\n84103;010780054;support\n")
    code, output = run(shell, file, "--yes", "--as-of", "2026-06-01", command="ght-members")
    assert (code, count(output, "left"), count(output, "confirmed")) == (0, 1, 1)
    assert "ended" not in output
    code, output = run(shell, file, "--yes", "--complete", "--as-of", "2026-06-01", command="ght-members")
    assert "1 memberships ended." in output
    with database.read(Operator()) as session:
        ended = session.scalars(select(d.GhtMembership).where(d.GhtMembership.finess_ej == "010008407")).one()
    assert str(ended.valid_to) == "2026-06-01"
    code, output = run(shell, file, "--yes", "--complete", "--as-of", "2026-06-01", command="ght-members")
    assert output.endswith("Nothing to import.\n")


def test_a_complete_file_with_a_refused_row_ends_nothing_and_says_so(
    shell: CliRunner, database: Database, tmp_path: Path
) -> None:
    run(shell, GROUPS, "--yes", command="ght")
    file = tmp_path / "members.csv"
    file.write_text("CODE_GHT;FINESS_EJ;ROLE\n84103;010780054;support\n84103;010008407;membre\n")
    run(shell, file, "--yes", "--as-of", "2026-01-01", command="ght-members")
    file.write_text("CODE_GHT;FINESS_EJ;ROLE\n84103;010780054;support\n84103;010008406;membre\n")
    code, output = run(shell, file, "--yes", "--complete", "--as-of", "2026-06-01", command="ght-members")
    assert (code, count(output, "refused")) == (0, 1)
    assert "No membership is ended" in output
    with database.read(Operator()) as session:
        assert not session.scalar(select(func.count(d.GhtMembership.valid_to)))
