"""Who is signed in, by the hash of the token in their cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.access import Role
from console.store.models import catalogue as c
from console.store.models import coordination as k


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person at a browser; `tenants` are the adherents of their portfolio."""

    account_id: int
    login: str
    name: str
    role: Role
    locale: str | None
    must_change_password: bool
    tenants: frozenset[int]
    token_sha256: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """A browser where the account is signed in; `key` names it without giving its token away."""

    key: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """A line of the list of accounts."""

    login: str
    name: str
    role: Role
    tenants: tuple[int, ...]
    must_change_password: bool
    last_seen_at: datetime | None


def signed_in(session: Session, token_sha256: str, *, now: datetime, idle_since: datetime) -> SignedIn | None:
    """The account behind a token that has neither expired nor been idle since `idle_since`."""
    row = session.execute(
        select(c.Account, k.SignIn.seen_at)
        .join(k.SignIn, k.SignIn.account_id == c.Account.account_id)
        .where(
            k.SignIn.token_sha256 == token_sha256, k.SignIn.expires_at > now, k.SignIn.seen_at > idle_since
        )
    ).one_or_none()
    if row is None:
        return None
    account, seen_at = row
    return SignedIn(
        account_id=account.account_id,
        login=account.login,
        name=account.name,
        role=account.role,
        locale=account.locale,
        must_change_password=account.must_change_password,
        tenants=frozenset(_portfolio(session, account.account_id)),
        token_sha256=token_sha256,
        seen_at=seen_at,
    )


def open_sign_ins(session: Session, account_id: int, *, now: datetime) -> list[OpenSignIn]:
    """Where an account is signed in, the latest used first."""
    rows = session.scalars(
        select(k.SignIn)
        .where(k.SignIn.account_id == account_id, k.SignIn.expires_at > now)
        .order_by(k.SignIn.seen_at.desc())
    )
    return [OpenSignIn(row.token_sha256, row.created_at, row.seen_at) for row in rows]


def accounts(session: Session) -> list[ListedAccount]:
    """Every account by login."""
    return [
        ListedAccount(
            login=account.login,
            name=account.name,
            role=account.role,
            tenants=tuple(sorted(_portfolio(session, account.account_id))),
            must_change_password=account.must_change_password,
            last_seen_at=account.last_seen_at,
        )
        for account in session.scalars(select(c.Account).order_by(c.Account.login))
    ]


def _portfolio(session: Session, account_id: int) -> list[int]:
    return list(session.scalars(select(c.Portfolio.tenant_id).where(c.Portfolio.account_id == account_id)))
