"""Which factor holds: for a year of energy, and as it was known on a day; each country has its own."""

from datetime import date

import pytest

from console.domain.errors import Invalid, NotFound
from console.domain.factors import Factor, Perimeter, choose, standing

SPRING, SUMMER, AUTUMN = date(2025, 4, 1), date(2025, 8, 1), date(2025, 11, 1)


def a_factor(
    factor_id: str,
    vintage: int = 2023,
    *,
    known_since: date | None = SPRING,
    perimeter: Perimeter = Perimeter.CONSUMPTION_LIFE_CYCLE,
    geography: str = "FRA",
    replaces: str | None = None,
    confirmed: bool = True,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Factor:
    return Factor(
        factor_id=factor_id,
        publisher="ADEME",
        title=factor_id,
        vintage=vintage,
        perimeter=perimeter,
        geography=geography,
        intensity_mg_per_kwh=50_000,
        low_mg_per_kwh=None,
        high_mg_per_kwh=None,
        licence="-",
        source="-",
        retrieved_on=None,
        confirmed=confirmed,
        known_since=known_since,
        replaces=replaces,
        valid_from=valid_from,
        valid_to=valid_to,
    )


REGISTRY = (
    a_factor("2023", 2023, known_since=SPRING),
    a_factor("2023-again", 2023, known_since=AUTUMN, replaces="2023"),
    a_factor("2024", 2024, known_since=SUMMER),
)


@pytest.mark.parametrize(
    ("year", "known_on", "factor_id", "provisional"),
    [
        (2023, SPRING, "2023", False),
        (2024, SPRING, "2023", True),
        (2024, SUMMER, "2024", False),
        (2023, SUMMER, "2023", False),
        (2023, AUTUMN, "2023-again", False),
        (2025, AUTUMN, "2024", True),
        (2025, None, "2024", True),
        (2023, None, "2023-again", False),
    ],
)
def test_what_holds_for_a_year_depends_on_the_day_on_which_it_is_asked(
    year: int, known_on: date | None, factor_id: str, provisional: bool
) -> None:
    choice = choose(REGISTRY, "FR", year, known_on=known_on)
    assert (choice.factor.factor_id, choice.provisional) == (factor_id, provisional)


@pytest.mark.parametrize(
    ("year", "known_on", "said"),
    [(2022, None, "2023"), (2024, date(2025, 1, 1), "-")],
)
def test_a_year_before_all_and_a_day_on_which_nothing_was_known_have_none(
    year: int, known_on: date | None, said: str
) -> None:
    with pytest.raises(NotFound) as error:
        choose(REGISTRY, "FR", year, known_on=known_on)
    assert said in str(error.value.values["known"])


@pytest.mark.parametrize("country", ["FR", "fr", "FRA", "fra", " Fra "])
def test_a_country_is_one_however_its_code_is_written(country: str) -> None:
    assert choose(REGISTRY, country, 2024).factor.factor_id == "2024"


def test_mayotte_has_its_own_factor_or_an_error_that_names_what_is_known() -> None:
    with pytest.raises(NotFound) as error:
        choose(REGISTRY, "MYT", 2024)
    assert error.value.values["known"] == "FRA"
    own = a_factor("mayotte", 2023, geography="MYT")
    assert choose([*REGISTRY, own], "YT", 2024).factor is own


@pytest.mark.parametrize("place", ["XXX", "world", "EU", ""])
def test_what_is_no_country_is_refused(place: str) -> None:
    with pytest.raises(Invalid):
        choose(REGISTRY, place, 2024)


def test_each_perimeter_has_its_own_factors() -> None:
    residual = a_factor("residual", 2024, perimeter=Perimeter.RESIDUAL_MIX)
    registry = [*REGISTRY, residual]
    assert choose(registry, "FR", 2024).factor.factor_id == "2024"
    assert choose(registry, "FR", 2025, Perimeter.RESIDUAL_MIX).factor is residual
    with pytest.raises(NotFound):
        choose(REGISTRY, "FR", 2024, Perimeter.RESIDUAL_MIX)


def test_a_factor_holds_from_its_first_day_to_its_last_where_it_has_them() -> None:
    short = a_factor("short", 2024, valid_from=date(2024, 1, 1), valid_to=date(2026, 1, 1))
    late = a_factor("late", 2023, valid_from=date(2024, 1, 1))
    assert choose([short], "FR", 2025).factor is short
    with pytest.raises(NotFound):
        choose([short], "FR", 2026)
    with pytest.raises(NotFound):
        choose([late], "FR", 2023)


def test_of_one_year_what_was_read_at_its_source_comes_first() -> None:
    sure, unsure = a_factor("a", confirmed=True), a_factor("b", confirmed=False)
    assert choose([unsure, sure], "FR", 2023).factor is sure


def test_what_is_replaced_stands_on_the_days_before_its_correction_was_known() -> None:
    assert [one.factor_id for one in standing(REGISTRY, SUMMER)] == ["2023", "2024"]
    assert [one.factor_id for one in standing(REGISTRY, AUTUMN)] == ["2023-again", "2024"]
