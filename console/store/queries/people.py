"""The accounts for those who manage them: a list with filters, a page for each, open invitations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from console.domain.access import Role
from console.domain.claims import OPERATOR_TENANT
from console.domain.delegations import GIVES_AND_TAKES, Standing, standing
from console.domain.errors import NotFound
from console.domain.folding import folded_words
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import people as p
from console.store.queries.paging import PAGE, PageOf
from console.store.queries.sign_in import ZONE, OpenSignIn, open_sign_ins

FOUND = 20  # adherents shown to choose from
PAST_DELEGATIONS = 10


class State(StrEnum):
    """Where an account is."""

    OPEN = "open"
    LOCKED = "locked"
    NEVER_SEEN = "never_seen"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Person:
    """A line of the list."""

    account_id: int
    login: str
    name: str
    role: Role
    adherents: int
    second_factor: bool
    state: State
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entrusted:
    """An adherent of a portfolio."""

    tenant_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Delegated:
    """A delegation as both of its people see it."""

    delegation_id: int
    giver_id: int
    giver: str
    taker_id: int
    taker: str
    first_day: date
    last_day: date
    standing: Standing
    ended_at: datetime | None
    made_by: str
    adherents: tuple[Entrusted, ...]


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What the page of an account shows."""

    account_id: int
    login: str
    name: str
    email: str | None
    role: Role
    state: State
    must_change_password: bool
    password_allowed: bool
    second_factor: bool
    recovery_codes: int
    single_sign_on: str | None  # the issuer that knows them
    failures: int
    locked_until: datetime | None
    last_seen_at: datetime | None
    portfolio: tuple[Entrusted, ...]
    sign_ins: tuple[OpenSignIn, ...]
    delegations: tuple[Delegated, ...]


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was not used yet."""

    invitation_id: int
    email: str
    name: str
    role: Role
    invited_by: str
    invited_at: datetime
    expires_at: datetime
    mail: str | None  # what became of its mail; None where no mail was to leave


def list_people(
    session: Session,
    *,
    now: datetime,
    words: str = "",
    role: Role | None = None,
    state: State | None = None,
    adherent: str = "",
    page: int = 1,
) -> PageOf[Person]:
    """Accounts whose name, login or address holds every word, by name; two statements."""
    wanted = [
        *_holding(words),
        *([p.Account.role == role] if role else []),
        *([_is(state, now)] if state else []),
        *_of_adherent(adherent),
    ]
    count = select(func.count()).select_from(_accounts().where(*wanted).subquery())
    rows = session.execute(
        _accounts()
        .where(*wanted)
        .order_by(p.Account.name, p.Account.account_id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return PageOf([_line(*row, now) for row in rows], session.scalar(count) or 0, page)


def person(session: Session, account_id: int, *, now: datetime) -> PersonPage:
    """The page of an account; raises `NotFound`."""
    row = session.execute(_accounts().where(p.Account.account_id == account_id)).one_or_none()
    if row is None:
        raise NotFound("Il n'y a pas de compte à cette adresse.")
    account: p.Account = row[0]
    use: p.AccountUse | None = row[1]
    return PersonPage(
        account_id=account_id,
        login=account.login,
        name=account.name,
        email=account.email,
        role=account.role,
        state=_state(account, use, now),
        must_change_password=account.must_change_password,
        password_allowed=account.password_allowed,
        second_factor=account.totp_secret is not None,
        recovery_codes=recovery_codes_left(session, account_id),
        single_sign_on=account.oidc_issuer,
        failures=use.failures if use else 0,
        locked_until=use.locked_until if use else None,
        last_seen_at=use.last_seen_at if use else None,
        portfolio=entrusted(session, account_id),
        sign_ins=tuple(open_sign_ins(session, account_id, now=now)),
        delegations=delegations(session, account_id, now=now),
    )


def recovery_codes_left(session: Session, account_id: int) -> int:
    """How many recovery codes of an account still open it."""
    unused = (p.RecoveryCode.account_id == account_id) & p.RecoveryCode.used_at.is_(None)
    return session.scalar(select(func.count()).select_from(p.RecoveryCode).where(unused)) or 0


def entrusted(session: Session, account_id: int) -> tuple[Entrusted, ...]:
    """The portfolio of an account, by name."""
    rows = session.execute(
        select(c.Adherent.tenant_id, c.Adherent.name)
        .join(p.Portfolio, p.Portfolio.tenant_id == c.Adherent.tenant_id)
        .where(p.Portfolio.account_id == account_id)
        .order_by(c.Adherent.folded_name, c.Adherent.tenant_id)
    )
    return tuple(Entrusted(*row) for row in rows)


def adherents_of(session: Session, tenants: Iterable[int]) -> list[Entrusted]:
    """The adherents of these numbers, by name."""
    rows = session.execute(
        select(c.Adherent.tenant_id, c.Adherent.name)
        .where(c.Adherent.tenant_id.in_(set(tenants)))
        .order_by(c.Adherent.folded_name, c.Adherent.tenant_id)
    )
    return [Entrusted(*row) for row in rows]


def find_adherents(session: Session, words: str, without: Iterable[int] = ()) -> list[Entrusted]:
    """A few adherents to choose from, whose name holds every word or whose FINESS or SIREN is it."""
    adherent = c.Adherent
    rows = session.execute(
        select(adherent.tenant_id, adherent.name)
        .where(
            adherent.tenant_id != OPERATOR_TENANT,
            adherent.tenant_id.not_in(set(without)),
            *_adherents_named(words),
        )
        .order_by(adherent.name, adherent.tenant_id)
        .limit(FOUND)
    )
    return [Entrusted(*row) for row in rows]


def colleagues(session: Session, account_id: int) -> list[tuple[int, str]]:
    """Whom a part of the portfolio may be handed to: number and name, by name."""
    rows = session.execute(
        select(p.Account.account_id, p.Account.name)
        .where(
            p.Account.role == GIVES_AND_TAKES,
            p.Account.disabled_at.is_(None),
            p.Account.account_id != account_id,
        )
        .order_by(p.Account.name, p.Account.account_id)
    )
    return [(number, name) for number, name in rows]


def delegations(session: Session, account_id: int, *, now: datetime) -> tuple[Delegated, ...]:
    """What an account gave and took, the latest first; those that are over, a few only."""
    today = now.astimezone(ZONE).date()
    rows = session.scalars(
        select(p.Delegation)
        .where(or_(p.Delegation.giver_id == account_id, p.Delegation.taker_id == account_id))
        .order_by(p.Delegation.last_day.desc(), p.Delegation.delegation_id.desc())
    ).all()
    standings = {
        row.delegation_id: standing(row.first_day, row.last_day, row.ended_at is not None, today)
        for row in rows
    }
    over = [row for row in rows if standings[row.delegation_id] is Standing.OVER]
    shown = [row for row in rows if row not in over] + over[:PAST_DELEGATIONS]
    names = _names_of(session, {number for row in shown for number in (row.giver_id, row.taker_id)})
    adherents = _handed(session, [row.delegation_id for row in shown])
    return tuple(
        Delegated(
            delegation_id=row.delegation_id,
            giver_id=row.giver_id,
            giver=names[row.giver_id],
            taker_id=row.taker_id,
            taker=names[row.taker_id],
            first_day=row.first_day,
            last_day=row.last_day,
            standing=standings[row.delegation_id],
            ended_at=row.ended_at,
            made_by=row.made_by,
            adherents=tuple(adherents.get(row.delegation_id, ())),
        )
        for row in shown
    )


def open_invitations(session: Session, *, now: datetime) -> list[Invited]:
    """The invitations that can still be used, the latest first."""
    rows = session.execute(
        select(p.Invitation, k.Delivery.state)
        .join(k.Delivery, k.Delivery.delivery_id == p.Invitation.delivery_id, isouter=True)
        .where(
            p.Invitation.used_at.is_(None),
            p.Invitation.withdrawn_at.is_(None),
            p.Invitation.expires_at > now,
        )
        .order_by(p.Invitation.invitation_id.desc())
    )
    return [
        Invited(
            invitation_id=row.invitation_id,
            email=row.email,
            name=row.name,
            role=row.role,
            invited_by=row.invited_by,
            invited_at=row.invited_at,
            expires_at=row.expires_at,
            mail=state and state.value,
        )
        for row, state in rows
    ]


def _accounts() -> Select[p.Account, p.AccountUse, int]:
    held = (
        select(func.count())
        .select_from(p.Portfolio)
        .where(p.Portfolio.account_id == p.Account.account_id)
        .scalar_subquery()
    )
    return select(p.Account, p.AccountUse, held.label("adherents")).join(
        p.AccountUse, p.AccountUse.account_id == p.Account.account_id, isouter=True
    )


def _line(account: p.Account, use: p.AccountUse | None, adherents: int, now: datetime) -> Person:
    return Person(
        account_id=account.account_id,
        login=account.login,
        name=account.name,
        role=account.role,
        adherents=adherents,
        second_factor=account.totp_secret is not None,
        state=_state(account, use, now),
        last_seen_at=use.last_seen_at if use else None,
    )


def _state(account: p.Account, use: p.AccountUse | None, now: datetime) -> State:
    if account.disabled_at is not None:
        return State.DISABLED
    if use is not None and use.locked_until is not None and use.locked_until > now:
        return State.LOCKED
    return State.OPEN if use is not None and use.last_seen_at is not None else State.NEVER_SEEN


def _is(state: State, now: datetime) -> ColumnElement[bool]:
    """The condition that says the same as `_state`."""
    able, use = p.Account.disabled_at.is_(None), p.AccountUse
    free = or_(use.locked_until.is_(None), use.locked_until <= now)
    return {
        State.DISABLED: p.Account.disabled_at.is_not(None),
        State.LOCKED: and_(able, use.locked_until > now),
        State.OPEN: and_(able, free, use.last_seen_at.is_not(None)),
        State.NEVER_SEEN: and_(able, free, use.last_seen_at.is_(None)),
    }[state]


def _holding(words: str) -> list[ColumnElement[bool]]:
    account = p.Account
    return [
        or_(
            func.upper(account.name).contains(word, autoescape=True),
            func.upper(account.login).contains(word, autoescape=True),
            func.upper(account.email).contains(word, autoescape=True),
        )
        for word in words.upper().split()
    ]


def _of_adherent(words: str) -> list[ColumnElement[bool]]:
    if not words.strip():
        return []
    held = (
        select(p.Portfolio.account_id)
        .join(c.Adherent, c.Adherent.tenant_id == p.Portfolio.tenant_id)
        .where(*_adherents_named(words))
    )
    return [p.Account.account_id.in_(held)]


def _adherents_named(words: str) -> list[ColumnElement[bool]]:
    adherent = c.Adherent
    return [
        or_(
            adherent.folded_name.contains(word, autoescape=True),
            adherent.finess_ej == word,
            adherent.siren == word,
        )
        for word in folded_words(words)
    ]


def _names_of(session: Session, accounts: set[int]) -> dict[int, str]:
    rows = session.execute(
        select(p.Account.account_id, p.Account.name).where(p.Account.account_id.in_(accounts))
    )
    return {row.account_id: row.name for row in rows}


def _handed(session: Session, delegation_ids: Sequence[int]) -> dict[int, list[Entrusted]]:
    rows = session.execute(
        select(p.DelegatedAdherent.delegation_id, c.Adherent.tenant_id, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == p.DelegatedAdherent.tenant_id)
        .where(p.DelegatedAdherent.delegation_id.in_(delegation_ids))
        .order_by(c.Adherent.folded_name, c.Adherent.tenant_id)
    )
    handed: dict[int, list[Entrusted]] = {}
    for delegation_id, tenant_id, name in rows:
        handed.setdefault(delegation_id, []).append(Entrusted(tenant_id, name))
    return handed
