"""What pages of data centres call things, how they write amounts, and what they draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from console.domain.carbon import MJ_PER_KWH
from console.domain.errors import Conflict
from console.domain.facility import NO_POINT, Quantity
from console.domain.site_indicators import Found, Indicator, best_pue
from console.domain.site_measures import Point
from console.store.queries.site_months import SiteBalance
from console.store.queries.sites import IndicatorMonth, SitePage, SiteZone
from console.web.errors import message_of
from console.web.languages import current_language, energy
from console.web.site_words import CONTRACT_KINDS, INDICATORS, QUALITIES, QUANTITIES
from reports.document import Chart, Series
from reports.quantities import Kind

ML_PER_M3 = 1_000_000
BY_CATEGORY = (Indicator.PUE, Indicator.PARTIAL_PUE)  # whose category is part of the name
UNITS = {Indicator.WUE: " L/kWh", Indicator.CUE: " kg CO₂e/kWh"}


def words() -> dict[str, object]:
    """What the templates call things, and how they write amounts."""
    return {
        "quantities": QUANTITIES,
        "qualities": QUALITIES,
        "contract_kinds": CONTRACT_KINDS,
        "indicator_name": _indicator_name,
        "indicator_value": _indicator_value,
        "amount_text": _amount_text,
        "pue_text": _pue_text,
        "refusal": _refusal,
        "residue_text": _residue_text,
        "series_columns": _series_columns,
        "amount_headings": _amount_headings,
        "indicator_headings": _indicator_headings,
        "zone_chart": zone_chart,
        "found_in": _found_in,
        "first_day": _first_day,
        "last_day": _last_day,
        "day_before": _day_before,
    }


def _first_day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def _last_day(end: datetime, zone: str) -> date:
    """The last local day of a period, whose end is excluded."""
    return (end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def _day_before(day: date) -> date:
    return day - timedelta(days=1)


def _indicator_name(found: Found) -> str:
    """`PUE2`, or `iPUE2` over less than a year; the category is part of the name in ISO/IEC 30134-2.

    That of a zone is `pPUE2`, or `pPUE` where no category is named.
    """
    name = INDICATORS[found.indicator.value]
    if found.indicator not in BY_CATEGORY:
        return name
    interim = "i" if found.value is not None and found.is_interim else ""
    return f"{interim}{name}{found.category or ''}"


def _indicator_value(found: Found) -> str | None:
    if found.value is None:
        return None
    if found.indicator in (Indicator.REF, Indicator.ERF):
        return current_language().percent(found.value)
    unit = UNITS.get(found.indicator, "")
    decimals = 3 if found.indicator is Indicator.CUE else 2
    return current_language().number(found.value, decimals) + unit


def _amount_text(quantity: Quantity, amount: int | None) -> str:
    """An amount in the unit that suits it; water in cubic metres."""
    if amount is None or not quantity.is_water:
        return energy(amount)
    return current_language().number(Fraction(amount, ML_PER_M3), 1) + " m³"


def _pue_text(pue_ppm: int) -> str:
    return current_language().number(Fraction(pue_ppm, 1_000_000), 2)


def energy_chart(page: SitePage) -> Chart | None:
    """The energy of each month: of the IT, of the rest, or of the whole where the IT is unknown."""
    total = page.by_month.get((Quantity.TOTAL, NO_POINT), {})
    of_it = _it_of(page)
    if not any(amount is not None for amount in (*total.values(), *of_it.values())):
        return None
    rows = [(total.get(month), of_it.get(month)) for month in page.months]
    rest = tuple(_rest(whole, part) for whole, part in rows)
    alone = tuple(whole if part is None else None if whole is None else 0 for whole, part in rows)
    series = [
        Series(_("IT"), tuple(part for _whole, part in rows)),
        Series(_("Refroidissement, pertes"), rest),
    ]
    if any(alone):
        series.append(Series(_("Énergie totale, IT inconnue"), alone))
    return Chart(
        title=_("Énergie par mois"),
        description=_("Chaque barre est un mois, à son premier jour ; hachuré : inconnu."),
        kind=Kind.ENERGY_MJ,
        moment_title=_("Mois"),
        moments=tuple(page.months),
        series=tuple(series),
    )


def _rest(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else whole - part


def _it_of(page: SitePage) -> Mapping[date, int | None]:
    """The IT energy at the category that the most months are known of."""
    by_category = {
        category: amounts
        for (quantity, category), amounts in page.by_month.items()
        if quantity is Quantity.IT
    }
    known = {
        category: sum(amount is not None for amount in amounts.values())
        for category, amounts in by_category.items()
    }
    return by_category[max(known, key=lambda one: (known[one], one))] if known else {}


def pue_chart(page: SitePage) -> Chart | None:
    """The rolling PUE, in hundredths above 1: what each kWh of the IT takes besides, month after month."""
    return _excess_chart(
        _("Surconsommation par kWh d'IT"),
        _("Pris en plus de chaque kWh d'IT, soit PUE - 1, sur douze mois ; hachuré : inconnu."),
        page.series,
        Indicator.PUE,
    )


def zone_chart(zone: SiteZone) -> Chart | None:
    """The rolling pPUE of a zone, as that of the site."""
    return _excess_chart(
        _("%(zone)s : surconsommation par kWh d'IT", zone=zone.name),
        _("Pris en plus de chaque kWh d'IT, soit pPUE - 1, sur douze mois ; hachuré : inconnu."),
        zone.series,
        Indicator.PARTIAL_PUE,
    )


def _excess_chart(
    title: str, description: str, months: Sequence[IndicatorMonth], indicator: Indicator
) -> Chart | None:
    alone = [_excess(one.alone, indicator) for one in months]
    rolling = [_excess(one.rolling, indicator) for one in months]
    if not any(amount is not None for amount in (*alone, *rolling)):
        return None
    return Chart(
        title=title,
        description=description,
        kind=Kind.ENERGY_MJ,
        moment_title=_("Mois"),
        moments=tuple(one.month for one in months),
        series=(Series(_("Douze mois"), tuple(rolling)),),
    )


def _excess(found: Sequence[Found], indicator: Indicator) -> int | None:
    """What the best PUE adds to a kWh, in millijoules."""
    value = best_pue(found, indicator).value
    return None if value is None else round((value - 1) * MJ_PER_KWH)


def _refusal(one: SiteBalance) -> str:
    """Why the meters of a month are not taken, with their values."""
    told = one.refused or ""
    return message_of(Conflict(told, **one.values))


def _residue_text(residue_mj: int) -> str:
    """To the millijoule, as the rule has it."""
    return f"{current_language().number(residue_mj)}\N{NO-BREAK SPACE}mJ"


def _series_columns(months: Sequence[IndicatorMonth]) -> list[tuple[Indicator, int]]:
    """The indicators of the months; the PUE once for each category that is told of."""
    held = {
        (found.indicator, _category(found))
        for one in months
        for found in one.rolling
        if found.value is not None or found.indicator not in BY_CATEGORY
    }
    order = list(Indicator)
    return sorted(held, key=lambda one: (order.index(one[0]), one[1]))


def _amount_headings(points: Iterable[Point]) -> list[tuple[str, str]]:
    """Columns of figures: what is measured, with its category."""
    return [
        (
            QUANTITIES[quantity.value]
            + (_(", catégorie %(category)s", category=category) if category else ""),
            "number",
        )
        for quantity, category in points
    ]


def _indicator_headings(columns: Iterable[tuple[Indicator, int]]) -> list[tuple[str, str]]:
    """Columns of figures: each indicator of a month, then over twelve."""
    names = [f"{INDICATORS[indicator.value]}{category or ''}" for indicator, category in columns]
    return [(text, "number") for name in names for text in (name, f"{name} {_('sur 12 mois')}")]


def _found_in(held: Sequence[Found], indicator: Indicator, category: int) -> Found | None:
    return next((one for one in held if (one.indicator, _category(one)) == (indicator, category)), None)


def _category(found: Found) -> int:
    """Only that of a PUE is part of its name."""
    return found.category if found.indicator in BY_CATEGORY else NO_POINT
