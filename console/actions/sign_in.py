"""Signing in and out: passwords are checked outside any transaction, attempts are counted before.

    count_attempt -> proves (no session: hashing is slow) -> open_sign_in
                                                          -> await_second_factor -> second_factor.accepts

An unknown login, a closed account and a wrong password take the same road and the same time.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from console.domain.access import Method
from console.domain.claims import OPERATOR_TENANT
from console.domain.credentials import lock_delay
from console.domain.devices import Device
from console.domain.errors import NotFound
from console.store.audit import record
from console.store.models import people as p

HASHER = PasswordHasher()
LONGEST_STAY = timedelta(hours=12)
LONGEST_WAIT = timedelta(minutes=5)  # between the password and the second factor
TOKEN_BYTES = 32
MOST_FAILURES = 1000
# A hash that no password gives: what an unknown login is checked against.
DECOY = HASHER.hash(secrets.token_urlsafe(TOKEN_BYTES))
NOWHERE = Device()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a password is checked against; without an account no password is right."""

    account_id: int | None
    password_hash: str
    second_factor: bool = False


def count_attempt(session: Session, login: str, *, now: datetime) -> Attempt:
    """Count an attempt as failed, so that attempts at the same time are all counted; success clears it."""
    account = session.scalars(
        select(p.Account).where(p.Account.login == login.strip().lower()).with_for_update()
    ).one_or_none()
    if account is None or account.disabled_at is not None or not account.password_allowed:
        return Attempt(None, DECOY)
    if not count_failure(session, account.account_id, now=now):
        return Attempt(None, DECOY)
    return Attempt(account.account_id, account.password_hash, account.totp_secret is not None)


def count_failure(session: Session, account_id: int, *, now: datetime) -> bool:
    """Count an attempt on an account whose row is locked; False, and nothing counted, while it is closed."""
    use = use_of(session, account_id)
    if use.locked_until is not None and use.locked_until > now:
        return False
    use.failures = min(use.failures + 1, MOST_FAILURES)
    delay = lock_delay(use.failures)
    use.locked_until = now + delay if delay else None
    if delay:
        facts = {"failures": use.failures, "until": use.locked_until}
        record(session, OPERATOR_TENANT, "sign_in.suspended", f"account/{account_id}", facts)
    return True


def proves(attempt: Attempt, password: str) -> bool:
    """Whether the password is the account's; takes about 50 ms of processor in all cases."""
    try:
        HASHER.verify(attempt.password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return attempt.account_id is not None


def open_sign_in(
    session: Session,
    account_id: int,
    *,
    now: datetime,
    method: Method = Method.PASSWORD,
    device: Device = NOWHERE,
) -> str:
    """The token of a new sign-in; expired ones are swept away on the way."""
    use = use_of(session, account_id)
    use.failures, use.locked_until, use.last_seen_at = 0, None, now
    session.execute(delete(p.SignIn).where(p.SignIn.expires_at <= now))
    _tell(session, "opened", account_id, {"method": method, "network": device.network})
    return _add(session, account_id, method, device, True, now, now + LONGEST_STAY)


def await_second_factor(session: Session, account_id: int, *, now: datetime, device: Device = NOWHERE) -> str:
    """The token of a sign-in whose password was right and whose code is still to come."""
    return _add(session, account_id, Method.PASSWORD, device, False, now, now + LONGEST_WAIT)


def keep_alive(session: Session, token_sha256: str, *, now: datetime) -> None:
    """The person is still there."""
    row = session.get(p.SignIn, token_sha256)
    if row is not None:
        row.seen_at = now


def sign_out(session: Session, token_sha256: str) -> None:
    """The token opens nothing any more."""
    row = session.get(p.SignIn, token_sha256)
    if row is None:
        return
    if row.proven:
        _tell(session, "closed", row.account_id, {})
    session.delete(row)


def end_sign_in(session: Session, account_id: int, token_sha256: str) -> None:
    """Sign the account out at one of its places; raises `NotFound` where it is another's, or over."""
    row = session.get(p.SignIn, token_sha256)
    if row is None or row.account_id != account_id:
        raise NotFound("Cette connexion est déjà terminée.")
    _tell_ended(session, account_id, 1)
    session.delete(row)


def end_other_sign_ins(session: Session, account_id: int, kept_sha256: str) -> None:
    """Sign the account out everywhere but here."""
    _end(session, account_id, p.SignIn.token_sha256 != kept_sha256)


def end_sign_ins(session: Session, account_id: int) -> None:
    """Sign the account out everywhere."""
    _end(session, account_id)


def use_of(session: Session, account_id: int) -> p.AccountUse:
    """What is known of the attempts on an account."""
    use = session.get(p.AccountUse, account_id)
    if use is None:
        use = p.AccountUse(account_id=account_id, failures=0)
        session.add(use)
        session.flush()
    return use


def hash_of(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _end(session: Session, account_id: int, *which: ColumnElement[bool]) -> None:
    ended = session.scalars(
        delete(p.SignIn).where(p.SignIn.account_id == account_id, *which).returning(p.SignIn.token_sha256)
    ).all()
    if ended:
        _tell_ended(session, account_id, len(ended))


def _tell_ended(session: Session, account_id: int, places: int) -> None:
    """Write down who ended the sign-ins of an account: its person, or an administrator."""
    record(session, OPERATOR_TENANT, "sign_in.ended", f"account/{account_id}", {"places": places})


def _tell(session: Session, verb: str, account_id: int, facts: Mapping[str, object]) -> None:
    """Write down that somebody signed in or out."""
    login = session.get_one(p.Account, account_id).login
    record(session, OPERATOR_TENANT, f"sign_in.{verb}", f"account/{account_id}", facts, by=login)


def _add(
    session: Session,
    account_id: int,
    method: Method,
    device: Device,
    proven: bool,
    now: datetime,
    expires_at: datetime,
) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        p.SignIn(
            token_sha256=hash_of(token),
            account_id=account_id,
            method=method,
            proven=proven,
            software=device.software or None,
            network=device.network or None,
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
        )
    )
    return token
