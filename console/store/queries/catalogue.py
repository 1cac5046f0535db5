"""The catalogue of services: the list by trade, one service with all that is known of it, and its forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.certificates import Framework, certified
from console.domain.criticality import Window, is_critical, next_critical
from console.domain.dependencies import Dependency, Reached, reach, reach_back
from console.domain.errors import NotFound
from console.domain.hosting import Activity, DataCentre, HostingFacts, Subcontractor, facts_on
from console.domain.offer import Life, Stage, newest_first
from console.store.models import catalogue as c
from console.store.models import offer as o
from console.store.queries.campaigns import subscriber_counts, version_counts
from console.store.queries.certificates import Certificate, attestations, certificates_of
from console.store.queries.service_names import ServiceName, name_of

TRADES = list(c.Trade)  # in the order people expect


@dataclass(frozen=True, slots=True)
class ListedService:
    """A line of the catalogue; `adherents` counts those in scope that are on it."""

    code: str
    trade: str
    name_fr: str
    name_en: str
    unit_fr: str
    unit_en: str
    plan: str
    stage: Stage
    support_ends_on: date | None
    adherents: int
    hds: bool  # some certificate covers it today


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A service that another stands on, or that stands on it; `steps` is 1 where nothing is between."""

    service: ServiceName
    steps: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a service; `adherents` counts those in scope whose subscription names it."""

    version: str
    released_on: date
    support_ends_on: date | None
    notes: str | None
    adherents: int


@dataclass(frozen=True, slots=True)
class Criticality:
    """Days of the month on which a service matters most."""

    code: str
    name_fr: str
    name_en: str
    windows: Sequence[Window]

    def holds_on(self, day: date) -> bool:
        return is_critical(self.windows, day)

    def next_from(self, day: date) -> date | None:
        return next_critical(self.windows, day)


@dataclass(frozen=True, slots=True)
class DatedDependency:
    """A dependency of a service, past or present."""

    dependency_id: int
    needs: ServiceName
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Hosting:
    """The facts that hold, who stated them, and the days of the others."""

    facts: HostingFacts
    stated_by: str
    earlier: Sequence[date]


@dataclass(frozen=True, slots=True)
class ServicePage:
    """All that the catalogue knows of a service."""

    code: str
    trade: str
    name_fr: str
    name_en: str
    unit_fr: str
    unit_en: str
    description_fr: str | None
    description_en: str | None
    plan_code: str
    plan: str
    plan_version: int
    plan_calendar: str
    criticality: Criticality | None
    life: Life
    stage: Stage
    successor: ServiceName | None
    precedes: Sequence[ServiceName]  # the services that it follows
    versions: Sequence[Version]
    stands_on: Sequence[Neighbour]
    serves: Sequence[Neighbour]
    hosting: Hosting | None
    certificates: Sequence[Certificate]
    adherents: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What the forms of the catalogue offer."""

    services: Sequence[ServiceName]
    plans: Sequence[tuple[str, str]]
    criticalities: Sequence[Criticality]


def list_services(session: Session, today: date, words: str = "") -> list[ListedService]:
    """Services whose texts hold every word, by trade and name; five statements."""
    plans = _plan_names(session)
    counts = subscriber_counts(session)
    covered = certified(attestations(session), Framework.HDS, today)
    rows = session.scalars(select(c.Service).order_by(c.Service.name_fr))
    return [
        ListedService(
            code=row.code,
            trade=row.trade.value,
            name_fr=row.name_fr,
            name_en=row.name_en,
            unit_fr=row.unit_fr,
            unit_en=row.unit_en,
            plan=plans.get(row.plan_code, row.plan_code),
            stage=_life(row).stage(today),
            support_ends_on=row.support_ends_on,
            adherents=counts.get(row.code, 0),
            hds=row.code in covered,
        )
        for row in sorted(rows, key=lambda row: TRADES.index(row.trade))
        if _matches(row, words)
    ]


def service_page(session: Session, code: str, today: date) -> ServicePage:
    """One service; raises `NotFound`. A constant number of statements."""
    services = {row.code: row for row in session.scalars(select(c.Service))}
    if code not in services:
        raise NotFound("Ce service n'est pas au catalogue.")
    row = services[code]
    names = {other.code: name_of(other) for other in services.values()}
    plan, calendar = _plan(session, row.plan_code)
    dependencies = [
        Dependency(d.service_code, d.needs_code, d.since, d.until)
        for d in session.scalars(select(o.ServiceDependency))
    ]
    return ServicePage(
        code=code,
        trade=row.trade.value,
        name_fr=row.name_fr,
        name_en=row.name_en,
        unit_fr=row.unit_fr,
        unit_en=row.unit_en,
        description_fr=row.description_fr,
        description_en=row.description_en,
        plan_code=row.plan_code,
        plan=plan.name,
        plan_version=plan.version,
        plan_calendar=calendar,
        criticality=_criticality(session, row.criticality_code),
        life=_life(row),
        stage=_life(row).stage(today),
        successor=names.get(row.successor_code or ""),
        precedes=[names[other.code] for other in services.values() if other.successor_code == code],
        versions=versions_of(session, code),
        stands_on=_neighbours(reach(code, dependencies, today), names),
        serves=_neighbours(reach_back(code, dependencies, today), names),
        hosting=hosting_of(session, code, today),
        certificates=certificates_of(session, code),
        adherents=subscriber_counts(session).get(code, 0),
    )


