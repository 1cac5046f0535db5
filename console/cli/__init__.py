"""The `console` command: what an operator types on the server."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click
from sqlalchemy.exc import OperationalError

from console.config import BadConfiguration
from console.domain.errors import DomainError
from console.store.roles import UnsafeRole
from console.web.catalogues import english

# Each command by the module of this package that holds it: one that is not asked for is not imported.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "start": ("setup", "start"),
    "prepare": ("setup", "prepare"),
    "jobs": ("jobs", "jobs"),
    "import": ("directory", "group"),
    "account": ("accounts", "group"),
    "alerts": ("alerts", "group"),
    "ledger": ("ledger", "group"),
    "months": ("months", "group"),
    "audit": ("audit", "group"),
    "backup": ("backup", "backup"),
    "restore": ("backup", "restore"),
    "migrate-to-postgres": ("backup", "migrate_to_postgres"),
    "generate": ("generate", "generate"),
    "routes": ("routes", "routes"),
}


class Commands(click.Group):
    """Imports a command when it is asked for, and says what the rules refuse in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DomainError as refusal:
            raise click.ClickException(english(refusal)) from None
        except (BadConfiguration, UnsafeRole) as refusal:
            raise click.ClickException(str(refusal)) from None
        except OperationalError as error:
            cause = " ".join(str(error.orig).split())
            raise click.ClickException(f"the database cannot be used: {cause}") from None


@click.command("console", cls=Commands)
def main() -> None:
    """Operate the console: set it up, import directories, check the ledger, test the alerts."""
