"""`console account` makes, lists and reopens accounts."""

import re
import subprocess
from pathlib import Path

from click.testing import CliRunner

from console.cli import accounts
from console.domain.access import Role
from console.domain.errors import Conflict, NotFound
from console.store.models import people as p
from console.store.session import Database, Operator
from tests import given
from tests.running import BIN, ROOT, Installation

PASSWORD = re.compile(r"([a-z2-9]{4}-){4}[a-z2-9]{4}")


def run(shell: CliRunner, *arguments: str) -> str:
    done = shell.invoke(accounts.group, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_an_account_is_added_listed_and_reset(shell: CliRunner, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 7, "CH de Foix")
    added = run(shell, "add", "dsi", "--name", "Ana Roy", "--role", Role.CIO.value, "--adherent", "7")
    assert PASSWORD.search(added)
    listed = run(shell, "list").split()
    assert listed == ["dsi", "cio", "7", "never", "Ana", "Roy"]
    reset = PASSWORD.search(run(shell, "reset", "dsi"))
    assert reset
    assert reset[0] not in added


def test_an_account_is_disabled_enabled_and_freed_from_a_lost_device(
    shell: CliRunner, database: Database
) -> None:
    with database.write(Operator()) as session:
        ana = given.an_account(session, "ana", Role.OPS, totp_secret="sealed")
    assert run(shell, "disable", "ana") == "ana is disabled\n"
    assert "disabled" in run(shell, "list")
    assert run(shell, "enable", "ANA") == "ana is enabled\n"
    assert run(shell, "reset-second-factor", "ana") == "ana has no second factor\n"
    with database.read(Operator()) as session:
        account = session.get_one(p.Account, ana)
    assert (account.disabled_at, account.totp_secret) == (None, None)


def test_the_last_administrator_is_not_disabled_either(shell: CliRunner, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_account(session, "boss", Role.ADMINISTRATOR)
    done = shell.invoke(accounts.group, ("disable", "boss"))
    assert isinstance(done.exception, Conflict)
    assert isinstance(shell.invoke(accounts.group, ("enable", "x")).exception, NotFound)


def test_what_the_rules_refuse_is_told_in_one_line_of_english(tmp_path: Path) -> None:
    installed = Installation(tmp_path)
    installed.console("prepare")
    refused = subprocess.run(
        [BIN / "console", "account", "enable", "nobody"],
        cwd=ROOT,
        env=installed.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, refused.stderr) == (1, "Error: There is no account nobody.\n")
