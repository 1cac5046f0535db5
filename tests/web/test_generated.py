"""A generated console says so wherever one looks, and takes nothing real in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from console.actions.api_tokens import issue_token
from console.actions.generating.generation import begin, finish
from console.actions.generating.scale import Scale
from console.domain.access import Role
from console.store.session import Database, Operator
from tests import given

pytestmark = pytest.mark.both_databases
NOW = datetime.now(UTC)
BANNER = {"fr": "rien ici n'est réel", "en": "nothing here is real"}


@pytest.fixture
def generated(database: Database) -> Database:
    """A database that is marked, with one adherent and its statement."""
    with database.write(Operator()) as session:
        begin(session, Scale(seed=1), now=NOW)
        given.an_adherent(session, 2, "CH de Foix")
        given.a_statement(session, 2, datetime(2026, 11, 25, tzinfo=UTC))
        finish(session, now=NOW)
    return database


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("path", ["/", "/adherents", "/adherents/2", "/incidents", "/nothing/there"])
def test_every_page_says_it(
    generated: Database, sign_in_as: Callable[..., FlaskClient], path: str, locale: str
) -> None:
    page = sign_in_as(Role.ADMINISTRATOR, locale=locale).get(path).text
    assert BANNER[locale] in page


def test_those_who_see_one_adherent_are_told_too(
    generated: Database, sign_in_as: Callable[..., FlaskClient]
) -> None:
    assert BANNER["fr"] in sign_in_as(Role.CIO, 2).get("/adherents/2").text


def test_the_door_says_it(generated: Database, browser: FlaskClient) -> None:
    assert BANNER["fr"] in browser.get("/sign-in").text


def test_pages_of_real_data_say_nothing(database: Database, sign_in_as: Callable[..., FlaskClient]) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
    assert "générées" not in sign_in_as(Role.ADMINISTRATOR).get("/adherents/2").text


def test_a_statement_that_is_taken_away_says_it(
    generated: Database, sign_in_as: Callable[..., FlaskClient]
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert "Données générées" in browser.get("/adherents/2/statements/1.csv").text
    assert "Données générées" in browser.get("/adherents/2/statements/1").text.partition("<main")[2]


def test_readings_are_refused_whoever_sends_them(generated: Database, browser: FlaskClient) -> None:
    with generated.write(Operator()) as session:
        token = issue_token(session, "test", now=NOW)
    answer = browser.post("/api/v1/readings", json={}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["error"]["code"] == "conflict"


@pytest.mark.parametrize("path", ["/", "/sign-in", "/adherents", "/api/v1/readings", "/healthz"])
def test_an_unfinished_generation_is_not_served(database: Database, browser: FlaskClient, path: str) -> None:
    with database.write(Operator()) as session:
        begin(session, Scale(seed=1), now=NOW)
    answer = browser.post(path) if path.startswith("/api") else browser.get(path)
    assert answer.status_code == 503
    assert "generation of this database" in answer.text
    with database.write(Operator()) as session:
        finish(session, now=NOW)
    assert browser.get("/healthz").status_code == 200
