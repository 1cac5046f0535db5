"""Due dates explained on pages: the drawer, the page without JavaScript, the report and its PDF."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.domain.access import Role
from console.store.models import audit as a
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
ALL_HOURS, OFFICE = 2, 3
WAITED, LATE = 1, 2


@pytest.fixture
def desk(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        assert given.a_subscription(session, FOIX, "hds-iaas") == ALL_HOURS
        assert given.a_subscription(session, FOIX, "payroll") == OFFICE
        given.an_incident(session, FOIX, "Serveur arrêté", "P1", ALL_HOURS, NOW - 5 * HOUR)
        given.it_is(session, "waiting", FOIX, WAITED, NOW - 4 * HOUR)
        given.it_is(session, "resumed", FOIX, WAITED, NOW - 2 * HOUR)
        given.an_incident(session, FOIX, "Bulletins bloqués", "P4", OFFICE, NOW - timedelta(days=30))
    return database


def at(clock: str, number: int = WAITED) -> str:
    return f"/adherents/{FOIX}/incidents/{number}/due-dates/{clock}"


def plain(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())


def test_the_page_of_an_incident_opens_a_drawer_for_each_of_its_clocks(
    desk: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.OPS).get(f"/adherents/{FOIX}/incidents/{WAITED}").text
    for clock in ("tto", "ttr"):
        assert f'hx-get="{at(clock)}"' in page
        assert f'href="{at(clock)}"' in page


def test_the_steps_of_a_due_date_are_a_fragment_or_a_page(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    page = browser.get(at("ttr")).text
    fragment = browser.get(at("ttr"), headers={"HX-Request": "true"}).text
    assert "<html" in page
    assert "<html" not in fragment
    for text in (plain(page), plain(fragment)):
        assert "Délai de rétablissement : 4 heures de service" in text
        assert "En attente de l'adhérent : ne compte pas" in text.replace("&#39;", "'")
        assert "Temps compté" in text
        assert "Échéance" in text


def test_working_days_and_closed_time_are_told_in_english_too(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS, locale="en")
    text = plain(browser.get(at("ttr", LATE)).text)
    assert "10 working days" in text
    assert "Working day no. 10" in text
    assert "Closed, outside service hours" in text


def test_an_adherent_reads_the_steps_and_not_who_is_told_when(desk: Database, sign_in_as: SignIn) -> None:
    assert "Escalades" in sign_in_as(Role.OPS).get(at("ttr")).text
    answer = sign_in_as(Role.CIO, FOIX).get(at("ttr"))
    assert answer.status_code == 200
    assert "Escalades" not in answer.text


@pytest.mark.parametrize("address", ["due-dates/ttr", "due-dates/tto", "report", "report.pdf"])
def test_a_foreign_incident_is_not_found(desk: Database, sign_in_as: SignIn, address: str) -> None:
    answer = sign_in_as(Role.CIO, PAMIERS).get(f"/adherents/{FOIX}/incidents/{WAITED}/{address}")
    assert answer.status_code == 404


def test_there_are_two_clocks_and_no_third(desk: Database, sign_in_as: SignIn) -> None:
    assert sign_in_as(Role.OPS).get(at("other")).status_code == 404


def test_the_report_holds_both_explanations_and_is_taken_away_as_a_file(
    desk: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    page = plain(browser.get(f"/adherents/{FOIX}/incidents/{WAITED}/report").text)
    assert "Échéance de prise en charge" in page
    assert "Échéance de rétablissement" in page
    assert "mis en attente" in page
    answer = browser.get(f"/adherents/{FOIX}/incidents/{WAITED}/report.pdf")
    assert answer.content_type == "application/pdf"
    assert answer.data.startswith(b"%PDF")
    with desk.read(Operator()) as session:
        kinds = session.scalars(select(a.AuditEntry.kind).where(a.AuditEntry.tenant_id == FOIX)).all()
    assert "incident.downloaded" in kinds
