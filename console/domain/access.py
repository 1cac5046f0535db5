"""Who may do what: roles, permissions, and the one table between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What an account is for."""

    ADMINISTRATOR = "administrator"
    ACCOUNT_MANAGER = "account_manager"
    OPS = "ops"
    CIO = "cio"


class Permission(StrEnum):
    """What a route or a command asks for."""

    SEE_ADHERENTS = "see_adherents"
    SEE_FLEET = "see_fleet"
    MANAGE_ADHERENTS = "manage_adherents"
    MANAGE_CLAIMS = "manage_claims"
    HANDLE_INCIDENTS = "handle_incidents"
    ISSUE_STATEMENTS = "issue_statements"


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.ACCOUNT_MANAGER: frozenset(
        {
            Permission.SEE_ADHERENTS,
            Permission.MANAGE_ADHERENTS,
            Permission.HANDLE_INCIDENTS,
            Permission.ISSUE_STATEMENTS,
        }
    ),
    Role.OPS: frozenset(
        {
            Permission.SEE_ADHERENTS,
            Permission.SEE_FLEET,
            Permission.MANAGE_CLAIMS,
            Permission.HANDLE_INCIDENTS,
        }
    ),
    Role.CIO: frozenset({Permission.SEE_ADHERENTS}),
}

# Everything operational is theirs to see; the other roles see the adherents they were given.
SEES_EVERY_ADHERENT = frozenset({Role.ADMINISTRATOR, Role.OPS})


def may(role: Role, permission: Permission) -> bool:
    return permission in PERMISSIONS[role]
