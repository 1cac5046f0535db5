"""`console import`: fill the directory from published files, or from any table; and what others take in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from console.actions import imports
from console.actions.directory import Difference
from console.actions.memberships import end_those_left
from console.cli.cmdb import import_cmdb
from console.cli.equipment import import_equipment
from console.cli.facility import import_facility
from console.cli.factors import import_factors
from console.cli.grid import import_grid
from console.cli.prepared import database
from console.cli.tickets import import_incidents
from console.domain.directory import Kind, Listing
from console.domain.errors import DomainError
from console.store.session import Operator
from console.web.catalogues import english

group = click.Group(
    "import", help="Take files in: the directory, tickets, meters of sites, grids, factors, claims."
)

SHOWN = 20  # lines of a kind that are printed one by one
NOTE = "Shows what is new, changed, unchanged and refused, then asks. It may be repeated without harm."
PUBLISHED = {
    "sae": "Import the sites of FILE, an identification table of the SAE survey (ID_2023r.csv).",
    "finess": "Import the sites of FILE, a FINESS extract cs1100502 (CSV).",
    "finess-xml": "Import FILE, a FINESS feed of legal entities (cs1400101) or sites (cs1400102), XML.",
    "ght": "Import the hospital groups of FILE, a GHT table of the SAE survey (GHT_2023r.csv).",
}


@contextmanager
def _in_one_line(file: Path) -> Iterator[None]:
    try:
        yield
    except DomainError as error:
        raise click.ClickException(f"{file}: {english(error)}") from None


def _options(command: click.Command) -> None:
    """What each of the commands asks for."""
    command.params += [
        click.Argument(["file"], type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        click.Option(
            ["--as-of"],
            type=click.DateTime(["%Y-%m-%d"]),
            help="The day of a file that does not say it.",
        ),
        click.Option(["--dry-run"], is_flag=True, help="Show what would change, and change nothing."),
        click.Option(["--yes"], is_flag=True, help="Import without asking."),
    ]


def _published(name: str, text: str) -> None:
    def run(file: Path, as_of: datetime | None, dry_run: bool, yes: bool) -> None:
        _import(file, as_of, dry_run=dry_run, yes=yes, format_name=name)

    _options(group.command(name, help=f"{text}\n\n{NOTE}")(run))


@group.command("ght-members")
@click.option("--complete", is_flag=True, help="End on its day the memberships that FILE does not hold.")
def import_members(file: Path, as_of: datetime | None, dry_run: bool, yes: bool, complete: bool) -> None:
    """Import who is in which group from FILE, by CODE_GHT, FINESS_EJ and, if known, ROLE, DU, AU."""
    _import(file, as_of, dry_run=dry_run, yes=yes, format_name="ght-members", complete=complete)


@group.command("table")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="What the rows are.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FACT=HEADING",
    help="Which column holds a fact, such as finess_et=FINESS; remembered for tables with the same headings.",
)
def import_table(
    file: Path,
    as_of: datetime | None,
    dry_run: bool,
    yes: bool,
    kind: str | None,
    columns: Sequence[str],
) -> None:
    """Import any table of FILE, CSV or XLSX, by its columns."""
    if (kind is None) != (not columns):
        raise click.UsageError("--kind and --column go together")
    chosen = None if kind is None else (Kind(kind), _pairs(columns))
    _import(file, as_of, dry_run=dry_run, yes=yes, chosen=chosen)


for _elsewhere in (
    import_incidents,
    import_equipment,
    import_facility,
    import_grid,
    import_factors,
    import_cmdb,
):
    group.add_command(_elsewhere)
for _name, _text in PUBLISHED.items():
    _published(_name, _text)
for _command in (import_members, import_table):
    _options(_command)


def _import(
    file: Path,
    as_of: datetime | None,
    *,
    dry_run: bool,
    yes: bool,
    format_name: str | None = None,
    complete: bool = False,
    chosen: tuple[Kind, Mapping[str, Sequence[str]]] | None = None,
) -> None:
    with _in_one_line(file):
        listing = _read(file, as_of, format_name, chosen, remember=not dry_run)
        with database().read(Operator()) as session:
            difference = imports.compare(session, listing)
    _show(listing, difference)
    if complete and (listing.refusals or difference.refused):
        click.echo("No membership is ended: a file is not complete while rows of it are refused.")
    ending = complete and bool(difference.left)
    if dry_run or not (difference.to_store or ending):
        click.echo("Nothing was changed." if dry_run else "Nothing to import.")
        return
    if not yes:
        click.confirm("Import?", abort=True)
    with _in_one_line(file):
        _store(listing, difference, file.name, complete=complete)
    click.echo(f"{len(difference.to_store)} {_records(listing)} imported.")


def _read(
    file: Path,
    as_of: datetime | None,
    format_name: str | None,
    chosen: tuple[Kind, Mapping[str, Sequence[str]]] | None,
    *,
    remember: bool,
) -> Listing:
    now, day, content = datetime.now(UTC), as_of and as_of.date(), file.read_bytes()
    table = imports.open_table(content)
    if chosen:
        listing = imports.read_by_columns(table, *chosen, file_name=file.name, as_of=day, now=now)
        if remember:
            with database().write(Operator()) as session:
                imports.remember_columns(session, table, *chosen, now=now, by="console")
        return listing
    with database().read(Operator()) as session:
        known = imports.read_listing(
            session, table, file_name=file.name, as_of=day, now=now, format_name=format_name
        )
    if known is None:
        raise click.ClickException(
            f"{file}: its headings are not known: say --kind and, for each fact, --column FACT=HEADING; "
            f"the headings are {', '.join(table.headings)}"
        )
    return known


def _show(listing: Listing, difference: Difference) -> None:
    lines = imports.lines_of(listing, difference)
    for fate, count in imports.counts_of(listing, difference).items():
        if count or fate in ("new", "changed", "unchanged", "refused"):
            click.echo(f"{fate:<10} {count}")
        if fate in ("refused", "repaired", "unknown", "left", "changed"):
            for line in islice(lines[fate], SHOWN):
                click.echo(f"  {_told(line)}")
            if count > SHOWN:
                click.echo(f"  and {count - SHOWN} more")


def _told(line: imports.Line) -> str:
    if line.message:
        return f"line {line.line}, {line.place}: {english(DomainError(line.message, **line.values))}"
    where = f"line {line.line}, " if line.line is not None and not line.key else ""
    what = f"{line.key} {line.name}, " if line.key else ""
    return f"{where}{what}{line.place}: {line.before} -> {line.after or 'unknown'}"


def _store(listing: Listing, difference: Difference, file_name: str, *, complete: bool) -> None:
    with click.progressbar(length=len(difference.to_store), label="Importing") as bar:
        for portion in imports.portions(listing, difference):
            with database().write(Operator()) as session:
                imports.store(session, listing, portion)
            bar.update(len(portion))
    with database().write(Operator()) as session:
        if complete:
            click.echo(f"{end_those_left(session, listing)} memberships ended.")
        imports.note_import(session, listing, file_name, imports.counts_of(listing, difference))


def _records(listing: Listing) -> str:
    return listing.kind.value.replace("_", " ")


def _pairs(columns: Sequence[str]) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for pair in columns:
        fact, _equals, heading = pair.partition("=")
        pairs.setdefault(fact.strip(), []).append(heading.strip())
    return pairs
