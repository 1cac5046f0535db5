"""Notes on their page: scanned, edited by their author, never shown to the adherent."""

from collections.abc import Callable

import pytest

from console.domain.access import Role
from console.store.session import Database, Operator
from tests import followed_up, given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 2, 3
NOTES = f"/adherents/{FOIX}/notes"
NIR = "1 85 05 78 006 084 36"


@pytest.fixture
def foix(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    return database


def test_a_note_is_written_edited_and_ended_by_its_author(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert browser.submit(NOTES, text="Préfère\nle <b>téléphone</b>").status_code == 303
    page = browser.get(NOTES).text
    assert "Préfère<br>le &lt;b&gt;téléphone&lt;/b&gt;" in page
    assert "Préfère" in browser.get(f"/adherents/{FOIX}").text
    assert browser.submit(f"{NOTES}/1", text="Ne préfère rien.").status_code == 303
    assert "Ne préfère rien." in browser.get(NOTES).text
    assert browser.submit(f"{NOTES}/1/end").status_code == 303
    assert browser.submit(f"{NOTES}/1/end").status_code == 409
    assert "Ne préfère rien." in browser.get(NOTES).text
    assert "Ne préfère rien." not in browser.get(f"/adherents/{FOIX}").text


@pytest.mark.parametrize("address", [NOTES, f"{NOTES}/1"])
def test_a_note_that_seems_to_name_a_patient_is_read_again_first(
    foix: Database, sign_in_as: SignIn, address: str
) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    browser.submit(NOTES, text="Rien.")
    answer = browser.submit(address, text=f"Vu {NIR}")
    assert answer.status_code == 422
    assert f"Vu {NIR}" in answer.text
    assert 'name="confirmed"' in answer.text
    assert NIR not in browser.get(NOTES).text
    assert browser.submit(address, text=f"Vu {NIR}", confirmed="yes").status_code == 303


def test_an_empty_note_is_refused(foix: Database, sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit(NOTES, text="  ")
    assert (answer.status_code, "Un texte est attendu" in answer.text) == (422, True)


def test_a_colleague_reads_a_note_but_does_not_edit_it(foix: Database, sign_in_as: SignIn) -> None:
    with foix.write(Operator()) as session:
        followed_up.a_note(session, FOIX)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert "Préfère le téléphone." in browser.get(NOTES).text
    assert "Modifier la note" not in browser.get(NOTES).text
    assert browser.submit(f"{NOTES}/1", text="Rien.").status_code == 403


def test_an_administrator_redacts_a_note_for_good(foix: Database, sign_in_as: SignIn) -> None:
    with foix.write(Operator()) as session:
        followed_up.a_note(session, FOIX)
    assert sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit(f"{NOTES}/1/redact").status_code == 403
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert browser.submit(f"{NOTES}/1/redact").status_code == 303
    page = browser.get(NOTES).text
    assert "Préfère le téléphone." not in page
    assert "texte caviardé" in page


@pytest.mark.parametrize("role", [Role.CIO, Role.OPS])
def test_the_adherent_reads_no_note(foix: Database, sign_in_as: SignIn, role: Role) -> None:
    with foix.write(Operator()) as session:
        followed_up.a_note(session, FOIX)
    browser = sign_in_as(role, FOIX)
    assert "Préfère le téléphone." not in browser.get(f"/adherents/{FOIX}").text
    assert browser.get(NOTES).status_code == 403
    assert browser.submit(NOTES, text="Rien.").status_code == 403


def test_a_note_about_another_adherent_is_not_there(foix: Database, sign_in_as: SignIn) -> None:
    with foix.write(Operator()) as session:
        followed_up.a_note(session, PAMIERS)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    for address in (f"/adherents/{PAMIERS}/notes/1", f"{NOTES}/1"):
        assert browser.submit(address, text="Rien.").status_code == 404
        assert browser.submit(f"{address}/end").status_code == 404
