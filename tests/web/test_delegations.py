"""A portfolio handed over: seen by the delegate on its days, no longer than the giver has it, ended early."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from console.domain.access import Role
from console.store.models import people as p
from console.store.queries.sign_in import ZONE
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
DAY = timedelta(days=1)


def today() -> date:
    return datetime.now(UTC).astimezone(ZONE).date()


@pytest.fixture
def people(database: Database) -> tuple[int, int]:
    """Ana has Foix and Pamiers; Bob, a colleague, has nothing."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        ana = given.an_account(session, "ana", Role.ACCOUNT_MANAGER, [FOIX, PAMIERS])
        return ana, given.an_account(session, "bob", Role.ACCOUNT_MANAGER)


def who(app: Flask, login: str) -> Browser:
    browser = app.test_client()
    assert isinstance(browser, Browser)
    assert browser.submit("/sign-in", login=login, password=given.PASSWORD).status_code == 303
    return browser


def hand_over(browser: Browser, taker: int, *adherents: int, **days: date) -> int:
    first, last = days.get("first", today()), days.get("last", today() + DAY)
    return browser.submit(
        "/account/delegations",
        taker=str(taker),
        adherents=[str(number) for number in adherents],
        first_day=first.isoformat(),
        last_day=last.isoformat(),
    ).status_code


def test_a_colleague_sees_what_was_handed_over_and_nothing_else(app: Flask, people: tuple[int, int]) -> None:
    ana, bob = who(app, "ana"), who(app, "bob")
    page = ana.get("/account/delegations/new").text
    assert 'value="11" checked' in page
    assert "Bob" in page
    assert bob.get(f"/adherents/{FOIX}").status_code == 404
    assert hand_over(ana, people[1], FOIX) == 303
    assert bob.get(f"/adherents/{FOIX}").status_code == 200
    assert bob.get(f"/adherents/{PAMIERS}").status_code == 404
    assert "CH de Foix" in bob.get("/adherents").text
    assert ana.get(f"/adherents/{FOIX}").status_code == 200
    for browser, said in ((ana, "Confié à Bob"), (bob, "Reçu de Ana")):
        shown = browser.get("/account").text
        assert said in shown
        assert "en cours" in shown


def test_it_is_seen_on_the_page_of_both_and_ended_there(
    app: Flask, people: tuple[int, int], sign_in_as: SignIn
) -> None:
    hand_over(who(app, "ana"), people[1], FOIX)
    boss, bob = sign_in_as(Role.ADMINISTRATOR), who(app, "bob")
    for account_id in people:
        page = boss.get(f"/people/{account_id}").text
        end = re.search(rf'action="(/people/{account_id}/delegations/\d+/end)"', page)
        assert end
    assert boss.submit(end[1]).status_code == 303
    assert bob.get(f"/adherents/{FOIX}").status_code == 404
    assert boss.submit(end[1]).status_code == 409


@pytest.mark.parametrize("login", ["ana", "bob"])
def test_either_of_the_two_ends_it(
    app: Flask, people: tuple[int, int], database: Database, login: str
) -> None:
    hand_over(who(app, "ana"), people[1], FOIX)
    with database.read(Operator()) as session:
        number = session.scalars(select(p.Delegation.delegation_id)).one()
    assert who(app, login).submit(f"/account/delegations/{number}/end").location == "/account"
    assert who(app, "bob").get(f"/adherents/{FOIX}").status_code == 404


def test_nobody_else_ends_it(app: Flask, people: tuple[int, int], database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_account(session, "carl", Role.ACCOUNT_MANAGER, [FOIX])
    hand_over(who(app, "ana"), people[1], FOIX)
    with database.read(Operator()) as session:
        number = session.scalars(select(p.Delegation.delegation_id)).one()
    assert who(app, "carl").submit(f"/account/delegations/{number}/end").status_code == 404
    assert who(app, "bob").get(f"/adherents/{FOIX}").status_code == 200


@pytest.mark.parametrize(
    ("role", "status"), [(Role.CIO, 403), (Role.OPS, 403), (Role.AUDITOR, 403), (Role.ADMINISTRATOR, 403)]
)
def test_only_account_managers_hand_over(
    people: tuple[int, int], sign_in_as: SignIn, role: Role, status: int
) -> None:
    browser = sign_in_as(role, FOIX)
    assert browser.get("/account/delegations/new").status_code == status
    assert hand_over(browser, people[1], FOIX) == status


def test_what_cannot_be_handed_over_is_refused(
    app: Flask, people: tuple[int, int], database: Database
) -> None:
    with database.write(Operator()) as session:
        cio = given.an_account(session, "cio", Role.CIO, [FOIX])
        gone = given.an_account(session, "gone", Role.ACCOUNT_MANAGER, disabled_at=datetime.now(UTC))
        given.an_adherent(session, 13, "CH de Lavelanet")
    ana = who(app, "ana")
    for taker in (people[0], cio, gone, 999):
        assert hand_over(ana, taker, FOIX) == 422
    assert hand_over(ana, people[1]) == 422
    assert hand_over(ana, people[1], FOIX, 13) == 404  # not hers
    assert hand_over(ana, people[1], 999) == 404
    assert hand_over(ana, people[1], FOIX, last=today() + 92 * DAY) == 422
    assert hand_over(ana, people[1], FOIX, first=today() - DAY) == 422
    with database.read(Operator()) as session:
        assert session.scalars(select(p.Delegation)).all() == []


def test_what_was_received_is_not_handed_on(app: Flask, people: tuple[int, int]) -> None:
    hand_over(who(app, "ana"), people[1], FOIX)
    assert hand_over(who(app, "bob"), people[0], FOIX) == 404
