"""`console import incidents`: tickets of a desk from a table, tried first, then taken."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from console.actions.desk_files import shipped_mapping
from console.cli import directory
from console.store.models import signals as s
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given, uci_log

FOIX = 11
MAPPING = "uci-incident-log"


@pytest.fixture
def some_rows(database: Database, tmp_path: Path) -> Path:
    """The first tickets of the log, dated after the adherent's subscription began."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.a_subscription(session, FOIX, "hds-iaas")
    lines = uci_log.LOG.read_text().splitlines()[:60]
    file = tmp_path / "log.csv"
    file.write_text("\n".join(lines).replace("-2016 ", "-2026 ").replace("29-02-2026", "28-02-2026"))
    return file


def run(shell: CliRunner, *arguments: str | Path) -> Result:
    return shell.invoke(directory.group, ["incidents", *map(str, arguments)])


def counts(database: Database) -> tuple[int, int]:
    with database.read(Operator()) as session:
        return (
            session.scalar(select(func.count()).select_from(t.Incident)) or 0,
            session.scalar(select(func.count()).select_from(s.DeskTicket)) or 0,
        )


def test_tickets_are_tried_taken_and_taken_again_without_effect(
    shell: CliRunner, database: Database, some_rows: Path
) -> None:
    told = (some_rows, "--mapping", MAPPING, "--adherent", FOIX, "--subscription", "hds-iaas")
    tried = run(shell, *told, "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "59 rows" in tried.output
    assert "Nothing was changed." in tried.output
    assert counts(database) == (0, 0)
    taken = run(shell, *told, "--yes")
    assert taken.exit_code == 0, taken.output
    incidents, tickets = counts(database)
    assert 5 < incidents == tickets
    assert f"{incidents} incidents opened, 0 changed." in taken.output
    again = run(shell, *told, "--yes")
    assert f"unchanged  {incidents}" in again.output
    assert "Nothing to import." in again.output
    assert counts(database) == (incidents, tickets)


def test_a_ticket_that_is_refused_says_its_line_and_leaves_the_others(
    shell: CliRunner, database: Database, some_rows: Path
) -> None:
    text = some_rows.read_text().replace("2 - Medium,2 - Medium,3 - Moderate", "Énorme,2 - Medium,?", 1)
    some_rows.write_text(text)
    tried = run(
        shell, some_rows, "--mapping", MAPPING, "--adherent", FOIX, "--subscription", "hds-iaas", "--yes"
    )
    assert tried.exit_code == 0, tried.output
    assert "refused    0" in tried.output  # the last row of the ticket says it rightly
    nobody = run(shell, some_rows, "--mapping", MAPPING, "--adherent", "99", "--subscription", "1")
    assert "line 2, INC0000045: adherent: No adherent" in nobody.output
    assert "Nothing to import." in nobody.output


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("nothing", "no such mapping; those that come with the console: uci-incident-log"),
        ("bad.toml", "not TOML"),
        ("other.toml", "column"),
    ],
)
def test_a_mapping_that_is_wrong_ends_in_one_line(
    shell: CliRunner, some_rows: Path, tmp_path: Path, mapping: str, said: str
) -> None:
    (tmp_path / "bad.toml").write_text("desk = ")
    (tmp_path / "other.toml").write_text((shipped_mapping(MAPPING) or "").replace('"number"', '"ticket"'))
    known = tmp_path / mapping
    result = run(shell, some_rows, "--mapping", known if known.exists() else mapping)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output
