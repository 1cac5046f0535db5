"""What the method is, as it stands: what the registry, the sites, the services and the instruments say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from console.domain.equipment import POOLED_KINDS, TECHNICAL, EquipmentKind
from console.domain.errors import NotFound
from console.domain.facility import MILLION, DeclaredPue, Quantity
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
    meters_it: bool  # so that its technical equipment and its building go by IT energy

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
class PoolInForce:
    """A meter of a site whose energy, and what made it, a shared service carries."""

    site: str
    quantity: Quantity
    service_fr: str
    service_en: str


class Carried(StrEnum):
    """How what making a thing emitted comes to who carries it."""

    HOST = "host"  # by component, among the workloads of the host that it is
    TECHNICAL = "technical"  # by the IT energy of its site
    POOLED = "pooled"  # with the meter of what it is
    REST = "rest"  # by the operator


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
    carried: Mapping[Carried, int]  # pieces of equipment
    pools: Sequence[PoolInForce]
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
        carried=_carried(session),
        pools=_pools(session, on),
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
                meters_it=_settled_it_mj(session, site.code, on) is not None,
            )
        )
    return found


def _settled_it_mj(session: Session, site: str, on: date) -> int | None:
    """The IT energy that a site metered in its last month that is settled, in mJ; None: it metered none."""
    row = b.SiteMonth
    return session.scalars(
        select(row.it_mj).where(row.site == site, row.month <= on).order_by(row.month.desc()).limit(1)
    ).first()


def _carried(session: Session) -> Mapping[Carried, int]:
    """The pieces of the inventory, by how their making is carried."""
    row = q.Equipment
    found: Counter[Carried] = Counter()
    for kind, is_host, count in session.execute(
        select(row.kind, row.host_name.is_not(None), func.sum(row.quantity)).group_by(
            row.kind, row.host_name.is_not(None)
        )
    ):
        found[Carried.HOST if is_host else _carried_by(kind)] += int(count)
    return found


def _carried_by(kind: EquipmentKind) -> Carried:
    if kind in TECHNICAL:
        return Carried.TECHNICAL
    return Carried.POOLED if kind in POOLED_KINDS.values() else Carried.REST


def _pools(session: Session, on: date) -> list[PoolInForce]:
    """The last word on each meter of each site, where it is of a service."""
    row = s.SitePool
    held = {
        (one.site, one.quantity): one.service_code
        for one in session.scalars(select(row).where(row.valid_from <= on).order_by(row.valid_from))
    }
    sites = {site.code: site.name for site in session.scalars(select(s.Site))}
    services = {one.code: one for one in session.scalars(select(c.Service))}
    return [
        PoolInForce(sites[site], quantity, services[code].name_fr, services[code].name_en)
        for (site, quantity), code in sorted(held.items())
        if code is not None
    ]


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
