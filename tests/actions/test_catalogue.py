"""The first catalogue."""

from datetime import date

import pytest
from sqlalchemy import func, select

from console.actions.catalogue import seed_catalogue
from console.domain.claims import OPERATOR_TENANT
from console.domain.factors import choose
from console.store.models import catalogue as c
from console.store.queries.factors import factors
from console.store.queries.plans import offers, plan_of
from console.store.session import Database, Operator

TODAY = date(2026, 11, 25)


@pytest.fixture
def seeded(database: Database) -> Database:
    with database.write(Operator()) as session:
        seed_catalogue(session, TODAY)
    return database


def test_seeding_again_changes_nothing_even_what_was_edited(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        session.get_one(c.Service, "payroll").name_fr = "Paie"
    with seeded.write(Operator()) as session:
        seed_catalogue(session, date(2027, 1, 1))
    with seeded.read(Operator()) as session:
        assert session.get_one(c.Service, "payroll").name_fr == "Paie"
        assert session.get_one(c.Adherent, OPERATOR_TENANT).since == TODAY
        assert session.scalar(select(func.count()).select_from(c.Service)) == 15


@pytest.mark.both_databases
def test_the_next_adherent_is_numbered_after_the_operator(database: Database) -> None:
    with database.write(Operator()) as session:
        seed_catalogue(session, TODAY)
        seed_catalogue(session, TODAY)
        adherent = c.Adherent(name="CH", kind=c.AdherentKind.HOSPITAL, zone="Europe/Paris", since=TODAY)
        session.add(adherent)
        session.flush()
        assert adherent.tenant_id == OPERATOR_TENANT + 1


def test_every_trade_has_services_and_every_service_a_plan_that_can_be_read(seeded: Database) -> None:
    with seeded.read(Operator()) as session:
        assert {offer.trade for offer in offers(session)} == set(c.Trade)
        for service in session.scalars(select(c.Service)):
            assert set(plan_of(session, service.plan_code, 1).targets) == {"P1", "P2", "P3", "P4", "P5"}


def test_working_hours_close_on_french_holidays_and_24x7_never(seeded: Database) -> None:
    with seeded.read(Operator()) as session:
        office, always = plan_of(session, "standard", 1).calendar, plan_of(session, "critical", 1).calendar
    assert date(2026, 7, 14) in office.holidays
    assert date(2027, 5, 17) in office.holidays
    assert date(2026, 7, 15) not in office.holidays
    assert always.always


def test_statements_take_the_consumption_mix_of_the_ademe(seeded: Database) -> None:
    with seeded.read(Operator()) as session:
        choice = choose(factors(session), "FRA", 2026)
    assert (choice.factor.publisher, choice.factor.intensity_mg_per_kwh) == ("ADEME", 52_000)
    assert choice.provisional
    assert not choice.factor.confirmed  # its sheet could not be read


def test_a_confirmed_factor_says_where_and_when_it_was_read(seeded: Database) -> None:
    with seeded.read(Operator()) as session:
        registry = factors(session)
    assert len(registry) == 7
    for factor in registry:
        assert factor.source
        assert factor.confirmed == (factor.retrieved_on is not None)
