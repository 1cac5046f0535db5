"""`console months`: close months of service, and check that closed ones are as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from console.actions.service_months import close_month, unsound_months
from console.cli.prepared import prepared
from console.domain.errors import Invalid
from console.store.queries import names
from console.store.queries.service_months import adherents_served
from console.store.session import Database, Operator

group = click.Group("months", help="Months of service.")


class Month(click.ParamType[date]):
    """A month such as 2026-10."""

    name = "month"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            self.fail(f"{value!r} is not a month such as 2026-10", param, ctx)


@group.command("close")
@click.argument("month", type=Month())
@click.option("--adherent", "only", type=int, help="Only the adherent of this number.")
def close(month: date, only: int | None) -> None:
    """Close a month of every adherent, one transaction each; what is closed already stays."""
    database = prepared()
    adherents = _chosen(database, only)
    closed, running = 0, 0
    for tenant_id in adherents:
        try:
            with database.write(Operator(), "console") as session:
                closed += len(close_month(session, tenant_id, month, now=datetime.now(UTC), by="console"))
        except Invalid:
            running += 1
    if adherents and running == len(adherents):
        raise click.ClickException(f"{month:%Y-%m} is not over")
    click.echo(f"{closed} service months closed for {len(adherents) - running} adherents")
    if running:
        click.echo(f"{month:%Y-%m} is not over in the zone of {running} adherents")


@group.command("verify")
@click.option("--adherent", "only", type=int, help="Only the adherent of this number.")
def verify(only: int | None) -> None:
    """Check the hash of every closed month, and reckon it again; exit status 1 if one is not sound."""
    database = prepared()
    unsound = 0
    for tenant_id in _chosen(database, only):
        with database.read(Operator()) as session:
            for subscription, month, revision in unsound_months(session, tenant_id):
                unsound += 1
                click.echo(
                    f"adherent {tenant_id}, subscription {subscription}, {month:%Y-%m}, "
                    f"revision {revision}: does not hold"
                )
    if not unsound:
        click.echo("every closed month holds")
    raise SystemExit(1 if unsound else 0)


def _chosen(database: Database, only: int | None) -> list[int]:
    """Every adherent that has a subscription, or one that is known."""
    with database.read(Operator()) as session:
        if only is None:
            return adherents_served(session)
        if not names.adherents(session, [only]):
            raise click.ClickException(f"no adherent {only}")
    return [only]
