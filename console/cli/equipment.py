"""`console import equipment`: the inventory, from a table or the physical file of G4IT."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from console.actions.equipment_files import Fate, Looked, look_at, note_import, store_file
from console.actions.imports import open_table
from console.cli.prepared import prepared
from console.domain.equipment_files import LARGEST_FILE, read_equipment
from console.domain.errors import DomainError, Invalid
from console.store.session import Operator
from console.web.catalogues import english

SHOWN = 20  # lines of a kind that are printed one by one
SIGNATURE = "console"


@click.command("equipment")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FACT=HEADING",
    help="Which column holds a fact, such as name=Asset; told once, it holds for all: none is guessed.",
)
@click.option(
    "--planned-months", type=click.IntRange(1, 1200), help="The planned life of new things that tell none."
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Import without asking.")
def import_equipment(
    file: Path, columns: tuple[str, ...], planned_months: int | None, dry_run: bool, yes: bool
) -> None:
    """Import the inventory from FILE, CSV or XLSX: servers, storage, network, UPS, cooling, buildings.

    Shows what is new, changed, unchanged and refused, then asks. All that is not refused is stored in one
    transaction. It may be repeated without harm.
    """
    database, now = prepared(), datetime.now(UTC)
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise Invalid("file", "Ce fichier passe %(most)s Mo.", most=LARGEST_FILE // 1024**2)
        mapping = dict(one.split("=", 1) for one in columns if "=" in one) or None
        table = read_equipment(open_table(content), mapping)
        with database.read(Operator()) as session:
            found = look_at(session, table, planned_months=planned_months, now=now)
        _show(found)
        if dry_run or not found.to_store:
            click.echo("Nothing was changed." if dry_run else "Nothing to import.")
        else:
            if not yes:
                click.confirm("Import?", abort=True)
            with database.write(Operator(), by=SIGNATURE) as session:
                found = store_file(session, table, planned_months=planned_months, now=now, by=SIGNATURE)
                note_import(session, file.name, found)
            click.echo(f"{found.to_store} things imported.")
    except DomainError as error:
        raise click.ClickException(f"{file}: {_told(error)}") from None
    if found.refused():
        raise SystemExit(1)


def _show(found: Looked) -> None:
    if found.file.ignored:
        click.echo(f"ignored    {', '.join(found.file.ignored)}")
    counts, refused = found.counts(), found.refused()
    for fate in Fate:
        click.echo(f"{fate.value:<10} {counts[fate]}")
    for row in islice(refused, SHOWN):
        click.echo(f"  line {row.line}, {_told(row.error)}")
    if len(refused) > SHOWN:
        click.echo(f"  and {len(refused) - SHOWN} more")


def _told(error: DomainError) -> str:
    field = getattr(error, "field", "")
    return f"{field}: {english(error)}" if field else english(error)
