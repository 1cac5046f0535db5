"""Who may sign in to a generated console: one person for each role, with a one-time password.

The account managers of the agencies are there to be in charge: no password opens their accounts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from console.actions.accounts import create_account
from console.actions.generating.chance import dice
from console.actions.generating.follow_up import FIRST, LAST
from console.actions.generating.world import World
from console.actions.sign_in import HASHER
from console.domain.access import SEES_EVERY_ADHERENT, Role
from console.domain.adherents import AGENCIES
from console.store.models import people as p

AN_AGENCY = 2  # account managers
PORTFOLIO = 60  # adherents of the account manager, at most
NAMES = {
    Role.ADMINISTRATOR: "Démonstration, administration",
    Role.ACCOUNT_MANAGER: "Démonstration, comptes",
    Role.OPS: "Démonstration, exploitation",
    Role.CIO: "Démonstration, DSI",
    Role.AUDITOR: "Démonstration, audit",
}


@dataclass(frozen=True, slots=True)
class Person:
    """An account and its one-time password, which is not kept."""

    login: str
    role: Role
    password: str


def add_people(session: Session, world: World) -> list[Person]:
    """One account for each role; what they see is told by the seed, their passwords are not."""
    return [
        Person(login, role, create_account(session, login, NAMES[role], role, tenants))
        for login, role, tenants in _roles(world)
    ]


def add_managers(session: Session, world: World) -> None:
    """The account managers of each agency, and the adherents each of them follows."""
    shut = HASHER.hash(secrets.token_hex(32))  # of a password that no one was told
    managers = {
        (agency, number): _manager(world, agency, number, shut)
        for agency in AGENCIES
        for number in range(1, AN_AGENCY + 1)
    }
    session.add_all(managers.values())
    session.flush()
    for adherent in world.adherents:
        number = dice(world.scale.seed, "manager", adherent.tenant_id).randint(1, AN_AGENCY)
        manager = managers[adherent.agency, number]
        session.add(p.Portfolio(account_id=manager.account_id, tenant_id=adherent.tenant_id))


def _manager(world: World, agency: str, number: int, shut: str) -> p.Account:
    rng = dice(world.scale.seed, "manager of", agency, number)
    return p.Account(
        login=f"{agency.lower()}.{number}",
        name=f"{rng.choice(FIRST)} {rng.choice(LAST)}",
        role=Role.ACCOUNT_MANAGER,
        password_hash=shut,
        password_allowed=False,
        must_change_password=False,
    )


def _roles(world: World) -> Iterator[tuple[str, Role, list[int]]]:
    for role in Role:
        login = f"demo.{role.value.replace('_', '.')}"
        yield login, role, [] if role in SEES_EVERY_ADHERENT else _entrusted(world, role)


def _entrusted(world: World, role: Role) -> list[int]:
    """The adherent of most contracts to its CIO, with some others to the account manager."""
    keys = [adherent.tenant_id for adherent in world.adherents]
    largest = max(keys, key=lambda key: (len(world.contracts[key]), -key))
    if role is Role.CIO:
        return [largest]
    rng = dice(world.scale.seed, "portfolio")
    return sorted({largest, *rng.sample(keys, min(PORTFOLIO, len(keys)))})
