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
    AUDITOR = "auditor"


class Method(StrEnum):
    """How a person proves who they are."""

    PASSWORD = "password"  # noqa: S105 - the name of a method
    SINGLE_SIGN_ON = "single_sign_on"


class Permission(StrEnum):
    """What a route or a command asks for."""

    SEE_ADHERENTS = "see_adherents"
    SEE_PORTFOLIO = "see_portfolio"  # what the operator writes for itself: notes, committees, renewals
    SEE_CATALOGUE = "see_catalogue"
    SEE_FLEET = "see_fleet"
    SEE_AUDIT = "see_audit"
    MANAGE_ADHERENTS = "manage_adherents"
    MANAGE_CATALOGUE = "manage_catalogue"
    MANAGE_DIRECTORY = "manage_directory"
    MANAGE_CLAIMS = "manage_claims"
    MANAGE_FLEET = "manage_fleet"  # hosts, quarantine, and what data centres measure and buy
    MANAGE_CARBON = "manage_carbon"  # factors, sharing keys, equipment and what was embodied in it
    MANAGE_PEOPLE = "manage_people"
    MANAGE_TOKENS = "manage_tokens"
    RECORD_VOLUMES = "record_volumes"
    DECLARE_INCIDENTS = "declare_incidents"
    HANDLE_INCIDENTS = "handle_incidents"
    SEE_INTERNAL = "see_internal"  # what the operator writes for itself in an incident
    HANDLE_MAJOR_INCIDENTS = "handle_major_incidents"  # those that touch many adherents
    PLAN_MAINTENANCE = "plan_maintenance"
    MANAGE_PROBES = "manage_probes"
    CLOSE_MONTHS = "close_months"
    ISSUE_STATEMENTS = "issue_statements"
    REDACT = "redact"


READS = frozenset(
    {
        Permission.SEE_ADHERENTS,
        Permission.SEE_PORTFOLIO,
        Permission.SEE_CATALOGUE,
        Permission.SEE_FLEET,
        Permission.SEE_AUDIT,
        Permission.SEE_INTERNAL,
    }
)
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.ACCOUNT_MANAGER: frozenset(
        {
            Permission.SEE_ADHERENTS,
            Permission.SEE_PORTFOLIO,
            Permission.SEE_CATALOGUE,
            Permission.SEE_AUDIT,
            Permission.MANAGE_ADHERENTS,
            Permission.RECORD_VOLUMES,
            Permission.DECLARE_INCIDENTS,
            Permission.HANDLE_INCIDENTS,
            Permission.SEE_INTERNAL,
            Permission.CLOSE_MONTHS,
            Permission.ISSUE_STATEMENTS,
        }
    ),
    Role.OPS: frozenset(
        {
            Permission.SEE_ADHERENTS,
            Permission.SEE_CATALOGUE,
            Permission.SEE_FLEET,
            Permission.MANAGE_CLAIMS,
            Permission.MANAGE_FLEET,
            Permission.MANAGE_CARBON,
            Permission.MANAGE_TOKENS,
            Permission.DECLARE_INCIDENTS,
            Permission.HANDLE_INCIDENTS,
            Permission.SEE_INTERNAL,
            Permission.HANDLE_MAJOR_INCIDENTS,
            Permission.PLAN_MAINTENANCE,
            Permission.MANAGE_PROBES,
        }
    ),
    Role.CIO: frozenset(
        {
            Permission.SEE_ADHERENTS,
            Permission.SEE_CATALOGUE,
            Permission.SEE_AUDIT,
            Permission.DECLARE_INCIDENTS,
        }
    ),
    Role.AUDITOR: READS,
}

# Everything operational is theirs to see; the other roles see the adherents they were given.
SEES_EVERY_ADHERENT = frozenset({Role.ADMINISTRATOR, Role.OPS, Role.AUDITOR})

# They work for the operator: their accounts have a second factor.
STAFF = frozenset({Role.ADMINISTRATOR, Role.ACCOUNT_MANAGER, Role.OPS, Role.AUDITOR})


def may(role: Role, permission: Permission) -> bool:
    return permission in PERMISSIONS[role]
