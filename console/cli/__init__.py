"""The `console` command: what an operator types on the server."""

from __future__ import annotations

import click
from flask.cli import FlaskGroup, routes_command

from console.app import create_app


@click.group(cls=FlaskGroup, create_app=create_app, add_default_commands=False, add_version_option=False)
def main() -> None:
    """Operate the console: set it up, import directories, check the ledger, test the alerts."""


main.add_command(routes_command)
