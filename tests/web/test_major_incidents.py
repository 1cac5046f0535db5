"""Major incidents on their pages: seen before they are declared, then followed by every adherent."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from console.actions.passing_on import Post, pass_on
from console.domain.access import Role
from console.store.queries.major_incidents import majors_due
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser, fields_of

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 2, 3
NIR = "1 85 05 78 006 084 36"
FORM = {"title": "Panne de Toulouse", "scope": "service:hds-iaas", "priority": "P1", "effect": "outage"}
BOTH = [str(FOIX), str(PAMIERS)]
MAJOR = "/major-incidents/1"


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        for tenant_id in (FOIX, PAMIERS):
            given.a_subscription(session, tenant_id, "hds-iaas")
    return database


def declared(browser: Browser, **form: object) -> None:
    answer = browser.submit("/major-incidents", **(FORM | {"adherents": BOTH} | form))
    assert (answer.status_code, answer.location) == (303, MAJOR)


def passed_on(database: Database) -> None:
    now = datetime.now(UTC)
    with database.read(Operator()) as session:
        due = majors_due(session, now=now)
    for major_id, tenant_id in due:
        with database.write(Operator()) as session:
            pass_on(session, major_id, tenant_id, post_by=Post(None, "https://c.example"), now=now)


def test_who_is_touched_is_seen_before_anything_is_stored(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    assert "Voir qui est touché" in browser.get("/major-incidents/new").text
    page = browser.submit("/major-incidents/touched", **FORM).text
    assert "2 adherents" in page or "2 adhérents touchés" in page
    assert "CH de Foix" in page
    assert re.search(rf'name="adherents" value="{PAMIERS}" checked', page)
    assert "Panne de Toulouse" in page
    assert "Aucun incident majeur" in browser.get("/major-incidents").text


def test_it_is_declared_for_those_that_were_ticked_and_followed(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    declared(browser, adherents=[str(FOIX)])
    page = browser.get(MAJOR).text
    assert "CH de Foix" in page
    assert "CH de Pamiers" not in page
    assert 'hx-trigger="every 5s"' in page
    passed_on(two)
    page = browser.get(MAJOR).text
    assert 'hx-trigger="every 5s"' not in page
    assert "incident n° 1" in page.replace("\u00a0", " ")
    assert "Panne de Toulouse" in browser.get("/major-incidents").text
    assert "Panne de Toulouse" in sign_in_as(Role.CIO, FOIX).get(f"/adherents/{FOIX}/incidents/1").text


def test_a_record_takes_events_terms_communications_and_adherents(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    declared(browser, adherents=[str(FOIX)])
    assert browser.submit(f"{MAJOR}/steps", kind="acknowledged").status_code == 303
    assert browser.submit(f"{MAJOR}/steps", kind="acknowledged").status_code == 409
    terms = retold(browser, priority="P2", effect="degraded", is_security="yes")
    assert browser.submit(f"{MAJOR}/terms", **terms).status_code == 303
    assert browser.submit(f"{MAJOR}/communications", text="Retour à 14 h.").status_code == 303
    assert "CH de Pamiers" in browser.get(f"{MAJOR}/adherents").text
    assert browser.submit(f"{MAJOR}/adherents", adherents=str(PAMIERS)).status_code == 303
    passed_on(two)
    assert browser.submit(f"{MAJOR}/adherents/{FOIX}/out").status_code == 303
    page = browser.get(MAJOR).text
    for said in ("Retour à 14 h.", "priorité P1 → P2", "qualifié d", "retiré", "à remplir"):
        assert said in page
    cio = sign_in_as(Role.CIO, PAMIERS).get(f"/adherents/{PAMIERS}/incidents/1").text
    assert "Retour à 14 h." in cio
    assert "CH de Foix" not in cio


def retold(browser: Browser, **typed: object) -> dict[str, object]:
    """The form of how bad it is, as it is now, once somebody typed."""
    return browser.filled_in(MAJOR, f"{MAJOR}/terms", **typed)


def test_an_old_form_changes_only_what_was_changed_in_it(two: Database, sign_in_as: SignIn) -> None:
    anne, paul = sign_in_as(Role.OPS), sign_in_as(Role.ADMINISTRATOR)
    declared(anne)
    old, clash = retold(paul, priority="P2"), retold(paul, effect="none")
    told = retold(anne, effect="degraded", is_security="yes")
    assert anne.submit(f"{MAJOR}/terms", **told).status_code == 303
    assert paul.submit(f"{MAJOR}/terms", **old).status_code == 303
    now = fields_of(anne.get(MAJOR).text, f"{MAJOR}/terms")
    assert (now["priority"], now["effect"], now["is_security"]) == (["P2"], ["degraded"], ["yes"])
    refused = paul.submit(f"{MAJOR}/terms", **clash)
    assert (refused.status_code, "Modifié entre-temps" in refused.text) == (409, True)
    again = fields_of(refused.text, f"{MAJOR}/terms")
    assert (again["priority"], again["effect"], again["is_security"]) == (["P2"], ["none"], ["yes"])
    assert paul.submit(f"{MAJOR}/terms", **again).status_code == 303


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"title": ""}, "Un texte d’une ligne"),
        ({"scope": "nothing"}, "Un choix de la liste"),
        ({"scope": "service:nothing"}, "pas au catalogue"),
        ({"scope": "data_centre:nowhere"}, "Un choix de la liste"),
        ({"adherents": []}, "cochez-les"),
        ({"adherents": ["x"]}, "Un choix de la liste"),
        ({"at": "2099-01-01T00:00"}, "Une heure à venir"),
        ({"title": f"Panne {NIR}"}, 'name="confirmed"'),
    ],
)
def test_a_bad_field_gives_the_form_again_and_nothing_is_stored(
    two: Database, sign_in_as: SignIn, form: dict[str, object], said: str
) -> None:
    browser = sign_in_as(Role.OPS)
    answer = browser.submit("/major-incidents", **(FORM | {"adherents": BOTH} | form))
    assert answer.status_code == 422
    assert said.replace("’", "&#39;") in answer.text or said.replace("’", "'") in answer.text
    assert "Aucun incident majeur" in browser.get("/major-incidents").text


@pytest.mark.parametrize(
    ("part", "form", "said"),
    [
        ("steps", {"kind": "waiting"}, None),
        ("steps", {"kind": "resolved", "at": "2001-01-01T00:00"}, "ne peut pas le précéder"),
        ("steps", {"kind": "no"}, "Un choix de la liste"),
        ("terms", {"priority": "P9", "effect": "none"}, "Un choix de la liste"),
        ("communications", {"text": ""}, "Un texte est attendu"),
        ("communications", {"text": NIR}, 'name="confirmed"'),
        ("adherents", {"adherents": "99"}, "99"),
    ],
)
def test_a_bad_deed_is_told_beside_its_form(
    two: Database, sign_in_as: SignIn, part: str, form: dict[str, str], said: str | None
) -> None:
    browser = sign_in_as(Role.OPS)
    declared(browser)
    answer = browser.submit(f"{MAJOR}/{part}", **form)
    assert answer.status_code == (409 if said is None else 422)
    assert said is None or said in answer.text


@pytest.mark.parametrize(
    ("role", "sees", "declares"),
    [
        (Role.ADMINISTRATOR, 200, 200),
        (Role.OPS, 200, 200),
        (Role.AUDITOR, 200, 403),
        (Role.ACCOUNT_MANAGER, 403, 403),
        (Role.CIO, 403, 403),
    ],
)
def test_records_are_for_those_who_see_every_adherent(
    two: Database, sign_in_as: SignIn, role: Role, sees: int, declares: int
) -> None:
    declared(sign_in_as(Role.OPS))
    browser = sign_in_as(role, FOIX)
    for address in ("/major-incidents", MAJOR, f"{MAJOR}/live", f"{MAJOR}/duties"):
        assert browser.get(address).status_code == sees
    assert browser.get("/major-incidents/new").status_code == declares
    assert browser.submit(f"{MAJOR}/steps", kind="resolved").status_code == (303 if declares == 200 else 403)


def test_a_record_that_is_not_there_is_not_found(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    for address in (MAJOR, f"{MAJOR}/adherents", f"{MAJOR}/duties"):
        assert browser.get(address).status_code == 404
    assert browser.submit(f"{MAJOR}/steps", kind="resolved").status_code == 404


def test_it_is_there_in_english(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS, locale="en")
    declared(browser, is_security="yes")
    assert "Tell all of them" in browser.get(MAJOR).text
    assert "NIS2 early warning" in browser.get(f"{MAJOR}/duties").text


def test_a_page_costs_as_many_statements_whatever_it_shows(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    declared(browser, adherents=[str(FOIX)])
    browser.get(MAJOR)
    alone = statements_of(lambda: browser.get(MAJOR))
    browser.submit(f"{MAJOR}/adherents", adherents=str(PAMIERS))
    for text in ("Une", "Deux", "Trois"):
        browser.submit(f"{MAJOR}/communications", text=text)
    passed_on(two)
    assert statements_of(lambda: browser.get(MAJOR)) == alone


def statements_of(deed: Callable[[], object]) -> int:
    count = 0

    def add(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(Engine, "before_cursor_execute", add)
    deed()
    event.remove(Engine, "before_cursor_execute", add)
    return count
