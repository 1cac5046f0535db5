"""The tokens that programs show: their text is told once, kept as a hash, rotated and revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from console.domain import tokens
from console.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from console.domain.tokens import COLLECTOR, CONSOLE, OLD_TEXT_LASTS, Maker, Terms, TokenScope, check_terms
from console.store.models import catalogue as c
from console.store.models import people as p
from console.store.upsert import upsert

TOKEN_BYTES = 32
LONGEST_SIGNATURE = 200


@dataclass(frozen=True, slots=True)
class Bearer:
    """A program that showed a token; `tenants` None is every adherent, `hosts` none is any host."""

    token_id: int
    name: str
    tenants: frozenset[int] | None
    hosts: tuple[str, ...]
    last_used_at: datetime | None

    @property
    def signature(self) -> str:
        """Who acts, as entries and rows keep it: the name is free text, but no login has a slash."""
        return f"token/{self.token_id} {self.name}"[:LONGEST_SIGNATURE]

    def speaks_for(self, host: str) -> bool:
        """Whether it may send the readings of a host."""
        return tokens.speaks_for(self.hosts, host)

    def reaches(self, tenant_id: int) -> bool:
        """Whether it may read or write what is of an adherent."""
        return self.tenants is None or tenant_id in self.tenants


def bearer(session: Session, text: str, scope: TokenScope, now: datetime) -> Bearer:
    """Who shows a token; raises `Unauthenticated`, or `Forbidden` where it is not for this."""
    found = session.execute(
        select(p.ApiToken, p.ApiTokenUse.last_used_at)
        .join(p.ApiTokenUse, p.ApiTokenUse.token_id == p.ApiToken.token_id, isouter=True)
        .where(*_opening(text, now))
    ).one_or_none()
    if found is None:
        raise Unauthenticated("Ce jeton n'ouvre rien : il est inconnu, révoqué, remplacé ou expiré.")
    row, last_used_at = found
    if scope not in row.scopes:
        raise Forbidden("Ce jeton n'a pas le droit %(scope)s.", scope=scope.value)
    return Bearer(
        token_id=row.token_id,
        name=row.name,
        tenants=None if row.every_adherent else frozenset(row.tenants),
        hosts=tuple(row.hosts),
        last_used_at=last_used_at,
    )


def opens(session: Session, text: str, now: datetime) -> bool:
    """Whether a token may send readings."""
    row = session.scalars(select(p.ApiToken).where(*_opening(text, now))).one_or_none()
    return row is not None and TokenScope.READINGS_WRITE in row.scopes


def note_use(session: Session, token_id: int, *, now: datetime) -> None:
    """The token was shown, by several programs at once as well."""
    upsert(session, p.ApiTokenUse, [{"token_id": token_id, "last_used_at": now}], update=["last_used_at"])


def issue_token(
    session: Session, name: str, terms: Terms = COLLECTOR, *, now: datetime, maker: Maker = CONSOLE
) -> str:
    """A new token; its text is not kept and cannot be shown again. Raises `Forbidden` as `Maker.check`."""
    name = name.strip()
    if not 0 < len(name) <= tokens.LONGEST_NAME:
        raise Invalid("name", "Un nom de 200 caractères au plus est attendu.")
    check_terms(terms, now=now)
    maker.check(terms)
    if _by_name(session, name) is not None:
        raise Conflict("Un jeton nommé %(name)s existe déjà.", name=name)
    _check_adherents(session, terms)
    text = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        p.ApiToken(
            name=name,
            token_sha256=_hash(text),
            scopes=sorted(terms.scopes),
            every_adherent=terms.tenants is None,
            tenants=sorted(terms.tenants or ()),
            hosts=list(terms.hosts),
            created_by=maker.login,
            created_at=now,
            expires_at=terms.expires_at,
        )
    )
    session.flush()
    return text


def renew_token(session: Session, name: str, *, now: datetime) -> str:
    """A text for the collectors' token of this name; the one before opens nothing any more."""
    row = _by_name(session, name)
    if row is None:
        return issue_token(session, name, now=now)
    row.revoked_at = None
    return _change_text(row)


def rotate_token(
    session: Session,
    token_id: int,
    *,
    now: datetime,
    old_lasts: timedelta = OLD_TEXT_LASTS,
    maker: Maker = CONSOLE,
) -> str:
    """A new text; the one before opens for `old_lasts` more, so that programs can be told.

    Who reads the new text may do what the token does: raises `Forbidden` as `Maker.check`.
    """
    row = _open(session, token_id)
    maker.check(_terms_of(row))
    before = row.token_sha256
    text = _change_text(row)
    lasts = min(old_lasts, OLD_TEXT_LASTS)
    if lasts > timedelta():
        row.previous_sha256, row.previous_until = before, now + lasts
    return text


def revoke_token(session: Session, token_id: int, *, now: datetime) -> None:
    """The token opens nothing from now on, in neither of its texts."""
    _open(session, token_id).revoked_at = now


def _change_text(row: p.ApiToken) -> str:
    text = secrets.token_urlsafe(TOKEN_BYTES)
    row.token_sha256, row.previous_sha256, row.previous_until = _hash(text), None, None
    return text


def _terms_of(row: p.ApiToken) -> Terms:
    tenants = None if row.every_adherent else frozenset(row.tenants)
    return Terms(
        frozenset(TokenScope(scope) for scope in row.scopes), tenants, tuple(row.hosts), row.expires_at
    )


def _opening(text: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """That a token has this text, the one before it within its delay, and still opens something."""
    shown = _hash(text)
    return (
        or_(
            p.ApiToken.token_sha256 == shown,
            and_(p.ApiToken.previous_sha256 == shown, p.ApiToken.previous_until > now),
        ),
        p.ApiToken.revoked_at.is_(None),
        or_(p.ApiToken.expires_at.is_(None), p.ApiToken.expires_at > now),
    )


def _by_name(session: Session, name: str) -> p.ApiToken | None:
    return session.scalars(select(p.ApiToken).where(p.ApiToken.name == name)).one_or_none()


def _open(session: Session, token_id: int) -> p.ApiToken:
    row = session.get(p.ApiToken, token_id)
    if row is None:
        raise NotFound("Il n'y a pas de jeton à cette adresse.")
    if row.revoked_at is not None:
        raise Conflict("Le jeton %(name)s est révoqué.", name=row.name)
    return row


def _check_adherents(session: Session, terms: Terms) -> None:
    for tenant_id in sorted(terms.tenants or ()):
        if session.get(c.Adherent, tenant_id) is None:
            raise NotFound("Il n'y a pas d'adhérent numéro %(number)s.", number=tenant_id)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
