"""`console import incidents`: tickets of a service desk from a table, by a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from console.actions.desk_files import Tally, shipped_mapping, shipped_mappings, take_from_file
from console.cli.prepared import prepared
from console.domain.desk_files import FileMapping, FileTicket, FileTickets, read_mapping, read_tickets
from console.domain.errors import DomainError
from console.domain.tables import read_csv
from console.store.session import Operator
from console.web.catalogues import english

SHOWN = 20  # refused tickets that are printed one by one
SIGNATURE = "console"


@click.command("incidents")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping",
    required=True,
    metavar="FILE.toml|NAME",
    help="What the columns hold: a file, or one that comes with the console, such as uci-incident-log.",
)
@click.option("--adherent", default="", help="Number or FINESS of the adherent of every ticket.")
@click.option("--subscription", default="", help="Number, or code of the service, of every ticket.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Import without asking.")
def import_incidents(
    file: Path, mapping: str, adherent: str, subscription: str, dry_run: bool, yes: bool
) -> None:
    """Import the tickets of FILE, a CSV table with a row for each ticket or for each update of one.

    Tries all of it, shows what is new, changed, unchanged and refused, then asks. It may be repeated without
    harm: a ticket that is told again changes nothing.
    """
    given = {"adherent": adherent, "subscription": subscription}
    given = {name: value for name, value in given.items() if value}
    known, found = _read(file, mapping, given)
    click.echo(f"{found.rows} rows, {len(found.tickets) + len(found.refused)} tickets of {known.desk}")
    tried = _try(known.desk, found)
    _show(tried)
    if dry_run or not tried.outcomes["created"] + tried.outcomes["changed"]:
        click.echo("Nothing was changed." if dry_run else "Nothing to import.")
        return
    if not yes:
        click.confirm("Import?", abort=True)
    done = _take(known.desk, found.tickets)
    click.echo(f"{done.outcomes['created']} incidents opened, {done.outcomes['changed']} changed.")


def _read(file: Path, mapping: str, given: dict[str, str]) -> tuple[FileMapping, FileTickets]:
    try:
        known = read_mapping(_text_of(mapping))
    except DomainError as error:
        raise click.ClickException(f"{mapping}: {_told(error)}") from None
    try:
        return known, read_tickets(read_csv(file.read_bytes()), known, given)
    except DomainError as error:
        raise click.ClickException(f"{file}: {_told(error)}") from None


def _text_of(mapping: str) -> str:
    shipped = shipped_mapping(mapping)
    if shipped is not None:
        return shipped
    try:
        return Path(mapping).read_text()
    except (OSError, UnicodeDecodeError):
        raise click.ClickException(
            f"{mapping}: no such mapping; those that come with the console: {', '.join(shipped_mappings())}"
        ) from None


def _try(desk: str, found: FileTickets) -> Tally:
    """Everything in one transaction, which is rolled back."""
    tally = Tally(refused=list(found.refused))
    with prepared().write(Operator(), by=SIGNATURE) as session:
        for told in found.tickets:
            tally.count(take_from_file(session, desk, told, now=datetime.now(UTC), by=SIGNATURE))
        session.rollback()
    return tally


def _take(desk: str, tickets: Sequence[FileTicket]) -> Tally:
    tally, database = Tally(), prepared()
    for told in tickets:
        with database.write(Operator(), by=SIGNATURE) as session:
            tally.count(take_from_file(session, desk, told, now=datetime.now(UTC), by=SIGNATURE))
    return tally


def _show(tally: Tally) -> None:
    for outcome in ("created", "changed", "unchanged"):
        click.echo(f"{outcome:<10} {tally.outcomes[outcome]}")
    click.echo(f"{'refused':<10} {len(tally.refused)}")
    for one in islice(sorted(tally.refused, key=lambda one: one.line), SHOWN):
        click.echo(f"  line {one.line}, {one.external_id}: {_told(one.error)}")
    if len(tally.refused) > SHOWN:
        click.echo(f"  and {len(tally.refused) - SHOWN} more")


def _told(error: DomainError) -> str:
    """The refusal with the column or the field that it is about."""
    field = getattr(error, "field", "")
    return f"{field}: {english(error)}" if field else english(error)
