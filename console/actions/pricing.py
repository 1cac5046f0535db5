"""Carbon of month lines: the one place where it is reckoned, each line stored with its factor, on each basis.

energy + overhead x the factor of the year          -> yearly average
sum of hours x what the grid burnt in each          -> hourly, direct
energy + overhead x the contracts, the residual mix -> market-based, where contracts are entered
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.actions.reckoning_due import Step, postpone_step, take
from console.domain.carbon import NO_HOURS, KnownHours, Priced, by_contracts, by_factor, by_hours
from console.domain.errors import NotFound
from console.domain.factors import Basis, Choice, Perimeter, choose
from console.domain.month_lines import NO_HOST, OPEN_REVISION, Facility, LineKey, ShareTerms
from console.store.bulk import add_rows
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.queries.factors import factors
from console.store.queries.sites import contract_of

COUNTRY_OF_UNPLACED = "FRA"  # of hosts of which nobody says where they stand: the operator's
AT_ONCE = 100  # adherents of a transaction
Direct = Mapping[LineKey, KnownHours]


def portions(due: Iterable[tuple[str, date]]) -> list[tuple[date, list[int]]]:
    """Months of adherents to price, those of one month together: some for each transaction."""
    by_month: dict[date, list[int]] = {}
    for adherent, month in due:
        by_month.setdefault(month, []).append(int(adherent))
    return [
        (month, tenants[place : place + AT_ONCE])
        for month, tenants in by_month.items()
        for place in range(0, len(tenants), AT_ONCE)
    ]


def restate(session: Session, month: date, tenants: Iterable[int], *, now: datetime) -> int:
    """Price a month of adherents again, whose energy stays; what another process took is left to it."""
    taken = [one for one in tenants if take(session, Step.PRICES, str(one), month)]
    return price_lines(session, taken, month, now=now) if taken else 0


def postpone_pricing(session: Session, month: date, tenants: Iterable[int], until: datetime) -> None:
    """Let other months go first."""
    for tenant_id in tenants:
        postpone_step(session, Step.PRICES, str(tenant_id), month, until)


def price_lines(
    session: Session,
    tenants: Sequence[int],
    month: date,
    *,
    now: datetime,
    direct: Direct | None = None,
    only: Iterable[LineKey] | None = None,
) -> int:
    """Price the open lines of a month of some adherents; how many carbon lines that makes.

    `direct` holds by line the hours whose intensity is known; without it the hourly lines stay as they are,
    as the energy does. `only` some lines: those of a site, say.
    """
    wanted = None if only is None else set(only)
    rows = [
        row
        for row in session.scalars(
            select(b.MonthLine).where(
                b.MonthLine.tenant_id.in_(tenants),
                b.MonthLine.month == month,
                b.MonthLine.revision == OPEN_REVISION,
            )
        )
        if wanted is None or row.key in wanted
    ]
    _withdraw(session, tenants, month, wanted, hourly=direct is not None)
    prices = Prices(session)
    lines = [
        carbon_row(row, basis, priced, now)
        for row in rows
        for basis, priced in prices.of(row, direct if row.host_id != NO_HOST or wanted else None)
    ]
    return add_rows(session, b.CarbonLine, lines)


class Prices:
    """What a kWh emits at each site, by basis; read once for all lines."""

    def __init__(self, session: Session) -> None:
        self.registry = factors(session)
        self.sites = {row.code: row for row in session.scalars(select(s.Site))}
        self.contracts: dict[str, list[tuple[int, Any]]] = {}
        for row in session.scalars(select(s.PowerContract).order_by(s.PowerContract.number)):
            self.contracts.setdefault(row.site, []).append((row.number, contract_of(row)))
        self.chosen: dict[tuple[str, int, Perimeter], Choice | None] = {}

    def of(self, line: b.MonthLine, direct: Direct | None) -> Iterable[tuple[Basis, Priced]]:
        """The carbon of a line on each basis that holds for it."""
        site = self.sites.get(line.site or "")
        day = line.since.astimezone(ZoneInfo(site.zone)).date() if site else line.month
        country = site.country if site else COUNTRY_OF_UNPLACED
        factor = self._choose(country, day.year, Perimeter.CONSUMPTION_LIFE_CYCLE)
        yield Basis.YEARLY_AVERAGE, by_factor(_energy(line), factor, _bounds(line))
        if direct is not None:
            known = direct.get(line.key, NO_HOURS)
            if known.energy_mj:
                yield Basis.HOURLY_DIRECT, by_hours(known, Facility.of_terms(line.terms))
        contracts = [
            (number, one)
            for number, one in self.contracts.get(line.site or "", ())
            if one.valid_from <= day < one.valid_to
        ]
        if contracts:
            residual = self._choose(country, day.year, Perimeter.RESIDUAL_MIX)
            yield Basis.MARKET_BASED, by_contracts(_energy(line), contracts, residual)

    def _choose(self, country: str, year: int, perimeter: Perimeter) -> Choice | None:
        key = (country, year, perimeter)
        if key not in self.chosen:
            try:
                self.chosen[key] = choose(self.registry, country, year, perimeter)
            except NotFound:
                self.chosen[key] = None
        return self.chosen[key]


def row_key(row: Mapping[str, Any]) -> LineKey:
    """That of a line which is to be stored."""
    return row["since"], row["host_id"], row["workload_id"], row["claim_id"]


def _energy(line: b.MonthLine) -> int:
    return line.energy_mj + (line.overhead_mj or 0)


def _bounds(line: b.MonthLine) -> tuple[int | None, int | None]:
    """The bounds of the energy with the overhead that falls to them."""
    facility = Facility.of_terms(line.terms)

    def with_overhead(energy_mj: int | None) -> int | None:
        if energy_mj is None:
            return None
        return energy_mj + (facility.overhead_of(energy_mj) if facility and line.overhead_mj else 0)

    return with_overhead(line.low_mj), with_overhead(line.high_mj)


def _withdraw(
    session: Session, tenants: Sequence[int], month: date, only: set[LineKey] | None, *, hourly: bool
) -> None:
    """Delete what is priced again; shares and lines of sites are told their hours by those who make them."""
    line = b.CarbonLine
    of_month = (line.tenant_id.in_(tenants), line.month == month, line.revision == OPEN_REVISION)
    if only is None:
        lasting = line.basis == Basis.HOURLY_DIRECT
        if hourly:
            lasting = lasting & (line.host_id == NO_HOST)
        session.execute(delete(line).where(*of_month, ~lasting))
        return
    for since, host_id, workload_id, claim_id in sorted(only):
        key = (
            line.since == since,
            line.host_id == host_id,
            line.workload_id == workload_id,
            line.claim_id == claim_id,
        )
        session.execute(delete(line).where(*of_month, *key))


def carbon_row(row: b.MonthLine, basis: Basis, priced: Priced, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": row.tenant_id,
        "month": row.month,
        "since": row.since,
        "host_id": row.host_id,
        "workload_id": row.workload_id,
        "claim_id": row.claim_id,
        "basis": basis,
        "revision": OPEN_REVISION,
        "kind": row.kind,
        "counts": row.counts,
        "subscription": row.subscription,
        "service_code": row.service_code,
        "energy_mj": row.energy_mj,
        "overhead_mj": row.overhead_mj,
        "covered_mj": priced.covered_mj,
        "carbon_ug": priced.carbon_ug,
        "low_ug": priced.low_ug,
        "high_ug": priced.high_ug,
        "factor_id": priced.factor_id,
        "intensity_mg_per_kwh": priced.intensity_mg_per_kwh,
        "provisional": priced.provisional or _is_provisional(row),
        "terms": dict(priced.terms),
        "reckoned_at": now,
    }


def _is_provisional(row: b.MonthLine) -> bool:
    facility, share = Facility.of_terms(row.terms), ShareTerms.of_terms(row.terms)
    missing = share is not None and share.missing > 0
    return missing or (facility is not None and facility.provisional)
