"""What the method is, as it stands: what the registry, the sites, the services and the instruments say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.domain.facility import MILLION, DeclaredPue
from console.domain.factors import Choice, Perimeter, choose
from console.domain.month_lines import SharingKeyKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import equipment as q
from console.store.models import fleet as fl
from console.store.models import site as s
from console.store.queries.factors import factors
from console.store.queries.sites import declared_of

USED = (Perimeter.CONSUMPTION_LIFE_CYCLE, Perimeter.RESIDUAL_MIX)


@dataclass(frozen=True, slots=True)
class FactorInForce:
    """The factor of a country and a perimeter for a year."""

    geography: str
    perimeter: Perimeter
    choice: Choice | None


@dataclass(frozen=True, slots=True)
class SiteInForce:
    """What a data centre's overhead is reckoned with: its last month that is settled, its declared PUE."""

    code: str
    name: str
    country: str
    grid_zone: str
    last_month: date | None
    origin: str | None
    category: int | None
    overhead_mj: int | None
    it_mj: int | None
    declared: DeclaredPue | None
    contracts: int

    @property
    def pue(self) -> Fraction | None:
        """What was applied to the last month that is settled."""
        if not self.it_mj or self.overhead_mj is None:
            return None
        return 1 + Fraction(self.overhead_mj, self.it_mj)

    @property
    def declared_pue(self) -> Fraction | None:
        return Fraction(self.declared.pue_ppm, MILLION) if self.declared else None


@dataclass(frozen=True, slots=True)
class KeyInForce:
    """How a shared service is split; `valid_from` is None where nobody set a key."""

    service_code: str
    name_fr: str
    name_en: str
    kind: SharingKeyKind
    valid_from: date | None
    version: int
    set_by: str | None


@dataclass(frozen=True, slots=True)
class Methodology:
    """The method on a day; counts are of hosts, instruments and equipment."""

    on: date
    factors: Sequence[FactorInForce]
    sites: Sequence[SiteInForce]
    keys: Sequence[KeyInForce]
    policies: Sequence[tuple[str, int]]  # of the hosts for which one was set
    sources: Sequence[tuple[str, str, str]]
    equipment: Sequence[tuple[str, int | None, int]]  # kind, planned months, how many
    impacts: Sequence[tuple[str, int]]
    grid: Sequence[tuple[str, datetime]]  # zone, the last hour that is known


def methodology(session: Session, on: date) -> Methodology:
    """What is in force on a day."""
    return Methodology(
        on=on,
        factors=_factors(session, on),
        sites=_sites(session, on),
        keys=_keys(session, on),
        policies=_counted(session, select(fl.HostTerms.idle_policy)),
        sources=[
            (row.name, row.boundary, row.quality)
            for row in session.scalars(
                select(c.EnergySource).order_by(c.EnergySource.name, c.EnergySource.quality)
            )
        ],
        equipment=[
            (kind.value, months, int(count))
            for kind, months, count in session.execute(
                select(q.Equipment.kind, q.Equipment.planned_months, func.sum(q.Equipment.quantity))
                .group_by(q.Equipment.kind, q.Equipment.planned_months)
                .order_by(q.Equipment.kind, q.Equipment.planned_months)
            )
        ],
        impacts=_counted(session, select(q.EmbodiedImpact.source)),
        grid=[
            (zone, hour)
            for zone, hour in session.execute(
                select(s.GridHour.grid_zone, func.max(s.GridHour.hour))
                .group_by(s.GridHour.grid_zone)
                .order_by(s.GridHour.grid_zone)
            )
        ],
    )


def _factors(session: Session, on: date) -> list[FactorInForce]:
    known = factors(session)
    countries = sorted(set(session.scalars(select(s.Site.country))) or {"FRA"})
    found = []
    for country in countries:
        for perimeter in USED:
            try:
                choice: Choice | None = choose(known, country, on.year, perimeter)
            except NotFound:
                choice = None
            found.append(FactorInForce(country, perimeter, choice))
    return found


def _sites(session: Session, on: date) -> list[SiteInForce]:
    found = []
    for site in session.scalars(select(s.Site).order_by(s.Site.name)):
        settled = session.scalars(
            select(b.SiteMonth)
            .where(b.SiteMonth.site == site.code, b.SiteMonth.month <= on, b.SiteMonth.origin.is_not(None))
            .order_by(b.SiteMonth.month.desc())
            .limit(1)
        ).one_or_none()
        declared = session.scalars(
            select(s.SitePue)
            .where(s.SitePue.site == site.code, s.SitePue.valid_from <= on)
            .order_by(s.SitePue.valid_from.desc())
            .limit(1)
        ).one_or_none()
        contracts = session.scalar(
            select(func.count())
            .select_from(s.PowerContract)
            .where(
                s.PowerContract.site == site.code,
                s.PowerContract.valid_from <= on,
                s.PowerContract.valid_to > on,
            )
        )
        found.append(
            SiteInForce(
                code=site.code,
                name=site.name,
                country=site.country,
                grid_zone=site.grid_zone,
                last_month=settled.month if settled else None,
                origin=settled.origin if settled else None,
                category=settled.category if settled else None,
                overhead_mj=settled.overhead_mj if settled else None,
                it_mj=settled.pue_it_mj if settled else None,
                declared=declared_of(declared) if declared else None,
                contracts=contracts or 0,
            )
        )
    return found


def _keys(session: Session, on: date) -> list[KeyInForce]:
    """Those of the services that serve many from one platform."""
    held: dict[str, b.SharingKey] = {}
    for row in session.scalars(
        select(b.SharingKey)
        .where(b.SharingKey.valid_from <= on)
        .order_by(b.SharingKey.valid_from, b.SharingKey.version)
    ):
        held[row.service_code] = row
    codes = set(session.scalars(select(k.ServiceClaim.service_code))) | set(held)
    found = []
    for service in session.scalars(
        select(c.Service).where(c.Service.code.in_(codes)).order_by(c.Service.code)
    ):
        key = held.get(service.code)
        found.append(
            KeyInForce(
                service_code=service.code,
                name_fr=service.name_fr,
                name_en=service.name_en,
                kind=key.kind if key else SharingKeyKind.VOLUME,
                valid_from=key.valid_from if key else None,
                version=key.version if key else 0,
                set_by=key.set_by if key else None,
            )
        )
    return found


def _counted(session: Session, values: Select[Any]) -> list[tuple[str, int]]:
    found = Counter(str(value) for value in session.scalars(values) if value is not None)
    return sorted(found.items())
