"""Accounts: made with a one-time password that the person changes when they first sign in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.sign_in import HASHER, end_sign_ins, use_of
from console.domain.access import SEES_EVERY_ADHERENT, Role
from console.domain.credentials import check_password
from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import catalogue as c
from console.store.models import people as p

FIRST_ADMINISTRATOR = "admin"
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when read aloud
GROUPS, GROUP_LENGTH = 5, 4  # 20 of 31 letters: 99 bits


def create_account(session: Session, login: str, name: str, role: Role, tenants: Iterable[int] = ()) -> str:
    """A new account; returns its one-time password, which is not kept."""
    login = login.strip().lower()
    if not LOGIN.fullmatch(login):
        raise Invalid(
            "login", "L'identifiant %(login)s n'est fait que de lettres, chiffres et . _ @ + -", login=login
        )
    if session.scalar(select(p.Account.account_id).where(p.Account.login == login)) is not None:
        raise Conflict("Le compte %(login)s existe déjà.", login=login)
    password = _one_time_password()
    account = p.Account(
        login=login,
        name=name.strip() or login,
        role=role,
        password_hash=HASHER.hash(password),
        must_change_password=True,
    )
    session.add(account)
    session.flush()
    _entrust(session, account, tenants)
    return password


def reset_password(session: Session, login: str) -> str:
    """A new one-time password; the account is signed out everywhere and open again."""
    account = _by_login(session, login)
    if account is None:
        raise NotFound("Il n'y a pas de compte %(login)s.", login=login)
    return _renew(session, account)


def set_password(session: Session, account_id: int, password: str) -> None:
    """Change the password of an account; raises `Invalid` where it breaks the rules."""
    account = session.get_one(p.Account, account_id)
    check_password(password, account.login, account.role)
    account.password_hash = HASHER.hash(password)
    account.must_change_password = False


def set_locale(session: Session, account_id: int, locale: str) -> None:
    """The language the console speaks to this person."""
    session.get_one(p.Account, account_id).locale = locale


def ensure_first_administrator(session: Session, *, now: datetime) -> tuple[str, str | None]:
    """The first administrator's login, with a new one-time password until someone has signed in with it."""
    account = _by_login(session, FIRST_ADMINISTRATOR)
    if account is None:
        return FIRST_ADMINISTRATOR, create_account(
            session, FIRST_ADMINISTRATOR, "Administrateur", Role.ADMINISTRATOR
        )
    last_seen_at = use_of(session, account.account_id).last_seen_at
    if last_seen_at is not None and last_seen_at <= now:
        return FIRST_ADMINISTRATOR, None
    return FIRST_ADMINISTRATOR, _renew(session, account)


def _by_login(session: Session, login: str) -> p.Account | None:
    return session.scalars(select(p.Account).where(p.Account.login == login.strip().lower())).one_or_none()


def _renew(session: Session, account: p.Account) -> str:
    password = _one_time_password()
    account.password_hash, account.must_change_password = HASHER.hash(password), True
    use = use_of(session, account.account_id)
    use.failures, use.locked_until = 0, None
    end_sign_ins(session, account.account_id)
    return password


def _entrust(session: Session, account: p.Account, tenants: Iterable[int]) -> None:
    """Give an account its adherents; roles that see every one need none."""
    wanted = sorted(set(tenants))
    if not wanted and account.role not in SEES_EVERY_ADHERENT:
        raise Invalid("adherent", "Ce rôle ne voit que les adhérents confiés : il en faut un au moins.")
    for tenant_id in wanted:
        if session.get(c.Adherent, tenant_id) is None:
            raise NotFound("Il n'y a pas d'adhérent numéro %(number)s.", number=tenant_id)
        session.add(p.Portfolio(account_id=account.account_id, tenant_id=tenant_id))


def _one_time_password() -> str:
    groups = ("".join(secrets.choice(LETTERS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)
