"""`console account` makes, lists and reopens accounts."""

import re

from flask import Flask

from console.cli import accounts
from console.domain.access import Role
from console.store.session import Database, Operator
from tests import given

PASSWORD = re.compile(r"([a-z2-9]{4}-){4}[a-z2-9]{4}")


def run(app: Flask, *arguments: str) -> str:
    done = app.test_cli_runner().invoke(accounts.group, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_an_account_is_added_listed_and_reset(app: Flask, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 7, "CH de Foix")
    added = run(app, "add", "dsi", "--name", "Ana Roy", "--role", Role.CIO.value, "--adherent", "7")
    assert PASSWORD.search(added)
    listed = run(app, "list").split()
    assert listed == ["dsi", "cio", "7", "never", "Ana", "Roy"]
    reset = PASSWORD.search(run(app, "reset", "dsi"))
    assert reset
    assert reset[0] not in added
