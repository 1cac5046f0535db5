"""`console generate`: a whole past that is not real, in a database of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from math import ceil
from pathlib import Path
from typing import Any

import click

from console.actions.catalogue import seed_catalogue
from console.actions.generating.fingerprint import fingerprint
from console.actions.generating.generation import (
    SUBJECTS,
    Subject,
    begin,
    check_vacant,
    counts,
    finish,
    imagine,
)
from console.actions.generating.people import Person, add_managers, add_people
from console.actions.generating.scale import LARGEST, UNTIL, Scale
from console.actions.generating.sites import SHIPPED, Site, read_sites
from console.actions.generating.size import foresee
from console.actions.generating.world import World
from console.config import BadConfiguration, Config, read_config
from console.store import roles, schema
from console.store.session import Database, Operator

SQLITE_LEDGER_DAYS = 31
MANY_HOURS = 50_000_000


class Day(click.ParamType[date]):
    """A date, ISO 8601."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-01-01", param, ctx)


@click.command("generate")
@click.option("--seed", type=int, required=True, help="The same seed and options give the same rows.")
@click.option("--adherents", default=700, show_default=True, type=click.IntRange(1, LARGEST["adherents"]))
@click.option("--subscriptions", default=10_000, show_default=True, type=click.IntRange(1))
@click.option("--incidents", default=50_000, show_default=True, type=click.IntRange(0), help="A year.")
@click.option("--hosts", default=300, show_default=True, type=click.IntRange(1))
@click.option("--workloads", default=4_000, show_default=True, type=click.IntRange(1))
@click.option("--years", default=5, show_default=True, type=click.IntRange(1, LARGEST["years"]))
@click.option(
    "--ledger-days",
    type=click.IntRange(0),
    help="Days of the hourly ledger, in whole months; months before have carbon lines only. "
    f"Default: {SQLITE_LEDGER_DAYS} on SQLite, every year on PostgreSQL.",
)
@click.option("--until", type=Day(), default=UNTIL, show_default=True, help="The day the past ends at.")
@click.option(
    "--directory",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Identification table of the SAE survey to choose adherents from; default: that of 2023.",
)
@click.option("--hash", "hashed", is_flag=True, help="Print a hash of what the seed decides at the end.")
@click.option("--yes", is_flag=True, help="Do not ask before what is long.")
def generate(
    incidents: int, ledger_days: int | None, directory: Path | None, hashed: bool, yes: bool, **options: Any
) -> None:
    """Fill an empty database with a past that is not real, for trials and demonstrations.

    The database is marked: every page says that nothing there is real, agents are refused and no alert is
    mailed. It must hold nothing but what `console prepare` puts there.
    """
    config = _config()
    sites = read_sites(directory.read_bytes() if directory else SHIPPED.read_bytes())
    database = Database(config.database_url)
    engine = database.engine.dialect.name
    days = ledger_days if ledger_days is not None else _default_days(engine, options["years"])
    scale = Scale(incidents_a_year=incidents, ledger_days=days, **options)
    _refuse_any_other(database)
    _announce(scale, engine, yes)
    started = time.monotonic()
    with database.schema() as connection:
        roles.check_login(connection)
        schema.upgrade(connection)
    people = _generate(database, scale, sites)
    _conclude(database, people, time.monotonic() - started)
    if hashed:
        with database.read(Operator()) as session:
            click.echo(f"sha256 {fingerprint(session)}")
    database.close()


def _config() -> Config:
    os.umask(0o077)  # what is kept here is for this user only
    try:
        return read_config()
    except BadConfiguration as error:
        raise click.ClickException(str(error)) from None


def _refuse_any_other(database: Database) -> None:
    """Refuse a database that is somebody's, before a table is made or changed."""
    present = schema.present_revision(database)
    if present is None:
        return
    if present != schema.wanted_revision():
        raise click.ClickException(
            f"CONSOLE_DATABASE_URL: this database is at revision {present} of its tables, not at "
            f"{schema.wanted_revision()}: give the generation one of its own, that is new"
        )
    with database.read(Operator()) as session:
        check_vacant(session)


def _default_days(engine: str, years: int) -> int:
    return SQLITE_LEDGER_DAYS if engine == "sqlite" else years * 366


def _announce(scale: Scale, engine: str, yes: bool) -> None:
    """Say how large it will be and how long it will take, and ask before what is long."""
    size = foresee(scale, engine)
    click.echo(
        f"hourly ledger: {size.days} days before {scale.until}, about {size.hours:,} hours of workloads; "
        f"in all about {size.bytes / 1e9:.2f} GB and {ceil(size.seconds / 60)} min on {engine}"
    )
    if size.days < scale.years * 365:
        click.echo("the months before it have their energy and carbon by workload, not by hour")
    if size.hours > MANY_HOURS and not yes:
        click.confirm("Go on?", abort=True)


def _generate(database: Database, scale: Scale, sites: Sequence[Site]) -> Sequence[Person]:
    with database.write(Operator()) as session:
        begin(session, scale, now=datetime.now(UTC))
    with database.write(Operator()) as session:
        seed_catalogue(session, scale.since)
    with database.read(Operator()) as session:
        world = imagine(session, scale, sites)
    for subject in SUBJECTS:
        _store(database, world, subject)
    with database.write(Operator()) as session:
        add_managers(session, world)
        people = add_people(session, world)
    with database.write(Operator()) as session:
        finish(session, now=datetime.now(UTC))
    return people


def _store(database: Database, world: World, subject: Subject) -> None:
    with click.progressbar(length=subject.size(world), label=f"{subject.name:34}") as bar:
        for deed in subject.deeds(world):
            with database.write(Operator(), by="generator") as session:
                done = deed(session)
            bar.update(done)


def _conclude(database: Database, people: Sequence[Person], seconds: float) -> None:
    with database.read(Operator()) as session:
        held = counts(session)
    for name, count in sorted(held.items()):
        click.echo(f"{name:24}{count:>14,}")
    path = database.engine.url.database
    if database.engine.dialect.name == "sqlite" and path:
        click.echo(f"{path}: {Path(path).stat().st_size / 1e9:.2f} GB")
    click.echo(f"generated in {seconds:.0f} s")
    for person in people:
        click.echo(f"{person.role.value:16} login {person.login:24} one-time password {person.password}")
