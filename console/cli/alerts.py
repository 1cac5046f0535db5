"""`console alerts`: do alerts arrive, which ones last, and what became of their messages."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime

import click

from console.actions import delivering
from console.actions.delivering import Envelope
from console.cli.prepared import database
from console.config import Config, read_config
from console.jobs import Means, means_of, send
from console.notify.channels import mail
from console.store.queries import alerts
from console.store.queries.alerts import DeliveryLine, DeliveryState
from console.store.session import Operator
from reports.alert_mail import trial
from reports.language import FRENCH

ZONE = "Europe/Paris"
LONGEST_WAIT_S = 150  # for a jobs process that took the message first
NO_SERVER = "CONSOLE_SMTP_URL is not set: give the mail server, such as smtp://mail.example.org:25"
NO_RECIPIENT = "CONSOLE_ALERTS_TO is not set: give one or more addresses, comma separated, or use --to"

group = click.Group("alerts", help="The alerts and their messages.")


@group.command("test")
@click.option("--to", metavar="ADDRESS", help="Who to write to, in place of CONSOLE_ALERTS_TO.")
def test(to: str | None) -> None:
    """Send a test message the way alerts go; exit status 1 if it did not leave."""
    config = read_config()
    means = means_of(config, database())
    line = _sent(means, _post_trial(means, _envelope(config, to)))
    if line.state is not DeliveryState.SENT:
        raise click.ClickException(f"{_becoming(line)} (to {', '.join(line.recipients)})")
    click.echo(f"{_becoming(line)} (to {', '.join(line.recipients)})")


@group.command("list")
@click.option("--limit", default=20, show_default=True, help="How many messages to show.")
def show(limit: int) -> None:
    """List the alerts that last, then the last messages with what became of them."""
    with database().read(Operator()) as session:
        episodes, deliveries = alerts.open_episodes(session), alerts.deliveries(session, limit)
    for episode in episodes:
        click.echo(f"open since {episode.started_at:%Y-%m-%d %H:%M}Z  {episode.fingerprint}")
    if not episodes:
        click.echo("no alert is open")
    for line in deliveries:
        click.echo(f"{line.delivery_id:6}  {line.state:9}  {line.subject}")
        for attempt in line.log.splitlines():
            click.echo(f"{'':8}{attempt}")


@group.command("retry")
def retry() -> None:
    """Send again the messages that failed, once the cause is mended."""
    with database().write(Operator()) as session:
        count = delivering.retry_failed(session, now=datetime.now(UTC))
    click.echo(f"{count} to send again")


def _envelope(config: Config, to: str | None) -> Envelope:
    recipients = (to,) if to else config.alert_recipients
    if config.smtp is None:
        raise click.ClickException(NO_SERVER)
    if not recipients:
        raise click.ClickException(NO_RECIPIENT)
    for address in recipients:
        if not mail.is_address(address):
            raise click.ClickException(f"{address!r} is not a mail address such as ops@example.org")
    return Envelope("mail", recipients, mail.domain_of(config.smtp.sender))


def _post_trial(means: Means, envelope: Envelope) -> int:
    now = means.clock()
    message = trial(f"console alerts test, {socket.gethostname()}", now, ZONE, FRENCH)
    with means.database.write(Operator()) as session:
        return delivering.post(session, envelope, message, delivering.TRIAL, now=now).delivery_id


def _sent(means: Means, delivery_id: int) -> DeliveryLine:
    """Send the message, or wait for the jobs process that took it first."""
    with means.database.write(Operator()) as session:
        claim = delivering.claim(session, delivery_id, means.clock())
    if claim is not None:
        send(means, claim)
    end = time.monotonic() + LONGEST_WAIT_S
    while (line := _read(means, delivery_id)).state is DeliveryState.SENDING and time.monotonic() < end:
        time.sleep(0.2)
    return line


def _read(means: Means, delivery_id: int) -> DeliveryLine:
    with means.database.read(Operator()) as session:
        return alerts.delivery(session, delivery_id)


def _becoming(line: DeliveryLine) -> str:
    """The last line of the log without its instant, or the bare state."""
    return line.log.splitlines()[-1].partition(" ")[2] if line.log else line.state
