"""The tokens of programs, as those who manage them see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.domain.tokens import TokenScope
from console.store.models import people as p
from console.store.queries.people import Entrusted, adherents_of


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token without its text; `adherents` None is every adherent, `hosts` none is any host."""

    token_id: int
    name: str
    scopes: tuple[TokenScope, ...]
    adherents: tuple[Entrusted, ...] | None
    hosts: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    rotating_until: datetime | None
    last_used_at: datetime | None
    expired: bool


def tokens(session: Session, *, now: datetime) -> list[ListedToken]:
    """Every token: those that open something first, by name; two statements."""
    rows = session.execute(
        select(p.ApiToken, p.ApiTokenUse.last_used_at).join(
            p.ApiTokenUse, p.ApiTokenUse.token_id == p.ApiToken.token_id, isouter=True
        )
    ).all()
    names = {
        one.tenant_id: one
        for one in adherents_of(session, {number for row, _ in rows for number in row.tenants})
    }
    listed = [_line(row, last_used_at, names, now) for row, last_used_at in rows]
    return sorted(listed, key=lambda one: (one.revoked_at is not None or one.expired, one.name))


def token(session: Session, token_id: int, *, now: datetime) -> ListedToken:
    """One token; raises `NotFound`."""
    row = session.get(p.ApiToken, token_id)
    if row is None:
        raise NotFound("Il n'y a pas de jeton à cette adresse.")
    use = session.get(p.ApiTokenUse, token_id)
    names = {one.tenant_id: one for one in adherents_of(session, row.tenants)}
    return _line(row, None if use is None else use.last_used_at, names, now)


def _line(
    row: p.ApiToken, last_used_at: datetime | None, names: dict[int, Entrusted], now: datetime
) -> ListedToken:
    rotating = row.previous_until if row.previous_until is not None and row.previous_until > now else None
    return ListedToken(
        token_id=row.token_id,
        name=row.name,
        scopes=tuple(TokenScope(scope) for scope in row.scopes),
        adherents=None
        if row.every_adherent
        else tuple(names[number] for number in row.tenants if number in names),
        hosts=tuple(row.hosts),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        rotating_until=rotating,
        last_used_at=last_used_at,
        expired=row.expires_at is not None and row.expires_at <= now,
    )
