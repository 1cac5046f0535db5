"""The list of adherents and the directory they are chosen from."""

from collections.abc import Callable

import pytest
from sqlalchemy import event, select

from console.domain.access import Role
from console.store.models import catalogue as c
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FLEYRIAT = "010000024"


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
        given.an_adherent(session, 12, "CH de Pamiers")
        given.an_incident(session, 12)
    return database


def test_ops_see_every_adherent_and_not_the_operator(two: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get("/adherents").text
    assert "CH de Foix" in page
    assert "CH de Pamiers" in page
    assert "Mipih" not in page
    assert "2 adhérents" in page


def test_an_account_manager_sees_its_own_only_and_a_list_of_one_has_no_filters(
    two: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.ACCOUNT_MANAGER, 11).get("/adherents").text
    assert "CH de Foix" in page
    assert "Pamiers" not in page
    assert "1 adhérent" in page
    assert 'aria-label="Filtres"' not in page
    assert 'aria-label="Filtres"' in sign_in_as(Role.ACCOUNT_MANAGER, 11, 12).get("/adherents").text


def test_a_cio_of_one_adherent_is_sent_to_its_page(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, 11)
    answer = browser.get("/adherents")
    assert (answer.status_code, answer.location) == (303, "/adherents/11")
    assert "Mon établissement" in browser.get("/adherents/11").text
    several = sign_in_as(Role.CIO, 11, 12).get("/adherents")
    assert several.status_code == 200
    assert "Mon établissement" not in several.text


def test_a_search_answers_htmx_with_the_list_alone(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    found = browser.fragment("/adherents?words=pamiers").text
    assert "CH de Pamiers" in found
    assert "CH de Foix" not in found
    assert "<html" not in found
    assert "Aucun adhérent ne correspond" in browser.get("/adherents?words=nulle+part").text


def test_what_is_not_known_yet_is_unknown_and_not_zero(two: Database, sign_in_as: SignIn) -> None:
    found = sign_in_as(Role.OPS).fragment("/adherents?words=foix").text
    assert found.count("inconnu<") == 4  # sector, FINESS, energy and carbon of the month


def test_the_list_costs_the_same_however_many_there_are(two: Database, app, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    statements: list[str] = []
    engine = app.extensions["console"].database.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    browser.fragment("/adherents")
    for_two = len(statements)
    with two.write(Operator()) as session:
        for tenant_id in range(20, 50):
            given.an_adherent(session, tenant_id, f"CH {tenant_id}")
    statements.clear()
    browser.fragment("/adherents")
    assert len(statements) == for_two


def test_an_adherent_is_chosen_from_the_directory_and_entrusted_to_who_chose_it(
    database: Database, sign_in_as: SignIn
) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
        given.the_directory(session)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, 11)
    found = browser.get(f"/adherents/directory?words={FLEYRIAT}").text
    assert "CH DE FLEYRIAT" in found
    assert "1 site" in found
    answer = browser.submit("/adherents", finess_et=FLEYRIAT)
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    assert "CH DE FLEYRIAT" in page
    assert "260100045" in page
    assert browser.submit("/adherents", finess_et=FLEYRIAT).status_code == 409
    with database.read(Operator()) as session:
        adherent = session.scalars(select(c.Adherent).where(c.Adherent.name == "CH DE FLEYRIAT")).one()
    assert adherent.finess_ej == "010780054"
    assert "déjà adhérent" in browser.get(f"/adherents/directory?words={FLEYRIAT}").text


@pytest.mark.parametrize(
    ("search", "total"),
    [
        ("words=fleyriat+01", "Aucun site ne correspond"),
        ("words=viriat&department=01", "sites"),
        ("department=2A", "16 sites"),
        ("words=100%25", "Aucun site ne correspond"),
        ("words=toulouse&page=2", "Page 2 sur"),
    ],
)
def test_the_directory_is_searched_by_name_town_and_department(
    database: Database, sign_in_as: SignIn, search: str, total: str
) -> None:
    with database.write(Operator()) as session:
        given.the_directory(session)
    assert total in sign_in_as(Role.ADMINISTRATOR).get(f"/adherents/directory?{search}").text


def test_a_cio_chooses_no_adherent(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, 11)
    assert browser.get("/adherents/directory").status_code == 403
    assert browser.submit("/adherents", finess_et=FLEYRIAT).status_code == 403
    assert "Choisir dans l" not in browser.get("/adherents/11").text
