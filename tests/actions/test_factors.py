"""The registry of factors: nothing is overwritten, files are taken once, open months are priced again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace as with_changes
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.factors import add, confirm, look_at, make_prices_due, replace, store_file
from console.actions.reckoning_due import Step, steps_due
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.factor_registry import Stated, Verdict
from console.domain.factor_tables import FactorMapping
from console.domain.factors import Basis, Perimeter
from console.store.models import audit as a
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests.carbon_past import NOW, hours_of, reckon_all
from tests.given import a_subscription, an_adherent

pytestmark = pytest.mark.both_databases

FILE = Path(__file__).parents[1] / "data" / "base_carbone" / "base_carbone_v22_cut.csv"
TODAY = NOW.date()
KWH = 3_600_000_000
START = datetime(2026, 3, 1, tzinfo=UTC)
SHIPPED = "ademe-fra-2022-consumption"
SHIPPED_2021 = "ademe-fra-2021-consumption"
FIGURES = ("intensity", "low", "high", "combustion", "upstream", "losses")
STATED = Stated(
    publisher="ADEME",
    title="Base Carbone, mix moyen 2022",
    vintage=2022,
    perimeter=Perimeter.CONSUMPTION_LIFE_CYCLE,
    geography="FRA",
    intensity_mg_per_kwh=53_000,
    licence="Licence Ouverte 2.0",
    source="page 12",
    confirmed=True,
)


@contextmanager
def a_priced_month(database: Database) -> Iterator[Session]:
    """A kWh of an adherent in March 2026, at the shipped 52 g."""
    with database.write(Operator(), by="ops") as session:
        an_adherent(session, 7, "CH de Foix")
        a_subscription(session, 7)
        session.add(
            c.WorkloadClaim(
                tenant_id=7, subscription=1, host_id=m.stable_id("srv-01"), host_name="srv-01",
                workload_id=m.stable_id("payroll"), workload_name="payroll",
                valid_from=START - timedelta(days=90), claimed_by="test", claimed_at=START,
            )
        )  # fmt: skip
        session.flush()
        hours_of(session, "srv-01", START, 1, {"payroll": KWH})
        reckon_all(session)
        yield session


def yearly(session: Session) -> list[tuple[int, int | None, str | None]]:
    """The lines of the adherent by revision, with their carbon and factor."""
    line = b.CarbonLine
    found = session.execute(
        select(line.revision, line.carbon_ug, line.factor_id)
        .where(line.tenant_id == 7, line.basis == Basis.YEARLY_AVERAGE)
        .order_by(line.revision)
    )
    return [tuple(row) for row in found]


def due(session: Session) -> set[tuple[str, date]]:
    return set(steps_due(session, Step.PRICES, now=NOW))


def test_a_correction_is_another_factor_and_open_months_are_priced_with_it(database: Database) -> None:
    with a_priced_month(database) as session:
        assert yearly(session) == [(0, 52_000_000, SHIPPED)]
        new = replace(session, SHIPPED, STATED, now=NOW, today=TODAY, by="ops")
        assert ("7", date(2026, 3, 1)) in due(session)
        reckon_all(session)
        assert yearly(session) == [(0, 53_000_000, new)]
        old, row = (session.get_one(b.EmissionFactor, one) for one in (SHIPPED, new))
        assert (old.intensity_mg_per_kwh, old.confirmed) == (52_000, False)
        assert (row.replaces, row.known_since, row.recorded_by) == (SHIPPED, TODAY, "ops")
        with pytest.raises(Conflict):
            replace(session, SHIPPED, STATED, now=NOW, today=TODAY, by="ops")


def test_a_closed_month_keeps_its_factor_whatever_is_known_later(database: Database) -> None:
    with a_priced_month(database) as session:
        line = session.scalars(select(b.CarbonLine).where(b.CarbonLine.tenant_id == 7)).one()
        values = {name.key: getattr(line, name.key) for name in line.__mapper__.column_attrs}
        session.add(b.CarbonLine(**values | {"revision": 1}))
        session.flush()
        new = replace(session, SHIPPED, STATED, now=NOW, today=TODAY, by="ops")
        reckon_all(session)
        assert yearly(session) == [(0, 53_000_000, new), (1, 52_000_000, SHIPPED)]


def test_the_factor_of_its_own_year_makes_a_month_final(database: Database) -> None:
    with a_priced_month(database) as session:
        line = select(b.CarbonLine.provisional).where(b.CarbonLine.tenant_id == 7)
        assert session.scalars(line).all() == [True]
        add(session, with_changes(STATED, vintage=2026), now=NOW, today=TODAY, by="ops")
        reckon_all(session)
        assert session.scalars(line).all() == [False]


@pytest.mark.parametrize(
    "changes",
    [
        {"perimeter": Perimeter.PRODUCTION_DIRECT},
        {"geography": "MYT"},
        {"vintage": 2020},
        {"vintage": 2027},
        {"publisher": "Autre", "confirmed": False, "vintage": 2020},
    ],
)
def test_a_factor_that_changes_no_choice_of_an_open_month_marks_none(
    database: Database, changes: dict[str, object]
) -> None:
    with a_priced_month(database) as session:
        add(session, with_changes(STATED, **changes), now=NOW, today=TODAY, by="ops")  # type: ignore[arg-type]
        assert due(session) == set()


def test_months_around_a_year_are_marked_once_and_those_of_other_years_are_not(database: Database) -> None:
    with a_priced_month(database) as session:
        for _ in range(2):
            make_prices_due(session, "FRA", [2026], now=NOW)
        marked = session.scalar(select(func.count()).select_from(b.ReckoningDue))
        make_prices_due(session, "FRA", [2030], now=NOW)
        make_prices_due(session, "MYT", [2026], now=NOW)
        make_prices_due(session, "FRA", [], now=NOW)
        assert session.scalar(select(func.count()).select_from(b.ReckoningDue)) == marked
        assert ("7", date(2026, 3, 1)) in due(session)


def test_what_stands_is_replaced_and_not_added_twice(database: Database) -> None:
    with database.write(Operator(), by="ops") as session:
        an_adherent(session, 7, "CH de Foix")
        with pytest.raises(Conflict):
            add(session, STATED, now=NOW, today=TODAY, by="ops")
        with pytest.raises(NotFound):
            replace(session, "nothing", STATED, now=NOW, today=TODAY, by="ops")


def test_a_confirmation_says_who_when_and_where_and_touches_no_value(database: Database) -> None:
    with database.write(Operator(), by="ops") as session:
        an_adherent(session, 7, "CH de Foix")
    with database.write(Operator(), by="ops") as session:
        for source, day in (("", TODAY), ("page 12", TODAY + timedelta(days=1))):
            with pytest.raises(Invalid):
                confirm(session, SHIPPED, source, day, now=NOW, by="ops")
        confirm(session, SHIPPED, "page 12", TODAY, now=NOW, by="ops")
    with database.write(Operator(), by="ops") as session:
        row = session.get_one(b.EmissionFactor, SHIPPED)
        assert (row.intensity_mg_per_kwh, row.confirmed, row.source) == (52_000, True, "page 12")
        assert (row.confirmed_by, row.confirmed_at, row.retrieved_on) == ("ops", NOW, TODAY)
        with pytest.raises(Conflict):
            confirm(session, SHIPPED, "page 12", TODAY, now=NOW, by="ops")
        logged = session.scalars(select(a.AuditEntry.subject)).all()
        assert any(SHIPPED in subject for subject in logged)


def test_the_base_carbone_is_looked_at_stored_and_stored_again_without_effect(database: Database) -> None:
    content = FILE.read_bytes()
    with database.write(Operator(), by="ops") as session:
        an_adherent(session, 7, "CH de Foix")
        count = session.scalar(select(func.count()).select_from(b.EmissionFactor)) or 0
        looked = look_at(session, content, "base.csv", None, today=TODAY)
        assert (looked.to_store, looked.counts()[Verdict.REPLACES]) == (1, 1)
        assert session.scalar(select(func.count()).select_from(b.EmissionFactor)) == count
        for _ in range(2):
            done = store_file(session, content, "base.csv", None, now=NOW, today=TODAY, by="ops")
        assert done.counts()[Verdict.UNCHANGED] == 1
        shipped, row = (session.get_one(b.EmissionFactor, one) for one in (SHIPPED_2021, f"{SHIPPED_2021}-2"))
        assert (row.intensity_mg_per_kwh, row.losses_mg_per_kwh, row.confirmed) == (56_900, 5_150, True)
        assert (row.replaces, shipped.confirmed) == (SHIPPED_2021, False)
        assert all(
            getattr(row, f"{name}_mg_per_kwh") == getattr(shipped, f"{name}_mg_per_kwh") for name in FIGURES
        )


def test_a_published_value_replaces_the_one_that_was_to_be_confirmed(database: Database) -> None:
    mapping = FactorMapping(
        {"vintage": "année", "value": "valeur"},
        {"publisher": "ADEME", "title": "Mix moyen", "perimeter": "consumption_life_cycle", "geography": "FR",
         "licence": "Licence Ouverte 2.0", "source": "page 12"},
        "kg/kWh",
        official=True,
    )  # fmt: skip
    content = "année;valeur\n2022;0,052\n2023;beaucoup\n".encode()
    with a_priced_month(database) as session:
        looked = store_file(session, content, "table.csv", mapping, now=NOW, today=TODAY, by="ops")
        assert [one.line for one in looked.refused()] == [3]
        (judged,) = looked.judged
        assert (judged.verdict, judged.before and judged.before.factor_id) == (Verdict.REPLACES, SHIPPED)
        reckon_all(session)
        assert yearly(session) == [(0, 52_000_000, f"{SHIPPED}-2")]


def test_a_table_of_no_known_layout_needs_a_mapping(database: Database) -> None:
    with database.read(Operator()) as session, pytest.raises(Invalid) as error:
        look_at(session, b"a;b\n1;2\n", "t.csv", None, today=TODAY)
    assert "colonne" in error.value.message
