"""The list of incidents: filters and their counts, views, files, deeds on several, time left, cost."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import event, select

from console.domain.access import Role
from console.store.models import catalogue as c
from console.store.models import signals as g
from console.store.models import tenant as t
from console.store.models import watching as w
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
ALL_HOURS = 2  # the number of a subscription under the 24x7 plan
OPEN = ["Serveur arrêté", "Disque plein", "Paie lente", "Attente de pièces"]
FILTERS = {
    "state=breached": ["Serveur arrêté"],
    "state=at_risk": ["Disque plein"],
    "state=waiting": ["Attente de pièces"],
    "state=on_time": ["Paie lente"],
    "state=met&which=all": ["Panne passée"],
    "state=missed&which=all": [],
    "which=resolved": ["Panne passée"],
    "priority=P1": ["Serveur arrêté", "Disque plein"],
    "priority=P1&state=at_risk": ["Disque plein"],
    "awaited=adherent": ["Attente de pièces"],
    "awaited=operator": ["Disque plein"],
    "awaited=owner": ["Serveur arrêté", "Paie lente"],
    "category=payroll": ["Paie lente"],
    "security=yes": ["Serveur arrêté"],
    "major=yes": ["Disque plein"],
    "major=no&security=no": ["Paie lente", "Attente de pièces"],
    "origin=console": OPEN,
    "origin=adherent": [],
    "agency=Toulouse": OPEN,
    "agency=Amiens": [],
    "words=foix": OPEN,
    "words=pamiers": [],
    "words=R-004512": ["Paie lente"],
    "words=R-0045": [],
    "priority=P9": OPEN,
    "state=lost&which=none": OPEN,
}


@pytest.fixture
def desk(database: Database) -> Database:
    with database.write(Operator()) as session:
        for tenant_id, name in ((FOIX, "CH de Foix"), (PAMIERS, "CH de Pamiers")):
            given.an_adherent(session, tenant_id, name)
            given.a_subscription(session, tenant_id, "hds-iaas")
        session.get_one(c.Adherent, FOIX).agency = "Toulouse"
        fresh = {"subscription": ALL_HOURS, "opened_at": NOW - HOUR / 2}
        given.an_incident(session, FOIX, "Paie lente", "P3", **fresh, category=t.Category.PAYROLL)
        given.an_incident(session, FOIX, "Serveur arrêté", "P1", ALL_HOURS, NOW - 5 * HOUR, is_security=True)
        waiting = given.an_incident(session, FOIX, "Attente de pièces", "P2", ALL_HOURS, NOW - 2 * HOUR)
        given.it_is(session, "waiting", FOIX, waiting, NOW - HOUR)
        at_risk = given.an_incident(session, FOIX, "Disque plein", "P1", ALL_HOURS, NOW - 3.5 * HOUR, major=7)
        given.it_is(session, "acknowledged", FOIX, at_risk, NOW - 3.4 * HOUR)
        ticket = {"desk": "itop", "external_id": "R-004512", "incident": 1, "told": {}, "comments": []}
        session.add(g.DeskTicket(tenant_id=FOIX, told_at=NOW, **ticket))
        done = given.an_incident(session, FOIX, "Panne passée", "P4", ALL_HOURS, NOW - 9 * HOUR)
        given.it_is(session, "resolved", FOIX, done, NOW - 8 * HOUR)
        given.an_incident(session, PAMIERS, "Secret de Pamiers", "P2", **fresh, origin=t.Origin.ADHERENT)
    return database


def rows(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)


def chips(page: str) -> dict[str, int]:
    """The counts that filters show."""
    found = re.findall(r'<a class="button[^>]*>([^<]+?)\s(\d+)</a>', page)
    return {text.replace("&#39;", "'"): int(number) for text, number in found}


def phase(database: Database, number: int, tenant_id: int = FOIX) -> str:
    with database.read(Operator()) as session:
        return session.get_one(t.Incident, (tenant_id, number)).phase


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that reach a database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        seen.append(text)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_those_that_run_come_first_by_due_date_and_time_alone_changes_their_state(
    desk: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    assert rows(browser.get("/incidents").text) == OPEN
    page = browser.get("/incidents?which=all").text
    assert rows(page) == [*OPEN, "Panne passée"]
    for state in ("délai dépassé", "à risque", "dans les délais", "attente de l", "tenu"):
        assert state in page


@pytest.mark.both_databases
def test_the_list_is_filtered(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    found = {asked: rows(browser.fragment(f"/incidents?{asked}").text) for asked in FILTERS}
    assert found == FILTERS
    assert "<html" not in browser.fragment("/incidents").text


@pytest.mark.both_databases
def test_a_filter_counts_what_the_others_leave_for_it(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    assert chips(browser.fragment("/incidents?priority=P1").text) == {
        "délai dépassé": 1,
        "à risque": 1,
        "P1": 2,
        "P2": 1,
        "P3": 1,
        "l'opérateur y travaille": 1,
        "à prendre en charge": 1,
        "de sécurité": 1,
        "sans enjeu de sécurité": 1,
        "part d'un incident majeur": 1,
        "propres à l'adhérent": 1,
    }


def test_who_sees_all_asks_for_the_adherents_they_follow(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS, PAMIERS)
    assert rows(browser.get("/incidents?mine=yes").text) == ["Secret de Pamiers"]
    assert rows(browser.get("/incidents?mine=no").text) == OPEN
    assert "de mes adhérents" not in sign_in_as(Role.OPS).get("/incidents").text
    assert rows(browser.get(f"/adherents/{FOIX}/incidents?mine=no").text) == OPEN


def test_the_time_left_is_told_and_ticks_only_while_the_clock_runs(
    desk: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.CIO, FOIX).get("/incidents?which=all").text
    ticking = re.findall(r'<span data-left="(-?\d+)" data-runs="1" data-turns="">([^<]+)</span>', page)
    assert [int(seconds) < 0 for seconds, _ in ticking] == [True, False, False]
    late_h, late_min = divmod(-int(ticking[0][0]) // 60, 60)
    assert re.match(rf"dépassé de {late_h}\sh {late_min:02}\smin", ticking[0][1])
    assert re.match(rf"reste {int(ticking[1][0]) // 60}\smin", ticking[1][1])
    assert page.count("data-left=") == 3
    assert "countdown.js" in page


def test_a_list_is_a_file_too(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    text = browser.get("/incidents.csv?priority=P1").get_data().decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert [row[2] for row in table] == ["Incident", "Serveur arrêté", "Disque plein"]
    assert table[1][5] == "délai dépassé"
    assert datetime.fromisoformat(table[1][6]) == NOW - 5 * HOUR
    answer = browser.get(f"/adherents/{FOIX}/incidents.xlsx?which=all")
    sheet = load_workbook(io.BytesIO(answer.get_data())).active
    assert sheet is not None
    assert [row[2] for row in sheet.values] == ["Incident", *OPEN, "Panne passée"]
    assert browser.get(f"/adherents/{PAMIERS}/incidents.csv").status_code == 404


@pytest.mark.both_databases
def test_the_list_runs_as_many_statements_for_three_incidents_as_for_a_page(
    desk: Database, app: Flask, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    database = app.extensions["console"].database
    browser.get("/incidents")
    with counted(database) as few:
        browser.get("/incidents?priority=P1")
    with desk.write(Operator()) as session:
        for number in range(60):
            tenant_id = 100 + number
            given.an_adherent(session, tenant_id, f"CH {number}")
            given.an_incident(session, tenant_id, f"Panne {number}", "P1", 1, NOW - HOUR)
    with counted(database) as many:
        page = browser.get("/incidents?priority=P1").text
    assert len(rows(page)) == 50
    assert len(many) == len(few)


# -- views -----------------------------------------------------------------------------------------------


def test_a_view_is_kept_under_a_name_by_who_made_it_and_forgotten(desk: Database, sign_in_as: SignIn) -> None:
    browser, other = sign_in_as(Role.CIO, FOIX), sign_in_as(Role.OPS)
    query = "priority=P1&state=at_risk&page=3&lost=1&which=open"
    kept = browser.submit("/incidents/views", name=" Urgents  du jour ", query=query)
    assert (kept.status_code, kept.location) == (303, "/incidents?state=at_risk&priority=P1")
    page = browser.get("/incidents").text
    assert '<a href="/incidents?state=at_risk&amp;priority=P1">Urgents du jour</a>' in page
    assert "Urgents du jour" not in other.get("/incidents").text
    with desk.read(Operator()) as session:
        (view,) = session.scalars(select(w.SavedView)).all()
    assert other.submit(f"/incidents/views/{view.view_id}/forget").status_code == 404
    assert browser.submit("/incidents/views", name="Urgents du jour", query="").status_code == 303
    assert '<a href="/incidents">Urgents du jour</a>' in browser.get("/incidents").text
    assert browser.submit(f"/incidents/views/{view.view_id}/forget").status_code == 303
    assert "Urgents du jour" not in browser.get("/incidents").text


def test_a_view_without_a_name_is_refused_beside_its_field(desk: Database, sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.OPS).submit("/incidents/views", name=" ", query="priority=P1")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert rows(answer.text) == ["Serveur arrêté", "Disque plein"]


def test_an_account_keeps_twenty_views_at_most(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    statuses = [browser.submit("/incidents/views", name=f"Vue {n}", query="").status_code for n in range(21)]
    assert statuses == [303] * 20 + [409]


# -- several at once -------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_several_are_done_each_by_itself_and_those_that_refuse_say_why(
    desk: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    chosen = [f"{FOIX}:{number}" for number in (1, 2, 4, 5)] + [f"{PAMIERS}:1", f"{FOIX}:99"]
    answer = browser.submit("/incidents/deeds", deed="acknowledged", incidents=chosen, back="/incidents")
    assert answer.status_code == 200
    assert "pour 2 incidents" in answer.text
    assert "4 incidents" in answer.text
    assert answer.text.count("Un incident se prend en charge une seule fois") == 2
    assert answer.text.count("<td>Incident introuvable.</td>") == 2
    assert "Secret" not in answer.text
    with desk.read(Operator()) as session:
        assert session.get_one(t.Incident, (FOIX, 1)).tto_met_at is not None
        assert session.get_one(t.Incident, (PAMIERS, 1)).tto_met_at is None
    again = browser.submit("/incidents/deeds", deed="acknowledged", incidents=chosen)
    assert "pour 0 incident" in again.text


def test_the_priority_of_several_is_set_and_logged(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    answer = browser.submit("/incidents/deeds", deed="P1", incidents=[f"{FOIX}:1", f"{FOIX}:3"])
    assert "pour 2 incidents" in answer.text
    assert rows(browser.get("/incidents?priority=P1").text) == [
        "Serveur arrêté",
        "Disque plein",
        "Paie lente",
        "Attente de pièces",
    ]


@pytest.mark.parametrize(
    "typed",
    [
        {"deed": "resolved"},
        {"deed": "melted", "incidents": f"{FOIX}:1"},
        {"deed": "resolved", "incidents": "1"},
        {"deed": "resolved", "incidents": f"{FOIX}:x"},
        {"deed": "resolved", "incidents": [f"{FOIX}:{number}" for number in range(1, 99)]},
    ],
)
def test_what_cannot_be_done_to_several_is_refused_and_nothing_changes(
    desk: Database, sign_in_as: SignIn, typed: dict[str, str | list[str]]
) -> None:
    answer = sign_in_as(Role.OPS).submit("/incidents/deeds", **typed)
    assert answer.status_code == 422
    assert phase(desk, 1) == "running"


@pytest.mark.parametrize(
    ("role", "address", "ways"),
    [
        (Role.CIO, "/incidents", ["État des services", "Travaux planifiés"]),
        (Role.OPS, f"/adherents/{FOIX}/incidents", ["État des services", "Travaux planifiés"]),
        (
            Role.OPS,
            "/incidents",
            [
                "Incidents majeurs",
                "Travaux planifiés",
                "Actions après incident",
                "Modèles de message",
                "Sondes",
                "Alertes de supervision",
            ],
        ),
    ],
)
def test_beside_the_list_are_the_pages_that_its_reader_may_open(
    desk: Database, sign_in_as: SignIn, role: Role, address: str, ways: list[str]
) -> None:
    browser = sign_in_as(role, *([FOIX] if role is Role.CIO else []))
    page = browser.get(address).text
    around = page.partition('aria-label="Autour des incidents"')[2].partition("</nav>")[0]
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', around)
    assert [text for _, text in links] == ways
    assert {browser.get(link).status_code for link, _ in links} == {200}


def test_a_cio_does_nothing_to_several(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    assert 'name="incidents"' not in browser.get("/incidents").text
    answer = browser.submit("/incidents/deeds", deed="resolved", incidents=f"{FOIX}:1")
    assert answer.status_code == 403
    assert phase(desk, 1) == "running"
