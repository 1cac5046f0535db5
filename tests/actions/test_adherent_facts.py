"""What is said of an adherent: keys checked and unique, two people at one form, a departure."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from console.actions.adherents import AdherentKind, Facts, add_by_hand, change_facts
from console.actions.catalogue import seed_catalogue
from console.domain.access import Role
from console.domain.adherents import Sector
from console.domain.errors import Invalid
from console.domain.revisions import Stale
from console.store.models import catalogue as c
from console.store.models import people as p
from console.store.session import Database, Operator
from tests import given

pytestmark = pytest.mark.both_databases
FOIX, PAMIERS = 2, 3
UNIVERSITY = Facts(
    name="Université de Toulouse",
    kind=AdherentKind.UNIVERSITY,
    sector=Sector.PUBLIC,
    finess_ej=None,
    siren="193 113 842",
    agency="Toulouse",
    zone="Europe/Paris",
    convention="C-2026-18",
    since=date(2026, 1, 1),
    until=None,
)
CORSICAN = replace(UNIVERSITY, name="CH de Bastia", finess_ej="2b0000020", siren=None)


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        seed_catalogue(session, date(2026, 1, 1))  # the numbers go on after those that were chosen here
    return database


def adherent(database: Database, tenant_id: int) -> c.Adherent:
    with database.read(Operator()) as session:
        return session.get_one(c.Adherent, tenant_id)


def test_a_body_that_the_directory_does_not_hold_is_typed_in(two: Database) -> None:
    with two.write(Operator()) as session:
        account = given.an_account(session, "zoe", Role.ACCOUNT_MANAGER)
        number = add_by_hand(session, UNIVERSITY, entrust_to=account)
        assert session.scalars(select(p.Portfolio.tenant_id)).all() == [number]
    added = adherent(two, number)
    assert (added.siren, added.finess_ej, added.sector) == ("193113842", None, Sector.PUBLIC)
    assert (added.agency, added.convention, added.version) == ("Toulouse", "C-2026-18", 1)


def test_corsica_is_read_as_it_is_written(two: Database) -> None:
    with two.write(Operator()) as session:
        number = add_by_hand(session, CORSICAN)
    assert adherent(two, number).finess_ej == "2B0000020"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (replace(UNIVERSITY, siren=None), "siren"),
        (replace(UNIVERSITY, siren="193113843"), "siren"),
        (replace(UNIVERSITY, finess_ej="310000001"), "finess_ej"),
        (replace(UNIVERSITY, name=" "), "name"),
        (replace(UNIVERSITY, agency="Lyon"), "agency"),
        (replace(UNIVERSITY, zone="Europe/Berlin"), "zone"),
        (replace(UNIVERSITY, convention="x" * 201), "convention"),
        (replace(UNIVERSITY, until=date(2025, 12, 31)), "until"),
    ],
)
def test_what_cannot_be_is_refused_under_its_field(two: Database, facts: Facts, field: str) -> None:
    with pytest.raises(Invalid) as refusal, two.write(Operator()) as session:
        add_by_hand(session, facts)
    assert refusal.value.field == field


def test_a_key_is_of_one_adherent(two: Database) -> None:
    with two.write(Operator()) as session:
        add_by_hand(session, UNIVERSITY)
        add_by_hand(session, CORSICAN)
    for facts, field in (
        (UNIVERSITY, "siren"),
        (CORSICAN, "finess_ej"),
        (replace(CORSICAN, finess_ej=None, siren="193113842"), "siren"),
        (replace(CORSICAN, finess_ej="970400024", siren="193113842"), "siren"),
    ):
        with pytest.raises(Invalid, match="autre adhérent") as refusal, two.write(Operator()) as session:
            change_facts(session, FOIX, facts, seen_version=1)
        assert refusal.value.field == field


def test_a_name_is_sought_as_it_is_now(two: Database) -> None:
    with two.write(Operator()) as session:
        number = add_by_hand(session, UNIVERSITY)
        assert session.get_one(c.Adherent, number).folded_name == "UNIVERSITE DE TOULOUSE"
        change_facts(session, number, replace(UNIVERSITY, name="École d'Épernay"), seen_version=1)
    assert adherent(two, number).folded_name == "ECOLE D EPERNAY"


def test_two_entities_that_their_finess_tells_apart_share_a_siren(two: Database) -> None:
    with two.write(Operator()) as session:
        add_by_hand(session, replace(CORSICAN, siren="262020779"))
        add_by_hand(session, replace(CORSICAN, finess_ej="2B0004246", siren="262020779"))
    with two.read(Operator()) as session:
        assert len(session.scalars(select(c.Adherent).where(c.Adherent.siren == "262020779")).all()) == 2


def test_the_second_of_two_people_at_one_form_is_told(two: Database) -> None:
    with two.write(Operator()) as session:
        change_facts(session, FOIX, UNIVERSITY, seen_version=1)
    for seen_version in (1, None):
        with pytest.raises(Stale), two.write(Operator()) as session:
            change_facts(session, FOIX, CORSICAN, seen_version=seen_version)
    assert (adherent(two, FOIX).name, adherent(two, FOIX).version) == ("Université de Toulouse", 2)


def test_an_adherent_leaves_once_its_subscriptions_have_an_end(two: Database) -> None:
    leaving = replace(UNIVERSITY, until=date(2026, 12, 31))
    with pytest.raises(Invalid, match="souscriptions") as refusal, two.write(Operator()) as session:
        change_facts(session, FOIX, leaving, seen_version=1)
    assert refusal.value.field == "until"
    with two.write(Operator()) as session:
        number = add_by_hand(session, CORSICAN)
        change_facts(session, number, leaving, seen_version=1)
    assert adherent(two, number).until == date(2026, 12, 31)


def test_the_operator_stays_what_it_is_and_nobody_becomes_it(two: Database) -> None:
    for tenant_id, kind in ((1, AdherentKind.HOSPITAL), (FOIX, AdherentKind.OPERATOR)):
        with pytest.raises(Invalid) as refusal, two.write(Operator()) as session:
            change_facts(session, tenant_id, replace(UNIVERSITY, kind=kind), seen_version=1)
        assert refusal.value.field == "kind"
