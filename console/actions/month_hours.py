"""What an adherent's hours of a month add up to, by thing and by stretch in which its terms are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, literal, select
from sqlalchemy.orm import Session

from console.actions.site_stretches import stretches_of
from console.domain.carbon import KnownHours
from console.domain.claims import OPERATOR_ZONE
from console.domain.facility import Basis as GridBasis
from console.domain.grid import State
from console.domain.hours import month_of
from console.domain.month_lines import LineKey
from console.domain.stays import Whereabouts
from console.domain.stretches import cut
from console.store.models import catalogue as c
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.queries.stays import site_then, stayed, whereabouts


@dataclass(frozen=True, slots=True)
class Place:
    """A data centre, with where in the month its terms change: each stretch runs to the next start."""

    code: str | None
    zone: ZoneInfo
    grid_zone: str | None
    starts: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Used:
    """What one thing used in one stretch at one place, as one owner carries it; energies in millijoules.

    `known` is of the hours whose direct intensity is known.
    """

    place: Place
    since: datetime
    host_id: int
    workload_id: int
    claim_id: int
    subscription: int | None
    service_code: str | None
    hours: int
    energy_mj: int
    measured_mj: int
    modelled_mj: int
    declared_mj: int
    low_mj: int | None
    high_mj: int | None
    known: KnownHours

    @property
    def key(self) -> LineKey:
        """That of its line."""
        return self.since, self.host_id, self.workload_id, self.claim_id


def used_between(session: Session, tenant_id: int, start: datetime, end: datetime) -> list[Used]:
    """All that the adherent's hours of `[start, end)` hold."""
    line = t.EnergyLine
    of_tenant = (line.tenant_id == tenant_id, line.hour >= start, line.hour < end)
    stood = whereabouts(session, session.scalars(select(line.host_id).where(*of_tenant).distinct()).all())
    return [
        _used(place, row, stood)
        for place in _places(session, stood, start, end)
        for row in _sums(session, place, of_tenant)
    ]


def _places(
    session: Session, stood: Mapping[int, Whereabouts], start: datetime, end: datetime
) -> list[Place]:
    """The data centres where these hosts stood in the month; None for those of which nobody says."""
    codes: set[str | None] = {code for one in stood.values() for code in one.between(start, end)}
    codes |= {None for one in stood.values() if one.now is None}
    sites = session.scalars(select(s.Site).where(s.Site.code.in_(codes)).order_by(s.Site.code)).all()
    known = [
        Place(one.code, ZoneInfo(one.zone), one.grid_zone, _starts(session, one, start, end)) for one in sites
    ]
    if codes - {one.code for one in known}:
        of_none = cut(start, end, [month_of(end, OPERATOR_ZONE)], OPERATOR_ZONE)
        known.append(Place(None, OPERATOR_ZONE, None, [since for since, _ in of_none]))
    return known


def _starts(session: Session, site: s.Site, start: datetime, end: datetime) -> list[datetime]:
    return [since for since, _ in stretches_of(session, site, start, end)]


def _sums(session: Session, place: Place, of_tenant: Iterable[ColumnElement[bool]]) -> Sequence[Any]:
    line, grid = t.EnergyLine, s.GridHour
    owner = (line.claim_id, line.subscription, line.service_code)
    stay = f.HostStay.since.label("stay")
    keys = (line.host_id, line.workload_id, *owner, _stretch(place).label("stretch"), stay)
    of_grid = and_(
        grid.hour == line.hour,
        grid.grid_zone == (place.grid_zone or ""),
        grid.basis == GridBasis.DIRECT_PRODUCTION,
    )
    return session.execute(
        select(
            *keys,
            func.count(line.hour.distinct()).label("hours"),
            func.sum(line.energy_mj).label("energy_mj"),
            _where(c.EnergySource.quality == "measured").label("measured_mj"),
            _where(c.EnergySource.quality == "modelled").label("modelled_mj"),
            _where(c.EnergySource.quality == "declared").label("declared_mj"),
            func.sum(line.low_mj).label("low_mj"),
            func.sum(line.high_mj).label("high_mj"),
            (func.count() - func.count(line.low_mj)).label("without_low"),
            (func.count() - func.count(line.high_mj)).label("without_high"),
            _where(grid.hour.is_not(None)).label("known_mj"),
            func.coalesce(func.sum(line.energy_mj * grid.intensity_mg_per_kwh), 0).label("weighted"),
            _where(grid.state == State.REALTIME.value).label("realtime_mj"),
        )
        .join(m.Host, m.Host.host_id == line.host_id)
        .outerjoin(f.HostStay, stayed(line.host_id, line.hour))
        .join(c.EnergySource, c.EnergySource.source_id == line.source_id)
        .outerjoin(grid, of_grid)
        .where(*of_tenant, _standing_at(place))
        .group_by(*keys)
    ).all()


def _where(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """The energy of the hours for which something holds."""
    return func.sum(case((condition, t.EnergyLine.energy_mj), else_=0))


def _stretch(place: Place) -> ColumnElement[int]:
    """Which stretch of the place's month an hour is in, from 0 on."""
    whens = [(t.EnergyLine.hour >= one, literal(n)) for n, one in reversed(list(enumerate(place.starts)))]
    return case(*whens[:-1], else_=literal(0)) if len(whens) > 1 else literal(0)


def _standing_at(place: Place) -> ColumnElement[bool]:
    if place.code is not None:
        return site_then == place.code
    return site_then.is_(None) | site_then.not_in(select(s.Site.code))


def _used(place: Place, row: Any, stood: Mapping[int, Whereabouts]) -> Used:
    """PostgreSQL sums whole numbers as decimals: they are made whole again."""
    return Used(
        place=place,
        since=_since(place, row, stood),
        host_id=row.host_id,
        workload_id=row.workload_id,
        claim_id=row.claim_id,
        subscription=row.subscription,
        service_code=row.service_code,
        hours=row.hours,
        energy_mj=int(row.energy_mj),
        measured_mj=int(row.measured_mj),
        modelled_mj=int(row.modelled_mj),
        declared_mj=int(row.declared_mj),
        low_mj=None if row.without_low else int(row.low_mj),
        high_mj=None if row.without_high else int(row.high_mj),
        known=KnownHours(int(row.known_mj), int(row.weighted), int(row.realtime_mj)),
    )


def _since(place: Place, row: Any, stood: Mapping[int, Whereabouts]) -> datetime:
    """Where a line begins: with its stretch, or where its host came to the place within it."""
    came: datetime = stood[row.host_id].came_at if row.stay is None else row.stay
    begins: datetime = place.starts[row.stretch]
    return max(begins, came)
