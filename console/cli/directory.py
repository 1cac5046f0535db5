"""`console import`: fill the directory of sites from a published file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from console.actions.directory import Difference, compare_sites, store_sites
from console.domain.directory import Listing, Refusal, read_sae
from console.domain.errors import Invalid
from console.store.session import Operator
from console.web.errors import message_of
from console.web.state import state

group = AppGroup("import", help="Fill the console from published files.")

BATCH = 250  # sites a transaction
SHOWN = 20  # refused rows printed one by one


@group.command("sae")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Import without asking.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def import_sae(file: Path, yes: bool, dry_run: bool) -> None:
    """Import the sites of FILE, an identification table of the SAE survey (ID_2023r.csv).

    Shows what is new, changed, unchanged and refused, then asks. It may be repeated without harm.
    """
    listing = _read(file)
    with state().database.read(Operator()) as session:
        difference = compare_sites(session, listing.sites)
    _show(difference, listing.refusals)
    if dry_run or not difference.to_store:
        click.echo("Nothing was changed." if dry_run else "Nothing to import.")
        return
    if not yes:
        click.confirm("Import?", abort=True)
    _store(difference)
    click.echo(f"{len(difference.to_store)} sites imported.")


def _read(file: Path) -> Listing:
    try:
        return read_sae(file.read_bytes())
    except Invalid as error:
        raise click.ClickException(f"{file}: {_in_english(error)}") from None


def _show(difference: Difference, refusals: Sequence[Refusal]) -> None:
    click.echo(f"new        {len(difference.new)}")
    click.echo(f"changed    {len(difference.changed)}")
    click.echo(f"unchanged  {difference.unchanged}")
    click.echo(f"refused    {len(refusals)}")
    for refusal in islice(refusals, SHOWN):
        click.echo(f"  line {refusal.line}, {refusal.error.field}: {_in_english(refusal.error)}")
    if len(refusals) > SHOWN:
        click.echo(f"  and {len(refusals) - SHOWN} more")


def _store(difference: Difference) -> None:
    sites = difference.to_store
    with click.progressbar(length=len(sites), label="Importing") as bar:
        for start in range(0, len(sites), BATCH):
            batch = sites[start : start + BATCH]
            with state().database.write(Operator()) as session:
                store_sites(session, batch)
            bar.update(len(batch))


def _in_english(error: Invalid) -> str:
    with force_locale("en"):
        return message_of(error)
