"""The registry of emission factors: read by who sees the catalogue, written by who manages carbon."""

from collections.abc import Callable

import pytest

from console.domain.access import Role
from tests.browser import Browser
from tests.web.test_sites import text_of

SignIn = Callable[..., Browser]


@pytest.mark.parametrize(
    ("asked", "shown", "hidden"),
    [
        ("", ["ADEME", "RTE", "Boavizta"], []),
        ("?perimeter=production_direct", ["RTE"], ["ADEME", "Boavizta"]),
        ("?confirmed=no", ["ADEME"], ["RTE"]),
        ("?geography=FRA&standing=yes&perimeter=consumption_life_cycle", ["ADEME"], ["RTE"]),
        ("?standing=no", ["Aucun facteur ne correspond"], ["ADEME,"]),
    ],
)
def test_the_list_is_narrowed_to_what_is_asked(
    sign_in_as: SignIn, asked: str, shown: list[str], hidden: list[str]
) -> None:
    page = text_of(sign_in_as(Role.AUDITOR).get(f"/carbon/factors{asked}").text)
    assert [said for said in shown if said not in page] == []
    assert [said for said in hidden if said in page] == []
