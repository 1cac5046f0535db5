"""`console jobs`: the process that does what is due."""

from __future__ import annotations

import logging

import click

from console.config import BadConfiguration, read_config
from console.jobs import run


@click.command("jobs")
def jobs() -> None:
    """Meter, reckon, watch and send, until Ctrl-C."""
    try:
        config = read_config()
    except BadConfiguration as error:
        raise click.ClickException(str(error)) from None
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    run(config)
