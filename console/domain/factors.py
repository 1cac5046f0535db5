"""Which emission factor holds for a year: the registry's values and the choice among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from console.domain.countries import alpha3
from console.domain.errors import NotFound


class Basis(StrEnum):
    """How carbon is reckoned; figures of two bases are never added."""

    YEARLY_AVERAGE = "yearly_average"  # location-based, consumption mix, life cycle


class Perimeter(StrEnum):
    """What the publisher's figure holds."""

    CONSUMPTION_LIFE_CYCLE = "consumption_life_cycle"
    PRODUCTION_LIFE_CYCLE = "production_life_cycle"
    PRODUCTION_DIRECT = "production_direct"


@dataclass(frozen=True, slots=True)
class Factor:
    """One published value; `intensity_mg_per_kwh` with the publisher's own bounds where it states them."""

    factor_id: str
    publisher: str
    title: str
    vintage: int
    perimeter: Perimeter
    geography: str
    intensity_mg_per_kwh: int
    low_mg_per_kwh: int | None
    high_mg_per_kwh: int | None
    licence: str
    source: str
    retrieved_on: date | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The factor that holds, and whether the year's own is still to come."""

    factor: Factor
    provisional: bool


def choose(registry: Iterable[Factor], geography: str, year: int) -> Choice:
    """The consumption life-cycle factor of the year, or the last one before it, which is provisional.

    Yearly factors of year N appear in N+1. A country is known by any of its codes, and has no factor but its
    own. Raises `NotFound` naming what the registry knows, `Invalid` for what is no country.
    """
    country = alpha3(geography, "geography")
    usual = [one for one in registry if one.perimeter is Perimeter.CONSUMPTION_LIFE_CYCLE]
    fitting = [factor for factor in usual if factor.geography == country]
    if not fitting:
        raise NotFound(
            "Aucun facteur d'émission de %(geography)s pour %(year)s, et celui d'un autre pays n'en tient "
            "pas lieu ; sont connus : %(known)s.",
            geography=geography,
            year=year,
            known=", ".join(sorted({factor.geography for factor in usual})) or "-",
        )
    known = [factor for factor in fitting if factor.vintage <= year]
    if not known:
        raise NotFound(
            "Aucun facteur d'émission de %(geography)s ne vaut pour %(year)s ; connus : %(known)s.",
            geography=geography,
            year=year,
            known=", ".join(str(factor.vintage) for factor in fitting) or "-",
        )
    factor = max(known, key=lambda factor: (factor.vintage, factor.confirmed, factor.factor_id))
    return Choice(factor, provisional=factor.vintage < year)