def versions_of(session: Session, code: str) -> list[Version]:
    """The versions of a service, the newest first."""
    rows = session.scalars(select(o.ServiceVersion).where(o.ServiceVersion.service_code == code))
    found = {(row.released_on, row.version): row for row in rows}
    counts = version_counts(session, code)
    return [
        Version(row.version, row.released_on, row.support_ends_on, row.notes, counts.get(row.version, 0))
        for row in (found[key] for key in newest_first(found))
    ]


def hosting_of(session: Session, code: str, today: date) -> Hosting | None:
    """What is stated of the hosting of a service today, None where nothing is."""
    rows = session.scalars(
        select(o.HostingStatement)
        .where(o.HostingStatement.service_code == code)
        .order_by(o.HostingStatement.since.desc())
    ).all()
    stated = {row.since: row for row in rows}
    facts = facts_on((_facts(row) for row in rows), today)
    if facts is None:
        return None
    earlier = [since for since in stated if since < facts.since]
    return Hosting(facts, stated[facts.since].stated_by, earlier)


def dependencies_of(session: Session, code: str) -> list[DatedDependency]:
    """What a service depends or depended on directly, the running ones first."""
    rows = session.execute(
        select(o.ServiceDependency, c.Service)
        .join(c.Service, c.Service.code == o.ServiceDependency.needs_code)
        .where(o.ServiceDependency.service_code == code)
        .order_by(o.ServiceDependency.until.is_not(None), c.Service.name_fr, o.ServiceDependency.since)
    )
    return [DatedDependency(row.dependency_id, name_of(needs), row.since, row.until) for row, needs in rows]


def choices(session: Session) -> Choices:
    """Services, plans and calendars to choose from, by name."""
    services = session.scalars(select(c.Service).order_by(c.Service.name_fr))
    return Choices(
        services=[name_of(row) for row in services],
        plans=sorted(_plan_names(session).items(), key=lambda plan: plan[1]),
        criticalities=criticalities(session),
    )


def criticalities(session: Session) -> list[Criticality]:
    """The calendars of critical days, by name."""
    rows = session.scalars(select(o.CriticalityCalendar).order_by(o.CriticalityCalendar.name_fr))
    return [_calendar(row) for row in rows]


def criticality(session: Session, code: str) -> Criticality:
    """A calendar of critical days; raises `NotFound`."""
    found = _criticality(session, code)
    if found is None:
        raise NotFound("Calendrier introuvable.")
    return found


def _matches(row: c.Service, words: str) -> bool:
    texts = (row.code, row.name_fr, row.name_en, row.description_fr or "", row.description_en or "")
    whole = " ".join(texts).casefold()
    return all(word in whole for word in words.casefold().split())


def _life(row: c.Service) -> Life:
    return Life(row.sales_end_on, row.support_ends_on, row.retired_on)


def _neighbours(reached: Iterable[Reached], names: dict[str, ServiceName]) -> list[Neighbour]:
    return [Neighbour(names[one.code], one.steps) for one in reached]


def _plan_names(session: Session) -> dict[str, str]:
    """The name of each plan in its latest version."""
    rows = session.execute(select(c.SlaPlan.code, c.SlaPlan.name).order_by(c.SlaPlan.version))
    return {row.code: row.name for row in rows}


def _plan(session: Session, code: str) -> tuple[c.SlaPlan, str]:
    """The latest version of a plan and the name of its calendar."""
    latest = select(func.max(c.SlaPlan.version)).where(c.SlaPlan.code == code).scalar_subquery()
    row = session.execute(
        select(c.SlaPlan, c.ServiceCalendar.name)
        .join(c.ServiceCalendar, c.ServiceCalendar.code == c.SlaPlan.calendar_code)
        .where(c.SlaPlan.code == code, c.SlaPlan.version == latest)
    ).one()
    return row[0], row[1]


def _criticality(session: Session, code: str | None) -> Criticality | None:
    row = session.get(o.CriticalityCalendar, code) if code else None
    return None if row is None else _calendar(row)


def _calendar(row: o.CriticalityCalendar) -> Criticality:
    windows = [Window(first, last) for first, last in row.windows]
    return Criticality(row.code, row.name_fr, row.name_en, windows)


def _facts(row: o.HostingStatement) -> HostingFacts:
    return HostingFacts(
        since=row.since,
        data_centres=_each(DataCentre, row.data_centres),
        country=row.country,
        activities=_each(Activity, row.activities),
        subcontractors=None
        if row.subcontractors is None
        else [Subcontractor(**who) for who in row.subcontractors],
        transfers=row.transfers,
        transfer_details=row.transfer_details,
        legal_basis=row.legal_basis,
        reversibility=row.reversibility,
        reversibility_days=row.reversibility_days,
    )


def _each(kind: Any, values: list[Any] | None) -> list[Any] | None:
    return None if values is None else [kind(value) for value in values]
