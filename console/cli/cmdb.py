"""`console import cmdb`: whose the virtual machines are, from an export of a CMDB or of tags."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click
from sqlalchemy.orm import Session

from console.actions.cmdb import Fate, Planned, Tally, look_at, note_import, take
from console.actions.cmdb_known import Known, known_of
from console.actions.imports import open_table
from console.cli.prepared import prepared
from console.domain.cmdb_files import LARGEST_FILE, CmdbFile, MachineRow, read_cmdb
from console.domain.errors import Conflict, DomainError, Invalid
from console.store.again import write_again
from console.store.session import Database, Operator
from console.web.catalogues import english

SHOWN = 20  # lines of a kind that are printed one by one
SIGNATURE = "console"


@click.command("cmdb")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--from",
    "from_day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first day of the rows of FILE that say none.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Import without asking.")
def import_cmdb(file: Path, from_day: datetime | None, dry_run: bool, yes: bool) -> None:
    """Claim the virtual machines of FILE, CSV or XLSX, for the adherents and services that it says.

    Shows what would be claimed, changed, ended, what is not seen yet and what is refused, then asks. Each row
    is a transaction, so an import that stopped goes on when it is repeated, which does no harm.
    """
    database = prepared()
    try:
        found = read_cmdb(open_table(_content(file)), from_day.date() if from_day else None)
        with database.read(Operator()) as session:
            planned = look_at(session, known_of(session), found)
    except DomainError as error:
        raise click.ClickException(f"{file}: {_told(error)}") from None
    _show(found, planned)
    if dry_run or not Tally().count(planned).to_store:
        click.echo("Nothing was changed." if dry_run else "Nothing to import.")
        done = planned
    else:
        if not yes:
            click.confirm("Import?", abort=True)
        done = _take(database, found, file.name)
    if found.refusals or any(one.fate is Fate.REFUSED for one in done):
        raise SystemExit(1)


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise Invalid("file", "Ce fichier passe %(most)s Mo.", most=LARGEST_FILE // 1024**2)
    return content


def _take(database: Database, found: CmdbFile, file_name: str) -> list[Planned]:
    with database.read(Operator()) as session:
        known = known_of(session)
    done = []
    with click.progressbar(found.machines, label="Importing") as rows:
        for row in rows:
            done.append(_take_one(database, known, row))
    tally = Tally().count(done)
    with database.write(Operator(), by=SIGNATURE) as session:
        note_import(session, file_name, tally)
    for fate in (Fate.CLAIMED, Fate.CHANGED, Fate.ENDED, Fate.REFUSED):
        click.echo(f"{tally.fates[fate]} machines {fate.value}")
    return done


def _take_one(database: Database, known: Known, row: MachineRow) -> Planned:
    def work(session: Session) -> Planned:
        return take(session, known, row, now=datetime.now(UTC), by=SIGNATURE)

    try:
        return write_again(database, Operator(), work, SIGNATURE)
    except Conflict as refusal:  # those before it are stored
        return Planned(row, Fate.REFUSED, refusal=refusal)


def _show(found: CmdbFile, planned: list[Planned]) -> None:
    click.echo(f"{found.rows} rows, {len(found.machines)} machines, {found.applications} applications")
    for fate in Fate:
        ones = [one for one in planned if one.fate is fate]
        extra = len(found.refusals) if fate is Fate.REFUSED else 0
        click.echo(f"{fate.value:<10} {len(ones) + extra}")
        lines = [_line(one) for one in ones] if fate is not Fate.UNCHANGED else []
        if fate is Fate.REFUSED:
            lines += [f"line {one.line}, {_told(one.error)}" for one in found.refusals]
        for line in islice(lines, SHOWN):
            click.echo(f"  {line}")
        if len(lines) > SHOWN:
            click.echo(f"  and {len(lines) - SHOWN} more")


def _line(one: Planned) -> str:
    where = f"line {one.row.line}, {one.row.named}"
    if one.refusal is not None:
        return f"{where}: {_told(one.refusal)}"
    if one.fate is Fate.UNSEEN:
        return f"{where}: no host has told of it yet"
    days = f"from {one.row.first_day}" + (f" to {one.row.last_day}" if one.row.last_day else "")
    before = f" (was of {one.before})" if one.fate is Fate.CHANGED else ""
    return f"{where} on {one.host}: {one.holder_name} {days}{before}"


def _told(error: DomainError) -> str:
    field = getattr(error, "field", "")
    return f"{field}: {english(error)}" if field else english(error)
