"""The portfolio: for each adherent what needs somebody, at a cost that does not grow with them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from console.domain.access import Role
from console.domain.renewal import NoticeUnit, add_months
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import followed_up, given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 2, 3
TODAY = datetime.now(UTC).date()


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    return database


def row(page: str, name: str) -> str:
    start = page.index(f">{name}</a></th>")
    return page[start : page.index("</tr>", start)]


def test_it_tells_what_comes_and_what_is_missing(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        followed_up.an_adherent_in_full(session, FOIX)
        given.an_open_incident(session, FOIX, "Bulletins bloqués")
        given.a_metered_morning(session, datetime.now(UTC) - timedelta(hours=3), payroll=FOIX)
        session.get_one(t.Subscription, (FOIX, 1)).term_ends_on = TODAY + timedelta(days=90)
        session.get_one(c.Adherent, FOIX).convention = "C-18"
    page = sign_in_as(Role.ACCOUNT_MANAGER, FOIX, PAMIERS).get("/portfolio").text
    foix, pamiers = row(page, "CH de Foix"), row(page, "CH de Pamiers")
    for text in ("/committees/1", "2 tâches", "1 en retard", "1 incidents ouverts", "Wh<", "complète"):
        assert text in foix
    assert '<td class="number">1</td>' in foix  # the renewal
    for text in ("aucun", "inconnu", "DSI", "contact de nuit", "convention"):
        assert text in pamiers


@pytest.mark.parametrize(("months", "told"), [(5, 1), (7, 0)])
def test_renewals_are_told_within_six_months(
    two: Database, sign_in_as: SignIn, months: int, told: int
) -> None:
    with two.write(Operator()) as session:
        session.get_one(t.Subscription, (FOIX, 1)).term_ends_on = TODAY + timedelta(days=30 * months)
    page = sign_in_as(Role.ACCOUNT_MANAGER, FOIX).get("/portfolio").text
    assert f'<td class="number">{told}</td>' in row(page, "CH de Foix")


def test_renewals_are_counted_as_the_lists_of_contracts_count_them(two: Database, sign_in_as: SignIn) -> None:
    tacit = {"tacit": True, "renewal_months": 12, "notice": 3, "notice_unit": NoticeUnit.MONTHS}
    with two.write(Operator()) as session:
        for number, terms in enumerate(
            (
                {"term_ends_on": add_months(TODAY, 8), **tacit},  # its notice is in five months
                {"term_ends_on": TODAY - timedelta(days=3), "tacit": False},  # nothing renewed it
                {"term_ends_on": add_months(TODAY, 3)},
                {"term_ends_on": add_months(TODAY, 20), **tacit},
            )
        ):
            now = datetime.now(UTC)
            given.a_subscription(session, FOIX, contract=str(number), now=now, **terms)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert '<td class="number">3</td>' in row(browser.get("/portfolio").text, "CH de Foix")
    assert "3 renouvellements" in browser.get("/contracts?months=6").text


def test_breached_incidents_are_counted_apart(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        given.an_incident(session, FOIX, opened_at=datetime(2026, 1, 5, 9, tzinfo=UTC))
        given.an_open_incident(session, FOIX, "Récent")
    foix = row(sign_in_as(Role.ACCOUNT_MANAGER, FOIX).get("/portfolio").text, "CH de Foix")
    assert "1 hors délai" in foix
    assert "2 incidents ouverts" in foix


def test_who_sees_every_adherent_chooses_whose_portfolio(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        zoe = given.an_account(session, "zoe", Role.ACCOUNT_MANAGER, [FOIX], name="Zoé Martin")
    browser = sign_in_as(Role.ADMINISTRATOR)
    page = browser.get("/portfolio").text
    assert "Zoé Martin" in page
    assert "CH de Foix" not in page
    page = browser.get(f"/portfolio?manager={zoe}").text
    assert "CH de Foix" in page
    assert "CH de Pamiers" not in page
    assert "Choisissez un responsable" in browser.get("/portfolio?manager=999").text


def test_another_portfolio_is_not_chosen_by_its_number(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        zoe = given.an_account(session, "zoe", Role.ACCOUNT_MANAGER, [PAMIERS])
    assert "Pamiers" not in sign_in_as(Role.ACCOUNT_MANAGER, FOIX).get(f"/portfolio?manager={zoe}").text


def test_an_adherent_that_left_is_not_followed_any_more(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        session.get_one(c.Adherent, FOIX).until = TODAY - timedelta(days=2)
    page = sign_in_as(Role.ACCOUNT_MANAGER, FOIX, PAMIERS).get("/portfolio").text
    assert "CH de Foix" not in page
    assert "1 adhérent<" in page


def test_it_costs_the_same_however_many_there_are(two: Database, app: Flask, sign_in_as: SignIn) -> None:
    statements: list[str] = []
    engine = app.extensions["console"].database.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    few = sign_in_as(Role.ACCOUNT_MANAGER, FOIX, PAMIERS)
    with two.write(Operator()) as session:
        many = [given.an_adherent(session, number, f"CH {number}") for number in range(20, 60)]
    more = sign_in_as(Role.ACCOUNT_MANAGER, *many)
    costs = []
    for browser in (few, more):
        browser.get("/portfolio")
        statements.clear()
        browser.get("/portfolio")
        costs.append(len(statements))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("role", [Role.CIO, Role.OPS])
def test_it_is_not_for_everyone(two: Database, sign_in_as: SignIn, role: Role) -> None:
    browser = sign_in_as(role, FOIX)
    assert browser.get("/portfolio").status_code == 403
    assert "Portefeuille" not in browser.get("/adherents").text
