"""The `console` command: what an operator types on the server."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import FlaskGroup, routes_command
from sqlalchemy.exc import OperationalError

from console.app import create_app
from console.cli import accounts, alerts, audit, backup, directory, generate, jobs, ledger, months, setup
from console.config import BadConfiguration
from console.domain.errors import DomainError
from console.store.roles import UnsafeRole
from console.web.languages import english

COMMANDS = (
    setup.start,
    setup.prepare,
    jobs.jobs,
    directory.group,
    accounts.group,
    alerts.group,
    ledger.group,
    months.group,
    audit.group,
    backup.backup,
    backup.restore,
    backup.migrate_to_postgres,
    generate.generate,
    routes_command,
)


def _create_app() -> Flask:
    try:
        return create_app()
    except BadConfiguration as error:
        raise click.ClickException(str(error)) from None


class OneLine(FlaskGroup):
    """Says what the rules refuse in one line, as any other wrong argument."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DomainError as refusal:
            raise click.ClickException(english(refusal)) from None
        except UnsafeRole as refusal:
            raise click.ClickException(str(refusal)) from None
        except OperationalError as error:
            cause = " ".join(str(error.orig).split())
            raise click.ClickException(f"the database cannot be used: {cause}") from None


@click.group(cls=OneLine, create_app=_create_app, add_default_commands=False, add_version_option=False)
def main() -> None:
    """Operate the console: set it up, import directories, check the ledger, test the alerts."""


main.params.clear()  # Flask's own options choose an application and a debugger: there is one, and none
for command in COMMANDS:
    main.add_command(command)
