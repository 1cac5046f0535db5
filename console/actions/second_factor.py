"""The second factor: codes of 30 seconds (TOTP, RFC 6238), and recovery codes for who lost their device.

A code is taken for one step around the present one, once; every try counts among the failures of the
account, and opens nothing while it is closed. The secret is kept under seal, recovery codes as hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from urllib.parse import urlsplit

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.actions.sealing import BrokenSeal, Seal
from console.actions.sign_in import count_failure, end_sign_ins, use_of
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid
from console.store.audit import record
from console.store.models import people as p

STEP_S = 30
DRIFT_STEPS = 1  # either way
ISSUER = "Console INR"
CODE = re.compile(r"[0-9]{6}")
RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when read aloud
GROUPS, GROUP_LENGTH = 4, 4  # 16 of 31 letters: 79 bits, too many to try even against a plain hash


def new_secret() -> str:
    """A secret of 160 bits in base 32, as authenticators read it."""
    return pyotp.random_base32()


def authenticator_address(secret: str, login: str, public_url: str) -> str:
    """What the QR code says: `otpauth://totp/...`, with the host of the console to tell two of them apart."""
    label = f"{login}@{urlsplit(public_url).hostname}"
    return pyotp.TOTP(secret, name=label, issuer=ISSUER, interval=STEP_S).provisioning_uri()


def enrol(
    session: Session, account_id: int, secret: str, code: str, *, seal: Seal, now: datetime
) -> list[str]:
    """Take up a secret that the person's device holds, as their code shows; their recovery codes.

    Raises `Invalid` where the code is not one of the secret, `Conflict` where there is a second factor.
    """
    account = _held(session, account_id)
    if account.totp_secret is not None:
        raise Conflict("La double authentification est déjà activée.")
    step = _step_of(secret, _digits(code), now, used=None)
    if step is None:
        raise Invalid("code", "Ce n'est pas le code du moment : vérifiez l'heure de l'appareil.")
    account.totp_secret = seal.close(secret)
    use_of(session, account_id).last_totp_step = step
    return renew_recovery_codes(session, account_id)


def accepts(session: Session, account_id: int, code: str, *, seal: Seal, now: datetime) -> bool:
    """Whether a code proves the person, and the same code will not again; the try counts as a failure.

    Raises `Conflict` where the secret can no longer be read.
    """
    account = _held(session, account_id)
    if account.totp_secret is None or not count_failure(session, account_id, now=now):
        return False
    digits = _digits(code)
    if not CODE.fullmatch(digits):
        return _uses_up_recovery(session, account_id, code, now)
    use = use_of(session, account_id)
    step = _step_of(_secret(account, seal), digits, now, used=use.last_totp_step)
    if step is None:
        return False
    use.last_totp_step = step
    return True


def clear_failures(session: Session, account_id: int) -> None:
    """The person was right: the tries before no longer count."""
    use = use_of(session, account_id)
    use.failures, use.locked_until = 0, None


def renew_recovery_codes(session: Session, account_id: int) -> list[str]:
    """Ten new codes; those before open nothing any more."""
    session.execute(delete(p.RecoveryCode).where(p.RecoveryCode.account_id == account_id))
    record(session, OPERATOR_TENANT, "second_factor.codes_renewed", f"account/{account_id}")
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    session.add_all(p.RecoveryCode(code_sha256=_hash(code), account_id=account_id) for code in codes)
    return codes


def remove_second_factor(session: Session, account_id: int) -> None:
    """The account has a password only, and its recovery codes open nothing."""
    account = _held(session, account_id)
    account.totp_secret = None
    record(session, OPERATOR_TENANT, "second_factor.removed", f"account/{account_id}")
    use_of(session, account_id).last_totp_step = None
    session.execute(delete(p.RecoveryCode).where(p.RecoveryCode.account_id == account_id))


def reset_second_factor(session: Session, account_id: int) -> None:
    """For who lost everything: no second factor, and signed out everywhere."""
    remove_second_factor(session, account_id)
    end_sign_ins(session, account_id)


def _held(session: Session, account_id: int) -> p.Account:
    """The account, locked: two requests with one code are told apart."""
    return session.scalars(
        select(p.Account).where(p.Account.account_id == account_id).with_for_update()
    ).one()


def _secret(account: p.Account, seal: Seal) -> str:
    try:
        return seal.open(account.totp_secret or "")
    except BrokenSeal:
        raise Conflict(
            "La clé de la console a changé, ce second facteur n'est plus lisible : "
            "un administrateur peut le réinitialiser."
        ) from None


def _step_of(secret: str, digits: str, now: datetime, *, used: int | None) -> int | None:
    """The step whose code this is; each one is compared, so that time tells nothing."""
    generator, present = pyotp.TOTP(secret, interval=STEP_S), int(now.timestamp()) // STEP_S
    found = None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        right = hmac.compare_digest(generator.generate_otp(step).encode(), digits.encode())
        if right and (used is None or step > used):
            found = step
    return found


def _uses_up_recovery(session: Session, account_id: int, code: str, now: datetime) -> bool:
    row = session.get(p.RecoveryCode, _hash(code.strip().lower()))
    if row is None or row.account_id != account_id or row.used_at is not None:
        return False
    row.used_at = now
    return True


def _digits(code: str) -> str:
    return "".join(code.split())[:12]


def _recovery_code() -> str:
    groups = ("".join(secrets.choice(LETTERS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
