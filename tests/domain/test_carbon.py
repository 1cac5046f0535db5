"""Carbon from energy, and the factor that holds."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.carbon import MJ_PER_KWH, by_factor, carbon_ug, carbon_within
from console.domain.errors import Invalid, NotFound
from console.domain.factors import Choice, Factor, Perimeter, choose


@pytest.mark.parametrize(
    ("energy_mj", "intensity_mg_per_kwh", "expected_ug"),
    [
        (MJ_PER_KWH, 56_000, 56_000_000),  # 1 kWh at 56 g is 56 g
        (3_600_000, 52_000, 52_000),  # 1 Wh at 52 g/kWh is 52 mg
        (0, 52_000, 0),
        (1, 52_000, 0),
        (1_800_000, 1, 0),  # half a microgram goes to the even side
        (5_400_000, 1, 2),
    ],
)
def test_energy_times_intensity(energy_mj: int, intensity_mg_per_kwh: int, expected_ug: int) -> None:
    assert carbon_ug([(energy_mj, intensity_mg_per_kwh)]) == expected_ug


parts = st.lists(st.tuples(st.integers(0, 10**13), st.integers(0, 10**6)), max_size=30)


@given(parts)
def test_the_sum_is_rounded_once(parts: list[tuple[int, int]]) -> None:
    exact = sum((Fraction(e * i * 1000, MJ_PER_KWH) for e, i in parts), Fraction(0))
    assert abs(carbon_ug(parts) - exact) <= Fraction(1, 2)


@given(parts, st.randoms())
def test_the_order_of_the_hours_does_not_matter(parts, random) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert carbon_ug(shuffled) == carbon_ug(parts)


def factor(
    vintage: int,
    perimeter: Perimeter = Perimeter.CONSUMPTION_LIFE_CYCLE,
    geography: str = "FRA",
    confirmed: bool = True,
) -> Factor:
    name = f"{geography}-{vintage}-{perimeter}-{confirmed}"
    return Factor(
        name, "P", "T", vintage, perimeter, geography, 52_000, None, None, "L", "S", None, confirmed
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 60_000, (0, 120_000_000)),  # a bound of 0 is a bound
        (None, None, (52_000_000, 104_000_000)),
    ],
)
def test_bounds_are_of_the_energy_and_of_the_factor_where_its_publisher_states_them(
    low: int | None, high: int | None, expected: tuple[int, int]
) -> None:
    bounded = replace(factor(2024), low_mg_per_kwh=low, high_mg_per_kwh=high)
    priced = by_factor(MJ_PER_KWH, Choice(bounded, False), (MJ_PER_KWH, 2 * MJ_PER_KWH))
    assert (priced.low_ug, priced.high_ug) == expected
    assert by_factor(MJ_PER_KWH, Choice(bounded, False), (None, None)).low_ug is None


def test_the_factor_of_the_year_is_final() -> None:
    choice = choose([factor(2023), factor(2024)], "FRA", 2024)
    assert (choice.factor.vintage, choice.provisional) == (2024, False)


def test_until_it_appears_the_last_one_before_it_is_provisional() -> None:
    choice = choose([factor(2022), factor(2024), factor(2027)], "FRA", 2026)
    assert (choice.factor.vintage, choice.provisional) == (2024, True)


def test_a_confirmed_value_goes_before_one_to_confirm_of_the_same_vintage() -> None:
    assert choose([factor(2024, confirmed=False), factor(2024)], "FRA", 2024).factor.confirmed


def test_a_factor_of_another_perimeter_or_country_is_never_taken() -> None:
    others = [factor(2024, Perimeter.PRODUCTION_DIRECT), factor(2024, geography="MTQ"), factor(2020)]
    assert choose(others, "FRA", 2024).factor.vintage == 2020


@pytest.mark.parametrize("code", ["FR", "fra", "FRA"])
def test_fr_fra_and_fra_in_capitals_are_one_country_with_one_factor(code: str) -> None:
    assert choose([factor(2024)], code, 2024).factor.geography == "FRA"


@pytest.mark.parametrize("code", ["MYT", "yt", "MCO"])
def test_mayotte_and_monaco_have_their_own_factor_or_a_clear_error(code: str) -> None:
    own = "MYT" if code != "MCO" else "MCO"
    assert choose([factor(2024), factor(2024, geography=own)], code, 2024).factor.geography == own
    with pytest.raises(NotFound, match=f"{code}.*2024.*FRA"):
        choose([factor(2024)], code, 2024)


def test_a_code_of_no_country_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(Invalid, match="XXX.*ISO 3166-1.*FR"):
        choose([factor(2024)], "XXX", 2024)


def test_an_unknown_country_is_an_error_that_names_what_is_known() -> None:
    with pytest.raises(NotFound, match="MCO.*2026"):
        choose([factor(2024)], "MCO", 2026)
    with pytest.raises(NotFound, match="2024"):
        choose([factor(2024)], "FRA", 2019)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**12), min_size=1, max_size=31))
def test_days_that_follow_each_other_add_up_to_their_month(month_ug: int, days: list[int]) -> None:
    month_mj = sum(days)
    shares = [
        carbon_within(month_ug, month_mj, sum(days[:number]), day_mj) for number, day_mj in enumerate(days)
    ]
    assert sum(shares) == (month_ug if month_mj else 0)
    assert min(shares) >= 0
