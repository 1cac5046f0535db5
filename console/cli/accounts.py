"""`console account`: who may sign in."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from console.actions.accounts import create_account, reset_password
from console.domain.access import Role
from console.store.queries import sign_in
from console.store.session import Operator
from console.web.state import state

group = AppGroup("account", help="The people who may sign in.")


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
    with state().database.write(Operator()) as session:
        password = create_account(session, login, name, Role(role), adherents)
    click.echo(f"one-time password of {login.strip().lower()}: {password}")


@group.command("list")
def show() -> None:
    """List the accounts: login, role, adherents, last time they signed in, name."""
    with state().database.read(Operator()) as session:
        accounts = sign_in.accounts(session)
    for account in accounts:
        tenants = ",".join(map(str, account.tenants)) or "-"
        seen = f"{account.last_seen_at:%Y-%m-%d %H:%M}Z" if account.last_seen_at else "never"
        click.echo(f"{account.login:24} {account.role:16} {tenants:12} {seen:18} {account.name}")


@group.command("reset")
@click.argument("login")
def reset(login: str) -> None:
    """Print a new one-time password; the account is signed out everywhere."""
    with state().database.write(Operator()) as session:
        password = reset_password(session, login)
    click.echo(f"one-time password of {login.strip().lower()}: {password}")
