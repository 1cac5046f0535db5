"""Signing in and out: passwords are checked outside any transaction, attempts are counted before.

    count_attempt -> proves (no session: hashing is slow) -> open_sign_in

An unknown login, a closed account and a wrong password take the same road and the same time.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.domain.credentials import lock_delay
from console.store.models import catalogue as c
from console.store.models import coordination as k

HASHER = PasswordHasher()
LONGEST_STAY = timedelta(hours=12)
TOKEN_BYTES = 32
MOST_FAILURES = 1000
# A hash that no password gives: what an unknown login is checked against.
DECOY = HASHER.hash(secrets.token_urlsafe(TOKEN_BYTES))


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a password is checked against; without an account no password is right."""

    account_id: int | None
    password_hash: str


def count_attempt(session: Session, login: str, *, now: datetime) -> Attempt:
    """Count an attempt as failed, so that attempts at the same time are all counted; success clears it."""
    account = session.scalars(
        select(c.Account).where(c.Account.login == login.strip().lower()).with_for_update()
    ).one_or_none()
    if account is None or (account.locked_until is not None and account.locked_until > now):
        return Attempt(None, DECOY)
    account.failures = min(account.failures + 1, MOST_FAILURES)
    delay = lock_delay(account.failures)
    account.locked_until = now + delay if delay else None
    return Attempt(account.account_id, account.password_hash)


def proves(attempt: Attempt, password: str) -> bool:
    """Whether the password is the account's; takes about 50 ms of processor in all cases."""
    try:
        HASHER.verify(attempt.password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return attempt.account_id is not None


def open_sign_in(session: Session, account_id: int, *, now: datetime) -> str:
    """The token of a new sign-in; expired ones are swept away on the way."""
    account = session.get_one(c.Account, account_id)
    account.failures, account.locked_until, account.last_seen_at = 0, None, now
    session.execute(delete(k.SignIn).where(k.SignIn.expires_at <= now))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        k.SignIn(
            token_sha256=hash_of(token),
            account_id=account_id,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST_STAY,
        )
    )
    return token


def keep_alive(session: Session, token_sha256: str, *, now: datetime) -> None:
    """The person is still there."""
    row = session.get(k.SignIn, token_sha256)
    if row is not None:
        row.seen_at = now


def sign_out(session: Session, token_sha256: str) -> None:
    """The token opens nothing any more."""
    session.execute(delete(k.SignIn).where(k.SignIn.token_sha256 == token_sha256))


def end_other_sign_ins(session: Session, account_id: int, kept_sha256: str) -> None:
    """Sign the account out everywhere but here."""
    session.execute(
        delete(k.SignIn).where(k.SignIn.account_id == account_id, k.SignIn.token_sha256 != kept_sha256)
    )


def hash_of(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()
