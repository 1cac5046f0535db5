"""Meters of a site: what is new, what corrects, and what cannot be."""

import re
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.facility import Quantity
from console.domain.hours import HOUR
from console.domain.site_indicators import by_line
from console.domain.site_judging import Told, Verdict, judge
from console.domain.site_measures import Measure, Quality, amount_over, shown

START = datetime(2026, 1, 1, tzinfo=UTC)
WHOLE, ZONE, ZONE_IT, IT = Quantity.TOTAL, Quantity.ZONE, Quantity.ZONE_IT, Quantity.IT
KWH = 3_600_000_000


def measure(
    first: int,
    last: int,
    kwh: int,
    quantity: Quantity = Quantity.TOTAL,
    meter: str = "site",
    category: int | None = None,
) -> Measure:
    """So many kWh from one hour to another."""
    point = (2 if quantity is Quantity.IT else 0) if category is None else category
    period = (START + first * HOUR, START + last * HOUR)
    return Measure(*period, quantity, point, meter, kwh * KWH, Quality.MEASURED)


def told(*measures: Measure) -> list[Told]:
    return [Told(line, one) for line, one in enumerate(measures, start=2)]


def verdicts(measures: list[Told], *known: Measure) -> list[Verdict]:
    return [one.verdict for one in judge(measures, known)]


NEW, CHANGED, UNCHANGED, REFUSED = Verdict


def test_what_is_stored_already_changes_nothing_and_another_amount_of_the_period_corrects_it() -> None:
    known = [measure(0, 1, 10), measure(1, 2, 11)]
    assert verdicts(told(measure(0, 1, 10), measure(1, 2, 12), measure(2, 3, 9)), *known) == [
        UNCHANGED,
        CHANGED,
        NEW,
    ]


def test_rows_that_overlap_are_refused_with_the_row_and_both_values() -> None:
    judged = judge(told(measure(0, 24, 240), measure(23, 25, 20), measure(24, 25, 7)), [])
    assert [one.verdict for one in judged] == [NEW, REFUSED, NEW]
    assert str(judged[1].refusal) == (
        "Le compteur site dit 20 kWh ici, mais la ligne 2 dit 240 kWh du 2026-01-01 00:00Z au "
        "2026-01-02 00:00Z : ces périodes se recouvrent."
    )
    stored = judge(told(measure(23, 25, 20)), [measure(0, 24, 240)])
    assert "240 kWh est enregistré du 2026-01-01 00:00Z" in str(stored[0].refusal)


def test_two_rows_of_one_period_with_two_values_are_refused_with_both() -> None:
    judged = judge(told(measure(0, 1, 10), measure(0, 1, 11), measure(0, 1, 10)), [])
    assert [one.verdict for one in judged] == [NEW, REFUSED, UNCHANGED]
    assert "11 kWh ici, mais la ligne 2 dit 10 kWh" in str(judged[1].refusal)


def test_two_meters_of_one_quantity_do_not_overlap_each_other() -> None:
    assert verdicts(told(measure(0, 1, 10, meter="A"), measure(0, 1, 11, meter="B"))) == [NEW, NEW]


def test_more_energy_of_the_it_than_of_the_site_is_refused_with_both_values() -> None:
    judged = judge(told(measure(0, 24, 99), measure(0, 24, 100, Quantity.IT), measure(24, 48, 9)), [])
    assert [one.verdict for one in judged] == [REFUSED, REFUSED, NEW]
    assert str(judged[0].refusal) == (
        "L'énergie totale (99 kWh) serait sous celle de l'IT, catégorie 2 (100 kWh) : l'une des deux est "
        "fausse."
    )
    stored = judge(told(measure(0, 24, 100, Quantity.IT)), [measure(0, 24, 99)])
    assert [one.verdict for one in stored] == [REFUSED]


def test_as_much_energy_of_the_it_as_of_the_site_is_a_pue_of_1_and_taken() -> None:
    assert verdicts(told(measure(0, 24, 100), measure(0, 24, 100, Quantity.IT))) == [NEW, NEW]


def test_hours_of_the_it_are_held_against_the_day_of_the_site() -> None:
    hours = [measure(hour, hour + 1, 5, Quantity.IT) for hour in range(24)]
    assert verdicts(told(measure(0, 24, 119), *hours)) == [REFUSED] * 25
    assert verdicts(told(measure(0, 24, 121), *hours)) == [NEW] * 25
    assert verdicts(told(measure(0, 24, 1), *hours[:-1])) == [NEW] * 24  # an hour is unknown: so is the sum


