"""`console jobs`: the process that does what is due."""

from __future__ import annotations

import logging
from contextlib import suppress

import click
from sqlalchemy.exc import OperationalError

from console.config import BadConfiguration, Config, read_config
from console.jobs import run
from console.store.queries.generation import Origin, origin
from console.store.schema import present_revision, wanted_revision
from console.store.session import Database, Operator


@click.command("jobs")
def jobs() -> None:
    """Meter, reckon, watch and send, until Ctrl-C."""
    try:
        config = read_config()
    except BadConfiguration as error:
        raise click.ClickException(str(error)) from None
    _refuse_unfinished(config)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    run(config)


def _refuse_unfinished(config: Config) -> None:
    """Leave an unfinished generation to itself; a database that does not answer yet may later."""
    database = Database(config.database_url)
    with suppress(OperationalError):
        if present_revision(database) == wanted_revision() and _origin(database) is Origin.INCOMPLETE:
            raise click.ClickException("the generation of this database was not finished: delete it")
    database.close()


def _origin(database: Database) -> Origin:
    with database.read(Operator()) as session:
        return origin(session)
