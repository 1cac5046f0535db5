"""The list of adherents: filtered, sorted, with what is open at each, energy and carbon of the month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from console.domain.factors import Basis
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import tenant as t
from console.store.queries.adherents_sought import Asked, Only, Sort, is_one_of, order, sought
from console.store.queries.managers import managers_of
from console.store.queries.paging import PAGE, PageOf
from console.store.session import Operator, ScopedSession


@dataclass(frozen=True, slots=True)
class ListedAdherent:
    """A line of the list; energy and carbon are None until the month is reckoned."""

    tenant_id: int
    name: str
    kind: str
    sector: str | None
    finess_ej: str | None
    siren: str | None
    agency: str | None
    convention: str | None
    since: date
    until: date | None
    managers: Sequence[str]
    subscriptions: int
    incidents: int
    energy_mj: int | None
    carbon_ug: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A hospital group of its territory."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Adherents(PageOf[ListedAdherent]):
    """One page of the list; `counts` tells how many there are of each `Only`, under the other filters."""

    counts: Mapping[Only, int]


def list_adherents(
    session: ScopedSession, asked: Asked, *, month: date, today: date, page: int | None = 1
) -> Adherents:
    """A page of the adherents in scope, or all of them where `page` is None.

    The statements are as many whatever is found. The operator, an adherent of its own, is left out. Managers
    are known to a session of the operator's scope only.
    """
    sees_managers = isinstance(session.scope, Operator)
    if asked.sort is Sort.MANAGER and not sees_managers:
        asked = replace(asked, sort=Sort.NAME)
    conditions = sought(asked, today)
    counts = _counts(session, conditions, today)
    wanted = (
        select(c.Adherent).where(*conditions, is_one_of(asked.only, today)).order_by(*order(asked, month))
    )
    if page is not None:
        wanted = wanted.limit(PAGE).offset((page - 1) * PAGE)
    rows = session.scalars(wanted).all()
    managers = managers_of(session, [row.tenant_id for row in rows]) if sees_managers else {}
    return Adherents(_lines(session, rows, month, managers), counts[asked.only], page or 1, counts)


def groups(session: Session, today: date) -> list[Group]:
    """The groups that an adherent in scope is a member of, by name."""
    member = d.GhtMembership
    rows = session.execute(
        select(d.Ght.code, d.Ght.name)
        .join(member, member.ght_code == d.Ght.code)
        .join(c.Adherent, c.Adherent.finess_ej == member.finess_ej)
        .where(member.valid_from <= today, or_(member.valid_to.is_(None), member.valid_to > today))
        .distinct()
        .order_by(d.Ght.name, d.Ght.code)
    )
    return [Group(code, name) for code, name in rows]


def _counts(session: Session, conditions: list[ColumnElement[bool]], today: date) -> dict[Only, int]:
    counted = session.execute(
        select(*(func.sum(case((is_one_of(only, today), 1), else_=0)) for only in Only))
        .select_from(c.Adherent)
        .where(*conditions)
    ).one()
    return {only: int(number or 0) for only, number in zip(Only, counted, strict=True)}


def _lines(
    session: Session, rows: Sequence[c.Adherent], month: date, managers: Mapping[int, Sequence[str]]
) -> list[ListedAdherent]:
    shown = [row.tenant_id for row in rows]
    subscriptions = _numbers(
        session, t.Subscription, shown, t.Subscription.status != t.SubscriptionStatus.ENDED
    )
    incidents = _numbers(session, t.Incident, shown, t.Incident.resolved_at.is_(None))
    months = {line.tenant_id: line for line in session.execute(_months(month, shown))}
    return [
        ListedAdherent(
            tenant_id=row.tenant_id,
            name=row.name,
            kind=row.kind.value,
            sector=row.sector and row.sector.value,
            finess_ej=row.finess_ej,
            siren=row.siren,
            agency=row.agency,
            convention=row.convention,
            since=row.since,
            until=row.until,
            managers=managers.get(row.tenant_id, ()),
            subscriptions=subscriptions.get(row.tenant_id, 0),
            incidents=incidents.get(row.tenant_id, 0),
            energy_mj=int(months[row.tenant_id].energy_mj) if row.tenant_id in months else None,
            carbon_ug=_carbon(months.get(row.tenant_id)),
        )
        for row in rows
    ]


def _carbon(month: Any) -> int | None:
    """None, too, where the carbon of none of its lines is known."""
    return None if month is None or month.carbon_ug is None else int(month.carbon_ug)


def _numbers(
    session: Session, model: Any, tenants: Sequence[int], condition: ColumnElement[bool]
) -> dict[int, int]:
    counted = session.execute(
        select(model.tenant_id, func.count())
        .where(model.tenant_id.in_(tenants), condition)
        .group_by(model.tenant_id)
    )
    return {row[0]: row[1] for row in counted}


def _months(month: date, tenants: Sequence[int]) -> Select[int, int, int | None]:
    line = b.CarbonLine
    return (
        select(
            line.tenant_id,
            func.sum(line.energy_mj).label("energy_mj"),
            func.sum(line.carbon_ug).label("carbon_ug"),
        )
        .where(
            line.tenant_id.in_(tenants), line.month == month, line.basis == Basis.YEARLY_AVERAGE, line.counts
        )
        .group_by(line.tenant_id)
    )
