"""Passwords and repeated failures: what is accepted, and how long a failing account must wait."""

from __future__ import annotations

from datetime import timedelta

from console.domain.access import Role
from console.domain.errors import Invalid

SHORTEST = 12
SHORTEST_OF_ADMINISTRATORS = 15
LONGEST = 200
FREE_FAILURES = 4
LONGEST_DELAY = timedelta(hours=1)


def shortest_password(role: Role) -> int:
    """How many characters a password of this role has at least."""
    return SHORTEST_OF_ADMINISTRATORS if role is Role.ADMINISTRATOR else SHORTEST


def check_password(password: str, login: str, role: Role) -> None:
    """Refuse a password that is too short, too long, or that holds the login; length is what counts."""
    if not shortest_password(role) <= len(password) <= LONGEST:
        raise Invalid(
            "password",
            "Le mot de passe compte de %(least)s à %(most)s caractères.",
            least=shortest_password(role),
            most=LONGEST,
        )
    if login.casefold() in password.casefold():
        raise Invalid("password", "Le mot de passe ne contient pas l'identifiant.")
    if len(set(password)) < 5:
        raise Invalid("password", "Le mot de passe répète trop peu de caractères différents.")


def lock_delay(failures: int) -> timedelta:
    """How long an account is closed after so many failures in a row: none, then a minute, then doubling."""
    if failures <= FREE_FAILURES:
        return timedelta()
    doublings = min(failures - FREE_FAILURES - 1, 10)
    return min(LONGEST_DELAY, timedelta(minutes=1 << doublings))
