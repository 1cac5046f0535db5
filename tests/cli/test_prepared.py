"""Commands that read an installation say in one line that there is none yet."""

import pytest
from alembic import command
from click import Group
from click.testing import CliRunner

from console.cli import audit, ledger
from console.store import schema
from console.store.session import Database

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize(("group", "name"), [(ledger.group, "check"), (audit.group, "verify")])
def test_a_database_without_tables_is_told_in_one_line(
    database: Database, shell: CliRunner, group: Group, name: str
) -> None:
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), "base")
    done = shell.invoke(group, [name])
    assert (done.exit_code, done.output) == (
        1,
        "Error: the schema is not that of this version: run console prepare first\n",
    )
