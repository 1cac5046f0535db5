"""Choosing an adherent from the directory."""

import pytest
from sqlalchemy import select

from console.actions.adherents import Facts, add_adherent, add_by_hand, kind_of
from console.actions.catalogue import seed_catalogue
from console.domain.access import Role
from console.domain.adherents import Sector
from console.domain.errors import Conflict, NotFound
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import people as p
from console.store.session import Database, Operator
from tests import given
from tests.given import NOW

FLEYRIAT, REUNION = "010000024", "970400024"


@pytest.fixture
def directory(database: Database) -> Database:
    with database.write(Operator()) as session:
        seed_catalogue(session, NOW.date())
        given.the_directory(session)
    return database


def test_the_legal_entity_of_a_site_becomes_an_adherent(directory: Database) -> None:
    with directory.write(Operator()) as session:
        adherent = session.get_one(c.Adherent, add_adherent(session, FLEYRIAT, now=NOW))
    assert (adherent.name, adherent.finess_ej, adherent.siren) == (
        "CH DE FLEYRIAT",
        "010780054",
        "260100045",
    )
    assert (adherent.kind, adherent.zone) == (c.AdherentKind.HOSPITAL, "Europe/Paris")
    assert adherent.sector is Sector.PUBLIC


def test_an_overseas_adherent_lives_by_its_own_zone(directory: Database) -> None:
    with directory.write(Operator()) as session:
        adherent = session.get_one(c.Adherent, add_adherent(session, REUNION, now=NOW))
    assert adherent.zone == "Indian/Reunion"


def test_who_chose_it_may_be_entrusted_with_it(directory: Database) -> None:
    with directory.write(Operator()) as session:
        account = given.an_account(session, "manager", Role.ACCOUNT_MANAGER)
        tenant_id = add_adherent(session, FLEYRIAT, now=NOW, entrust_to=account)
        assert session.scalars(select(p.Portfolio.tenant_id)).all() == [tenant_id]


def test_an_entity_is_an_adherent_once_whichever_site_is_chosen(directory: Database) -> None:
    with directory.write(Operator()) as session:
        sites = select(d.DirectorySite.finess_et).where(d.DirectorySite.finess_ej == "010780054")
        for number, finess_et in enumerate(session.scalars(sites).all()):
            if number == 0:
                add_adherent(session, finess_et, now=NOW)
            else:
                with pytest.raises(Conflict, match="déjà un adhérent"):
                    add_adherent(session, finess_et, now=NOW)
        assert number >= 1


def test_an_entity_that_was_typed_in_by_its_siren_is_not_added_again(directory: Database) -> None:
    facts = Facts(
        name="Fleyriat",
        kind=c.AdherentKind.HOSPITAL,
        sector=None,
        finess_ej=None,
        siren="260100045",
        agency=None,
        zone="Europe/Paris",
        convention=None,
        since=NOW.date(),
        until=None,
    )
    with directory.write(Operator()) as session:
        add_by_hand(session, facts)
    with pytest.raises(Conflict, match="déjà un adhérent") as refusal, directory.write(Operator()) as session:
        add_adherent(session, FLEYRIAT, now=NOW)
    assert "Fleyriat" not in str(refusal.value)  # it may be in nobody's scope


def test_a_site_that_is_not_in_the_directory_is_not_found(directory: Database) -> None:
    with pytest.raises(NotFound), directory.write(Operator()) as session:
        add_adherent(session, "999999999", now=NOW)


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("355", c.AdherentKind.HOSPITAL),
        ("146", c.AdherentKind.HOSPITAL),
        ("500", c.AdherentKind.MEDICO_SOCIAL),
        ("999", c.AdherentKind.OTHER),
    ],
)
def test_the_kind_is_guessed_from_the_category(category: str, kind: c.AdherentKind) -> None:
    assert kind_of(category) is kind
