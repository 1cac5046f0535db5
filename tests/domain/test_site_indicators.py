"""PUE, REF, ERF and WUE by the definitions, over what both terms cover and nothing else."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from console.domain.errors import Conflict, Invalid
from console.domain.facility import (
    Contract,
    ContractKind,
    DeclaredPue,
    Quantity,
    check_category,
    check_contract,
    check_pue,
    check_zone,
)
from console.domain.hours import HOUR, month_bounds
from console.domain.renewal import add_months
from console.domain.site_indicators import (
    Found,
    Indicator,
    amounts_by_month,
    best_pue,
    carbon_usage,
    indicators,
    last_months,
    partial_pues,
    water_ml,
    zone_by_month,
)
from console.domain.site_measures import Measure, Quality
from console.domain.site_zones import zone_names

PARIS = ZoneInfo("Europe/Paris")
MONTHS = last_months(date(2026, 11, 25))
MWH = 3_600_000_000_000
M3 = 1_000_000


def over(
    first: int, last: int, amount: int, quantity: Quantity, category: int = 0, meter: str = "site"
) -> Measure:
    """An amount from the first to the last of the twelve months, both included."""
    start = month_bounds(MONTHS[first], PARIS)[0]
    end = month_bounds(MONTHS[last], PARIS)[1]
    return Measure(start, end, quantity, category, meter, amount, Quality.MEASURED)


def each_month(
    amount: int, quantity: Quantity, category: int = 0, months: range = range(12), meter: str = "site"
) -> list[Measure]:
    return [over(month, month, amount, quantity, category, meter) for month in months]


def found_of(measures: list[Measure], indicator: Indicator) -> Found:
    return next(one for one in indicators(measures, MONTHS, PARIS) if one.indicator is indicator)


def test_the_last_twelve_months_are_whole_ones() -> None:
    assert (MONTHS[0], MONTHS[-1], len(MONTHS)) == (date(2025, 11, 1), date(2026, 10, 1), 12)


def test_pue_and_wue_are_over_the_energy_of_the_it() -> None:
    measures = [
        *each_month(150 * MWH, Quantity.TOTAL),
        *each_month(100 * MWH, Quantity.IT, 2),
        *each_month(180 * M3, Quantity.WATER),
        *each_month(75 * MWH, Quantity.RENEWABLE),
        *each_month(15 * MWH, Quantity.REUSED),
    ]
    pue, ref, erf, wue = indicators(measures, MONTHS, PARIS)
    assert (pue.value, pue.category, pue.months, pue.is_interim) == (Fraction(3, 2), 2, 12, False)
    assert (ref.value, erf.value) == (Fraction(1, 2), Fraction(1, 10))
    assert wue.value == Fraction(9, 5)  # 1.8 L per kWh of the IT, not 1.2 per kWh of the site
    assert pue.standard == "ISO/IEC 30134-2, EN 50600-4-2"


def test_pue_1_5_and_wue_1_8_make_1_8_litres_per_it_kwh() -> None:
    one_kwh = 3_600_000_000
    assert water_ml(one_kwh, Fraction(9, 5)) == 1_800


def test_under_twelve_months_a_pue_is_interim_and_says_how_many_it_covers() -> None:
    measures = [
        *each_month(150 * MWH, Quantity.TOTAL),
        *each_month(100 * MWH, Quantity.IT, 1, range(7, 12)),
    ]
    pue = found_of(measures, Indicator.PUE)
    assert (pue.value, pue.months, pue.asked, pue.is_interim) == (Fraction(3, 2), 5, 12, True)


def test_a_month_of_which_a_meter_lacks_an_hour_is_in_neither_term() -> None:
    whole = each_month(100 * MWH, Quantity.IT, 2)
    short = over(3, 3, 99 * MWH, Quantity.IT, 2)
    whole[3] = Measure(short.started_at, month_bounds(MONTHS[3], PARIS)[1].replace(hour=21), *_rest(short))
    pue = found_of([*each_month(150 * MWH, Quantity.TOTAL), *whole], Indicator.PUE)
    assert (pue.value, pue.months) == (Fraction(3, 2), 11)
    by_month = amounts_by_month(whole, (Quantity.IT, 2), MONTHS, PARIS)
    assert by_month[MONTHS[3]] is None
    assert by_month[MONTHS[4]] == 100 * MWH


def _rest(one: Measure) -> tuple[Quantity, int, str, int, Quality]:
    return one.quantity, one.category, one.meter, one.amount, one.quality


def test_a_meter_that_stops_makes_its_quantity_unknown_not_smaller() -> None:
    measures = [
        *each_month(150 * MWH, Quantity.TOTAL),
        *each_month(60 * MWH, Quantity.IT, 2, meter="A"),
        *each_month(40 * MWH, Quantity.IT, 2, range(6), meter="B"),
    ]
    pue = found_of(measures, Indicator.PUE)
    assert (pue.value, pue.months) == (Fraction(3, 2), 6)


def test_a_reading_of_a_quarter_counts_with_the_three_months_it_covers() -> None:
    measures = [
        *each_month(100 * MWH, Quantity.IT, 2),
        *(over(first, first + 2, 540 * M3, Quantity.WATER) for first in (0, 3, 9)),
    ]
    wue = found_of(measures, Indicator.WUE)
    assert (wue.value, wue.months) == (Fraction(9, 5), 9)


def test_what_is_not_told_is_unknown_and_named() -> None:
    pue = found_of(each_month(150 * MWH, Quantity.TOTAL), Indicator.PUE)
    assert (pue.value, pue.months, pue.missing) == (None, 0, (Quantity.IT,))
    nothing = indicators([], MONTHS, PARIS)
    assert {one.value for one in nothing} == {None}


def test_a_month_in_which_the_it_would_draw_more_than_the_site_is_in_no_pue() -> None:
    whole = each_month(150 * MWH, Quantity.TOTAL)
    whole[3] = over(3, 3, 99 * MWH, Quantity.TOTAL)
    pue = found_of([*whole, *each_month(100 * MWH, Quantity.IT, 2)], Indicator.PUE)
    assert (pue.value, pue.months, pue.is_interim) == (Fraction(3, 2), 11, True)
    none = [*each_month(30 * MWH, Quantity.TOTAL), *each_month(100 * MWH, Quantity.IT, 2)]
    assert found_of(none, Indicator.PUE).value is None


def test_no_energy_of_the_it_divides_nothing() -> None:
    measures = [*each_month(0, Quantity.IT, 2), *each_month(1, Quantity.TOTAL)]
    assert found_of(measures, Indicator.PUE).value is None


def test_each_category_has_its_own_pue_and_the_best_is_nearest_to_the_equipment() -> None:
    measures = [
        *each_month(150 * MWH, Quantity.TOTAL),
        *each_month(125 * MWH, Quantity.IT, 1),
        *each_month(100 * MWH, Quantity.IT, 3),
    ]
    found = indicators(measures, MONTHS, PARIS)
    pues = {one.category: one.value for one in found if one.indicator is Indicator.PUE}
    assert pues == {1: Fraction(6, 5), 3: Fraction(3, 2)}
    assert best_pue(found).category == 3


@pytest.mark.parametrize(
    ("quantity", "category"),
    [(Quantity.IT, 0), (Quantity.IT, 4), (Quantity.WATER, 1), (Quantity.ZONE, 1), (Quantity.ZONE_IT, 4)],
)
def test_only_the_it_has_a_category_and_it_has_one(quantity: Quantity, category: int) -> None:
    with pytest.raises(Invalid, match="catégorie de PUE"):
        check_category(quantity, category)


@pytest.mark.parametrize("category", [0, 1, 2, 3])
def test_the_it_of_a_zone_may_have_a_category_or_none(category: int) -> None:
    check_category(Quantity.ZONE_IT, category)


@pytest.mark.parametrize("quantity", [Quantity.ZONE, Quantity.ZONE_IT])
def test_a_zone_has_a_name_of_its_own(quantity: Quantity) -> None:
    check_zone(quantity, "Salle A")
    check_zone(Quantity.TOTAL, "site")
    with pytest.raises(Invalid, match="nom de la zone"):
        check_zone(quantity, "site")


def a_room(name: str = "Salle A", kwh: int = 130, months: range = range(12)) -> list[Measure]:
    return each_month(kwh * MWH // 1000, Quantity.ZONE, months=months, meter=name)


def of_room(
    kwh: int, quantity: Quantity = Quantity.ZONE_IT, category: int = 0, **where: range
) -> list[Measure]:
    return each_month(kwh * MWH // 1000, quantity, category, meter="Salle A", **where)


def found_in(measures: list[Measure], name: str = "Salle A") -> dict[int, tuple[Fraction | None, int]]:
    """The value and the months of the pPUE of each category."""
    return {one.category: (one.value, one.months) for one in partial_pues(measures, name, MONTHS, PARIS)}


PPUE_CASES = {
    "its own IT energy": ([*a_room(), *of_room(100)], {0: (Fraction(13, 10), 12)}),
    "at the point of a category": ([*a_room(), *of_room(100, category=3)], {3: (Fraction(13, 10), 12)}),
    "the meter of the site of its name": (
        [*a_room(), *of_room(100, Quantity.IT, 2)],
        {2: (Fraction(13, 10), 12)},
    ),
    "its own before that of the site": (
        [*a_room(), *of_room(100), *of_room(50, Quantity.IT, 2)],
        {0: (Fraction(13, 10), 12)},
    ),
    "that of the site until its own begins": (
        [*a_room(), *of_room(65, Quantity.IT, 2), *of_room(100, category=2, months=range(6, 12))],
        {2: (Fraction(12 * 130, 6 * 65 + 6 * 100), 12)},
    ),
    "a meter of another name is not of it": (
        [*a_room(), *each_month(100 * MWH, Quantity.IT, 2, meter="TGBT")],
        {0: (None, 0)},
    ),
    "months that both tell": (
        [*a_room(months=range(9)), *of_room(100, months=range(4, 12))],
        {0: (Fraction(13, 10), 5)},
    ),
    "the zone unknown": (of_room(100), {0: (None, 0)}),
    "no IT to divide by": ([*a_room(), *of_room(0)], {0: (None, 0)}),
    "months of which the IT is above the zone are in none": (
        [*a_room(kwh=130, months=range(6)), *a_room(kwh=90, months=range(6, 12)), *of_room(100)],
        {0: (Fraction(13, 10), 6)},
    ),
}


@pytest.mark.parametrize(("measures", "expected"), PPUE_CASES.values(), ids=PPUE_CASES)
def test_the_pue_of_a_zone_is_its_energy_over_that_of_its_it(
    measures: list[Measure], expected: dict[int, tuple[Fraction | None, int]]
) -> None:
    assert found_in(measures) == expected


def test_a_partial_pue_under_twelve_months_is_interim_and_names_what_it_lacks() -> None:
    (found,) = partial_pues([*a_room(), *of_room(100, months=range(5))], "Salle A", MONTHS, PARIS)
    assert (found.is_interim, found.asked, found.missing) == (True, 12, ())
    assert found.standard == "ISO/IEC 30134-2, EN 50600-4-2"
    (found,) = partial_pues(a_room(), "Salle A", MONTHS, PARIS)
    assert found.missing == (Quantity.ZONE_IT,)


def test_a_quarter_of_a_zone_counts_with_the_three_months_of_its_it() -> None:
    quarters = [over(first, first + 2, 390 * MWH, Quantity.ZONE, meter="Salle A") for first in (0, 3, 9)]
    it = each_month(100 * MWH, Quantity.ZONE_IT, meter="Salle A")
    assert found_in([*quarters, *it]) == {0: (Fraction(13, 10), 9)}


def test_a_month_of_which_a_meter_of_the_zone_lacks_an_hour_is_unknown() -> None:
    room = a_room()
    room[3] = replace(room[3], ended_at=room[3].ended_at - HOUR)
    assert found_in([*room, *of_room(100)]) == {0: (Fraction(13, 10), 11)}
    told = zone_by_month([*room, *of_room(100)], "Salle A", MONTHS, PARIS)
    assert told[Quantity.ZONE, 0][MONTHS[3]] is None
    assert told[Quantity.ZONE_IT, 0][MONTHS[3]] == 100 * MWH // 1000


def test_each_zone_has_its_own_and_none_changes_what_the_site_says() -> None:
    site = [
        *each_month(150 * MWH, Quantity.TOTAL),
        *each_month(100 * MWH, Quantity.IT, 2),
        *each_month(180 * M3, Quantity.WATER),
    ]
    zones = [
        *a_room(),
        *of_room(100),
        *a_room("Salle 2", 120),
        *each_month(1, Quantity.ZONE_IT, 2, meter="B"),
    ]
    assert zone_names([*site, *zones]) == ["B", "Salle 2", "Salle A"]
    assert indicators([*site, *zones], MONTHS, PARIS) == indicators(site, MONTHS, PARIS)
    point = (Quantity.IT, 2)
    assert amounts_by_month([*site, *zones], point, MONTHS, PARIS) == amounts_by_month(
        site, point, MONTHS, PARIS
    )
    emitted = dict.fromkeys(MONTHS, 52_000)
    assert carbon_usage([*site, *zones], MONTHS, PARIS, emitted) == carbon_usage(site, MONTHS, PARIS, emitted)


def declared(**changes: object) -> DeclaredPue:
    told: dict[str, object] = {
        "valid_from": date(2026, 1, 1),
        "pue_ppm": 1_420_000,
        "category": 1,
        "window_from": date(2025, 1, 1),
        "window_to": date(2025, 12, 31),
        "is_provisional": False,
        "note": "",
    }
    return DeclaredPue(**{**told, **changes})  # type: ignore[arg-type]


def test_a_pue_found_over_less_than_a_year_is_provisional() -> None:
    assert not declared().provisional
    assert declared(window_to=date(2025, 12, 30)).provisional
    assert declared(is_provisional=True).provisional


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pue_ppm": 990_000}, "0.99"),
        ({"pue_ppm": 11_000_000}, "11"),
        ({"category": 0}, "1, 2 ou 3"),
        ({"window_to": date(2024, 1, 1)}, "fenêtre"),
    ],
)
def test_a_pue_that_no_data_centre_has_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        check_pue(declared(**changes))


def contract(first: int, last: int, percent: int, **changes: object) -> Contract:
    told: dict[str, object] = {
        "kind": ContractKind.GUARANTEE,
        "supplier": "Fournisseur",
        "valid_from": add_months(date(2026, 1, 1), first),
        "valid_to": add_months(date(2026, 1, 1), last),
        "share_ppm": percent * 10_000,
        "intensity_mg_per_kwh": None,
        "renewable_ppm": None,
        "evidence": "GO 2026-118",
    }
    return Contract(**{**told, **changes})  # type: ignore[arg-type]


def test_the_contracts_of_a_day_buy_at_most_all_that_the_site_draws() -> None:
    others = [contract(0, 6, 60), contract(6, 12, 100)]
    check_contract(contract(0, 6, 40), others)
    with pytest.raises(Conflict, match=r"2026-01-01.*101\.0 %"):
        check_contract(contract(0, 6, 41), others)
    with pytest.raises(Conflict, match="2026-07-01"):
        check_contract(contract(0, 12, 40), others)
    with pytest.raises(Conflict, match=r"120\.0 %"):
        check_contract(contract(0, 6, 60), [contract(0, 6, 60)])  # two contracts may say the same


def test_a_meter_that_stopped_before_the_months_is_not_waited_for() -> None:
    before = month_bounds(add_months(MONTHS[0], -1), PARIS)
    gone = Measure(*before, Quantity.IT, 2, "ancien", 1, Quality.MEASURED)
    measures = [gone, *each_month(150 * MWH, Quantity.TOTAL), *each_month(100 * MWH, Quantity.IT, 2)]
    assert found_of(measures, Indicator.PUE).months == 12


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (contract(3, 3, 10), "last_day"),
        (contract(0, 3, 0), "share"),
        (contract(0, 3, 101), "share"),
        (contract(0, 3, 10, renewable_ppm=1_000_001), "renewable"),
        (contract(0, 3, 10, intensity_mg_per_kwh=5_000_001), "intensity"),
        (contract(0, 3, 10, evidence=" "), "evidence"),
    ],
)
def test_an_unsound_contract_is_refused_by_its_field(wrong: Contract, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_contract(wrong, [])
    assert refusal.value.field == field


def test_the_carbon_of_a_site_is_over_its_it_energy_at_what_each_month_emits() -> None:
    told = each_month(150 * MWH, Quantity.TOTAL) + each_month(100 * MWH, Quantity.IT, 2)
    emitted = {month: 50_000 if month.year == 2025 else 60_000 for month in MONTHS}
    found = carbon_usage(told, MONTHS, PARIS, emitted)
    assert (found.category, found.months) == (2, 12)
    assert found.value == Fraction(2 * 150 * 50 + 10 * 150 * 60, 12 * 100 * 1000)  # kg/kWh


def test_a_month_without_a_factor_or_with_more_it_than_the_site_is_in_no_carbon_usage() -> None:
    told = each_month(150 * MWH, Quantity.TOTAL) + each_month(100 * MWH, Quantity.IT, 2, range(11))
    told.append(over(11, 11, 151 * MWH, Quantity.IT, 2))
    emitted = dict.fromkeys(MONTHS[1:], 52_000)
    found = carbon_usage(told, MONTHS, PARIS, emitted)
    assert (found.value, found.months, found.is_interim) == (Fraction(78, 1000), 10, True)


def test_a_quarter_that_two_factors_meet_in_is_in_no_carbon_usage() -> None:
    told = [over(0, 2, 300 * MWH, Quantity.TOTAL), *each_month(100 * MWH, Quantity.IT, 2)]
    emitted = {month: 50_000 if month.year == 2025 else 60_000 for month in MONTHS}
    assert carbon_usage(told, MONTHS, PARIS, emitted).value is None
