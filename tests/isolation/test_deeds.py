"""The forms that the walk fills in are good ones: what is refused is refused for the rows it names."""

import pytest

from tests.isolation.filling import rows_of
from tests.isolation.routes import ROUTES, Kind
from tests.isolation.walk import accepted
from tests.isolation.world import Console, World


def test_the_operator_does_for_an_adherent_what_nobody_else_may(world: World, spent: Console) -> None:
    before = rows_of(spent.database, world.b)
    assert accepted(spent, world.a, world.b, ROUTES) == []
    assert rows_of(spent.database, world.b) == before


@pytest.mark.parametrize("kind", [Kind.OF_ADHERENT, Kind.ACROSS])
def test_there_are_routes_of_each_kind(kind: Kind) -> None:
    assert any(route.kind is kind for route in ROUTES.values())
