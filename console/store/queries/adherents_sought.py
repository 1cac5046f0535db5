"""What the list of adherents is asked for: words, facts, groups, who is in charge, and its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from console.domain.claims import OPERATOR_TENANT
from console.domain.factors import Basis
from console.domain.folding import folded_words
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import people as p
from console.store.models import tenant as t
from console.store.queries.managers import in_charge_name


class Only(StrEnum):
    """Which adherents, besides what is sought: those that left are seen only where they are asked for.

    Without a plan are those that have no active subscription, or one under no plan.
    """

    CURRENT = ""
    INCIDENTS = "incidents"
    NO_PLAN = "no_plan"
    ENDED = "ended"


class Sort(StrEnum):
    """The columns of the list, by any of which it is sorted."""

    NAME = "name"
    KIND = "kind"
    SECTOR = "sector"
    FINESS = "finess"
    AGENCY = "agency"
    MANAGER = "manager"
    SUBSCRIPTIONS = "subscriptions"
    INCIDENTS = "incidents"
    ENERGY = "energy"
    CARBON = "carbon"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is sought and in which order; empty texts and None ask for nothing."""

    words: str = ""
    kind: str = ""
    sector: str = ""
    agency: str = ""
    ght: str = ""
    manager: int | None = None
    only: Only = Only.CURRENT
    sort: Sort = Sort.NAME
    descending: bool = False


def sought(asked: Asked, today: date) -> list[ColumnElement[bool]]:
    """The conditions of a search, but for `only`. The operator, an adherent of its own, is left out."""
    adherent = c.Adherent
    conditions = [adherent.tenant_id != OPERATOR_TENANT, *map(_holds, folded_words(asked.words))]
    for column, value in (
        (adherent.kind, asked.kind),
        (adherent.sector, asked.sector),
        (adherent.agency, asked.agency),
    ):
        if value:
            conditions.append(column == value)
    if asked.ght:
        conditions.append(_in_group(asked.ght, today))
    if asked.manager is not None:
        conditions.append(_entrusted_to(asked.manager))
    return conditions


def is_one_of(only: Only, today: date) -> ColumnElement[bool]:
    """Whether an adherent of a statement is one of those."""
    has_left = and_(c.Adherent.until.is_not(None), c.Adherent.until < today)
    match only:
        case Only.ENDED:
            return has_left
        case Only.INCIDENTS:
            return and_(~has_left, _open_incidents().exists())
        case Only.NO_PLAN:
            unplanned = _active().where(t.Subscription.plan_code.is_(None))
            return and_(~has_left, or_(~_active().exists(), unplanned.exists()))
    return ~has_left


def order(asked: Asked, month: date) -> list[ColumnElement[Any]]:
    """The order of a list, by name where lines are equal; what is unknown comes last in both directions."""
    column = COLUMNS[asked.sort](month)
    directed = column.desc() if asked.descending else column.asc()
    return [directed.nulls_last(), c.Adherent.folded_name.expression, c.Adherent.tenant_id.expression]


def _holds(word: str) -> ColumnElement[bool]:
    """A folded word of the name, a key, or the town of a site of the directory."""
    adherent, site = c.Adherent, d.DirectorySite
    in_town = select(site.finess_et).where(
        site.finess_ej == adherent.finess_ej, site.folded_town.contains(word, autoescape=True)
    )
    return or_(
        adherent.folded_name.contains(word, autoescape=True),
        adherent.finess_ej == word,
        adherent.siren == word,
        in_town.exists(),
    )


def _in_group(code: str, today: date) -> ColumnElement[bool]:
    member = d.GhtMembership
    return (
        select(member.membership_id)
        .where(
            member.ght_code == code,
            member.finess_ej == c.Adherent.finess_ej,
            member.valid_from <= today,
            or_(member.valid_to.is_(None), member.valid_to > today),
        )
        .exists()
    )


def _entrusted_to(account_id: int) -> ColumnElement[bool]:
    entrusted = p.Portfolio.tenant_id == c.Adherent.tenant_id, p.Portfolio.account_id == account_id
    return select(p.Portfolio.tenant_id).where(*entrusted).exists()


def _open_incidents() -> Select[int]:
    incident = t.Incident
    return select(incident.number).where(
        incident.tenant_id == c.Adherent.tenant_id, incident.resolved_at.is_(None)
    )


def _active() -> Select[int]:
    subscription = t.Subscription
    return select(subscription.number).where(
        subscription.tenant_id == c.Adherent.tenant_id,
        subscription.status == t.SubscriptionStatus.ACTIVE,
    )


def _running() -> Select[int]:
    subscription = t.Subscription
    return select(subscription.number).where(
        subscription.tenant_id == c.Adherent.tenant_id,
        subscription.status != t.SubscriptionStatus.ENDED,
    )


def _number(of: Select[int]) -> ColumnElement[Any]:
    return of.with_only_columns(func.count()).scalar_subquery()


def _of_month(amount: Any, month: date) -> ColumnElement[Any]:
    line = b.CarbonLine
    return (
        select(func.sum(amount))
        .where(
            line.tenant_id == c.Adherent.tenant_id,
            line.month == month,
            line.basis == Basis.YEARLY_AVERAGE,
            line.counts,
        )
        .scalar_subquery()
    )


COLUMNS: Mapping[Sort, Callable[[date], ColumnElement[Any]]] = {
    Sort.NAME: lambda _: c.Adherent.folded_name.expression,
    Sort.KIND: lambda _: c.Adherent.kind.expression,
    Sort.SECTOR: lambda _: c.Adherent.sector.expression,
    Sort.FINESS: lambda _: c.Adherent.finess_ej.expression,
    Sort.AGENCY: lambda _: c.Adherent.agency.expression,
    Sort.MANAGER: lambda _: in_charge_name(c.Adherent.tenant_id),
    Sort.SUBSCRIPTIONS: lambda _: _number(_running()),
    Sort.INCIDENTS: lambda _: _number(_open_incidents()),
    Sort.ENERGY: lambda month: _of_month(b.CarbonLine.energy_mj, month),
    Sort.CARBON: lambda month: _of_month(b.CarbonLine.carbon_ug, month),
}
