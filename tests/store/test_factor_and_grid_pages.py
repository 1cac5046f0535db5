"""Pages of factors and grids read the same of both databases; use is told within the reader's scope."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.actions import facility
from console.actions.factors import add, replace
from console.actions.grid import portions, take
from console.domain.errors import NotFound
from console.domain.facility import Basis as GridBasis
from console.domain.facility import Contract, ContractKind
from console.domain.factor_registry import Stated
from console.domain.factors import Basis, Perimeter
from console.store.queries.factors import Asked, factor_page, registry
from console.store.queries.grids import grid_page, grids
from console.store.session import Database, Operator, Tenants
from tests.actions.test_factors import NOW, SHIPPED, STATED, TODAY, a_priced_month
from tests.carbon_past import reckon_all
from tests.given import an_adherent
from tests.grids import START, a_known_february, half_hours

pytestmark = pytest.mark.both_databases

RESIDUAL = Stated(
    publisher="AIB",
    title="Mix résiduel",
    vintage=2025,
    perimeter=Perimeter.RESIDUAL_MIX,
    geography="FRA",
    intensity_mg_per_kwh=40_000,
    licence="-",
    source="rapport",
    confirmed=True,
)
CONTRACT = Contract(
    ContractKind.STANDARD, "Fournisseur", date(2026, 1, 1), date(2027, 1, 1), 250_000, 8_000, None, ""
)


def test_where_a_factor_is_used_is_told_by_basis_within_the_scope(database: Database) -> None:
    with a_priced_month(database) as session:
        an_adherent(session, 8, "CH de Pau")
        facility.add_contract(session, "tls", CONTRACT, now=NOW, by="test")
        residual = add(session, RESIDUAL, now=NOW, today=TODAY, by="ops")
        reckon_all(session)
    scopes = ((Operator(), 1, 2), (Tenants(frozenset({7})), 1, 1), (Tenants(frozenset({8})), 0, 0))
    for scope, adherents, lines in scopes:  # the operator keeps what was idle
        with database.read(scope) as session:
            yearly = factor_page(session, SHIPPED, TODAY).used
            market = factor_page(session, residual, TODAY).used
        assert [(one.month, one.basis, one.adherents, one.lines) for one in yearly] == [
            (date(2026, 3, 1), Basis.YEARLY_AVERAGE, 1, lines)
        ][:adherents]
        assert [(one.basis, one.adherents) for one in market] == [(Basis.MARKET_BASED, 1)][:adherents]
    with database.read(Operator()) as session, pytest.raises(NotFound):
        factor_page(session, "rien", TODAY)


def test_a_factor_tells_what_it_replaced_what_replaced_it_and_what_holds_each_year(
    database: Database,
) -> None:
    with database.write(Operator(), by="ops") as session:
        an_adherent(session, 7, "CH de Foix")
        new = replace(session, SHIPPED, STATED, now=NOW, today=TODAY, by="ops")
    with database.read(Operator()) as session:
        old_page, new_page = (factor_page(session, one, TODAY) for one in (SHIPPED, new))
        standing = [one for one in registry(session) if Asked(standing="yes").fits(one)]
    assert [one.factor.factor_id for one in old_page.after] == [new]
    assert new_page.before is not None
    assert new_page.before.factor.factor_id == SHIPPED
    held = {one.year: one.choice for one in old_page.years}
    assert {choice and choice.factor.factor_id for choice in held.values()} == {new}
    assert [year for year, choice in held.items() if choice and not choice.provisional] == [2022]
    assert SHIPPED not in {one.factor.factor_id for one in standing}
    with database.read(Operator()) as session:
        day_before = {one.factor.factor_id: one for one in registry(session, TODAY - timedelta(days=1))}
    assert day_before[SHIPPED].stands
    assert new not in day_before


def test_a_grid_tells_what_is_known_of_each_month_and_its_gaps(database: Database) -> None:
    with database.write(Operator()) as session:
        a_known_february(session)
    now = datetime(2026, 4, 1, tzinfo=UTC)
    with database.read(Operator()) as session:
        page = grid_page(session, "FR", now=now)
        with pytest.raises(NotFound):
            grid_page(session, "ZZ", now=now)
        (known,) = next(one for one in grids(session) if one.zone == "FR").known
    assert (known.basis, known.hours, known.publishers) == (GridBasis.DIRECT_PRODUCTION, 670, ["RTE"])
    assert [(one.month.month, one.hours, one.known, one.publishers) for one in page.months] == [
        (1, 744, 0, []),
        (2, 672, 670, ["RTE"]),
        (3, 743, 0, []),
        (4, 2, 0, []),  # that have passed in Paris
    ]
    gap = START + timedelta(days=2, hours=8)
    assert page.gaps[1] == (gap, gap + timedelta(hours=2))
    assert (page.month, len(page.days)) == (date(2026, 2, 1), 28)
    assert [one.day.day for one in page.days if one.mean_mg_per_kwh is None] == [3]


@pytest.mark.parametrize(("day", "count"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_of_a_grid_has_the_hours_of_its_clock(database: Database, day: date, count: int) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Paris")).astimezone(UTC)
    with database.write(Operator()) as session:
        for portion in portions(half_hours(count, start)):
            take(session, "FR", portion, now=NOW)
    with database.read(Operator()) as session:
        page = grid_page(session, "FR", now=NOW, day=day)
    assert [value for _hour, value in page.hours] == [30_000] * count
    assert len(page.figures) == 2 * count
