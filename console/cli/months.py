"""`console months`: close months of service and of carbon, and check that closed ones are as they were."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import click

from console.actions import carbon_months
from console.actions.service_months import close_month, unsound_months
from console.cli.prepared import prepared
from console.domain.carbon_months import MonthState
from console.domain.errors import Conflict, Invalid
from console.store.queries import names
from console.store.queries.carbon_months import adherents_closed, adherents_with_lines, month_seen
from console.store.queries.service_months import adherents_served
from console.store.session import Database, Operator

group = click.Group("months", help="Months of service and of carbon.")


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


@group.command("close-carbon")
@click.argument("month", type=Month())
@click.option("--adherent", "only", type=int, help="Only the adherent of this number.")
@click.option("--provisional", is_flag=True, help="Close months whose figures are provisional as well.")
def close_carbon(month: date, only: int | None, provisional: bool) -> None:
    """Close a month of carbon of every adherent whose figures are final, one transaction each.

    What is closed already stays. What is provisional, or waits to be reckoned, is told and left open.
    """
    database = prepared()
    with database.read(Operator()) as session:
        adherents = [one for one in adherents_with_lines(session, month) if only in (None, one)]
    closed = left = refused = 0
    to_confirm: Counter[str] = Counter()
    for tenant_id in adherents:
        try:
            with database.write(Operator(), "console") as session:
                now = datetime.now(UTC)
                seen = month_seen(session, tenant_id, month, now)
                if seen.state is MonthState.PROVISIONAL and not provisional:
                    left += 1
                    continue
                if carbon_months.close_month(session, tenant_id, month, now=now, by="console") is None:
                    continue
                closed += 1
                to_confirm.update(
                    f"{one.publisher}, {one.title}, {one.vintage}" for one in seen.inputs.unconfirmed
                )
        except (Invalid, Conflict):
            refused += 1
    click.echo(f"{closed} carbon months closed of {len(adherents)} adherents")
    if left:
        click.echo(f"{left} are provisional and stay open")
    if refused:
        click.echo(f"{refused} are not over, or wait to be reckoned")
    for factor, months in sorted(to_confirm.items()):
        click.echo(f"factor to confirm: {factor} (in {months} of the months closed)")


@group.command("verify")
@click.option("--adherent", "only", type=int, help="Only the adherent of this number.")
def verify(only: int | None) -> None:
    """Check the hash of every closed month, and reckon it again; exit status 1 if one is not sound."""
    database = prepared()
    unsound = 0
    with database.read(Operator()) as session:
        carbon = adherents_closed(session)
    chosen = _chosen(database, only)
    for tenant_id in sorted({*chosen, *(one for one in carbon if only is None)}):
        with database.read(Operator()) as session:
            for subscription, month, revision in unsound_months(session, tenant_id):
                unsound += 1
                click.echo(
                    f"adherent {tenant_id}, subscription {subscription}, {month:%Y-%m}, "
                    f"revision {revision}: does not hold"
                )
            for month, revision in carbon_months.unsound_months(session, tenant_id):
                unsound += 1
                click.echo(f"adherent {tenant_id}, carbon, {month:%Y-%m}, revision {revision}: does not hold")
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
