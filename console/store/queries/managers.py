"""Who is in charge at the operator: account managers by their portfolios, colleagues who may do a task.

Accounts are out of reach for the scope of some adherents: these queries need that of the operator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from console.domain.access import Role
from console.domain.errors import Invalid
from console.store.models import people as p

MANAGES = (p.Account.role == Role.ACCOUNT_MANAGER, p.Account.disabled_at.is_(None))


@dataclass(frozen=True, slots=True)
class Colleague:
    """An account of the operator."""

    account_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Manager:
    """An account manager as their adherents reach them."""

    name: str
    mail: str | None


def managers_of(session: Session, tenants: Iterable[int]) -> dict[int, list[str]]:
    """The names of the account managers of adherents."""
    rows = session.execute(
        select(p.Portfolio.tenant_id, p.Account.name)
        .join(p.Account, p.Account.account_id == p.Portfolio.account_id)
        .where(p.Portfolio.tenant_id.in_(set(tenants)), *MANAGES)
        .order_by(p.Account.name)
    )
    found: dict[int, list[str]] = {}
    for tenant_id, name in rows:
        found.setdefault(tenant_id, []).append(name)
    return found


def in_charge_of(session: Session, tenant_id: int) -> list[Manager]:
    """The account managers of one adherent, by name."""
    account = p.Account
    rows = session.execute(
        select(account.name, account.email)
        .join(p.Portfolio, p.Portfolio.account_id == account.account_id)
        .where(p.Portfolio.tenant_id == tenant_id, *MANAGES)
        .order_by(account.name)
    )
    return [Manager(name, mail) for name, mail in rows]


def in_charge_name(tenant_id: Any) -> ColumnElement[Any]:
    """The first name of those in charge of an adherent of an enclosing statement."""
    return (
        select(func.min(p.Account.name))
        .join(p.Portfolio, p.Portfolio.account_id == p.Account.account_id)
        .where(p.Portfolio.tenant_id == tenant_id, *MANAGES)
        .scalar_subquery()
    )


def managers(session: Session) -> list[Colleague]:
    """Every account manager, by name."""
    return _colleagues(session, *MANAGES)


def colleagues(session: Session) -> list[Colleague]:
    """Every account of the operator that can do something, by name."""
    works = (Role.ADMINISTRATOR, Role.ACCOUNT_MANAGER, Role.OPS)
    return _colleagues(session, p.Account.role.in_(works), p.Account.disabled_at.is_(None))


def colleague(session: Session, account_id: int) -> Colleague:
    """One of `colleagues`; raises `Invalid` for any other account."""
    found = {known.account_id: known for known in colleagues(session)}.get(account_id)
    if found is None:
        raise Invalid("in_charge", "Un choix de la liste est attendu.")
    return found


def _colleagues(session: Session, *conditions: ColumnElement[bool]) -> list[Colleague]:
    account = p.Account
    rows = session.execute(
        select(account.account_id, account.name).where(*conditions).order_by(account.name, account.account_id)
    )
    return [Colleague(account_id, name) for account_id, name in rows]
