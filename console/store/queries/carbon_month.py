"""Energy and carbon over months, by month, service and kind of line: sums of the lines that count.

Carbon is told on each basis apart, with the energy that it covers: no sum holds two of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, case, cast, func, select
from sqlalchemy.orm import Session

from console.domain.factors import Basis
from console.domain.month_lines import LineKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.sci import partly_unknown

Partly = Mapping[tuple[int | None, date], int]  # by subscription and month, in mJ


@dataclass(frozen=True, slots=True)
class OnBasis:
    """Carbon of use on one basis; `covered_mj` is the energy that it is of, overhead within.

    `realtime_mj` is the IT energy of its hours with figures of real time, which others will replace.
    """

    carbon_ug: int | None
    covered_mj: int
    provisional: bool
    realtime_mj: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sums of some lines; overhead, water and what was embodied are of the lines that they are known of.

    `without_overhead_mj` and `without_embodied_mj` are the energy of the others, and of a share that of the
    hosts of its pool whose making is unknown. None: known of no line.
    """

    energy_mj: int
    overhead_mj: int | None
    water_ml: int | None
    embodied_ug: int | None
    without_overhead_mj: int
    without_embodied_mj: int
    bases: Mapping[Basis, OnBasis]

    @property
    def facility_mj(self) -> int:
        return self.energy_mj + (self.overhead_mj or 0)

    def carbon_ug(self, basis: Basis) -> int | None:
        """Of use, on one basis; unknown where there is none."""
        held = self.bases.get(basis)
        return held.carbon_ug if held else None

    def covers_all(self, basis: Basis) -> bool:
        """Whether the carbon on a basis is of all the energy."""
        held = self.bases.get(basis)
        return held is not None and held.covered_mj >= self.facility_mj


@dataclass(frozen=True, slots=True)
class ServiceAmounts:
    """What a service used for an adherent; `number` is that of the subscription, None for the operator's.

    Its names are empty for what is of no service.
    """

    number: int | None
    name_fr: str
    name_en: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class CarbonMonths:
    """Months of one adherent, in order: those of which nothing is known are None."""

    by_month: Mapping[date, Amounts | None]
    whole: Amounts | None
    by_service: Sequence[ServiceAmounts]
    by_kind: Sequence[tuple[LineKind, Amounts]]


def carbon_months(session: Session, tenant_id: int, months: Sequence[date]) -> CarbonMonths:
    """What an adherent used over some months, as the shown revision of each has it."""
    grouped = partial(
        _grouped,
        _energy(session, tenant_id, months),
        _carbon(session, tenant_id, months),
        partly_unknown(session, tenant_id, months),
    )
    by_month = grouped(lambda row: row.month)
    services = grouped(_service)
    kinds = grouped(lambda row: row.kind)
    names = _names(session, tenant_id, services)
    return CarbonMonths(
        by_month={month: by_month.get(month) for month in months},
        whole=grouped(lambda _: None).get(None),
        by_service=[
            ServiceAmounts(key[0], names.get(key, ("", ""))[0], names.get(key, ("", ""))[1], amounts)
            for key, amounts in sorted(services.items(), key=lambda one: -one[1].energy_mj)
        ],
        by_kind=[(kind, kinds[kind]) for kind in LineKind if kind in kinds],
    )


def _service(row: Any) -> tuple[int | None, str | None]:
    """The subscription, whose own workloads and shares are of one service; else the operator's service."""
    return row.subscription, None if row.subscription is not None else row.service_code


def _energy(session: Session, tenant_id: int, months: Sequence[date]) -> Sequence[Any]:
    line = b.MonthLine
    keys = (line.month, line.kind, line.subscription, line.service_code)
    return session.execute(
        select(
            *keys,
            func.sum(line.energy_mj).label("energy_mj"),
            func.sum(line.overhead_mj).label("overhead_mj"),
            func.sum(line.water_ml).label("water_ml"),
            func.sum(line.embodied_ug).label("embodied_ug"),
            func.sum(case((line.overhead_mj.is_(None), line.energy_mj), else_=0)).label("no_overhead"),
            func.sum(case((line.embodied_ug.is_(None), line.energy_mj), else_=0)).label("no_embodied"),
        )
        .where(line.tenant_id == tenant_id, line.month.in_(months), line.counts)
        .group_by(*keys)
    ).all()


def _carbon(session: Session, tenant_id: int, months: Sequence[date]) -> Sequence[Any]:
    line = b.CarbonLine
    keys = (line.month, line.kind, line.subscription, line.service_code)
    return session.execute(
        select(
            *keys,
            line.basis,
            func.sum(line.carbon_ug).label("carbon_ug"),
            func.sum(line.covered_mj).label("covered_mj"),
            func.max(case((line.provisional, 1), else_=0)).label("provisional"),
            func.sum(cast(line.terms["realtime_mj"].as_string(), BigInteger)).label("realtime_mj"),
        )
        .where(line.tenant_id == tenant_id, line.month.in_(months), line.counts)
        .group_by(*keys, line.basis)
    ).all()


def _grouped(
    energy: Iterable[Any], carbon: Iterable[Any], partly: Partly, key: Callable[[Any], Any]
) -> dict[Any, Amounts]:
    of_energy: dict[Any, list[Any]] = defaultdict(list)
    of_carbon: dict[Any, list[Any]] = defaultdict(list)
    for row in energy:
        of_energy[key(row)].append(row)
    for row in carbon:
        of_carbon[key(row)].append(row)
    return {one: _amounts(rows, of_carbon[one], partly) for one, rows in of_energy.items()}


def _amounts(energy: Sequence[Any], carbon: Sequence[Any], partly: Partly) -> Amounts:
    bases = {basis: [row for row in carbon if row.basis == basis] for basis in Basis}
    return Amounts(
        energy_mj=sum(int(row.energy_mj) for row in energy),
        overhead_mj=_known(row.overhead_mj for row in energy),
        water_ml=_known(row.water_ml for row in energy),
        embodied_ug=_known(row.embodied_ug for row in energy),
        without_overhead_mj=sum(int(row.no_overhead) for row in energy),
        without_embodied_mj=sum(
            int(row.no_embodied)
            + (partly.get((row.subscription, row.month), 0) if row.kind is LineKind.SHARE else 0)
            for row in energy
        ),
        bases={
            basis: OnBasis(
                carbon_ug=_known(row.carbon_ug for row in rows),
                covered_mj=sum(int(row.covered_mj) for row in rows),
                provisional=any(row.provisional for row in rows),
                realtime_mj=sum(int(row.realtime_mj or 0) for row in rows),
            )
            for basis, rows in bases.items()
            if rows
        },
    )


def _known(amounts: Iterable[Any]) -> int | None:
    known = [int(amount) for amount in amounts if amount is not None]
    return sum(known) if known else None


def _names(
    session: Session, tenant_id: int, keys: Iterable[tuple[int | None, str | None]]
) -> dict[tuple[int | None, str | None], tuple[str, str]]:
    """By subscription and service, what the service is called; a line of no service has no name."""
    held = session.scalars(select(t.Subscription).where(t.Subscription.tenant_id == tenant_id))
    codes = {row.number: row.service_code for row in held}
    named = {row.code: (row.name_fr, row.name_en) for row in session.scalars(select(c.Service))}
    found = {key: key[1] or codes.get(key[0] or 0) for key in keys}
    return {key: named[code] for key, code in found.items() if code in named}
