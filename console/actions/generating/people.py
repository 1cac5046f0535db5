"""Who may sign in to a generated console: one person for each role, with a one-time password."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from console.actions.accounts import create_account
from console.actions.generating.chance import dice
from console.actions.generating.world import World
from console.domain.access import SEES_EVERY_ADHERENT, Role

PORTFOLIO = 60  # adherents of the account manager, at most


@dataclass(frozen=True, slots=True)
class Person:
    """An account and its one-time password, which is not kept."""

    login: str
    role: Role
    password: str


def add_people(session: Session, world: World) -> list[Person]:
    """One account for each role; what they see is told by the seed, their passwords are not."""
    return [
        Person(login, role, create_account(session, login, f"Démonstration : {login}", role, tenants))
        for login, role, tenants in _roles(world)
    ]


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
