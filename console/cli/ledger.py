"""`console ledger`: does the energy add up?"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from console.cli.prepared import prepared
from console.store.queries import ledger
from console.store.queries.month_ledger import check_months
from console.store.session import Operator

group = click.Group("ledger", help="The energy ledger.")


class Instant(click.ParamType[datetime]):
    """A date or an instant, ISO 8601; without an offset it is UTC."""

    name = "instant"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date or an instant such as 2026-11-25T08:00Z", param, ctx)
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@group.command("check")
@click.option(
    "--from", "start", type=Instant(), help="First instant, e.g. 2026-11-01; default: the first hour."
)
@click.option("--to", "end", type=Instant(), help="End, not included; default: now.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on one line.")
def check(start: datetime | None, end: datetime | None, as_json: bool) -> None:
    """Add up every hour and month from meter to adherent; status 1 if anything is missing or stuck."""
    now = datetime.now(UTC)
    with prepared().read(Operator()) as session:
        start = start or ledger.first_hour(session) or now
        found = ledger.check(session, start, end or now, now=now)
        months = check_months(session, start, end or now)
    told = asdict(found) | asdict(months)
    if as_json:
        click.echo(json.dumps(told))
    else:
        for name, value in told.items():
            click.echo(f"{name:17} {'unknown' if value is None else value}")
    raise SystemExit(0 if found.holds and months.holds else 1)
