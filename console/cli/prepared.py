"""The database of a command that reads what `console prepare` made."""

from __future__ import annotations

import click

from console.store.schema import present_revision, wanted_revision
from console.store.session import Database
from console.web.state import state


def prepared() -> Database:
    """The database of the application; one line and the end of the command where its tables are not ours."""
    database = state().database
    if present_revision(database) != wanted_revision():
        raise click.ClickException("the schema is not that of this version: run console prepare first")
    return database
