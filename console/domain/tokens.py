"""What programs may do with a token, for which adherents and hosts, and until when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.access import Permission, Role, may
from console.domain.errors import Forbidden, Invalid

OLD_TEXT_LASTS = timedelta(hours=24)  # at most, after a rotation
LONGEST_LIFE = timedelta(days=3 * 366)
LONGEST_NAME = 200
HOST_START = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")


class TokenScope(StrEnum):
    """What a token is for."""

    READINGS_WRITE = "readings:write"
    VOLUMES_WRITE = "volumes:write"
    ADHERENTS_READ = "adherents:read"
    INCIDENTS_READ = "incidents:read"
    INCIDENTS_WRITE = "incidents:write"
    ALERTS_WRITE = "alerts:write"


OF_ADHERENTS = frozenset(TokenScope) - {TokenScope.READINGS_WRITE}
# What a person must hold to give a token a right: nobody gains one through a token.
ASKS_FOR: Mapping[TokenScope, Permission] = {
    TokenScope.READINGS_WRITE: Permission.MANAGE_TOKENS,
    TokenScope.VOLUMES_WRITE: Permission.RECORD_VOLUMES,
    TokenScope.ADHERENTS_READ: Permission.SEE_ADHERENTS,
    TokenScope.INCIDENTS_READ: Permission.SEE_ADHERENTS,
    TokenScope.INCIDENTS_WRITE: Permission.HANDLE_INCIDENTS,
    TokenScope.ALERTS_WRITE: Permission.HANDLE_INCIDENTS,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed with a token: `tenants` None is every adherent, `hosts` none is any host."""

    scopes: frozenset[TokenScope]
    tenants: frozenset[int] | None = None
    hosts: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes a token, or reads the new text of one; `tenants` None is every adherent."""

    login: str
    role: Role
    tenants: frozenset[int] | None = None

    def may_give(self, scope: TokenScope) -> bool:
        """Whether the role holds what the right of a token is worth."""
        return may(self.role, ASKS_FOR[scope])

    def check(self, terms: Terms) -> None:
        """Refuse terms that open more than the maker may do; raises `Forbidden`."""
        for scope in sorted(terms.scopes):
            if not self.may_give(scope):
                raise Forbidden(
                    "Ce jeton donne le droit %(scope)s, que votre rôle n'a pas.", scope=scope.value
                )
        if self.tenants is None or not terms.scopes & OF_ADHERENTS:
            return
        if terms.tenants is None or terms.tenants - self.tenants:
            raise Forbidden("Ce jeton atteint des adhérents qui ne vous sont pas confiés.")


CONSOLE = Maker("console", Role.ADMINISTRATOR)  # who types commands on the host
COLLECTOR = Terms(frozenset({TokenScope.READINGS_WRITE}))


def check_terms(terms: Terms, *, now: datetime) -> None:
    """Refuse terms that open nothing, that have ended, or that name what cannot be a host."""
    if not terms.scopes:
        raise Invalid("scopes", "Un jeton a un droit au moins.")
    if terms.tenants is not None and not terms.tenants and terms.scopes & OF_ADHERENTS:
        raise Invalid("adherents", "Choisissez les adhérents du jeton, ou tous.")
    for start in terms.hosts:
        if not HOST_START.fullmatch(start):
            raise Invalid(
                "hosts", "%(start)s n'est pas un début de nom d'hôte ; par exemple srv-paie-.", start=start
            )
    if terms.expires_at is not None and not now < terms.expires_at <= now + LONGEST_LIFE:
        raise Invalid("expires_on", "Un jeton prend fin après aujourd'hui, et dans trois ans au plus.")


def speaks_for(hosts: tuple[str, ...], host: str) -> bool:
    """Whether a token bound to beginnings of host names may send the readings of a host."""
    return not hosts or host.startswith(hosts)
