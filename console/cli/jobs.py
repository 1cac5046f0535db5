"""`console jobs`: the process that does what is due."""

from __future__ import annotations

import logging

import click

from console.config import BadConfiguration, read_config
from console.jobs import run
from console.store.queries.generation import Origin, origin
from console.store.session import Operator
from console.web.state import state


@click.command("jobs")
def jobs() -> None:
    """Meter, reckon, watch and send, until Ctrl-C."""
    try:
        config = read_config()
    except BadConfiguration as error:
        raise click.ClickException(str(error)) from None
    with state().database.read(Operator()) as session:
        if origin(session) is Origin.INCOMPLETE:
            raise click.ClickException("the generation of this database was not finished: delete it")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    run(config)
