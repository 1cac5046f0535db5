"""Facts of an adherent: agencies, zones, departments, and the days of its stay."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from console.domain.adherents import ZONES, agency, check_stay, department, has_left, zone
from console.domain.directory import zone_of
from console.domain.errors import Invalid
from console.web.adherent_words import ZONES as ZONE_NAMES

MARCH = date(2026, 3, 1)


def test_every_zone_is_one_and_has_a_name() -> None:
    assert [ZoneInfo(name).key for name in ZONES] == list(ZONES)
    assert set(ZONE_NAMES) == set(ZONES)


@pytest.mark.parametrize("code", ["31", "2A", "9A", "9B", "9C", "9D", "9E", "9F"])
def test_the_zone_of_a_department_can_be_chosen(code: str) -> None:
    assert zone(zone_of(code).key) == zone_of(code).key


@pytest.mark.parametrize("name", ["Europe/Berlin", "", "paris"])
def test_another_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="fuseau"):
        zone(name)


def test_an_agency_is_one_of_the_five_or_unknown() -> None:
    assert agency("Reims") == "Reims"
    assert agency("") is None
    with pytest.raises(Invalid, match="Toulouse, Amiens, Bordeaux, Reims, Paris"):
        agency("Lyon")


@pytest.mark.parametrize("code", ["01", "19", "2a", "2B", "31", "95", "9D", "974", "988"])
def test_a_department_of_the_mainland_corsica_or_overseas(code: str) -> None:
    assert department(code) == code.upper()


@pytest.mark.parametrize("code", ["1", "20", "2C", "96", "970", "979", "00"])
def test_no_department_is_refused(code: str) -> None:
    with pytest.raises(Invalid, match="exemple"):
        department(code)


def test_an_adherent_is_there_on_its_last_day() -> None:
    check_stay(MARCH, MARCH)
    check_stay(MARCH, None)
    assert not has_left(MARCH, MARCH)
    assert has_left(MARCH, date(2026, 3, 2))
    with pytest.raises(Invalid, match="2026-03-01"):
        check_stay(MARCH, date(2026, 2, 28))
