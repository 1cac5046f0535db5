"""The database of a command: that of the settings, opened once and closed at its end."""

from __future__ import annotations

import click

from console.config import read_config
from console.store.schema import present_revision, wanted_revision
from console.store.session import Database


def database() -> Database:
    """The database that the settings name; raises `BadConfiguration`."""
    context = click.get_current_context()
    opened = context.meta.get(__name__)
    if not isinstance(opened, Database):
        opened = context.meta[__name__] = Database(read_config().database_url)
        context.find_root().call_on_close(opened.close)
    return opened


def prepared() -> Database:
    """The same; one line and the end of the command where its tables are not ours."""
    opened = database()
    if present_revision(opened) != wanted_revision():
        raise click.ClickException("the schema is not that of this version: run console prepare first")
    return opened
