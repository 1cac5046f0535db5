"""Hospital groups: the list, one with its members by date, and who may be read through one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from console.domain.directory import GroupRole
from console.domain.errors import NotFound
from console.domain.groups import Held, seen_through_groups
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.queries.paging import PAGE, PageOf

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group; `support` is the name of its support establishment, or its number, today."""

    code: str
    name: str
    short_name: str | None
    support: str | None
    members: int


@dataclass(frozen=True, slots=True)
class Groups(PageOf[ListedGroup]):
    """One page of what was found; `known` is how many groups there are."""

    known: int


@dataclass(frozen=True, slots=True)
class Member:
    """A legal entity in a group, the first and the last of its days; `tenant_id` where it is in scope."""

    membership_id: int
    finess_ej: str
    name: str | None
    role: GroupRole
    first_day: date
    last_day: date | None
    runs: bool
    withdrawn: bool
    source: str
    tenant_id: int | None


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A group: who is in it today, and who was or will be."""

    code: str
    name: str
    short_name: str | None
    source: str
    as_of: date
    members: Sequence[Member]
    others: Sequence[Member]


@dataclass(frozen=True, slots=True)
class GroupOfEntity:
    """A group that a legal entity is or was in."""

    code: str
    name: str
    role: GroupRole
    first_day: date
    last_day: date | None


def list_groups(session: Session, day: date, words: str = "", page: int = 1) -> Groups:
    """Groups whose name or code holds every word, by name, with who is in them on a day."""
    ght, member = d.Ght, d.GhtMembership
    columns = (ght.name, ght.short_name, ght.code)
    wanted = [
        or_(*(func.upper(column).contains(word, autoescape=True) for column in columns))
        for word in words.upper().split()
    ]
    support = _name_of(member.finess_ej)
    held = and_(member.ght_code == ght.code, _running(day))
    rows = session.execute(
        select(
            ght.code,
            ght.name,
            ght.short_name,
            select(func.coalesce(support, member.finess_ej))
            .where(held, member.role == GroupRole.SUPPORT)
            .limit(1)
            .scalar_subquery(),
            select(func.count()).where(held).scalar_subquery(),
        )
        .where(*wanted)
        .order_by(ght.name, ght.code)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return Groups(
        rows=[ListedGroup(*row) for row in rows],
        total=session.scalar(select(func.count()).select_from(ght).where(*wanted)) or 0,
        known=session.scalar(select(func.count()).select_from(ght)) or 0,
        page=page,
    )


def group_page(session: Session, code: str, day: date) -> GroupPage:
    """A group with its members; raises `NotFound`."""
    ght = session.get(d.Ght, code)
    if ght is None:
        raise NotFound("GHT introuvable.")
    member = d.GhtMembership
    rows = session.execute(
        select(member, _name_of(member.finess_ej), c.Adherent.tenant_id)
        .outerjoin(c.Adherent, c.Adherent.finess_ej == member.finess_ej)
        .where(member.ght_code == code)
        .order_by(member.role.desc(), member.finess_ej, member.valid_from.desc())
    )
    members = [_member(row, name, tenant_id, day) for row, name, tenant_id in rows]
    return GroupPage(
        code=ght.code,
        name=ght.name,
        short_name=ght.short_name,
        source=ght.source,
        as_of=ght.as_of,
        members=[one for one in members if one.runs],
        others=[one for one in members if not one.runs],
    )


def groups_of(session: Session, finess_ej: str) -> list[GroupOfEntity]:
    """The groups that a legal entity is or was in, the latest first."""
    member = d.GhtMembership
    rows = session.execute(
        select(member, d.Ght.name)
        .join(d.Ght, d.Ght.code == member.ght_code)
        .where(member.finess_ej == finess_ej)
        .order_by(member.valid_from.desc())
    )
    return [
        GroupOfEntity(row.ght_code, name, row.role, row.valid_from, _last_day(row.valid_to))
        for row, name in rows
        if row.valid_to is None or row.valid_to > row.valid_from
    ]


def members_seen_by(session: Session, tenants: Iterable[int], day: date) -> frozenset[int]:
    """The adherents that are members, on a day, of groups whose support establishment is one of `tenants`.

    They are not of `tenants` themselves. An adherent without a FINESS number is nobody's member. Needs a
    session of the operator's scope.
    """
    tenants = frozenset(tenants)
    own = select(c.Adherent.finess_ej).where(
        c.Adherent.tenant_id.in_(tenants), c.Adherent.finess_ej.is_not(None)
    )
    support = d.GhtMembership
    groups = select(support.ght_code).where(
        support.finess_ej.in_(own), support.role == GroupRole.SUPPORT, _running(day)
    )
    rows = session.execute(
        select(d.GhtMembership, c.Adherent.tenant_id)
        .join(c.Adherent, c.Adherent.finess_ej == d.GhtMembership.finess_ej)
        .where(d.GhtMembership.ght_code.in_(groups), _running(day))
    ).all()
    tenant_of = {row.finess_ej: tenant_id for row, tenant_id in rows}
    held = [
        Held(row.ght_code, row.finess_ej, row.role, row.valid_from, row.valid_to, row.as_of)
        for row, _ in rows
    ]
    mine = [finess_ej for finess_ej, tenant_id in tenant_of.items() if tenant_id in tenants]
    return frozenset(tenant_of[finess_ej] for finess_ej in seen_through_groups(mine, held, day)) - tenants


def _running(day: date) -> ColumnElement[bool]:
    member = d.GhtMembership
    return and_(member.valid_from <= day, or_(member.valid_to.is_(None), member.valid_to > day))


def _name_of(finess_ej: InstrumentedAttribute[str]) -> ColumnElement[str | None]:
    """The name of a legal entity or, while no file told it, that of one of its sites."""
    own = select(d.LegalEntity.name).where(d.LegalEntity.finess_ej == finess_ej).scalar_subquery()
    of_site = (
        select(func.min(d.DirectorySite.name)).where(d.DirectorySite.finess_ej == finess_ej).scalar_subquery()
    )
    return func.coalesce(own, of_site)


def _member(row: d.GhtMembership, name: str | None, tenant_id: int | None, day: date) -> Member:
    held = Held(row.ght_code, row.finess_ej, row.role, row.valid_from, row.valid_to, row.as_of)
    return Member(
        membership_id=row.membership_id,
        finess_ej=row.finess_ej,
        name=name,
        role=row.role,
        first_day=row.valid_from,
        last_day=_last_day(row.valid_to),
        runs=held.holds_on(day),
        withdrawn=held.withdrawn,
        source=row.source,
        tenant_id=tenant_id,
    )


def _last_day(valid_to: date | None) -> date | None:
    return None if valid_to is None else valid_to - DAY
