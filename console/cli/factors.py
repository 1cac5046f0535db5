"""`console import factors`: emission factors from the Base Carbone, or from any table by its columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from console.actions.factors import Looked, look_at, note_import, store_file
from console.cli.prepared import prepared
from console.domain.errors import DomainError
from console.domain.factor_registry import UNITS, Judged, Verdict
from console.domain.factor_tables import FACTS, FIXABLE, FactorMapping
from console.store.session import Operator
from console.web.catalogues import english

SHOWN = 20  # lines of a kind that are printed one by one
SIGNATURE = "console"
HOME = ZoneInfo("Europe/Paris")  # whose days are those on which a factor is known
LARGEST_FILE = 32 * 1024 * 1024


@click.command("factors")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--column", "columns", multiple=True, metavar="FACT=HEADING", help=f"One of: {', '.join(FACTS)}."
)
@click.option(
    "--set", "fixed", multiple=True, metavar="FACT=TEXT", help=f"The same for all rows: {', '.join(FIXABLE)}."
)
@click.option(
    "--unit", type=click.Choice(list(UNITS)), default="g/kWh", show_default=True, help="Of the values."
)
@click.option("--official", is_flag=True, help="FILE is the publisher's own: its values are confirmed.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Import without asking.")
def import_factors(
    file: Path,
    columns: Sequence[str],
    fixed: Sequence[str],
    unit: str,
    official: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Import emission factors of electricity from FILE: the Base Carbone of ADEME, or a table.

    The columns of a table are told by --column value=Taux and the like, what its rows have in common by
    --set publisher=AIB. Shows what is new, replaced, unchanged, left out and refused, then asks. A factor is
    never overwritten: what corrects it replaces it. It may be repeated without harm.
    """
    database = prepared()
    mapping = FactorMapping(_pairs(columns), _pairs(fixed), unit, official) if columns or fixed else None
    with file.open("rb") as opened:
        content = opened.read(LARGEST_FILE + 1)
    try:
        with database.read(Operator()) as session:
            found = look_at(session, content, file.name, mapping, today=_today())
        _show(found)
        if dry_run or not found.to_store:
            click.echo("Nothing was changed." if dry_run else "Nothing to import.")
        else:
            if not yes:
                click.confirm("Import?", abort=True)
            with database.write(Operator(), by=SIGNATURE) as session:
                now = datetime.now(UTC)
                found = store_file(
                    session, content, file.name, mapping, now=now, today=_today(), by=SIGNATURE
                )
                note_import(session, file.name, found)
            click.echo(f"{found.to_store} factors imported.")
    except DomainError as error:
        raise click.ClickException(f"{file}: {_told(error)}") from None
    if found.refused():
        raise SystemExit(1)


def _today() -> date:
    return datetime.now(HOME).date()


def _pairs(told: Sequence[str]) -> dict[str, str]:
    """`FACT=TEXT` by fact; raises where one has no `=`."""
    pairs = [one.partition("=") for one in told]
    wrong = next((fact for fact, equals, _text in pairs if not equals), None)
    if wrong is not None:
        raise click.UsageError(f"{wrong}: FACT=TEXT is expected.")
    return {fact.strip(): text.strip() for fact, _equals, text in pairs}


def _show(found: Looked) -> None:
    counts, refused = found.counts(), found.refused()
    click.echo(f"{found.file.rows} rows")
    for verdict in Verdict:
        click.echo(f"{verdict.value:<10} {counts[verdict]}")
    for one in islice((one for one in found.judged if one.to_store), SHOWN):
        click.echo(f"  {_line(one)}")
    for reason, count in found.file.counts.items():
        click.echo(f"left out   {count}  ({reason.value.replace('_', ' ')})")
    for row in islice(refused, SHOWN):
        click.echo(f"  line {row.line}, {_told(row.error)}")
    if len(refused) > SHOWN:
        click.echo(f"  and {len(refused) - SHOWN} more")


def _line(one: Judged) -> str:
    stated = one.told.stated
    thing = f"{stated.publisher} {stated.geography} {stated.vintage} {stated.perimeter.value}"
    before = "" if one.before is None else f"{one.before.intensity_mg_per_kwh} -> "
    return f"line {one.told.line}, {thing}: {before}{stated.intensity_mg_per_kwh} mg/kWh"


def _told(error: DomainError) -> str:
    field = getattr(error, "field", "")
    return f"{field}: {english(error)}" if field else english(error)
