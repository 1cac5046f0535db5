"""`console import grid`: what a kWh of a grid emits, from the files of its publishers."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from console.actions.grid import Tally, compare, note_import, portions, take
from console.cli.prepared import prepared
from console.domain.countries import grid_zone
from console.domain.errors import DomainError
from console.domain.grid_files import LARGEST_FILE, GridFile, read_grid
from console.store.session import Database, Operator
from console.web.catalogues import english

SHOWN = 20  # refused rows that are printed one by one
SIGNATURE = "console"


@click.command("grid")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--zone", required=True, help="The grid, a country or a part of one, such as FR.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Import without asking.")
def import_grid(file: Path, zone: str, dry_run: bool, yes: bool) -> None:
    """Import the intensities of FILE: eCO2mix (.xls or CSV) and ODRE of RTE, CSV of Electricity Maps.

    Shows what is new, replaced, unchanged and refused, then asks. It may be repeated without harm: a figure
    only gives way to one that is as final as it is.
    """
    database = prepared()
    try:
        zone = grid_zone(zone)
        found = read_grid(_content(file), zone)
    except DomainError as error:
        raise click.ClickException(f"{file}: {_told(error)}") from None
    tried = _try(database, zone, found)
    _show(found, tried)
    if dry_run or not tried.to_store:
        click.echo("Nothing was changed." if dry_run else "Nothing to import.")
    else:
        if not yes:
            click.confirm("Import?", abort=True)
        done = _take(database, zone, found, file.name)
        click.echo(f"{done.added} intensities of {zone} added, {done.replaced} replaced.")
    if found.refusals:
        raise SystemExit(1)


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(LARGEST_FILE + 1)


def _try(database: Database, zone: str, found: GridFile) -> Tally:
    tally = Tally()
    with database.read(Operator()) as session:
        for portion in portions(found.intensities):
            tally.count(compare(session, zone, portion))
    return tally


def _take(database: Database, zone: str, found: GridFile, file_name: str) -> Tally:
    tally = Tally()
    for portion in portions(found.intensities):
        with database.write(Operator(), by=SIGNATURE) as session:
            tally.count(take(session, zone, portion, now=datetime.now(UTC)))
    with database.write(Operator(), by=SIGNATURE) as session:
        note_import(session, zone, file_name, tally)
    return tally


def _show(found: GridFile, tally: Tally) -> None:
    click.echo(f"{found.rows} rows of {found.publisher}")
    for name, count in (
        ("new", tally.added),
        ("replaced", tally.replaced),
        ("unchanged", tally.unchanged),
        ("kept out", tally.kept_out),
        ("gaps", found.gaps),
        ("forecasts", found.forecasts),
        ("no hour", found.repeated),
        ("half told", found.unhoured),
        ("refused", len(found.refusals)),
    ):
        click.echo(f"{name:<10} {count}{NOTES.get(name, '') if count else ''}")
    for one in islice(found.refusals, SHOWN):
        click.echo(f"  line {one.line}, {_told(one.error)}")
    if len(found.refusals) > SHOWN:
        click.echo(f"  and {len(found.refusals) - SHOWN} more")


NOTES = {
    "kept out": "  (what is known is more final, or of another publisher)",
    "gaps": "  (no figure: it stays unknown)",
    "forecasts": "  (rows of what was expected alone: refused)",
    "no hour": "  (rows of the hour that the clock skips in March)",
    "half told": "  (of the hour that happens twice in October the file tells one)",
}


def _told(error: DomainError) -> str:
    field = getattr(error, "field", "")
    return f"{field}: {english(error)}" if field else english(error)
