"""`console import facility`: what the meters of a data centre tell, from a table."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from console.actions.facility import Looked, look_at, note_import, site_called, store_file
from console.cli.prepared import prepared
from console.domain.errors import DomainError
from console.domain.facility import CATEGORIES, NO_POINT, WHOLE_SITE
from console.domain.facility_files import LARGEST_FILE, Defaults
from console.domain.site_judging import Judged, Verdict
from console.domain.site_measures import shown
from console.store.session import Operator
from console.web.catalogues import english

SHOWN = 20  # lines of a kind that are printed one by one
SIGNATURE = "console"


@click.command("facility")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", required=True, help="The data centre, by its code or its name, such as tls.")
@click.option(
    "--category",
    type=click.Choice([str(one) for one in CATEGORIES]),
    help="Where FILE does not say it: the point of the PUE at which the IT energy is measured.",
)
@click.option("--meter", default=WHOLE_SITE, show_default=True, help="The meter, where FILE names none.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Import without asking.")
def import_facility(
    file: Path, site: str, category: str | None, meter: str, dry_run: bool, yes: bool
) -> None:
    """Import the meters of a site from FILE, a CSV table: energies, water, reused heat.

    Shows what is new, corrected, unchanged and refused, then asks. All that is not refused is stored in one
    transaction. It may be repeated without harm.
    """
    database = prepared()
    defaults = Defaults(NO_POINT if category is None else int(category), meter)
    with file.open("rb") as opened:
        content = opened.read(LARGEST_FILE + 1)
    try:
        with database.read(Operator()) as session:
            found = look_at(session, site_called(session, site), content, defaults, now=datetime.now(UTC))
        _show(found)
        if dry_run or not found.to_store:
            click.echo("Nothing was changed." if dry_run else "Nothing to import.")
        else:
            if not yes:
                click.confirm("Import?", abort=True)
            with database.write(Operator(), by=SIGNATURE) as session:
                row, now = site_called(session, site), datetime.now(UTC)
                found = store_file(session, row, content, defaults, now=now, by=SIGNATURE)
                note_import(session, row, file.name, found)
            click.echo(f"{found.to_store} measures imported.")
    except DomainError as error:
        raise click.ClickException(f"{file}: {_told(error)}") from None
    if found.refused():
        raise SystemExit(1)


def _show(found: Looked) -> None:
    click.echo(f"{found.file.rows} rows, {found.file.gaps} empty cells")
    if found.file.ignored:
        click.echo(f"ignored    {', '.join(found.file.ignored)}")
    counts, refused = found.counts(), found.refused()
    for verdict in Verdict:
        click.echo(f"{verdict.value:<10} {counts[verdict]}")
    changed = [one for one in found.judged if one.verdict is Verdict.CHANGED]
    for line in islice(map(_change, changed), SHOWN):
        click.echo(f"  {line}")
    for row in islice(refused, SHOWN):
        click.echo(f"  line {row.line}, {_told(row.error)}")
    if len(refused) > SHOWN:
        click.echo(f"  and {len(refused) - SHOWN} more")


def _change(one: Judged) -> str:
    measure, before = one.told.measure, one.before
    old = "unknown" if before is None else shown(before.quantity, before.amount)
    start = f"{measure.started_at:%Y-%m-%d %H:%M}Z"
    new = shown(measure.quantity, measure.amount)
    return f"line {one.told.line}, {measure.quantity.value} of {measure.meter} from {start}: {old} -> {new}"


def _told(error: DomainError) -> str:
    field = getattr(error, "field", "")
    return f"{field}: {english(error)}" if field else english(error)
