"""How much a service ran, what may be lost of it, and what goes back for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.availability import (
    Measured,
    Months,
    Work,
    measure,
    open_spans,
    period_bounds,
    period_days,
    weighted_ppm,
)
from console.domain.calendar import Calendar, Segment
from console.domain.contract import Amendment, Status, terms_over
from console.domain.credits import Credit, CreditStep, credit, month_price_cents
from console.domain.error_budget import bearable_s, budget
from console.domain.outages import Effect, Suffered
from console.domain.price import PricePer
from console.domain.spans import Span, intersection, length_s, union, without

PARIS = ZoneInfo("Europe/Paris")
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
MONDAY = datetime(2026, 6, 15, tzinfo=PARIS)
OFFICE = Calendar(
    PARIS, dict.fromkeys(range(5), (Segment.parse("08:00-12:00"), Segment.parse("14:00-18:00")))
)
HOURS = open_spans(OFFICE, MONDAY.astimezone(UTC), (MONDAY + 24 * HOUR).astimezone(UTC))


def o_clock(hours: float) -> datetime:
    return (MONDAY + hours * HOUR).astimezone(UTC)


def suffered(start: float, end: float | None, effect: Effect = Effect.OUTAGE) -> Suffered:
    return Suffered(o_clock(start), None if end is None else o_clock(end), effect)


def work(start: float, end: float, notice_h: float | None, effect: Effect = Effect.OUTAGE) -> Work:
    announced = None if notice_h is None else o_clock(start - notice_h)
    return Work(o_clock(start), o_clock(end), announced, effect)


def of_monday(*outages: Suffered, works: tuple[Work, ...] = (), degraded_percent: int = 0) -> Measured:
    return measure(HOURS, outages, works, notice_hours=72, degraded_percent=degraded_percent)


def test_of_an_outage_only_what_is_in_service_hours_counts() -> None:
    """From 07:00 to 09:00, then over lunch: an hour each."""
    assert of_monday(suffered(7, 9)) == Measured(8 * 3600, 3600, 0, 360_000)
    assert of_monday(suffered(11, 14)).outage_s == 3600
    assert of_monday(suffered(12, 14)).availability_ppm == 1_000_000


def test_one_that_lasts_is_counted_until_the_hours_end() -> None:
    assert of_monday(suffered(17, None)).outage_s == 3600


def test_a_full_outage_wins_over_a_degraded_one() -> None:
    both = (suffered(8, 12, Effect.DEGRADED), suffered(9, 10))
    measured = of_monday(*both, degraded_percent=50)
    assert (measured.outage_s, measured.degraded_s) == (3600, 3 * 3600)
    assert measured.lost_s == 3600 + 3 * 1800
    assert of_monday(*reversed(both), degraded_percent=50) == measured


def test_degraded_is_up_where_the_plan_says_nothing_else() -> None:
    assert of_monday(suffered(8, 12, Effect.DEGRADED)).availability_ppm == 1_000_000


@pytest.mark.parametrize(
    ("planned", "counted_h", "lost_h"),
    [
        pytest.param(work(9, 11, 72), 6, 1, id="announced in time"),
        pytest.param(work(9, 11, 71.9), 8, 3, id="announced too late"),
        pytest.param(work(9, 11, None), 8, 3, id="never announced"),
        pytest.param(work(9, 11, 100, Effect.NONE), 6, 1, id="announced without effect"),
        pytest.param(work(18, 20, 72), 8, 3, id="outside service hours"),
    ],
)
def test_announced_work_is_taken_out_of_both_terms(planned: Work, counted_h: int, lost_h: int) -> None:
    measured = of_monday(suffered(9, 12), works=(planned,))
    assert (measured.counted_s, measured.outage_s) == (counted_h * 3600, lost_h * 3600)
    assert measured.excused_s == (8 - counted_h) * 3600


def test_where_nothing_is_counted_nobody_knows() -> None:
    assert measure([], [suffered(8, 9)], [], notice_hours=0, degraded_percent=0).availability_ppm is None
    assert of_monday(works=(work(0, 24, 72),)).availability_ppm is None


def test_it_is_rounded_down_never_up_to_the_target() -> None:
    """99.8999999 % is below 99.9 %."""
    measured = Measured(counted_s=1_000_000_000, outage_s=1_000_001, lost=100_000_100)
    assert measured.availability_ppm == 998_999


@pytest.mark.parametrize(
    ("month", "hours"), [(date(2026, 3, 1), 743), (date(2026, 10, 1), 745), (date(2026, 12, 1), 744)]
)
def test_months_have_the_hours_of_their_zone(month: date, hours: int) -> None:
    start, end = period_bounds(*period_days(month, Months.MONTH), PARIS)
    assert (end - start) / HOUR == hours
    assert length_s(open_spans(Calendar.around_the_clock(PARIS), start, end)) == hours * 3600


def test_quarters_and_years_begin_in_their_first_month() -> None:
    november = date(2026, 11, 1)
    assert period_days(november, Months.QUARTER) == (date(2026, 10, 1), date(2027, 1, 1))
    assert period_days(november, Months.YEAR) == (date(2026, 1, 1), date(2027, 1, 1))


def test_open_spans_add_up_to_the_open_time() -> None:
    start, end = o_clock(-40.5), o_clock(300)
    assert length_s(open_spans(OFFICE, start, end)) == OFFICE.open_seconds(start, end)


def test_a_group_is_weighted_by_use() -> None:
    whole, part = Measured(counted_s=100), Measured(counted_s=100, outage_s=1, lost=100)
    assert weighted_ppm([(whole, 300), (part, 100)]) == 997_500
    assert weighted_ppm([(whole, 0)]) is None
    assert weighted_ppm([(Measured(), 300), (whole, 1)]) == 1_000_000
    assert weighted_ppm([]) is None


def test_a_group_is_rounded_once() -> None:
    """A third of the time lost by each of two: 666 666, and so together, however they are weighed."""
    third = Measured(counted_s=3, outage_s=1, lost=100)
    two_thirds = Measured(counted_s=3, outage_s=2, lost=200)
    assert weighted_ppm([(third, 1), (two_thirds, 1)]) == 500_000


def test_the_budget_is_of_the_time_elapsed_and_of_the_whole_period() -> None:
    """Of 300 h at 99.9 %, 18 min; a third of it elapsed, with 7 min lost."""
    left = budget(Measured(counted_s=100 * 3600, outage_s=420, lost=42_000), 300 * 3600, 999_000)
    assert (left.elapsed_s, left.whole_s, left.used_s, left.left_s) == (360, 1080, 420, 660)
    assert (left.elapsed_percent, left.used_percent) == (116, 38)
    assert budget(Measured(), 300 * 3600, 1_000_000).used_percent is None


def test_budgets_add_up_each_by_its_own_target() -> None:
    """A thousand hours at 99 % and as many at 99.9 %: 36 000 and 3 600 seconds."""
    at_99 = budget(Measured(3_600_000, 30_000, 0, 3_000_000), 3_600_000, 990_000)
    at_999 = budget(Measured(3_600_000, 3_000, 0, 300_000), 3_600_000, 999_000)
    both = at_99 + at_999
    assert (both.elapsed_s, both.used_s, both.target_ppm) == (39_600, 33_000, 994_500)
    assert not both.is_exceeded


def test_where_nothing_may_be_lost_any_loss_exceeds_it() -> None:
    assert budget(Measured(3_600, 1, 0, 100), 3_600, 1_000_000).is_exceeded
    assert not budget(Measured(3_600), 3_600, 1_000_000).is_exceeded


def test_the_burn_rate_is_of_the_part_elapsed() -> None:
    """Half of the period elapsed with all of its budget used: twice as fast as evenly."""
    assert budget(Measured(1_000, 2, 0, 200), 2_000, 999_000).burn_rate == 2
    assert budget(Measured(), 2_000, 999_000).burn_rate is None
    assert budget(Measured(1_000), 2_000, 1_000_000).burn_rate is None


STEPS = [CreditStep(999_000, 5), CreditStep(995_000, 10), CreditStep(990_000, 20)]


@pytest.mark.parametrize(
    ("ppm", "percent", "cents"),
    [(999_000, 0, 0), (998_999, 5, 6_173), (994_999, 10, 12_345), (989_999, 20, 24_690), (0, 20, 24_690)],
)
def test_the_lowest_step_that_holds_gives_its_part_of_the_price(ppm: int, percent: int, cents: int) -> None:
    """5 % of 1 234.50 euros is 61.725: a part of a cent goes to the adherent."""
    found = credit(STEPS, ppm, 123_450)
    assert found == (
        Credit(next(s for s in STEPS if s.percent == percent), 123_450, cents) if percent else None
    )


def test_what_nobody_knows_gives_no_amount() -> None:
    assert credit(STEPS, None, 100) is None
    assert credit(STEPS, 0, None) == Credit(STEPS[2], None, None)
    assert month_price_cents(250, PricePer.UNIT, 1_000) == 250_000
    assert month_price_cents(250, PricePer.UNIT, None) is None
    assert month_price_cents(250, PricePer.MONTH, 1_000) == 250
    assert month_price_cents(None, None, 1) is None


def test_terms_are_cut_where_they_change_and_where_they_end() -> None:
    amendments = [
        Amendment(1, date(2026, 1, 10), {"status": Status.ACTIVE}),
        Amendment(2, date(2026, 1, 20), {"volume": 3}),
        Amendment(3, date(2026, 1, 5), {"ends_on": date(2026, 1, 25)}),
    ]
    pieces = terms_over(amendments[:1], date(2026, 1, 1), date(2026, 2, 1))
    assert [(first.day, terms.status) for first, _, terms in pieces] == [(10, Status.ACTIVE)]
    cut = [
        (first.day, after.day, terms.status)
        for first, after, terms in terms_over(amendments, date(2026, 1, 10), date(2026, 2, 1))
    ]
    assert cut == [(10, 20, Status.ACTIVE), (20, 26, Status.ACTIVE), (26, 1, Status.ENDED)]


seconds = st.integers(0, 400).map(lambda count: o_clock(8) + count * SECOND)
spans = st.lists(st.tuples(seconds, seconds), max_size=8)
effects = st.sampled_from([Effect.DEGRADED, Effect.OUTAGE])
outages = st.lists(
    st.builds(
        lambda one, other, effect: Suffered(min(one, other), max(one, other), effect),
        seconds,
        seconds,
        effects,
    ),
    max_size=8,
)


def held(some: list[Span]) -> set[datetime]:
    return {start + n * SECOND for start, end in some for n in range(max((end - start) // SECOND, 0))}


@given(spans, spans)
def test_spans_are_shared_and_taken_out_second_by_second(some: list[Span], others: list[Span]) -> None:
    assert held(intersection(some, others)) == held(some) & held(others)
    assert held(without(some, others)) == held(some) - held(others)
    assert union(intersection(some, others)) == intersection(some, others)
    assert union(without(some, others)) == without(some, others)


@given(outages, st.permutations(range(8)))
def test_neither_order_nor_repetition_changes_what_is_lost(some: list[Suffered], order: list[int]) -> None:
    measured = of_monday(*some, degraded_percent=30)
    shuffled = [some[place] for place in order if place < len(some)]
    assert of_monday(*shuffled, *some, degraded_percent=30) == measured


@given(outages)
def test_what_is_lost_is_what_is_counted_second_by_second(some: list[Suffered]) -> None:
    measured = of_monday(*some)
    full = held([one.until(o_clock(24)) for one in some if one.effect is Effect.OUTAGE])
    partly = held([one.until(o_clock(24)) for one in some if one.effect is Effect.DEGRADED])
    assert measured.outage_s == len(full)
    assert measured.degraded_s == len(partly - full)


@given(outages)
def test_making_it_worse_never_makes_it_better(some: list[Suffered]) -> None:
    worse = [replace(one, effect=Effect.OUTAGE) for one in some]
    assert of_monday(*worse, degraded_percent=30).lost >= of_monday(*some, degraded_percent=30).lost


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 1_000_000), st.integers(0, 10**6))
def test_what_can_be_borne_keeps_the_target_and_a_second_more_does_not(
    counted_s: int, lost_s: int, target_ppm: int, left_s: int
) -> None:
    lost_s = min(lost_s, counted_s)
    measured = Measured(counted_s, lost_s, 0, lost_s * 100)
    bearable = bearable_s(measured, target_ppm, left_s)
    if bearable < 0 or counted_s + bearable == 0:
        return
    after = Measured(counted_s + bearable, 0, 0, (lost_s + bearable) * 100)
    assert after.availability_ppm is not None
    assert after.availability_ppm >= target_ppm
    if bearable < left_s:
        worse = Measured(counted_s + bearable + 1, 0, 0, (lost_s + bearable + 1) * 100)
        assert worse.availability_ppm is not None
        assert worse.availability_ppm < target_ppm


@given(st.integers(1, 2_678_400), st.integers(0, 5_000), st.integers(0, 10_000_000), st.integers(1, 100))
def test_no_rounding_takes_from_a_credit(
    counted_s: int, outage_s: int, price_cents: int, percent: int
) -> None:
    """It is given exactly where the true availability is below the step, and never less than its part."""
    outage_s = min(outage_s, counted_s)
    measured = Measured(counted_s=counted_s, outage_s=outage_s, lost=outage_s * 100)
    found = credit([CreditStep(999_000, percent)], measured.availability_ppm, price_cents)
    assert (found is not None) == (Fraction(counted_s - outage_s, counted_s) < Fraction(999, 1000))
    if found is not None and found.cents is not None:
        assert 0 <= found.cents - Fraction(price_cents * percent, 100) < 1
