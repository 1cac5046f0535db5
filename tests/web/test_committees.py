"""Committees and tasks on their pages, from the plan to the approved minutes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.access import Role
from console.domain.icalendar import LONGEST_OCTETS
from console.store.session import Database, Operator
from tests import followed_up, given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, SAINT_DENIS = 2, 3
COMMITTEES, TASKS = f"/adherents/{FOIX}/committees", f"/adherents/{FOIX}/tasks"
SOON = (datetime.now(UTC) + timedelta(days=9)).date()
PAST = datetime(2026, 1, 15, 14)
NIR = "1 85 05 78 006 084 36"
FORM = {
    "kind": "steering",
    "starts_at": f"{SOON}T14:00",
    "duration_min": "90",
    "place": "Salle 2",
    "link": "https://visio.example/r/1",
    "guests": "Zoé",
    "agenda": "Point annuel",
}


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, SAINT_DENIS, "CHU de Saint-Denis", "Indian/Reunion")
        followed_up.a_contact(session, FOIX)
        followed_up.a_committee(session, SAINT_DENIS, PAST)
        followed_up.a_task(session, SAINT_DENIS, "Secret")
    return database


def test_a_committee_is_planned_changed_and_cancelled(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert "Camille Durand" in browser.get(f"{COMMITTEES}/new").text
    answer = browser.submit(f"{COMMITTEES}/new", **FORM, contacts="1")
    assert answer.location == f"{COMMITTEES}/1"
    page = browser.get(f"{COMMITTEES}/1").text
    for text in ("Comité de pilotage", "Salle 2", "Camille Durand", "Zoé", "Point annuel", "15:30"):
        assert text in page
    for address in (COMMITTEES, "/committees", f"/adherents/{FOIX}"):
        assert f'href="{COMMITTEES}/1"' in browser.get(address).text
    assert f'value="{SOON}T14:00"' in browser.get(f"{COMMITTEES}/1/facts").text
    assert (
        browser.submit(f"{COMMITTEES}/1/facts", **FORM | {"version": "1", "place": "Salle 3"}).status_code
        == 303
    )
    stale = browser.submit(f"{COMMITTEES}/1/facts", **FORM | {"version": "1", "place": "Salle 4"})
    assert (stale.status_code, 'value="Salle 4"' in stale.text) == (409, True)
    assert browser.submit(f"{COMMITTEES}/1/cancel").status_code == 303
    assert browser.submit(f"{COMMITTEES}/1/cancel").status_code == 409
    assert "annulé" in browser.get(f"{COMMITTEES}/1").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"starts_at": ""}, "pas une date et une heure"),
        ({"starts_at": "2026-12-04T14:00+01:00"}, "locales de ce siècle"),
        ({"duration_min": "0"}, "minutes"),
        ({"link": "http://visio.example"}, "https://"),
        ({"kind": "feast"}, "Un choix de la liste"),
        ({"contacts": "x"}, "Prévoir un comité"),
        ({"agenda": f"Vu {NIR}"}, "numéro de patient"),
        ({"guests": "a\x07"}, "ne s&#39;affichent pas"),
    ],
)
def test_a_wrong_value_is_told_and_what_was_typed_stays(
    two: Database, sign_in_as: SignIn, typed: dict[str, str], said: str
) -> None:
    answer = sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit(f"{COMMITTEES}/new", **FORM | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Salle 2"' in answer.text


def test_a_contact_that_is_not_there_is_not_asked(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert browser.submit(f"{COMMITTEES}/new", **FORM, contacts="9").status_code == 404
    assert "Aucun comité" in browser.get(COMMITTEES).text


def test_minutes_are_drafted_approved_frozen_and_completed(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        followed_up.a_committee(session, FOIX, PAST)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    address = f"{COMMITTEES}/1"
    suspect = browser.submit(f"{address}/minutes", version="1", minutes=f"Vu {NIR}", decisions="")
    assert (suspect.status_code, f"Vu {NIR}" in suspect.text) == (422, True)
    draft = {"minutes": "Tout va bien.", "decisions": "On continue."}
    assert browser.submit(f"{address}/minutes", version="1", **draft).status_code == 303
    stale = browser.submit(f"{address}/minutes", version="1", minutes="Tout va mal.", decisions="")
    assert stale.status_code == 409
    assert "Tout va mal." in stale.text
    assert "Tout va bien." in stale.text
    assert browser.submit(f"{address}/minutes", version="1", deed="approve").status_code == 409
    assert browser.submit(f"{address}/minutes", version="2", deed="approve").status_code == 303
    page = browser.get(address).text
    assert "il ne change plus" in page
    assert "<textarea" not in page[page.index('id="minutes"') : page.index("Ajouter un additif")]
    assert browser.submit(f"{address}/minutes", version="3", **draft).status_code == 409
    assert browser.submit(f"{address}/addenda", text="").status_code == 422
    assert browser.submit(f"{address}/addenda", text="Une précision.").status_code == 303
    assert "Une précision." in browser.get(address).text
    assert address in browser.get("/committees?which=past").text


def test_its_calendar_file_is_in_utc_and_its_lines_are_short(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX, SAINT_DENIS)
    agenda = "Élément, deux; trois\n" * 20
    browser.submit(
        f"{COMMITTEES}/new", **FORM | {"agenda": agenda, "starts_at": "2026-12-04T14:00"}, contacts="1"
    )
    answer = browser.get(f"{COMMITTEES}/1.ics")
    assert answer.mimetype == "text/calendar"
    assert "DTSTART:20261204T130000Z\r\nDTEND:20261204T143000Z\r\n" in answer.text
    assert r"Élément\, deux\; trois\n" in answer.text.replace("\r\n ", "")
    assert "Camille Durand" in answer.text.replace("\r\n ", "")
    assert max(len(line) for line in answer.get_data().split(b"\r\n")) <= LONGEST_OCTETS
    there = browser.get(f"/adherents/{SAINT_DENIS}/committees/1.ics").text
    assert "DTSTART:20260115T100000Z" in there


def test_a_task_of_a_committee_is_done_and_opened_again(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        followed_up.a_committee(session, FOIX, PAST)
        account_id = given.an_account(session, "zoe", Role.ACCOUNT_MANAGER, [FOIX], name="Zoé Martin")
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    page = browser.get(f"{TASKS}/new?committee=1").text
    assert "Zoé Martin" in page
    assert "Camille Durand (CH de Foix)" in page
    form = {"title": "Devis", "due_on": "2026-01-20", "committee": "1", "in_charge": f"account:{account_id}"}
    assert browser.submit(f"{TASKS}/new", **form).location == f"{COMMITTEES}/1"
    page = browser.get(f"{COMMITTEES}/1").text
    for text in ("Devis", "Zoé Martin", "en retard", "20 janvier"):
        assert text in page
    assert (
        browser.submit(f"{TASKS}/1", **form | {"in_charge": "contact:1", "version": "1"}).status_code == 303
    )
    assert "Camille Durand" in browser.get("/tasks?which=overdue").text
    assert browser.submit(f"{TASKS}/1/state", state="done").status_code == 303
    assert browser.submit(f"{TASKS}/1/state", state="dropped").status_code == 409
    closed = browser.submit(f"{TASKS}/1", **form | {"title": "Relance", "version": "3"})
    assert (closed.status_code, 'value="Relance"' in closed.text) == (409, True)
    assert "Devis" not in browser.get(TASKS).text
    assert "close le" in browser.get(f"{TASKS}?which=settled").text
    assert browser.submit(f"{TASKS}/1/state", state="open").status_code == 303
    assert "Devis" in browser.get(TASKS).text


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"title": ""}, 422),
        ({"title": f"Rappeler {NIR}"}, 422),
        ({"due_on": "demain"}, 422),
        ({"in_charge": "account:999"}, 422),
        ({"in_charge": "account:x"}, 422),
        ({"in_charge": "contact:9"}, 404),
        ({"committee": "9"}, 404),
        ({"committee": "x"}, 422),
    ],
)
def test_a_task_that_cannot_be_is_refused(
    two: Database, sign_in_as: SignIn, typed: dict[str, str], status: int
) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"title": "Devis", "due_on": "", "committee": "", "in_charge": ""}
    assert browser.submit(f"{TASKS}/new", **form | typed).status_code == status
    assert "Aucune tâche" in browser.get(TASKS).text


def test_a_stale_task_form_loses_nothing_and_one_sent_twice_makes_one(
    two: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"title": "Devis", "due_on": "2026-01-20", "committee": "", "in_charge": ""}
    assert browser.submit(f"{TASKS}/new", **form).status_code == 303
    assert browser.submit(f"{TASKS}/new", **form).status_code == 409
    assert 'name="version" value="1"' in browser.get(f"{TASKS}/1").text
    assert browser.submit(f"{TASKS}/1", **form | {"title": "Avenant", "version": "1"}).status_code == 303
    stale = browser.submit(f"{TASKS}/1", **form | {"title": "Relance", "version": "1"})
    assert stale.status_code == 409
    assert "Modifiée entre-temps" in stale.text
    assert 'value="Relance"' in stale.text
    assert 'name="version" value="2"' in stale.text
    assert browser.get(TASKS).text.count("Avenant") == 1


def test_my_tasks_are_those_i_am_in_charge_of(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    browser.submit(f"{TASKS}/new", title="De personne", due_on="", committee="", in_charge="")
    assert "De personne" in browser.get("/tasks").text
    assert "De personne" not in browser.get("/tasks?mine=yes").text


@pytest.mark.parametrize("role", [Role.CIO, Role.OPS])
def test_the_adherent_sees_neither_committees_nor_tasks(
    two: Database, sign_in_as: SignIn, role: Role
) -> None:
    with two.write(Operator()) as session:
        followed_up.a_committee(session, FOIX, PAST, agenda="Interne")
        followed_up.a_task(session, FOIX, "Interne")
    browser = sign_in_as(role, FOIX)
    assert "Interne" not in browser.get(f"/adherents/{FOIX}").text
    for address in (COMMITTEES, f"{COMMITTEES}/1", f"{COMMITTEES}/1.ics", TASKS, "/tasks", "/committees"):
        assert browser.get(address).status_code == 403
    for address in (f"{COMMITTEES}/new", f"{COMMITTEES}/1/cancel", f"{TASKS}/new", f"{TASKS}/1/state"):
        assert browser.submit(address, **FORM).status_code == 403


def test_what_is_planned_with_another_adherent_is_not_there(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    for page in (browser.get("/tasks").text, browser.get("/committees?which=to_approve").text):
        assert "Secret" not in page
        assert "Saint-Denis" not in page
    for address in (f"/adherents/{SAINT_DENIS}/committees/1", f"{COMMITTEES}/1", f"{TASKS}/1"):
        assert browser.get(address).status_code == 404
    for address in (f"{COMMITTEES}/1/cancel", f"{COMMITTEES}/1/addenda", f"{COMMITTEES}/1/minutes"):
        assert browser.submit(address, version="1", text="Rien.", minutes="Rien.").status_code == 404
    assert browser.submit(f"{TASKS}/1/state", state="done").status_code == 404
