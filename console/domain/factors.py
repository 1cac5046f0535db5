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
    HOURLY_DIRECT = "hourly_direct"  # location-based, what the grid burnt in each hour
    MARKET_BASED = "market_based"  # the contracts of the site, and the residual mix for the rest


class Perimeter(StrEnum):
    """What the publisher's figure holds."""

    CONSUMPTION_LIFE_CYCLE = "consumption_life_cycle"
    PRODUCTION_LIFE_CYCLE = "production_life_cycle"
    PRODUCTION_DIRECT = "production_direct"
    RESIDUAL_MIX = "residual_mix"  # of what is consumed, without what is sold under a proof of origin


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
    combustion_mg_per_kwh: int | None = None
    upstream_mg_per_kwh: int | None = None
    losses_mg_per_kwh: int | None = None
    valid_from: date | None = None  # None: from the first day of its vintage
    valid_to: date | None = None  # excluded; None: until the next vintage is known
    known_since: date | None = None
    replaces: str | None = None

    def holds_in(self, year: int) -> bool:
        """Whether it holds for the energy of a year, its own or, while none is newer, a later one."""
        first = self.valid_from or date(self.vintage, 1, 1)
        return first.year <= year and (self.valid_to is None or self.valid_to > date(year, 1, 1))


@dataclass(frozen=True, slots=True)
class Choice:
    """The factor that holds, and whether the year's own is still to come."""

    factor: Factor
    provisional: bool


def choose(
    registry: Iterable[Factor],
    geography: str,
    year: int,
    perimeter: Perimeter = Perimeter.CONSUMPTION_LIFE_CYCLE,
    known_on: date | None = None,
) -> Choice:
    """The factor of a perimeter for a year, or the last one before it, which is provisional.

    Yearly factors of year N appear in N+1. A country is known by any of its codes, and has no factor but its
    own. What another factor replaces no longer holds; `known_on` asks for what was known on a day. Raises
    `NotFound` naming what the registry knows, `Invalid` for what is no country.
    """
    country = alpha3(geography, "geography")
    usual = [one for one in standing(registry, known_on) if one.perimeter is perimeter]
    fitting = [factor for factor in usual if factor.geography == country]
    if not fitting:
        raise NotFound(
            "Aucun facteur d'émission de %(geography)s pour %(year)s, et celui d'un autre pays n'en tient "
            "pas lieu ; sont connus : %(known)s.",
            geography=geography,
            year=year,
            known=", ".join(sorted({factor.geography for factor in usual})) or "-",
        )
    known = [factor for factor in fitting if factor.holds_in(year)]
    if not known:
        raise NotFound(
            "Aucun facteur d'émission de %(geography)s ne vaut pour %(year)s ; connus : %(known)s.",
            geography=geography,
            year=year,
            known=", ".join(str(factor.vintage) for factor in fitting) or "-",
        )
    factor = max(known, key=lambda factor: (factor.vintage, factor.confirmed, factor.factor_id))
    return Choice(factor, provisional=factor.vintage < year)


def standing(registry: Iterable[Factor], known_on: date | None = None) -> list[Factor]:
    """What is known on a day, without what something known by then replaces; None: all that is known."""
    known = [
        one for one in registry if known_on is None or one.known_since is None or one.known_since <= known_on
    ]
    replaced = {one.replaces for one in known}
    return [one for one in known if one.factor_id not in replaced]


def changed_years(
    before: Iterable[Factor],
    after: Iterable[Factor],
    geography: str,
    perimeter: Perimeter,
    years: Iterable[int],
) -> list[int]:
    """The years for which another factor holds after a change of the registry, or none held before."""
    known, now_known = list(before), list(after)
    return [
        year
        for year in years
        if _choice(known, geography, year, perimeter) != _choice(now_known, geography, year, perimeter)
    ]


def _choice(registry: Iterable[Factor], geography: str, year: int, perimeter: Perimeter) -> Choice | None:
    try:
        return choose(registry, geography, year, perimeter)
    except NotFound:
        return None
