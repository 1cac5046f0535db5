"""Who is signed in, by the hash of the token in their cookie, and which adherents they see now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from console.domain.access import Method, Role
from console.store.models import people as p
from console.store.queries.ght import members_seen_by

ZONE = ZoneInfo("Europe/Paris")  # in which the days of a delegation begin and end


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person at a browser; `tenants` are the adherents that they see at this moment.

    Those of `members` they only read: their establishment is the support of a group these are in.
    """

    account_id: int
    login: str
    name: str
    role: Role
    locale: str | None
    must_change_password: bool
    has_second_factor: bool
    method: Method
    tenants: frozenset[int]
    members: frozenset[int]
    token_sha256: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A browser whose password was right and that still owes the code of the second factor."""

    account_id: int
    token_sha256: str


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """A browser where the account is signed in; `key` names it without giving its token away."""

    key: str
    method: Method
    software: str | None
    network: str | None
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
    disabled: bool
    last_seen_at: datetime | None


def signed_in(session: Session, token_sha256: str, *, now: datetime, idle_since: datetime) -> SignedIn | None:
    """The account behind a token that has neither expired nor been idle since `idle_since`."""
    row = session.execute(
        select(p.Account, p.SignIn.seen_at, p.SignIn.method)
        .join(p.SignIn, p.SignIn.account_id == p.Account.account_id)
        .where(
            p.SignIn.token_sha256 == token_sha256,
            p.SignIn.proven,
            p.SignIn.expires_at > now,
            p.SignIn.seen_at > idle_since,
            p.Account.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    account, seen_at, method = row
    tenants = effective_tenants(session, account.account_id, account.role, now=now)
    members = _members(session, account.role, tenants, now.astimezone(ZONE).date())
    return SignedIn(
        account_id=account.account_id,
        login=account.login,
        name=account.name,
        role=account.role,
        locale=account.locale,
        must_change_password=account.must_change_password,
        has_second_factor=account.totp_secret is not None,
        method=method,
        tenants=tenants | members,
        members=members,
        token_sha256=token_sha256,
        seen_at=seen_at,
    )


def waiting(session: Session, token_sha256: str, *, now: datetime) -> Waiting | None:
    """Who gave the right password a moment ago, and owes a code."""
    account_id = session.scalar(
        select(p.SignIn.account_id)
        .join(p.Account, p.Account.account_id == p.SignIn.account_id)
        .where(
            p.SignIn.token_sha256 == token_sha256,
            ~p.SignIn.proven,
            p.SignIn.expires_at > now,
            p.Account.disabled_at.is_(None),
        )
    )
    return None if account_id is None else Waiting(account_id, token_sha256)


def effective_tenants(session: Session, account_id: int, role: Role, *, now: datetime) -> frozenset[int]:
    """The adherents that an account sees now: its portfolio, and what colleagues handed over for today."""
    tenants = set(portfolio(session, account_id))
    if role is Role.ACCOUNT_MANAGER:
        tenants |= _delegated(session, account_id, now.astimezone(ZONE).date())
    return frozenset(tenants)


def _members(session: Session, role: Role, tenants: frozenset[int], day: date) -> frozenset[int]:
    """The adherents that a CIO reads through a group of which theirs is the support establishment."""
    return members_seen_by(session, tenants, day) if role is Role.CIO else frozenset()


def portfolio(session: Session, account_id: int) -> list[int]:
    """The adherents that were entrusted to an account."""
    return list(session.scalars(select(p.Portfolio.tenant_id).where(p.Portfolio.account_id == account_id)))


def open_sign_ins(session: Session, account_id: int, *, now: datetime) -> list[OpenSignIn]:
    """Where an account is signed in, the latest used first."""
    rows = session.scalars(
        select(p.SignIn)
        .where(p.SignIn.account_id == account_id, p.SignIn.proven, p.SignIn.expires_at > now)
        .order_by(p.SignIn.seen_at.desc())
    )
    return [
        OpenSignIn(row.token_sha256, row.method, row.software, row.network, row.created_at, row.seen_at)
        for row in rows
    ]


def accounts(session: Session) -> list[ListedAccount]:
    """Every account by login."""
    rows = session.execute(
        select(p.Account, p.AccountUse.last_seen_at)
        .join(p.AccountUse, p.AccountUse.account_id == p.Account.account_id, isouter=True)
        .order_by(p.Account.login)
    )
    return [
        ListedAccount(
            login=account.login,
            name=account.name,
            role=account.role,
            tenants=tuple(sorted(portfolio(session, account.account_id))),
            must_change_password=account.must_change_password,
            disabled=account.disabled_at is not None,
            last_seen_at=last_seen_at,
        )
        for account, last_seen_at in rows
    ]


def _delegated(session: Session, account_id: int, today: date) -> set[int]:
    """What was handed over for today, as far as its givers, account managers still, have it themselves."""
    held = aliased(p.Portfolio)
    return set(
        session.scalars(
            select(p.DelegatedAdherent.tenant_id)
            .join(p.Delegation, p.Delegation.delegation_id == p.DelegatedAdherent.delegation_id)
            .join(
                held,
                (held.account_id == p.Delegation.giver_id)
                & (held.tenant_id == p.DelegatedAdherent.tenant_id),
            )
            .join(p.Account, p.Account.account_id == p.Delegation.giver_id)
            .where(
                p.Account.role == Role.ACCOUNT_MANAGER,
                p.Account.disabled_at.is_(None),
                p.Delegation.taker_id == account_id,
                p.Delegation.first_day <= today,
                p.Delegation.last_day >= today,
                p.Delegation.ended_at.is_(None),
            )
        )
    )
