"""Whom to call, as pages tell it: in which order, to whom, and what of the operator an adherent sees."""

from collections.abc import Callable

import pytest

from console.domain.access import Role
from console.store.session import Database, Operator
from tests import followed_up, given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 2, 3
FORM = {
    "role": "night",
    "name": "Astreinte",
    "phone": "05 61 00 00 99",
    "mail": "",
    "starts_on": "2026-01-01",
    "ends_on": "",
}


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        followed_up.a_contact(session, PAMIERS, name="Autre Personne")
    return database


def test_a_contact_is_added_changed_and_ended(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    address = f"/adherents/{FOIX}/contacts"
    assert browser.submit(address, **FORM).location == address
    page = browser.get(f"/adherents/{FOIX}").text
    assert 'href="tel:0561000099"' in page
    assert 'value="05 61 00 00 99"' in browser.get(f"{address}/1").text
    ended = browser.submit(f"{address}/1", **FORM | {"ends_on": "2026-01-31", "version": "1"})
    assert ended.status_code == 303
    assert "Astreinte" not in browser.get(f"/adherents/{FOIX}").text
    page = browser.get(address).text
    assert "Astreinte" in page
    assert "31 janvier" in page


def test_a_stale_form_loses_nothing(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    address = f"/adherents/{FOIX}/contacts"
    browser.submit(address, **FORM)
    assert 'name="version" value="1"' in browser.get(f"{address}/1").text
    assert browser.submit(f"{address}/1", **FORM | {"name": "Bao", "version": "1"}).status_code == 303
    stale = browser.submit(f"{address}/1", **FORM | {"name": "Alix", "version": "1"})
    assert stale.status_code == 409
    assert "Modifié entre-temps" in stale.text
    assert 'value="Alix"' in stale.text
    assert 'name="version" value="2"' in stale.text
    assert "Bao" in browser.get(address).text
    assert browser.submit(f"{address}/1", **FORM | {"name": "Alix", "version": "2"}).status_code == 303


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"phone": "standard"}, "par exemple 05 61"),
        ({"phone": ""}, "est attendu"),
        ({"mail": "dsi@"}, "adresse électronique"),
        ({"role": "king"}, "Un choix de la liste"),
        ({"ends_on": "2025-01-01"}, "finit après son début"),
    ],
)
def test_a_wrong_value_is_told_and_what_was_typed_stays(
    two: Database, sign_in_as: SignIn, typed: dict[str, str], said: str
) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    answer = browser.submit(f"/adherents/{FOIX}/contacts", **FORM | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Astreinte"' in answer.text


def test_a_place_outside_the_directory_is_added_and_ends(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    sites = f"/adherents/{FOIX}/sites"
    wrong = browser.submit(sites, site_name="Annexe", town="Foix", department="99")
    assert (wrong.status_code, 'value="Annexe"' in wrong.text) == (422, True)
    assert browser.submit(sites, site_name="Annexe", town="Foix", department="09").status_code == 303
    assert "Annexe" in browser.get(f"/adherents/{FOIX}").text
    assert browser.submit(f"{sites}/1").status_code == 303
    assert browser.submit(f"{sites}/1").status_code == 409
    assert "Annexe" not in browser.get(f"/adherents/{FOIX}").text


def test_an_adherent_reads_its_contacts_and_three_of_the_operator(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        followed_up.a_contact(session, FOIX, name="Alix")
        for role in ("night", "security", "dpo", "finance"):
            followed_up.a_contact(session, 1, role, name=f"Opérateur {role}")
        given.an_account(session, "zoe", Role.ACCOUNT_MANAGER, [FOIX], name="Zoé", email="z@op.example")
    browser = sign_in_as(Role.CIO, FOIX)
    page = browser.get(f"/adherents/{FOIX}").text
    for text in (
        "Alix",
        "Opérateur night",
        "Opérateur security",
        "Opérateur dpo",
        "Zoé",
        "z@op.example",
    ):
        assert text in page
    assert "Opérateur finance" not in page
    assert "Autre Personne" not in page
    assert browser.get(f"/adherents/{FOIX}/contacts").status_code == 200
    assert browser.submit(f"/adherents/{FOIX}/contacts", **FORM).status_code == 403
    assert browser.get("/adherents/1/contacts").status_code == 404


def test_a_contact_of_another_adherent_is_not_there(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    for address in (f"/adherents/{PAMIERS}/contacts/1", f"/adherents/{FOIX}/contacts/1"):
        assert browser.get(address).status_code == 404
        assert browser.submit(address, **FORM).status_code == 404


def test_who_is_missing_is_said(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        followed_up.a_contact(session, FOIX, "night")
    page = sign_in_as(Role.OPS).get(f"/adherents/{FOIX}").text
    card = page[page.index('id="call"') : page.index('id="incidents"')]
    assert card.index("contact de nuit") < card.index("RSSI")
    assert card.count("inconnu") == 2  # the security officer and the CIO
