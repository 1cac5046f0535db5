"""Invitations: a link that makes one account, once, with the role and the adherents the inviter chose.

    invite -> post_link (a mail, or the link shown once) -> open_invitation -> accept | withdraw | 72 h

The link holds a token that only the mail carries; the invitation keeps its hash, and the text of the mail is
forgotten once it left.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from console.actions.accounts import LOGIN, check_email, check_tenants, entrust_all, set_password
from console.actions.delivering import INVITATION, Envelope, post
from console.actions.sign_in import DECOY, hash_of
from console.domain.access import Role
from console.domain.errors import Conflict, Invalid, NotFound
from console.notify.channels.mail import is_address
from console.store.models import coordination as k
from console.store.models import people as p
from console.store.models.coordination import DeliveryState
from reports.mail import Message

LASTS = timedelta(hours=72)
TOKEN_BYTES = 32
LONGEST_NAME = 200


class Fate(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    USED = "used"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Opened:
    """What the one who follows the link is told."""

    fate: Fate
    email: str
    name: str
    role: Role
    invited_by: str
    expires_at: datetime


def invite(
    session: Session,
    email: str,
    name: str,
    role: Role,
    tenants: Iterable[int] = (),
    *,
    now: datetime,
    by: str,
) -> tuple[int, str]:
    """A new invitation: its number, and the token of its link; one before to the address is withdrawn."""
    email, name, chosen = email.strip().lower(), name.strip(), sorted(set(tenants))
    if not LOGIN.fullmatch(email) or not is_address(email):
        raise Invalid("email", "%(email)s n'est pas une adresse de messagerie.", email=email)
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid("name", "Un nom de 200 caractères au plus est attendu.")
    check_email(session, email)
    check_tenants(session, role, chosen)
    for before in session.scalars(_unused().where(p.Invitation.email == email)):
        _withdraw(session, before, now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = p.Invitation(
        token_sha256=hash_of(token),
        email=email,
        name=name,
        role=role,
        tenants=chosen,
        invited_by=by,
        invited_at=now,
        expires_at=now + LASTS,
    )
    session.add(row)
    session.flush()
    return row.invitation_id, token


def post_link(
    session: Session, invitation_id: int, envelope: Envelope, message: Message, *, now: datetime
) -> None:
    """Put the mail that carries the link among the messages to send."""
    row = session.get_one(p.Invitation, invitation_id)
    row.delivery_id = post(session, envelope, message, INVITATION, now=now).delivery_id


def open_invitation(session: Session, token: str, *, now: datetime) -> Opened:
    """What a link leads to; raises `NotFound` where it was never one."""
    row = _by_token(session, token)
    return Opened(_fate(row, now), row.email, row.name, row.role, row.invited_by, row.expires_at)


def accept(session: Session, token: str, password: str, *, now: datetime) -> int:
    """Make the account, whose login is the address, with the password its person chose; its number.

    Raises `Invalid` for the password, `Conflict` where the link was used, withdrawn or is too old.
    """
    row = _by_token(session, token)
    if _fate(row, now) is not Fate.OPEN:
        raise Conflict("Ce lien ne sert plus : demandez une autre invitation.")
    check_email(session, row.email)
    account = p.Account(
        login=row.email,
        name=row.name,
        email=row.email,
        role=row.role,
        password_hash=DECOY,
        must_change_password=False,
    )
    session.add(account)
    session.flush()
    set_password(session, account.account_id, password)
    entrust_all(session, account, row.tenants)
    row.used_at = now
    _forget_letter(session, row)
    return account.account_id


def withdraw(session: Session, invitation_id: int, *, now: datetime) -> None:
    """The link opens nothing any more."""
    row = session.get(p.Invitation, invitation_id)
    if row is None:
        raise NotFound("Il n'y a pas d'invitation à cette adresse.")
    if _fate(row, now) is not Fate.OPEN:
        raise Conflict("Cette invitation a déjà servi, ou n'est plus valable.")
    _withdraw(session, row, now)


def _withdraw(session: Session, row: p.Invitation, now: datetime) -> None:
    row.withdrawn_at = now
    _forget_letter(session, row)


def _forget_letter(session: Session, row: p.Invitation) -> None:
    """A mail that has not left does not leave; the link is kept nowhere."""
    letter = None if row.delivery_id is None else session.get(k.Delivery, row.delivery_id)
    if letter is None or letter.state is DeliveryState.SENDING:
        return
    if letter.state is not DeliveryState.SENT:
        letter.state = DeliveryState.FAILED
    letter.body = ""


def _by_token(session: Session, token: str) -> p.Invitation:
    row = session.scalars(
        select(p.Invitation).where(p.Invitation.token_sha256 == hash_of(token)).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Ce lien d'invitation n'existe pas : vérifiez qu'il est entier.")
    return row


def _fate(row: p.Invitation, now: datetime) -> Fate:
    if row.used_at is not None:
        return Fate.USED
    if row.withdrawn_at is not None:
        return Fate.WITHDRAWN
    return Fate.OPEN if now < row.expires_at else Fate.EXPIRED


def _unused() -> Select[p.Invitation]:
    return select(p.Invitation).where(p.Invitation.used_at.is_(None), p.Invitation.withdrawn_at.is_(None))
