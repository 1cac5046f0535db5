"""A month of a data centre: from its meters, or a PUE that is declared, to what its IT energy takes besides.

    E_DC and E_IT metered      -> overhead = E_DC - E_IT, losses = E_IT at point 1 - E_IT at point 3
    a PUE declared             -> overhead = (PUE - 1) x the IT energy at its own point
    neither                    -> unknown

Of two categories that are metered the one nearest to the equipment counts, as ISO/IEC 30134-2 has it. A month
that a meter tells only in part is not metered: nothing is scaled up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

from console.domain.errors import Conflict
from console.domain.facility import CATEGORIES, MILLION, NO_POINT, POOLED, DeclaredPue, Quantity
from console.domain.month_lines import Facility
from console.domain.renewal import add_months
from console.domain.site_indicators import amounts_by_month
from console.domain.site_measures import Measure

METERED = "metered"
DECLARED = "declared"
LEAST_IT_MJ = 1


@dataclass(frozen=True, slots=True)
class SiteMonth:
    """What a data centre used in a month; `hosts_mj` is the sum of its hosts. None: unknown.

    `losses_mj` are those between the points of categories 1 and 3, where both are metered; they are within
    the overhead.
    """

    hosts_mj: int
    it_mj: int | None
    category: int
    total_mj: int | None
    losses_mj: int | None
    facility: Facility | None


def site_month(
    measures: Sequence[Measure],
    declared: Iterable[DeclaredPue],
    hosts_mj: int,
    month: date,
    zone: ZoneInfo,
) -> SiteMonth:
    """The month of a site from what is told of it.

    Raises `Conflict` with both values where the IT would draw more than the whole site, or the hosts, with
    what is metered beside them, more than the IT as metered nearest to them.
    """
    it = {category: _amount(measures, Quantity.IT, category, month, zone) for category in CATEGORIES}
    total_mj = _amount(measures, Quantity.TOTAL, NO_POINT, month, zone)
    water_ml = _amount(measures, Quantity.WATER, NO_POINT, month, zone)
    category = max((one for one, amount in it.items() if amount is not None), default=NO_POINT)
    it_mj = it.get(category)
    if total_mj is not None and it_mj is not None and total_mj < it_mj:
        raise Conflict(
            "L'énergie totale du site (%(total)s mJ) est sous celle de son IT (%(it)s mJ) : l'un des "
            "compteurs se trompe.",
            total=total_mj,
            it=it_mj,
        )
    if it_mj is not None and it_mj < hosts_mj:
        raise Conflict(
            "L'énergie IT du site (%(it)s mJ) est sous la somme de ses hôtes (%(hosts)s mJ) : un compteur "
            "se trompe, ou un hôte n'est pas sur ce site.",
            it=it_mj,
            hosts=hosts_mj,
        )
    pools_mj = sum(_amount(measures, quantity, NO_POINT, month, zone) or 0 for quantity in POOLED)
    if it_mj is not None and it_mj < hosts_mj + pools_mj:
        raise Conflict(
            "L'énergie IT du site (%(it)s mJ) est sous la somme de ses hôtes (%(hosts)s mJ) et de son "
            "stockage, ses sauvegardes et son réseau (%(pools)s mJ) : l'un des compteurs se trompe.",
            it=it_mj,
            hosts=hosts_mj,
            pools=pools_mj,
        )
    facility = _metered(total_mj, it_mj, category, water_ml) or _declared(declared, month, water_ml, it_mj)
    return SiteMonth(hosts_mj, it_mj, category, total_mj, _losses(it), facility)


def _amount(
    measures: Sequence[Measure], quantity: Quantity, category: int, month: date, zone: ZoneInfo
) -> int | None:
    return amounts_by_month(measures, (quantity, category), [month], zone)[month]


def _losses(it: Mapping[int, int | None]) -> int | None:
    """Between the output of the UPS and the input of the equipment."""
    before, after = it[CATEGORIES[0]], it[CATEGORIES[-1]]
    return before - after if before is not None and after is not None and before >= after else None


def _metered(total_mj: int | None, it_mj: int | None, category: int, water_ml: int | None) -> Facility | None:
    if total_mj is None or it_mj is None or it_mj < LEAST_IT_MJ:
        return None
    return Facility(METERED, category, total_mj - it_mj, it_mj, provisional=False, water_ml=water_ml)


def _declared(
    declared: Iterable[DeclaredPue], month: date, water_ml: int | None, it_mj: int | None
) -> Facility | None:
    """The PUE that holds on the last day of the month; water needs an IT energy that is metered."""
    held = [one for one in declared if one.valid_from < add_months(month, 1)]
    if not held:
        return None
    pue = max(held, key=lambda one: one.valid_from)
    overhead = Fraction(pue.pue_ppm, MILLION) - 1
    it = it_mj if water_ml is not None and it_mj else None
    base = it * overhead.denominator if it else overhead.denominator
    return Facility(
        DECLARED,
        pue.category,
        int(base * overhead),
        base,
        provisional=pue.provisional,
        declared_from=pue.valid_from,
        water_ml=water_ml * overhead.denominator if it and water_ml is not None else None,
    )
