"""The form of an adherent: what is refused, two people at once, a body typed in."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from console.domain.access import Role
from console.store.models import catalogue as c
from console.store.models import people as p
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX = 2
FORM = {
    "version": "1",
    "name": "CHIVA",
    "kind": "hospital",
    "sector": "public",
    "finess_ej": "",
    "siren": "193113842",
    "agency": "Toulouse",
    "zone": "Europe/Paris",
    "convention": "C-18",
    "since": "2026-01-01",
    "until": "",
}


@pytest.fixture
def foix(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
    return database


def adherent(database: Database, tenant_id: int = FOIX) -> c.Adherent:
    with database.read(Operator()) as session:
        return session.get_one(c.Adherent, tenant_id)


def test_a_manager_changes_what_is_said_and_the_page_tells_it(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert 'value="CH de Foix"' in browser.get(f"/adherents/{FOIX}/facts").text
    assert browser.submit(f"/adherents/{FOIX}/facts", **FORM).status_code == 303
    page = browser.get(f"/adherents/{FOIX}").text
    for text in ("CHIVA", "C-18", "Toulouse", "public", "193113842"):
        assert text in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"siren": "123456789"}, "sa clé est fausse"),
        ({"finess_ej": "9 9"}, "9 caractères"),
        ({"since": ""}, "Une date est attendue"),
        ({"kind": "operator"}, "Un choix de la liste"),
        ({"sector": "other"}, "Un choix de la liste"),
        ({"until": "2025-01-01"}, "part après être arrivé"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_what_was_typed_stays(
    foix: Database, sign_in_as: SignIn, typed: dict[str, str], said: str
) -> None:
    answer = sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit(f"/adherents/{FOIX}/facts", **FORM | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="CHIVA"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert adherent(foix).name == "CH de Foix"


def test_who_sends_a_stale_form_sees_both_and_loses_nothing(foix: Database, sign_in_as: SignIn) -> None:
    address = f"/adherents/{FOIX}/facts"
    sign_in_as(Role.ADMINISTRATOR).submit(address, **FORM)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    late = FORM | {"name": "Hôpital de Foix", "sector": "", "agency": "Reims"}
    answer = browser.submit(address, **late)
    assert answer.status_code == 409
    for text in (
        "modifié cette fiche entre-temps",
        "Hôpital de Foix",
        "Enregistré entre-temps : CHIVA",
        "Enregistré entre-temps : public",
        "Enregistré entre-temps : Toulouse",
        'name="version" value="2"',
    ):
        assert text.replace(" :", "\N{NO-BREAK SPACE}:") in answer.text.replace(" :", "\N{NO-BREAK SPACE}:")
    assert adherent(foix).name == "CHIVA"
    assert browser.submit(address, **late | {"version": "2"}).status_code == 303
    assert adherent(foix).name == "Hôpital de Foix"


def test_a_university_is_typed_in_by_its_siren(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert browser.get("/adherents/new").status_code == 200
    missing = browser.submit("/adherents/new", **FORM | {"kind": "university", "siren": ""})
    assert missing.status_code == 422
    assert "il dit de qui il s&#39;agit" in missing.text
    assert browser.submit("/adherents/new", **FORM | {"kind": "operator"}).status_code == 422
    answer = browser.submit("/adherents/new", **FORM | {"kind": "university"})
    assert answer.status_code == 303
    with foix.read(Operator()) as session:
        (added,) = session.scalars(select(c.Adherent).where(c.Adherent.siren == "193113842"))
        entrusted = session.scalars(select(p.Portfolio.tenant_id)).all()
    assert answer.location == f"/adherents/{added.tenant_id}"
    assert added.tenant_id in entrusted
    twin = browser.submit("/adherents/new", **FORM)
    assert (twin.status_code, "autre adhérent" in twin.text) == (422, True)


@pytest.mark.parametrize("role", [Role.CIO, Role.OPS, Role.AUDITOR])
def test_the_others_change_nothing(foix: Database, sign_in_as: SignIn, role: Role) -> None:
    browser = sign_in_as(role, FOIX)
    for address in (f"/adherents/{FOIX}/facts", "/adherents/new"):
        assert browser.get(address).status_code == 403
        assert browser.submit(address, **FORM).status_code == 403
    assert adherent(foix).name == "CH de Foix"
