"""Accounts: made, changed, entrusted with adherents, disabled; never without an administrator left."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.actions.sign_in import DECOY, HASHER, end_sign_ins, use_of
from console.domain.access import SEES_EVERY_ADHERENT, Role
from console.domain.credentials import check_password
from console.domain.errors import Conflict, Invalid, NotFound
from console.notify.channels.mail import is_address
from console.store.models import catalogue as c
from console.store.models import people as p

FIRST_ADMINISTRATOR = "admin"
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when read aloud
LONGEST_NAME = 200
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
    email = login if is_address(login) else ""
    check_email(session, email)
    password = _one_time_password()
    account = p.Account(
        login=login,
        name=name.strip() or login,
        email=email or None,
        role=role,
        password_hash=HASHER.hash(password),
        must_change_password=True,
    )
    session.add(account)
    session.flush()
    entrust_all(session, account, tenants)
    return password


def create_account_without_password(
    session: Session, email: str, name: str, role: Role, tenants: Iterable[int] = ()
) -> int:
    """A new account, entered through the single sign-on only; its number."""
    email, name = email.strip().lower(), name.strip()
    if not LOGIN.fullmatch(email) or not is_address(email):
        raise Invalid("email", "%(email)s n'est pas une adresse de messagerie.", email=email)
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid("name", "Un nom de 200 caractères au plus est attendu.")
    check_email(session, email)
    account = p.Account(
        login=email,
        name=name,
        email=email,
        role=role,
        password_hash=DECOY,
        must_change_password=False,
        password_allowed=False,
    )
    session.add(account)
    session.flush()
    entrust_all(session, account, tenants)
    return account.account_id


def reset_password(session: Session, login: str) -> str:
    """A new one-time password; the account is signed out everywhere and open again."""
    return renew_password(session, by_login(session, login).account_id)


def renew_password(session: Session, account_id: int) -> str:
    """A new one-time password, which is not kept; signed out everywhere, and no longer closed by failures."""
    account, password = account_of(session, account_id), _one_time_password()
    account.password_hash, account.must_change_password = HASHER.hash(password), True
    account.password_allowed = True
    use = use_of(session, account_id)
    use.failures, use.locked_until = 0, None
    end_sign_ins(session, account_id)
    return password


def change_identity(session: Session, account_id: int, name: str, email: str) -> None:
    """The name of a person, and where mail reaches them."""
    account, name, email = account_of(session, account_id), name.strip(), email.strip().lower()
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid("name", "Un nom de 200 caractères au plus est attendu.")
    check_email(session, email, account_id)
    account.name, account.email = name, email or None


def check_email(session: Session, email: str, account_id: int | None = None) -> None:
    """Refuse what is no address, and the address or login of another account."""
    if not email:
        return
    if not is_address(email) or len(email) > LONGEST_NAME:
        raise Invalid("email", "%(email)s n'est pas une adresse de messagerie.", email=email)
    others = select(p.Account.account_id).where(or_(p.Account.email == email, p.Account.login == email))
    if set(session.scalars(others)) - {account_id}:
        raise Invalid("email", "%(email)s est l'adresse d'un autre compte.", email=email)


def change_role(session: Session, account_id: int, role: Role) -> None:
    """What the account is for; a new administrator chooses a longer password."""
    account = account_of(session, account_id)
    if account.role is role:
        return
    if account.role is Role.ADMINISTRATOR:
        _keep_an_administrator(session, account_id)
    if role is Role.ADMINISTRATOR:
        account.must_change_password = True
    account.role = role


def disable(session: Session, account_id: int, *, now: datetime) -> None:
    """The account opens nothing from now on; what it did stays under its name."""
    account = account_of(session, account_id)
    if account.disabled_at is not None:
        return
    if account.role is Role.ADMINISTRATOR:
        _keep_an_administrator(session, account_id)
    account.disabled_at = now
    end_sign_ins(session, account_id)


def enable(session: Session, account_id: int) -> None:
    """The account opens the console again."""
    account_of(session, account_id).disabled_at = None


def allow_password(session: Session, account_id: int, allowed: bool) -> None:
    """Whether the person may sign in with a password of this console, or only through the single sign-on."""
    account = account_of(session, account_id)
    if not allowed and account.email is None:
        raise Invalid("email", "Sans adresse, ce compte n'a que son mot de passe pour se connecter.")
    account.password_allowed = allowed


def forget_identity(session: Session, account_id: int) -> None:
    """The next single sign-on is matched by address again, as the first one was."""
    account = account_of(session, account_id)
    account.oidc_issuer = account.oidc_subject = None


def entrust(session: Session, account_id: int, tenant_id: int) -> None:
    """Put an adherent in the portfolio of an account."""
    account_of(session, account_id)
    if session.get(c.Adherent, tenant_id) is None:
        raise NotFound("Il n'y a pas d'adhérent numéro %(number)s.", number=tenant_id)
    if session.get(p.Portfolio, (account_id, tenant_id)) is None:
        session.add(p.Portfolio(account_id=account_id, tenant_id=tenant_id))


def take_back(session: Session, account_id: int, tenant_id: int) -> None:
    """Take an adherent out of the portfolio of an account."""
    row = session.get(p.Portfolio, (account_id, tenant_id))
    if row is None:
        raise NotFound("Cet adhérent n'est pas confié à ce compte.")
    session.delete(row)


def set_password(session: Session, account_id: int, password: str) -> None:
    """Change the password of an account; raises `Invalid` where it breaks the rules."""
    account = session.get_one(p.Account, account_id)
    check_password(password, account.login, account.role, account.name)
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
    if account.disabled_at is not None or (last_seen_at is not None and last_seen_at <= now):
        return FIRST_ADMINISTRATOR, None
    return FIRST_ADMINISTRATOR, renew_password(session, account.account_id)


def _by_login(session: Session, login: str) -> p.Account | None:
    return session.scalars(select(p.Account).where(p.Account.login == login.strip().lower())).one_or_none()


def by_login(session: Session, login: str) -> p.Account:
    """The account of a login; raises `NotFound`."""
    account = _by_login(session, login)
    if account is None:
        raise NotFound("Il n'y a pas de compte %(login)s.", login=login)
    return account


def account_of(session: Session, account_id: int) -> p.Account:
    """The account of a number; raises `NotFound`."""
    account = session.get(p.Account, account_id)
    if account is None:
        raise NotFound("Il n'y a pas de compte à cette adresse.")
    return account


def _keep_an_administrator(session: Session, account_id: int) -> None:
    """Refuse to lose the last one; the others are held, so that two do not go at the same time."""
    able = select(p.Account.account_id).where(
        p.Account.role == Role.ADMINISTRATOR, p.Account.disabled_at.is_(None)
    )
    if set(session.scalars(able.order_by(p.Account.account_id).with_for_update())) <= {account_id}:
        raise Conflict("C'est le dernier administrateur : donnez d'abord ce rôle à quelqu'un d'autre.")


def check_tenants(session: Session, role: Role, tenants: Iterable[int]) -> None:
    """Refuse numbers that are no adherent's, and none for a role that sees only those it was given."""
    wanted = sorted(set(tenants))
    if not wanted and role not in SEES_EVERY_ADHERENT:
        raise Invalid("adherents", "Ce rôle ne voit que les adhérents confiés : il en faut un au moins.")
    for tenant_id in wanted:
        if session.get(c.Adherent, tenant_id) is None:
            raise NotFound("Il n'y a pas d'adhérent numéro %(number)s.", number=tenant_id)


def entrust_all(session: Session, account: p.Account, tenants: Iterable[int]) -> None:
    """Give a new account its adherents."""
    wanted = sorted(set(tenants))
    check_tenants(session, account.role, wanted)
    session.add_all(p.Portfolio(account_id=account.account_id, tenant_id=tenant_id) for tenant_id in wanted)


def _one_time_password() -> str:
    groups = ("".join(secrets.choice(LETTERS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)
