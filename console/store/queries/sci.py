"""What the carbon of services per unit is reckoned from, month by month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import NotFound
from console.domain.factors import Basis
from console.domain.month_lines import OPEN_REVISION, LineKind
from console.domain.sci import Effect, Terms, effects, total, trend
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import tenant as t

Months = Mapping[date, Terms]


@dataclass(frozen=True, slots=True)
class ServiceSci:
    """A service over some months, oldest first; `subscription` is None for a shared service as a whole.

    A month without lines is not there. `silent` are the subscribers of a shared service whose volume of a
    month is missing, by month.
    """

    code: str
    name_fr: str
    name_en: str
    unit_fr: str
    unit_en: str
    subscription: int | None
    months: Months
    silent: Mapping[date, int]

    @property
    def last(self) -> Terms | None:
        return next(reversed(list(self.months.values())), None)

    @property
    def year(self) -> Terms:
        """The twelve last months that have lines, as one."""
        return total(list(self.months.values())[-12:])

    @property
    def trend(self) -> Fraction | None:
        return trend(list(self.months.values()))

    def change(self) -> tuple[date, date, Mapping[Effect, Fraction]] | None:
        """The effects from the month before the last that has an SCI to that one."""
        known = [month for month, terms in self.months.items() if terms.sci is not None][-2:]
        if len(known) < 2:
            return None
        told = effects(self.months[known[0]], self.months[known[1]])
        return None if told is None else (known[0], known[1], told)


def of_adherent(session: Session, tenant_id: int, months: Sequence[date]) -> list[ServiceSci]:
    """The services of an adherent that have lines in these months, by subscription."""
    line, priced = b.MonthLine, b.CarbonLine
    whose = (line.tenant_id == tenant_id, line.month.in_(months), line.counts, line.subscription.is_not(None))
    energy = {
        (row.subscription, row.month): row
        for row in session.execute(
            select(line.subscription, line.month, *_amounts(line))
            .where(*whose)
            .group_by(line.subscription, line.month)
        )
    }
    carbon = {
        (row.subscription, row.month): row
        for row in session.execute(
            select(priced.subscription, priced.month, *_prices())
            .where(
                priced.tenant_id == tenant_id,
                priced.month.in_(months),
                priced.counts,
                priced.subscription.is_not(None),
                priced.basis == Basis.YEARLY_AVERAGE,
            )
            .group_by(priced.subscription, priced.month)
        )
    }
    volumes = _volumes(session, months, k.VolumeMonth.tenant_id == tenant_id)
    partly = partly_unknown(session, tenant_id, months)
    services = _services(session, tenant_id)
    found = []
    for number, service in sorted(services.items()):
        told = {
            month: _terms(
                energy[number, month],
                carbon.get((number, month)),
                volumes.get((tenant_id, number, month)),
                partly.get((number, month), 0),
            )
            for month in months
            if (number, month) in energy
        }
        if told:
            found.append(_sci(service, number, told, {}))
    return found


def of_subscription(session: Session, tenant_id: int, number: int, months: Sequence[date]) -> ServiceSci:
    """One of them, even where nothing is known of it; raises `NotFound`."""
    for one in of_adherent(session, tenant_id, months):
        if one.subscription == number:
            return one
    service = _services(session, tenant_id).get(number)
    if service is None:
        raise NotFound("Souscription introuvable.")
    return _sci(service, number, {}, {})


def of_shared(session: Session, months: Sequence[date]) -> list[ServiceSci]:
    """Shared services as wholes: their pools, over the volumes of all who take them."""
    line, priced = b.MonthLine, b.CarbonLine
    pool = (line.tenant_id == OPERATOR_TENANT, line.revision == OPEN_REVISION, line.kind == LineKind.POOL)
    energy = {
        (row.service_code, row.month): row
        for row in session.execute(
            select(line.service_code, line.month, *_amounts(line))
            .where(*pool, line.month.in_(months))
            .group_by(line.service_code, line.month)
        )
    }
    carbon = {
        (row.service_code, row.month): row
        for row in session.execute(
            select(priced.service_code, priced.month, *_prices())
            .where(
                priced.tenant_id == OPERATOR_TENANT,
                priced.revision == OPEN_REVISION,
                priced.kind == LineKind.POOL,
                priced.month.in_(months),
                priced.basis == Basis.YEARLY_AVERAGE,
            )
            .group_by(priced.service_code, priced.month)
        )
    }
    codes = sorted({code for code, _ in energy})
    volumes, silent = _summed(session, codes, months)
    named = {one.code: one for one in session.scalars(select(c.Service).where(c.Service.code.in_(codes)))}
    return [
        _sci(
            named[code],
            None,
            {
                month: _terms(energy[code, month], carbon.get((code, month)), volumes[code, month])
                for month in months
                if (code, month) in energy
            },
            {
                month: silent[code, month]
                for month in months
                if silent[code, month] and (code, month) in energy
            },
        )
        for code in codes
    ]


def _summed(
    session: Session, codes: Sequence[str], months: Sequence[date]
) -> tuple[dict[tuple[str, date], int | None], dict[tuple[str, date], int]]:
    """By service and month the volume of all subscribers, unknown where one is; how many told none."""
    held = session.scalars(select(t.Subscription).where(t.Subscription.service_code.in_(codes))).all()
    told = _volumes(session, months)
    volumes: dict[tuple[str, date], int | None] = {}
    silent: dict[tuple[str, date], int] = defaultdict(int)
    for code in codes:
        for month in months:
            taking = [
                told.get((one.tenant_id, one.number, month))
                for one in held
                if one.service_code == code
                and (one.starts_on.year, one.starts_on.month) <= (month.year, month.month)
                and (one.ends_on is None or one.ends_on >= month)
            ]
            known = [one for one in taking if one is not None]
            silent[code, month] = len(taking) - len(known)
            volumes[code, month] = sum(known) if known and len(known) == len(taking) else None
    return volumes, silent


def _amounts(line: type[b.MonthLine]) -> tuple[ColumnElement[Any], ...]:
    return (
        func.sum(line.energy_mj).label("energy_mj"),
        func.sum(line.overhead_mj).label("overhead_mj"),
        func.sum(line.embodied_ug).label("embodied_ug"),
        func.sum(line.energy_mj).filter(line.embodied_ug.is_(None)).label("without_embodied_mj"),
        func.sum(line.energy_mj).filter(line.overhead_mj.is_(None)).label("without_overhead_mj"),
    )


def _prices() -> tuple[ColumnElement[Any], ...]:
    return (
        func.sum(b.CarbonLine.covered_mj).label("covered_mj"),
        func.sum(b.CarbonLine.carbon_ug).label("carbon_ug"),
    )


def partly_unknown(
    session: Session, tenant_id: int, months: Sequence[date]
) -> Mapping[tuple[int | None, date], int]:
    """By subscription and month the energy of shares whose pools are of some hosts of unknown making."""
    line = b.MonthLine
    rows = session.execute(
        select(line.subscription, line.month, line.energy_mj, line.terms).where(
            line.tenant_id == tenant_id,
            line.month.in_(months),
            line.counts,
            line.kind == LineKind.SHARE,
            line.embodied_ug.is_not(None),
        )
    )
    found: dict[tuple[int | None, date], int] = defaultdict(int)
    for number, month, energy_mj, told in rows:
        pool_mj = told.get("share", {}).get("pool_mj")
        known_mj = told.get("embodied", {}).get("known_mj")
        if pool_mj and known_mj is not None:
            found[number, month] += energy_mj - energy_mj * known_mj // pool_mj
    return found


def _terms(energy: object, carbon: object | None, volume: int | None, unknown_mj: int = 0) -> Terms:
    def amount(row: object | None, name: str) -> int | None:
        value = getattr(row, name, None)
        return None if value is None else int(value)

    return Terms(
        energy_mj=(amount(energy, "energy_mj") or 0) + (amount(energy, "overhead_mj") or 0),
        covered_mj=amount(carbon, "covered_mj") or 0,
        carbon_ug=amount(carbon, "carbon_ug"),
        embodied_ug=amount(energy, "embodied_ug"),
        without_embodied_mj=(amount(energy, "without_embodied_mj") or 0) + unknown_mj,
        volume=volume,
        without_overhead_mj=amount(energy, "without_overhead_mj") or 0,
    )


def _volumes(
    session: Session, months: Sequence[date], *whose: ColumnElement[bool]
) -> dict[tuple[int, int, date], int | None]:
    """By adherent, subscription and month, the volume of the last revision.

    Of a closed month it is the one that was known when it was closed, as its shares are; one that was not
    known then may come later.
    """
    row = k.VolumeMonth
    closed_at = _closings(session, months)
    found: dict[tuple[int, int, date], int | None] = {}
    for tenant_id, number, month, volume, recorded_at in session.execute(
        select(row.tenant_id, row.subscription, row.month, row.volume, row.recorded_at)
        .where(row.month.in_(months), *whose)
        .order_by(row.revision)
    ):
        key = (tenant_id, number, month)
        closing = closed_at.get((tenant_id, month))
        if found.get(key) is None or closing is None or recorded_at <= closing:
            found[key] = volume
    return found


def _closings(session: Session, months: Sequence[date]) -> dict[tuple[int, date], datetime]:
    """When the shown revision of each closed month was closed."""
    row = b.CarbonMonth
    rows = session.execute(
        select(row.tenant_id, row.month, func.max(row.closed_at))
        .where(row.month.in_(months))
        .group_by(row.tenant_id, row.month)
    )
    return {(tenant_id, month): at for tenant_id, month, at in rows}


def _services(session: Session, tenant_id: int) -> dict[int, c.Service]:
    rows = session.execute(
        select(t.Subscription.number, c.Service)
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(t.Subscription.tenant_id == tenant_id)
    )
    return {row[0]: row[1] for row in rows}


def _sci(service: c.Service, number: int | None, months: Months, silent: Mapping[date, int]) -> ServiceSci:
    return ServiceSci(
        code=service.code,
        name_fr=service.name_fr,
        name_en=service.name_en,
        unit_fr=service.unit_fr,
        unit_en=service.unit_en,
        subscription=number,
        months=months,
        silent=silent,
    )
