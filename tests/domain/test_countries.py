"""Countries by any of their codes, and nothing else."""

import pytest

from console.domain.countries import THREE_OF_TWO, alpha2, alpha3, grid_zone
from console.domain.errors import Invalid


@pytest.mark.parametrize("code", ["FR", "fr", "fra", "FRA", " Fra "])
def test_a_country_is_one_however_its_code_is_written(code: str) -> None:
    assert (alpha2(code), alpha3(code)) == ("FR", "FRA")


@pytest.mark.parametrize(("code", "two"), [("MYT", "YT"), ("MCO", "MC"), ("REU", "RE"), ("MTQ", "MQ")])
def test_what_france_holds_or_surrounds_is_a_country_of_its_own(code: str, two: str) -> None:
    assert alpha2(code) == two
    assert alpha2(code) != "FR"


@pytest.mark.parametrize("code", ["XXX", "", "EU", "world", "FX", "ZZZ", "QUU", "F R A"])
def test_what_is_no_country_is_refused_with_what_would_be_right(code: str) -> None:
    with pytest.raises(Invalid, match="ISO 3166-1 ; par exemple"):
        alpha3(code)


def test_the_standard_has_249_countries_each_with_two_codes() -> None:
    assert len(THREE_OF_TWO) == len(set(THREE_OF_TWO.values())) == 249


@pytest.mark.parametrize(
    ("zone", "known"), [("fra", "FR"), ("FR-cor", "FR-COR"), ("US-NY-NYIS", "US-NY-NYIS")]
)
def test_a_zone_is_a_country_or_a_part_of_one(zone: str, known: str) -> None:
    assert grid_zone(zone) == known


@pytest.mark.parametrize("zone", ["XXX-1", "FR-", "FR-a;b", "-FR"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(Invalid):
        grid_zone(zone)