def test_what_comes_after_a_wider_measure_of_the_other_energy_is_held_against_it() -> None:
    month = measure(0, 30 * 24, 100_000, Quantity.IT)
    days = [measure(day * 24, day * 24 + 24, 1_000) for day in range(30)]
    assert verdicts(told(*days), month) == [REFUSED] * 30
    assert verdicts(told(days[-1]), month, *days[:-1]) == [REFUSED]
    quarter, months = measure(0, 90, 100), [measure(at, at + 30, 40, Quantity.IT) for at in (0, 30, 60)]
    assert verdicts(told(*months[:2]), quarter) == [NEW, NEW]  # an hour is unknown: so is the sum
    assert verdicts(told(months[2]), quarter, *months[:2]) == [REFUSED]


def test_stretches_that_overlap_each_other_are_held_together_where_both_have_an_end() -> None:
    known = [measure(0, 10, 40), measure(10, 30, 50), measure(0, 20, 60, Quantity.IT)]
    assert verdicts(told(measure(20, 30, 31, Quantity.IT)), *known) == [REFUSED]
    assert verdicts(told(measure(20, 30, 30, Quantity.IT)), *known) == [NEW]


def test_what_was_wrong_before_refuses_nothing_elsewhere() -> None:
    known = [measure(0, 24, 1), measure(0, 24, 2, Quantity.IT)]
    assert verdicts(told(measure(24, 48, 2), measure(24, 48, 1, Quantity.IT)), *known) == [NEW, NEW]


def test_a_second_meter_of_the_site_that_has_not_told_yet_is_waited_for() -> None:
    known = [measure(0, 24, 60, meter="A"), measure(0, 24, 60, meter="B")]
    day = told(measure(24, 48, 60, meter="A"), measure(24, 48, 100, Quantity.IT))
    assert verdicts(day, *known) == [NEW, NEW]
    both = [*known, *(one.measure for one in day)]
    assert verdicts(told(measure(24, 48, 30, meter="B")), *both) == [REFUSED]
    assert verdicts(told(measure(24, 48, 60, meter="B")), *both) == [NEW]


periods = st.tuples(st.integers(0, 20), st.integers(1, 5), st.integers(0, 3), st.sampled_from("AB"))


@given(st.lists(periods, max_size=15), st.lists(periods, max_size=15))
def test_what_is_stored_never_overlaps_and_again_changes_nothing(first, second) -> None:
    known: list[Measure] = []
    for told_now in (first, second):
        rows = told(*(measure(at, at + long, kwh, meter=meter) for at, long, kwh, meter in told_now))
        judged = judge(rows, known)
        replaced = {one.before for one in judged if one.verdict is CHANGED}
        known = [one for one in known if one not in replaced]
        known += [one.told.measure for one in judged if one.to_store]
        hours = [
            (one.meter, one.started_at + hour * HOUR)
            for one in known
            for hour in range((one.ended_at - one.started_at) // HOUR)
        ]
        assert len(hours) == len(set(hours))
        assert not any(one.to_store for one in judge(told(*known), known))


ROOM = {"meter": "Salle A"}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (measure(0, 24, 99, ZONE, **ROOM), measure(0, 24, 100, ZONE_IT, **ROOM)),
        (measure(0, 24, 99, ZONE, **ROOM), measure(0, 24, 100, ZONE_IT, category=3, **ROOM)),
        (measure(0, 24, 99, ZONE, **ROOM), measure(0, 24, 100, IT, **ROOM)),
        (measure(0, 24, 99), measure(0, 24, 100, ZONE, **ROOM)),
    ],
)
def test_a_zone_below_its_it_or_above_its_site_is_refused_whichever_came_first(
    first: Measure, then: Measure
) -> None:
    for known, now in ((first, then), (then, first)):
        (judged,) = judge(told(now), [known])
        assert judged.verdict is REFUSED
        assert re.search(r"\(99 kWh\) serait sous celle .*\(100 kWh\)", str(judged.refusal))
        assert "zone Salle A" in str(judged.refusal)
    assert verdicts(told(first, then)) == [REFUSED, REFUSED]


def test_a_zone_may_take_as_much_as_its_it_and_as_its_site() -> None:
    assert verdicts(
        told(measure(0, 24, 9), measure(0, 24, 9, ZONE, **ROOM), measure(0, 24, 9, ZONE_IT, **ROOM))
    ) == [NEW, NEW, NEW]


def test_hours_of_the_it_of_a_zone_are_held_against_its_day_and_days_of_a_zone_against_a_month() -> None:
    hours = [measure(hour, hour + 1, 5, ZONE_IT, **ROOM) for hour in range(24)]
    assert verdicts(told(*hours), measure(0, 24, 119, ZONE, **ROOM)) == [REFUSED] * 24
    assert verdicts(told(*hours[:-1]), measure(0, 24, 1, ZONE, **ROOM)) == [NEW] * 23  # an hour is unknown
    days = [measure(day * 24, day * 24 + 24, 10, ZONE, **ROOM) for day in range(30)]
    assert verdicts(told(measure(0, 30 * 24, 299)), *days) == [REFUSED]
    assert verdicts(told(measure(0, 30 * 24, 300)), *days) == [NEW]


