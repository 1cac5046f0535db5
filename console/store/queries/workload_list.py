"""Every workload of the fleet: what named it, where it runs, who holds it, and its energy of a week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from console.domain.folding import fold
from console.domain.hours import hour_of
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.queries.host import Holder, holds_at, stolen_on
from console.store.queries.hosts import NOWHERE, site_names
from console.store.queries.paging import PAGE, PageOf

WEEK = timedelta(days=7)
Key = tuple[int, int]  # host, workload
Found = Select[*tuple[Any, ...]]


class Held(StrEnum):
    """Who holds a workload now."""

    NOBODY = "nobody"
    ADHERENT = "adherent"
    SERVICE = "service"


class Facet(StrEnum):
    """What the list is narrowed by, each beside the others."""

    HELD = "held"
    RULE = "rule"
    SITE = "site"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is sought: words of the workload, its host, its holder or its service, and the values of facets.

    `host` is the whole name of one.
    """

    words: str = ""
    host: str = ""
    values: Mapping[Facet, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListedWorkload:
    """A line of the list; energy is that of the last seven days, None where no hour of it is known.

    `stolen` is the part of its last interval in which it wanted a CPU and got none, where that is known.
    """

    host_id: int
    workload_id: int
    host: str
    name: str
    kind: str
    site: str | None
    cluster: str | None
    energy_mj: int | None
    reserved_mcpu: int | None
    reserved_mb: int | None
    last_hour: datetime | None
    stolen: float | None
    holder: Holder | None


@dataclass(frozen=True, slots=True)
class Workloads(PageOf[ListedWorkload]):
    """One page of the list; `counts` tells of each facet how many the other ones leave for each value."""

    counts: Mapping[Facet, Mapping[str, int]]
    sites: Mapping[str, str]


def list_workloads(
    session: Session, asked: Asked, *, now: datetime, page: int = 1, size: int | None = PAGE
) -> Workloads:
    """Those that nobody holds first, the one with the most energy of the week first of all.

    All of them without `size`. The statements are as many whatever is found.
    """
    found = _found(asked, now)
    counts, total = _counts(session, found, asked.values)
    rows = session.execute(_page(found, asked.values, now, page, size)).all()
    stolen = stolen_on(session, sorted({row.host_id for row in rows}), now) if size is not None else {}
    return Workloads([_listed(row, stolen) for row in rows], total, page, counts, site_names(session))


def _found(asked: Asked, now: datetime) -> Found:
    """Every workload that the words find, with the value that each facet has for it and its holder."""
    workload, host, own, shared = m.Workload, m.Host, c.WorkloadClaim, k.ServiceClaim
    held = case(
        (own.claim_id.is_not(None), Held.ADHERENT.value),
        (shared.service_claim_id.is_not(None), Held.SERVICE.value),
        else_=Held.NOBODY.value,
    )
    return (
        select(
            workload.host_id,
            workload.workload_id,
            workload.name,
            workload.reserved_mcpu,
            workload.reserved_mb,
            workload.last_hour,
            host.name.label("host"),
            c.Adherent.tenant_id,
            c.Adherent.name.label("adherent"),
            own.subscription,
            c.Service.name_fr,
            c.Service.name_en,
            held.label(Facet.HELD.value),
            workload.kind.expression.label(Facet.RULE.value),
            func.coalesce(host.site, NOWHERE).label(Facet.SITE.value),
            func.coalesce(host.cluster, NOWHERE).label(Facet.CLUSTER.value),
        )
        .join(host, host.host_id == workload.host_id)
        .outerjoin(own, _of(own, now))
        .outerjoin(c.Adherent, c.Adherent.tenant_id == own.tenant_id)
        .outerjoin(shared, _of(shared, now))
        .outerjoin(c.Service, c.Service.code == shared.service_code)
        .where(workload.workload_id.not_in((m.IDLE_KEPT, m.UNATTRIBUTED)), *_sought(asked))
    )


def _of(claim: Any, now: datetime) -> Any:
    return and_(
        claim.host_id == m.Workload.host_id, claim.workload_id == m.Workload.workload_id, holds_at(claim, now)
    )


def _sought(asked: Asked) -> list[Any]:
    found = [_has(word) for word in asked.words.split()]
    return [*found, m.Host.name == asked.host] if asked.host else found


def _has(word: str) -> ColumnElement[bool]:
    """That a word is in the name of the workload, of its host, or of those whom it serves."""
    names = (m.Workload.name, m.Host.name, c.Service.name_fr, c.Service.name_en)
    plain = [func.upper(name).contains(word.upper(), autoescape=True) for name in names]
    folded = fold(word)
    return or_(*plain, c.Adherent.folded_name.contains(folded, autoescape=True)) if folded else or_(*plain)


def _counts(
    session: Session, found: Found, values: Mapping[Facet, str]
) -> tuple[dict[Facet, dict[str, int]], int]:
    """Counted in one pass: how many workloads have the same values of all facets."""
    every = found.subquery()
    columns = [every.c[facet.value] for facet in Facet]
    groups = session.execute(select(*columns, func.count()).group_by(*columns)).all()
    counts: dict[Facet, Counter[str]] = {facet: Counter() for facet in Facet}
    total = 0
    for *told, number in groups:
        of_group = dict(zip(Facet, told, strict=True))
        missed = {facet for facet, value in values.items() if of_group[facet] != value}
        total += 0 if missed else number
        for facet in Facet:
            if missed <= {facet}:
                counts[facet][of_group[facet]] += number
    return {facet: dict(counter) for facet, counter in counts.items()}, total


def _page(found: Found, values: Mapping[Facet, str], now: datetime, page: int, size: int | None) -> Found:
    every = found.subquery()
    line = m.WorkloadHour
    week = (
        select(line.host_id, line.workload_id, func.sum(line.energy_mj).label("energy_mj"))
        .where(line.hour >= hour_of(now) - WEEK)
        .group_by(line.host_id, line.workload_id)
        .subquery()
    )
    same = and_(week.c.host_id == every.c.host_id, week.c.workload_id == every.c.workload_id)
    wanted = (
        select(every, week.c.energy_mj)
        .outerjoin(week, same)
        .where(*(every.c[facet.value] == value for facet, value in values.items()))
        .order_by(
            case((every.c[Facet.HELD.value] == Held.NOBODY.value, 0), else_=1),
            func.coalesce(week.c.energy_mj, literal(-1)).desc(),
            every.c.host,
            every.c.name,
            every.c.workload_id,
        )
    )
    return wanted if size is None else wanted.limit(size).offset((page - 1) * size)


def _listed(row: Any, stolen: Mapping[Key, float]) -> ListedWorkload:
    held = Held(row.held)
    holder = None
    if held is not Held.NOBODY:
        holder = Holder(row.tenant_id, row.adherent, row.subscription, row.name_fr, row.name_en)
    return ListedWorkload(
        host_id=row.host_id,
        workload_id=row.workload_id,
        host=row.host,
        name=row.name,
        kind=row.rule,
        site=None if row.site == NOWHERE else row.site,
        cluster=None if row.cluster == NOWHERE else row.cluster,
        energy_mj=None if row.energy_mj is None else int(row.energy_mj),
        reserved_mcpu=row.reserved_mcpu,
        reserved_mb=row.reserved_mb,
        last_hour=row.last_hour,
        stolen=stolen.get((row.host_id, row.workload_id)),
        holder=holder,
    )


def workloads_named(session: Session, keys: Iterable[Key]) -> dict[Key, tuple[str, str]]:
    """The workload and the host of each key, as people call them."""
    wanted = set(keys)
    rows = session.execute(
        select(m.Workload.host_id, m.Workload.workload_id, m.Workload.name, m.Host.name)
        .join(m.Host, m.Host.host_id == m.Workload.host_id)
        .where(m.Workload.workload_id.in_({workload_id for _host_id, workload_id in wanted}))
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows if (row[0], row[1]) in wanted}
