"""Incidents on their pages: opened, followed, resolved, by those who may, within what they see."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from console.domain.access import Role
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
ALL_HOURS = 2  # the number of a subscription under the 24x7 plan


@pytest.fixture
def desk(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        for tenant_id in (FOIX, PAMIERS):
            given.a_subscription(session, tenant_id, "hds-iaas")
        fresh = {"subscription": ALL_HOURS, "opened_at": NOW - HOUR / 2}
        given.an_incident(session, FOIX, "Paie lente", "P3", **fresh)
        given.an_incident(session, FOIX, "Serveur arrêté", "P1", ALL_HOURS, NOW - 5 * HOUR)
        waiting = given.an_incident(session, FOIX, "Attente de pièces", "P2", ALL_HOURS, NOW - 2 * HOUR)
        given.it_is(session, "waiting", FOIX, waiting, NOW - HOUR)
        at_risk = given.an_incident(session, FOIX, "Disque plein", "P1", ALL_HOURS, NOW - 3.5 * HOUR)
        given.it_is(session, "acknowledged", FOIX, at_risk, NOW - 3.4 * HOUR)
        done = given.an_incident(session, FOIX, "Panne passée", "P4", ALL_HOURS, NOW - 9 * HOUR)
        given.it_is(session, "resolved", FOIX, done, NOW - 8 * HOUR)
        given.an_incident(session, PAMIERS, "Secret de Pamiers", "P2", **fresh)
    return database


def log(database: Database, number: int) -> list[str]:
    with database.read(Operator()) as session:
        events = select(t.IncidentEvent.kind).where(
            t.IncidentEvent.tenant_id == FOIX, t.IncidentEvent.incident == number
        )
        return list(session.scalars(events.order_by(t.IncidentEvent.position)))


def test_an_account_sees_the_incidents_of_its_adherents_only(desk: Database, sign_in_as: SignIn) -> None:
    for role in (Role.CIO, Role.ACCOUNT_MANAGER):
        browser = sign_in_as(role, FOIX)
        assert "Pamiers" not in browser.get("/incidents").text
        for address in ("", "/1", "/new"):
            answer = browser.get(f"/adherents/{PAMIERS}/incidents{address}")
            assert answer.status_code == 404
            assert "Secret" not in answer.text
    assert "Secret de Pamiers" in sign_in_as(Role.OPS).get("/incidents").text


def test_an_incident_shows_its_clocks_its_log_and_what_may_happen_next(
    desk: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.OPS).get(f"/adherents/{FOIX}/incidents/4").text
    assert "Disque plein" in page
    assert re.findall(r'name="kind" value="(\w+)"', page) == ["waiting", "resolved"]
    left = re.search(r"Temps ouvré restant.*?(\d+)\s+min", page, re.DOTALL)
    assert left is not None
    assert 0 < int(left[1]) <= 30  # of the last half hour, less what the tests took so far
    waiting = sign_in_as(Role.OPS).get(f"/adherents/{FOIX}/incidents/3").text
    assert "échéance suspendue" in waiting
    assert re.findall(r'name="kind" value="(\w+)"', waiting) == ["acknowledged", "resumed", "resolved"]


def test_an_event_is_recorded_with_and_without_htmx(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    address = f"/adherents/{FOIX}/incidents/1"
    answer = browser.submit(f"{address}/events", kind="acknowledged", at="")
    assert (answer.status_code, answer.location) == (303, address)
    wall = NOW.astimezone(ZoneInfo("Europe/Paris"))
    assert browser.submit(f"{address}/events", kind="resolved", at="2001-01-01T00:00").status_code == 422
    future = (wall + HOUR).strftime("%Y-%m-%dT%H:%M")
    refused = browser.submit(f"{address}/events", kind="resolved", at=future)
    assert refused.status_code == 422
    assert "à venir" in refused.text
    assert browser.submit(f"{address}/events", kind="resolved").status_code == 303
    assert browser.submit(f"{address}/events", kind="resolved").status_code == 409
    assert browser.submit(f"{address}/events", kind="melted").status_code == 422
    assert log(desk, 1) == ["opened", "acknowledged", "resolved"]


def test_an_incident_is_opened_an_hour_ago_on_the_clock_of_its_adherent(
    desk: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert "Survenu le" in browser.get(f"/adherents/{FOIX}/incidents/new").text
    at = (NOW - HOUR).astimezone(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%dT%H:%M")
    answer = browser.submit(
        f"/adherents/{FOIX}/incidents", title="Imprimante", subscription="2", priority="P3", at=at
    )
    assert answer.status_code == 303
    assert "Imprimante" in browser.get(answer.location).text
    with desk.read(Operator()) as session:
        incident = session.get_one(t.Incident, (FOIX, 6))
    assert incident.opened_at == (NOW - HOUR).replace(second=0)


def test_a_form_sent_twice_opens_one_incident_and_names_it(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"title": "Imprimante", "subscription": "2", "priority": "P3", "at": ""}
    first = browser.submit(f"/adherents/{FOIX}/incidents", **form)
    assert first.location == f"/adherents/{FOIX}/incidents/6"
    again = browser.submit(f"/adherents/{FOIX}/incidents", **form)
    assert again.status_code == 409
    assert re.search(r"L&#39;incident n°\s6, du même titre, n&#39;est pas encore résolu\.", again.text)


def test_a_title_that_seems_to_name_a_patient_must_be_confirmed(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"title": "Dossier 185057800608436 bloqué", "subscription": "2", "priority": "P3", "at": ""}
    refused = browser.submit(f"/adherents/{FOIX}/incidents", **form)
    assert refused.status_code == 422
    assert "numéro de patient" in refused.text
    with desk.read(Operator()) as session:
        assert session.get(t.Incident, (FOIX, 6)) is None
    assert browser.submit(f"/adherents/{FOIX}/incidents", **form, confirmed="yes").status_code == 303


@pytest.mark.parametrize(
    "typed",
    [
        {"title": " "},
        {"priority": "P9"},
        {"subscription": ""},
        {"subscription": str(2**31)},
        {"at": "hier"},
        {"at": "2025-12-31T10:00"},
    ],
)
def test_a_wrong_value_is_told_beside_its_field(
    desk: Database, sign_in_as: SignIn, typed: dict[str, str]
) -> None:
    form = {"title": "Imprimante", "subscription": "2", "priority": "P3", "at": ""} | typed
    answer = sign_in_as(Role.OPS).submit(f"/adherents/{FOIX}/incidents", **form)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_a_cio_reads_and_records_nothing(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    page = browser.get(f"/adherents/{FOIX}/incidents/1").text
    assert "Paie lente" in page
    assert 'name="kind"' not in page
    assert browser.submit(f"/adherents/{FOIX}/incidents/1/events", kind="resolved").status_code == 403
    assert log(desk, 1) == ["opened"]


def test_a_manager_records_nothing_of_another_adherent(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"title": "x", "subscription": "2", "priority": "P3"}
    assert browser.submit(f"/adherents/{PAMIERS}/incidents", **form).status_code == 404
    answer = browser.submit(f"/adherents/{PAMIERS}/incidents/1/events", kind="resolved")
    assert answer.status_code == 404
    with desk.read(Operator()) as session:
        assert session.get_one(t.Incident, (PAMIERS, 1)).resolved_at is None