def test_zones_are_held_against_their_site_one_by_one_for_they_may_be_within_each_other() -> None:
    floor, room = measure(0, 24, 80, ZONE, meter="Étage 2"), measure(0, 24, 60, ZONE, meter="Salle 21")
    assert verdicts(told(measure(0, 24, 100), floor, room)) == [NEW, NEW, NEW]


def test_the_it_of_another_zone_or_another_meter_of_the_site_is_not_held_against_a_zone() -> None:
    others = [measure(0, 24, 90, ZONE_IT, meter="Salle B"), measure(0, 24, 90, IT, meter="TGBT")]
    assert verdicts(told(measure(0, 24, 50, ZONE, **ROOM)), *others) == [NEW]


def test_where_the_it_of_a_zone_is_told_the_meter_of_the_site_of_that_name_is_not_held_against_it() -> None:
    known = [measure(0, 24, 100, IT, **ROOM), measure(0, 24, 80, ZONE_IT, **ROOM)]
    assert verdicts(told(measure(0, 24, 90, ZONE, **ROOM)), *known) == [NEW]
    next_day = measure(24, 48, 100, IT, **ROOM)
    assert verdicts(told(measure(24, 48, 90, ZONE, **ROOM)), *known, next_day) == [REFUSED]


def test_a_refused_correction_leaves_what_it_would_have_corrected_to_be_held_against_the_rest() -> None:
    known = [measure(0, 24, 150), measure(0, 24, 100, ZONE, **ROOM)]
    assert verdicts(
        told(measure(0, 24, 200, ZONE, **ROOM), measure(0, 24, 120, ZONE_IT, **ROOM)), *known
    ) == [REFUSED, REFUSED]


spans = st.tuples(
    st.integers(0, 12), st.integers(1, 6), st.integers(0, 9), st.sampled_from([Quantity.TOTAL, Quantity.IT])
)


@given(st.lists(st.lists(spans, max_size=6), max_size=6))
def test_whatever_comes_in_any_order_no_period_has_more_energy_of_the_it_than_of_the_site(files) -> None:
    known: dict[tuple[Quantity, datetime], Measure] = {}
    for rows in files:
        measures = told(*(measure(at, at + long, kwh, quantity) for at, long, kwh, quantity in rows))
        for one in judge(measures, known.values()):
            if one.to_store:
                known[one.told.measure.quantity, one.told.measure.started_at] = one.told.measure
    lines = by_line(known.values())
    total = {line: of_it for line, of_it in lines.items() if line[0] is Quantity.TOTAL}
    it = {line: of_it for line, of_it in lines.items() if line[0] is Quantity.IT}
    for first, last in combinations(range(19), 2):
        period = (START + first * HOUR, START + last * HOUR)
        e_dc, e_it = amount_over(total, *period), amount_over(it, *period)
        assert e_dc is None or e_it is None or e_dc >= e_it


of_zones = st.tuples(
    st.integers(0, 8), st.integers(1, 4), st.integers(0, 9), st.sampled_from([WHOLE, ZONE, ZONE_IT, IT])
)


@given(st.lists(st.lists(of_zones, max_size=6), max_size=6))
def test_whatever_comes_in_any_order_no_zone_is_below_its_it_nor_above_its_site(files) -> None:
    known: dict[tuple[Quantity, datetime], Measure] = {}
    for rows in files:
        measures = told(
            *(measure(at, at + long, kwh, quantity, "Salle A") for at, long, kwh, quantity in rows)
        )
        for one in judge(measures, known.values()):
            if one.to_store:
                known[one.told.measure.quantity, one.told.measure.started_at] = one.told.measure
    lines = by_line(known.values())
    for first, last in combinations(range(13), 2):
        period = (START + first * HOUR, START + last * HOUR)

        site, zone, it = (
            amount_over({line: of for line, of in lines.items() if line[0] is quantity}, *period)
            for quantity in (WHOLE, ZONE, ZONE_IT)
        )
        assert site is None or zone is None or zone <= site
        assert zone is None or it is None or it <= zone


@pytest.mark.parametrize(
    ("quantity", "amount", "text"),
    [
        (Quantity.IT, 3_600_000_000, "1 kWh"),
        (Quantity.IT, 1_200_000_000, "0.333333 kWh"),
        (Quantity.TOTAL, 3_728_707_106_400, "1035.751974 kWh"),
        (Quantity.WATER, 1_500, "1.5 L"),
    ],
)
def test_an_amount_is_told_to_a_millionth_of_its_unit(quantity: Quantity, amount: int, text: str) -> None:
    assert shown(quantity, amount) == text
