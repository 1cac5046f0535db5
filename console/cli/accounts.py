"""`console account`: who may sign in."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from console.actions.accounts import by_login, create_account, disable, enable, reset_password
from console.actions.second_factor import reset_second_factor
from console.cli.prepared import database
from console.domain.access import Role
from console.store.queries import sign_in
from console.store.session import Operator

group = click.Group("account", help="The people who may sign in.")


@group.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option(
    "--adherent",
    "adherents",
    type=int,
    multiple=True,
    help="Number of an adherent to entrust; repeatable.",
)
def add(login: str, name: str, role: str, adherents: tuple[int, ...]) -> None:
    """Add an account and print its one-time password, which is not kept."""
    with database().write(Operator()) as session:
        password = create_account(session, login, name, Role(role), adherents)
    click.echo(f"one-time password of {login.strip().lower()}: {password}")


@group.command("list")
def show() -> None:
    """List the accounts: login, role, adherents, last time they signed in, name."""
    with database().read(Operator()) as session:
        accounts = sign_in.accounts(session)
    for account in accounts:
        tenants = ",".join(map(str, account.tenants)) or "-"
        seen = f"{account.last_seen_at:%Y-%m-%d %H:%M}Z" if account.last_seen_at else "never"
        seen = "disabled" if account.disabled else seen
        click.echo(f"{account.login:24} {account.role:16} {tenants:12} {seen:18} {account.name}")


@group.command("reset")
@click.argument("login")
def reset(login: str) -> None:
    """Print a new one-time password; the account is signed out everywhere."""
    with database().write(Operator()) as session:
        password = reset_password(session, login)
    click.echo(f"one-time password of {login.strip().lower()}: {password}")


@group.command("disable")
@click.argument("login")
def close(login: str) -> None:
    """Sign the account out everywhere and keep it out; the last administrator stays."""
    with database().write(Operator()) as session:
        disable(session, by_login(session, login).account_id, now=datetime.now(UTC))
    click.echo(f"{login.strip().lower()} is disabled")


@group.command("enable")
@click.argument("login")
def reopen(login: str) -> None:
    """Let the account in again."""
    with database().write(Operator()) as session:
        enable(session, by_login(session, login).account_id)
    click.echo(f"{login.strip().lower()} is enabled")


@group.command("reset-second-factor")
@click.argument("login")
def lose_device(login: str) -> None:
    """Take the second factor away from who lost their device and codes; they are signed out everywhere."""
    with database().write(Operator()) as session:
        reset_second_factor(session, by_login(session, login).account_id)
    click.echo(f"{login.strip().lower()} has no second factor")
