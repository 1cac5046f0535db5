"""A month of carbon as it is closed: every line with what it was reckoned from, and what that makes.

    lines, as they are known -> inputs, frozen and hashed -> figures, reckoned again from the inputs alone

What differs between two revisions is told by causes (`carbon_causes`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from console.domain.carbon import MJ_PER_KWH, UG_PER_MG, carbon_ug
from console.domain.facility import MILLION
from console.domain.factors import Basis
from console.domain.month_lines import Facility, LineKey, LineKind, ShareTerms

OF_HOURS = (LineKind.OWN, LineKind.UNCLAIMED)  # reckoned line by line, not shared out of something larger
LEAST_COVERED_PERCENT = 80  # of the hours of a month; under it a month is provisional


@dataclass(frozen=True, slots=True)
class FactorHeld:
    """A factor as the registry had it when the month was closed."""

    factor_id: str
    publisher: str
    title: str
    vintage: int
    intensity_mg_per_kwh: int
    low_mg_per_kwh: int | None
    high_mg_per_kwh: int | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class PartHeld:
    """A part of what a site draws: by a contract, or the residual mix of a factor."""

    share_ppm: int
    intensity_mg_per_kwh: int | None
    contract: int | None = None
    factor_id: str | None = None


@dataclass(frozen=True, slots=True)
class CarbonHeld:
    """The carbon of a line on one basis.

    By the hour: `known_mj` is the IT energy of the hours whose intensity is known, `mg_mj` the sum of it
    times that intensity, `realtime_mj` what of it is of hours with figures of real time. `parts` are of the
    market-based figure.
    """

    basis: Basis
    covered_mj: int
    carbon_ug: int | None
    low_ug: int | None
    high_ug: int | None
    factor_id: str | None
    intensity_mg_per_kwh: int | None
    provisional: bool
    known_mj: int | None = None
    mg_mj: int | None = None
    parts: tuple[PartHeld, ...] = ()
    realtime_mj: int = 0


@dataclass(frozen=True, slots=True)
class LineHeld:
    """A month line as it counts, with the names that the reader knows it by.

    `embodied_terms` is the JSON of what its embodied carbon is made of; empty where nothing is told.
    """

    since: datetime
    host_id: int
    workload_id: int
    claim_id: int
    kind: LineKind
    host: str | None
    workload: str | None
    subscription: int | None
    service_code: str | None
    site: str | None
    hours: int
    energy_mj: int
    measured_mj: int
    modelled_mj: int
    declared_mj: int
    low_mj: int | None
    high_mj: int | None
    overhead_mj: int | None
    water_ml: int | None
    embodied_ug: int | None
    embodied_low_ug: int | None
    embodied_high_ug: int | None
    adpe_ug: int | None
    primary_mj: int | None
    facility: Facility | None
    share: ShareTerms | None
    embodied_terms: str
    carbon: tuple[CarbonHeld, ...]

    @property
    def key(self) -> LineKey:
        return self.since, self.host_id, self.workload_id, self.claim_id

    @property
    def facility_mj(self) -> int:
        """Its energy with the overhead that is known."""
        return self.energy_mj + (self.overhead_mj or 0)

    @property
    def without_embodied_mj(self) -> int:
        """Its energy of whose making nothing is known: of a share, as of the hosts of its pool."""
        if self.embodied_ug is None:
            return self.energy_mj
        told = json.loads(self.embodied_terms) if self.embodied_terms and self.share else {}
        known_mj, pool_mj = told.get("known_mj"), self.share.pool_mj if self.share else None
        return 0 if known_mj is None or not pool_mj else self.energy_mj - self.energy_mj * known_mj // pool_mj

    @property
    def embodied_unknown(self) -> bool:
        """Whether the making of some of what it used is unknown: of hosts, or of things with them."""
        told = json.loads(self.embodied_terms) if self.embodied_terms else {}
        return self.without_embodied_mj > 0 or bool(told.get("unknown"))

    def on(self, basis: Basis) -> CarbonHeld | None:
        """Its carbon on a basis; None where there is none."""
        return next((one for one in self.carbon if one.basis == basis), None)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that the figures of an adherent's month are made from, in one order however it was read.

    `hours` are those of the month, `covered_hours` those of them of which anything is known. `policies` are
    those by which idle energy was shared, such as `reserved/1`. `missing_volumes` are the subscriptions to
    shared services that told no volume.
    """

    month: date
    zone: str
    lines: tuple[LineHeld, ...]
    factors: tuple[FactorHeld, ...]
    policies: tuple[str, ...]
    hours: int
    covered_hours: int
    missing_volumes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _order(
            self,
            lines=lambda one: one.key,
            factors=lambda one: one.factor_id,
            policies=lambda one: one,
            missing_volumes=lambda one: one,
        )

    @property
    def unconfirmed(self) -> list[FactorHeld]:
        """The factors whose value nobody has read again at the publisher's: told beside any state."""
        return [one for one in self.factors if not one.confirmed]


