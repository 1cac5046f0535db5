"""Zones of departments and sectors of legal statuses."""

import csv

import pytest

from console.domain.adherents import Sector
from console.domain.directory import sector_of, zone_of
from console.domain.errors import Invalid
from tests.given import SAE


@pytest.mark.parametrize(
    ("department", "zone"),
    [
        ("31", "Europe/Paris"),
        ("2A", "Europe/Paris"),
        ("95", "Europe/Paris"),
        ("9A", "America/Guadeloupe"),
        ("9B", "America/Martinique"),
        ("9C", "America/Cayenne"),
        ("9D", "Indian/Reunion"),
        ("9F", "Indian/Mayotte"),
        ("9J", "Pacific/Wallis"),
    ],
)
def test_each_department_has_its_zone(department: str, zone: str) -> None:
    assert zone_of(department).key == zone


def test_an_overseas_department_without_a_known_zone_is_not_guessed() -> None:
    with pytest.raises(Invalid, match="9A"):
        zone_of("9G")


def test_the_sector_is_that_which_the_survey_gives_to_each_of_its_sites() -> None:
    """The survey's own column says 1 (public), 3 (private, no profit) or 2 (private, profit)."""
    said = {"1": Sector.PUBLIC, "2": Sector.PRIVATE, "3": Sector.NON_PROFIT}
    with SAE.open(encoding="cp1252", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert len(rows) == 3975
    for row in rows:
        assert sector_of(row["stj"]) is said[row["stjr"]], row["fi"]


@pytest.mark.parametrize("status", [None, "", "35", "XX"])
def test_a_status_that_is_not_known_has_no_sector(status: str | None) -> None:
    assert sector_of(status) is None