@dataclass(frozen=True, slots=True)
class BasisFigures:
    """The carbon of use of a month on one basis; `covered_mj` is the facility energy that it is of.

    `realtime_mj` is the IT energy of its hours with figures of real time, which others will replace.
    """

    carbon_ug: int | None
    covered_mj: int
    provisional: bool
    realtime_mj: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The totals of a month; overhead, water and what was embodied are sums of what is known of them.

    None: known of no line. `without_embodied_mj` is the energy of the lines of whose making nothing is known.
    """

    energy_mj: int
    overhead_mj: int | None
    water_ml: int | None
    embodied_ug: int | None
    without_overhead_mj: int
    without_embodied_mj: int
    bases: tuple[tuple[Basis, BasisFigures], ...]

    def on(self, basis: Basis) -> BasisFigures | None:
        return dict(self.bases).get(basis)

    @property
    def provisional(self) -> bool:
        """Whether the figure that reports print is."""
        usual = self.on(Basis.YEARLY_AVERAGE)
        return usual is None or usual.provisional

    @property
    def facility_mj(self) -> int:
        return self.energy_mj + (self.overhead_mj or 0)


def unnamed(inputs: Inputs) -> Inputs:
    """The inputs without what lines are called, which moves no figure."""
    return replace(inputs, lines=tuple(replace(line, host=None, workload=None) for line in inputs.lines))


class MonthState(StrEnum):
    """How far a month is; a closed one never opens again."""

    RUNNING = "running"
    PROVISIONAL = "provisional"
    FINAL = "final"
    CLOSED = "closed"


class Doubt(StrEnum):
    """Why a month is provisional."""

    DUE = "due"  # something of it waits to be reckoned
    FACTOR = "factor"  # that of its year is not published
    PUE = "pue"  # it is declared as provisional
    FACILITY = "facility"  # nothing is known of what the facility takes
    COVERAGE = "coverage"  # of too few hours anything is known
    VOLUME = "volume"  # a volume is missing by which a shared service is split
    NO_FACTOR = "no_factor"  # energy that no factor prices


def figures(inputs: Inputs) -> Figures:
    """The figures of a month, from its inputs and nothing else: carbon is priced again line by line."""
    lines = inputs.lines
    bases = tuple(
        (
            basis,
            BasisFigures(
                carbon_ug=_known_sum(_priced(line, one) for line, one in held),
                covered_mj=sum(one.covered_mj for _, one in held),
                provisional=any(one.provisional for _, one in held),
                realtime_mj=sum(one.realtime_mj for _, one in held),
            ),
        )
        for basis in Basis
        if (held := [(line, one) for line in lines if (one := line.on(basis)) is not None])
    )
    return Figures(
        energy_mj=sum(line.energy_mj for line in lines),
        overhead_mj=_known_sum(line.overhead_mj for line in lines),
        water_ml=_known_sum(line.water_ml for line in lines),
        embodied_ug=_known_sum(line.embodied_ug for line in lines),
        without_overhead_mj=sum(line.energy_mj for line in lines if line.overhead_mj is None),
        without_embodied_mj=sum(line.without_embodied_mj for line in lines),
        bases=bases,
    )


def contradictions(inputs: Inputs) -> list[LineKey]:
    """Lines whose carbon or overhead is not what their own terms make of their energy."""
    return [
        line.key
        for line in inputs.lines
        if not _overhead_holds(line) or any(_priced(line, one) != one.carbon_ug for one in line.carbon)
    ]


def doubts(inputs: Inputs) -> list[Doubt]:
    """Why the figures of a month that is over are not final; empty: they are."""
    found: list[Doubt] = []
    older = {one.factor_id for one in inputs.factors if one.vintage < inputs.month.year}
    usual = [one for line in inputs.lines if (one := line.on(Basis.YEARLY_AVERAGE)) is not None]
    if any(one.factor_id in older for one in usual):
        found.append(Doubt.FACTOR)
    if any(line.facility and line.facility.provisional for line in inputs.lines):
        found.append(Doubt.PUE)
    if any(line.overhead_mj is None and line.energy_mj for line in inputs.lines):
        found.append(Doubt.FACILITY)
    if any(line.facility_mj and _covered(line) < line.facility_mj for line in inputs.lines):
        found.append(Doubt.NO_FACTOR)
    if inputs.lines and inputs.covered_hours * 100 < inputs.hours * LEAST_COVERED_PERCENT:
        found.append(Doubt.COVERAGE)
    if inputs.missing_volumes or any(line.share and line.share.missing for line in inputs.lines):
        found.append(Doubt.VOLUME)  # that of another moves the shares of all
    return found


def _covered(line: LineHeld) -> int:
    usual = line.on(Basis.YEARLY_AVERAGE)
    return usual.covered_mj if usual else 0


def _priced(line: LineHeld, held: CarbonHeld) -> int | None:
    """The carbon of a line reckoned again; what was shared out of a larger figure is taken as it is."""
    if held.carbon_ug is None:
        return None
    if held.basis is Basis.YEARLY_AVERAGE and held.intensity_mg_per_kwh is not None:
        return carbon_ug([(held.covered_mj, held.intensity_mg_per_kwh)])
    if held.basis is Basis.MARKET_BASED and held.parts:
        weighted = Fraction(
            sum(one.share_ppm * (one.intensity_mg_per_kwh or 0) for one in held.parts), MILLION
        )
        return round(line.facility_mj * weighted * UG_PER_MG / MJ_PER_KWH)
    if held.mg_mj is not None and line.kind in OF_HOURS:
        pue = line.facility.pue if line.facility else Fraction(1)
        return round(Fraction(held.mg_mj * UG_PER_MG, MJ_PER_KWH) * pue)
    return held.carbon_ug


def _overhead_holds(line: LineHeld) -> bool:
    if line.kind not in OF_HOURS:
        return True
    expected = line.facility.overhead_of(line.energy_mj) if line.facility else None
    return line.overhead_mj == expected


def _known_sum(amounts: Iterable[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _order(held: object, **keys: Callable[[Any], Any]) -> None:
    for name, key in keys.items():
        object.__setattr__(held, name, tuple(sorted(getattr(held, name), key=key)))
